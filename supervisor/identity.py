"""Telling a process from another one that later got the same number."""

import os
import signal
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Self

PROC = Path("/proc")
SESSION, STARTED = 3, 19  # fields of /proc/PID/stat, counted from the state


@dataclass(frozen=True)
class Identity:
    """A process number with the moment that makes it unique: start in ticks, and which boot."""

    pid: int
    started: str
    boot: str

    @classmethod
    def of(cls, pid: int) -> Self | None:
        fields = _stat_fields(pid)
        return cls(pid, fields[STARTED], boot_id()) if fields else None

    @classmethod
    def load(cls, path: Path) -> Self | None:
        with suppress(OSError, ValueError):
            pid, started, boot = path.read_text(encoding="ascii").split()
            return cls(int(pid), started, boot)
        return None

    def save(self, path: Path) -> None:
        draft = path.with_name(path.name + ".new")
        draft.write_text(f"{self.pid} {self.started} {self.boot}\n", encoding="ascii")
        draft.replace(path)

    def is_alive(self) -> bool:
        return Identity.of(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(self.pid, number)

    def signal_session(self, number: signal.Signals) -> None:
        """Reach the process and everything it started, if it led its own session."""
        for pid in self.session_members():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)

    def session_members(self) -> list[int]:
        """The living processes of the session; its number is not given away while one lives."""
        if self.boot != boot_id():
            return []
        current = Identity.of(self.pid)
        if current is not None and current != self:
            return []
        return [pid for pid in living_pids() if _session_of(pid) == self.pid]


def living_pids() -> list[int]:
    return [int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()]


def pids_working_in(folder: Path, program: str) -> list[int]:
    """Processes of that program whose current folder is this one."""
    found = []
    for pid in living_pids():
        with suppress(OSError):
            executable = Path(os.readlink(PROC / str(pid) / "exe").removesuffix(" (deleted)"))
            if executable.name == program and (PROC / str(pid) / "cwd").samefile(folder):
                found.append(pid)
    return found


def boot_id() -> str:
    return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def _session_of(pid: int) -> int:
    fields = _stat_fields(pid)
    return int(fields[SESSION]) if fields else 0


def _stat_fields(pid: int) -> list[str]:
    """The fields after the name, which may itself hold spaces; none for a dead process."""
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    fields = text.rpartition(")")[2].split()
    return fields if fields and fields[0] not in {"Z", "X"} else []

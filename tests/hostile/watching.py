"""Starting the worker, asking it for one job after the other, and measuring what each one takes.

Memory is sampled every 25 ms over the worker and all its children as the proportional set size
(`smaps_rollup`), which counts shared pages once; the worker's own peak comes from the kernel
(`VmHWM`), which misses nothing between samples.
"""

import json
import os
import re
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from projects.models import Job

ROOT = Path(__file__).resolve().parents[2]
EVERY = 0.025


@dataclass
class Measured:
    """What one fixture took: in seconds, and in megabytes above the idle worker."""

    name: str
    seconds: float
    megabytes: float
    outcome: str = ""
    slowest_page: float = 0.0


@dataclass
class Worker:
    process: "subprocess.Popen[str]"
    folder: Path
    log: Path
    texts: Path
    measured: list[Measured] = field(default_factory=list)
    fresh: float = 0.0

    def settle(self) -> None:
        """Take what the worker holds now for what every worker holds."""
        self.fresh = _memory(self.process.pid)

    def kept(self) -> float:
        """How many megabytes the worker has not given back of all that it ran."""
        return _memory(self.process.pid) - self.fresh

    def run(self, job: Job, *, max_file_bytes: int) -> tuple[float, float]:
        """Have a job run; return its seconds, and its peak in megabytes above idle."""
        self._forget_peak()
        idle, idle_own = _memory(self.process.pid), self._own("VmRSS")
        peak = [0.0]
        ended = threading.Event()
        sampler = threading.Thread(target=self._sample, args=(peak, ended))
        sampler.start()
        started = time.monotonic()
        try:
            self._ask(job, max_file_bytes)
        finally:
            seconds = time.monotonic() - started
            ended.set()
            sampler.join()
        return seconds, max(peak[0] - idle, self._own("VmHWM") - idle_own)

    def is_alive(self) -> bool:
        return self.process.poll() is None

    def stop(self) -> None:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()

    def _ask(self, job: Job, max_file_bytes: int) -> None:
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"job": str(job.pk), "max_file_bytes": max_file_bytes}) + "\n")
        stdin.flush()
        assert stdout.readline() == "done\n", "the worker died"

    def _sample(self, peak: list[float], ended: threading.Event) -> None:
        while not ended.wait(EVERY):
            peak[0] = max(peak[0], sum(map(_memory, self._family())))

    def _family(self) -> list[int]:
        """The worker and what it started; not a child that has yet to become its program."""
        family, waiting = [], [self.process.pid]
        name = _command(self.process.pid)
        while waiting:
            pid = waiting.pop()
            # Between its fork and its exec a child is the same memory seen twice.
            if pid == self.process.pid or _command(pid) != name:
                family.append(pid)
            with suppress(OSError):
                for task in Path(f"/proc/{pid}/task").iterdir():
                    waiting += map(int, (task / "children").read_text().split())
        return family

    def _own(self, name: str) -> float:
        with suppress(OSError):
            return _field(Path(f"/proc/{self.process.pid}/status"), name)
        return 0.0

    def _forget_peak(self) -> None:
        with suppress(OSError):
            Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")


def _memory(pid: int) -> float:
    with suppress(OSError):
        return _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss")
    return 0.0


def _command(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _field(file: Path, name: str) -> float:
    """A value of one of the kernel's files, in megabytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB", file.read_text(), re.MULTILINE)
    return int(found[1]) / 1000 if found else 0.0


def start_worker(folder: Path, database_url: str) -> Worker:
    log, texts = folder / "worker.log", folder / "embedded.txt"
    texts.touch()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": database_url,
        "SOURCE_ROOTS": str(folder),
        "MIRRORS": str(folder / "mirrors"),
        "EMBEDDED_TEXTS": str(texts),
    }
    with log.open("w", encoding="utf-8") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.hostile.worker"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
            start_new_session=True,
        )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n", log.read_text()
    return Worker(process, folder, log, texts)


def show_table(measured: list[Measured], out: IO[str]) -> None:
    """Print what each fixture took, for `pytest -s`."""
    out.write(f"\n\n{'fixture':44} {'seconds':>8} {'MB':>7} {'page s':>7}  how it ended\n")
    for each in measured:
        out.write(
            f"{each.name[:44]:44} {each.seconds:8.2f} {each.megabytes:7.1f}"
            f" {each.slowest_page:7.2f}  {each.outcome[:90]}\n"
        )

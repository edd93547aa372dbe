"""Children in sessions of their own: started, recorded, restarted and stopped within limits."""

import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from supervisor.account import Account
from supervisor.identity import Identity
from supervisor.output import Output, Relay
from supervisor.refusals import CannotStart
from supervisor.stopping import wait_regardless

KILL_LIMIT = 5.0


@dataclass(frozen=True)
class Program:
    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_limit: float = 10.0
    quiet: bool = False


@dataclass
class Child:
    program: Program
    records: Path
    output: Output
    process: subprocess.Popen[bytes] | None = None
    relay: Relay | None = None
    identity: Identity | None = None
    started_at: float = field(default=0.0)

    @property
    def record(self) -> Path:
        return self.records / f"{self.program.name}.process"

    def start(self) -> None:
        program = self.program
        account = program.account
        try:
            self.process = subprocess.Popen(
                list(program.command),
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
            )
        except OSError as error:
            raise CannotStart(f"{program.name} cannot be started: {error}.") from error
        self.started_at = time.monotonic()
        self.identity = Identity.of(self.process.pid)
        if self.identity:
            self.identity.save(self.record)
        assert self.process.stdout is not None
        self.relay = Relay(self.process.stdout, program.name, self.output, quiet=program.quiet)
        self.relay.start()

    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    @property
    def exit_code(self) -> int:
        return self.process.returncode if self.process and self.process.returncode else 0

    def ask_to_stop(self) -> None:
        if self.process and not self.has_ended():
            with suppress(ProcessLookupError):
                self.process.send_signal(self.program.stop_signal)

    def finish(self) -> None:
        """Wait for the end that was asked for, then end what is left of the session."""
        wait_regardless(self.has_ended, self.program.stop_limit)
        if not self.has_ended():
            name, limit = self.program.name, self.program.stop_limit
            self.output.say(f"{name} was still busy after {limit:.0f} s; ending it")
        self.clear()

    def clear(self) -> None:
        """Leave nothing of it running, and no record."""
        if self.identity:
            self.identity.signal_session(signal.SIGKILL)
        if self.process:
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(KILL_LIMIT)
        if self.relay:
            self.relay.join(1)
        self.record.unlink(missing_ok=True)

    def explain(self) -> None:
        if self.relay:
            self.relay.join(1)
            self.relay.tell_last_lines()

    def ending(self) -> str:
        """How it ended, in words."""
        code = self.exit_code
        if code < 0:
            return f"was killed by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


def stop_together(children: Sequence[Child]) -> None:
    for child in children:
        child.ask_to_stop()
    for child in children:
        child.finish()


def end_leftover(
    record: Path, stop_signal: signal.Signals = signal.SIGTERM, limit: float = 10.0
) -> bool:
    """End what an earlier start left running, if it is still that process; say if it was."""
    identity = Identity.load(record)
    found = False
    if identity:
        found = bool(identity.session_members())
        if identity.is_alive():
            identity.send(stop_signal)
            wait_regardless(lambda: not identity.is_alive(), limit)
        identity.signal_session(signal.SIGKILL)
        wait_regardless(lambda: not identity.session_members(), KILL_LIMIT)
    record.unlink(missing_ok=True)
    return found

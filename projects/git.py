"""Running the git program so that nothing a repository holds can run, ask or reach anything."""

import os
import re
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from projects.git_errors import GitMissing, LimitReached, SyncCancelled, explain

OLDEST_GIT = (
    2,
    31,
)  # the first that takes configuration, and so the token, by environment


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    wall_seconds: float = 900  # that we may wait for one run of git
    low_speed_seconds: int = 20  # below 1000 bytes a second
    max_pack_bytes: int = 2 * 1024**3
    max_memory_bytes: int = 4 * 1024**3
    max_paths: int = 200_000
    max_blob_bytes: int = 5 * 1024**2


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """Who may stop the work, who hears how far it is, and how much it may take."""

    limits: Limits = DEFAULT_LIMITS
    cancelled: Callable[[], bool] | None = None
    progress: Callable[[str, int], None] | None = None  # what git is doing, and how many percent


UNWATCHED = Watch()


# Faults that old, honest repositories have. Everything else that fsck knows stays an error.
_HARMLESS_FAULTS = (
    "badDate",
    "badDateOverflow",
    "badTimezone",
    "gitattributesLineLength",
    "missingNameBeforeEmail",
    "missingSpaceBeforeDate",
    "missingSpaceBeforeEmail",
    "zeroPaddedDate",
    "zeroPaddedFilemode",
)

_CONFIGURATION = (
    "attr.tree=none",  # what a repository says of its files hides none from us
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.symlinks=false",
    "core.attributesFile=/dev/null",
    "core.bigFileThreshold=16m",
    "core.packedGitWindowSize=64m",
    "core.packedGitLimit=512m",
    "credential.helper=",
    "fastimport.unpackLimit=1",
    "fetch.fsckObjects=true",
    "fetch.unpackLimit=1",
    "gc.auto=0",
    "http.followRedirects=false",
    "http.lowSpeedLimit=1000",
    "i18n.logOutputEncoding=UTF-8",
    "init.defaultBranch=main",
    "maintenance.auto=false",
    "protocol.ext.allow=never",
    "protocol.version=2",
    "safe.bareRepository=explicit",
    "submodule.recurse=false",
    "transfer.fsckObjects=true",
    *(f"fetch.fsck.{fault}=warn" for fault in _HARMLESS_FAULTS),
)

# A limit set in the child between fork and exec would need `preexec_fn`, which can deadlock in a
# process with threads. The shell sets it and becomes git.
_LIMITED = (
    "trap '' XFSZ;"  # so that git can say that a file grew too large
    ' ulimit -c 0; ulimit -f "$1"; ulimit -t "$2"; ulimit -v "$3" 2>/dev/null;'
    ' shift 3; exec "$@"'
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Git:
    """The git program at work on one repository, with nothing of the user's configuration."""

    directory: Path | None = None
    work_tree: Path | None = None
    protocol: str = ""  # the one transport that may be used
    settings: dict[str, str] = field(default_factory=dict)  # by environment: `ps` shows no secret
    trace: Path | None = None  # where git writes what it does, as JSON lines
    watch: Watch = UNWATCHED

    def run(
        self,
        *arguments: str,
        stdin: IO[bytes] | None = None,
        allowed: Collection[int] = (0,),
        max_output: int = 16 * 1024**2,
    ) -> bytes:
        """Return what git printed."""
        output = bytearray()
        with closing(self.stream(*arguments, stdin=stdin, allowed=allowed)) as pieces:
            for piece in pieces:
                output += piece
                if len(output) > max_output:
                    raise LimitReached("output", "The repository has too many branches.")
        return bytes(output)

    def stream(
        self,
        *arguments: str,
        stdin: IO[bytes] | None = None,
        allowed: Collection[int] = (0,),
    ) -> Generator[bytes, None, None]:
        """Yield what git prints while it prints it; close the iterator to end git early."""
        said = _Said(self.watch.progress)
        with _started(self._command(arguments), self._environment(), stdin) as process:
            yield from self._outputs(process, said)
            code = process.wait()
        if code not in allowed:
            raise explain(said.text(), code)

    def _outputs(self, process: subprocess.Popen[bytes], said: "_Said") -> Iterator[bytes]:
        assert process.stdout is not None
        assert process.stderr is not None
        waited = asked = 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(process.stdout, selectors.EVENT_READ)
            selector.register(process.stderr, selectors.EVENT_READ)
            while selector.get_map():
                if self.watch.cancelled is not None and time.monotonic() - asked > 0.5:
                    asked = time.monotonic()
                    if self.watch.cancelled():
                        raise SyncCancelled
                if waited > self.watch.limits.wall_seconds:
                    raise LimitReached("time", _too_slow(self.watch.limits.wall_seconds))
                started = time.monotonic()
                ready = selector.select(timeout=0.25)
                # Only the time in which git keeps us waiting counts, not what the caller does.
                waited += time.monotonic() - started
                for key, _ in ready:
                    data = os.read(key.fd, 1 << 16)
                    if not data:
                        selector.unregister(key.fileobj)
                    elif key.fileobj is process.stderr:
                        said.add(data)
                    else:
                        yield data

    def _command(self, arguments: tuple[str, ...]) -> list[str]:
        limits = self.watch.limits
        command = [
            *("/bin/sh", "-c", _LIMITED, "git"),
            str(limits.max_pack_bytes // 512),
            str(int(limits.wall_seconds) * 2 + 1),
            str(limits.max_memory_bytes // 1024),
            *(find_git(), "--no-pager", "--literal-pathspecs"),
        ]
        for setting in (
            *_CONFIGURATION,
            f"http.lowSpeedTime={limits.low_speed_seconds}",
        ):
            command += ["-c", setting]
        if self.directory is not None:
            command.append(f"--git-dir={self.directory}")
        if self.work_tree is not None:
            command += [f"--work-tree={self.work_tree}", "-c", "core.bare=false"]
        return [*command, *arguments]

    def _environment(self) -> dict[str, str]:
        environment = {
            "PATH": f"{os.path.dirname(find_git())}:/usr/bin:/bin",
            "HOME": "/nonexistent",
            "LC_ALL": "C",
            "GIT_ALLOW_PROTOCOL": self.protocol,
            "GIT_ASKPASS": "/bin/false",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_CONFIG_COUNT": str(len(self.settings)),
        }
        for position, (key, value) in enumerate(self.settings.items()):
            environment[f"GIT_CONFIG_KEY_{position}"] = key
            environment[f"GIT_CONFIG_VALUE_{position}"] = value
        if self.trace is not None:
            environment["GIT_TRACE2_EVENT"] = str(self.trace)
        for certificates in ("GIT_SSL_CAINFO", "GIT_SSL_CAPATH"):
            if certificates in os.environ:
                environment[certificates] = os.environ[certificates]
        return environment


@cache
def find_git() -> str:
    """Return where the git program is, or raise GitMissing if it is not there or too old."""
    found = shutil.which("git")
    if found is None:
        raise GitMissing
    command = [found, "version"]
    bare = {"PATH": os.environ.get("PATH", os.defpath)}
    asked = subprocess.run(command, capture_output=True, check=False, timeout=10, env=bare)
    text = asked.stdout.decode()
    if tuple(int(part) for part in re.findall(r"\d+", text)[:2]) < OLDEST_GIT:
        raise GitMissing
    return found


@contextmanager
def _started(
    command: list[str], environment: dict[str, str], stdin: IO[bytes] | None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command,
        cwd="/",
        env=environment,
        stdin=subprocess.DEVNULL if stdin is None else stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End git, politely first so that it removes what it was writing, and its own helpers."""
    if process.poll() is None:
        _signal(process, signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=1)
    _signal(process, signal.SIGKILL)


def _signal(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, number)


class _Said:
    """What git wrote to stderr: the last of it kept, its percentages passed on."""

    def __init__(self, progress: Callable[[str, int], None] | None) -> None:
        self.progress = progress
        self.kept = b""

    def add(self, data: bytes) -> None:
        self.kept = (self.kept + data)[-(1 << 16) :]
        seen = re.findall(rb"(?m)^([A-Z][a-z]+ [a-z]+): +(\d+)%", data.replace(b"\r", b"\n"))
        if self.progress is not None and seen:
            self.progress(seen[-1][0].decode(), int(seen[-1][1]))

    def text(self) -> str:
        # Lines of the far side can say anything; they must not pick our explanation.
        lines = self.kept.decode("utf-8", "replace").replace("\r", "\n").splitlines()
        return "\n".join(x for x in lines if not x.startswith("remote:") and "% (" not in x)


def _too_slow(seconds: float) -> str:
    return f"Git was stopped after {seconds:.0f} seconds."

"""The folder that keeps all that one installation knows, and the lock on it."""

import fcntl
import hashlib
import os
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from supervisor.account import Account
from supervisor.refusals import CannotStart

LONGEST_SOCKET_PATH = 107
PRIVATE = 0o700
PASSABLE = 0o711  # a user of PostgreSQL's own may pass through, and list nothing


@dataclass(frozen=True)
class Home:
    path: Path

    @property
    def run(self) -> Path:
        return self.path / "run"

    @property
    def environment_file(self) -> Path:
        return self.path / "environment"

    @property
    def secret_key_file(self) -> Path:
        return self.path / "secret-key"

    @property
    def fingerprint(self) -> str:
        """A short name for places outside of the home that belong to it."""
        return hashlib.sha256(os.fsencode(self.path.resolve())).hexdigest()[:12]

    def prepare(self) -> None:
        """Make the folders and the secret key, or say why that cannot be."""
        try:
            make_folder(self.path, PRIVATE)
            make_folder(self.run, PRIVATE)
            if not self.secret_key_file.exists():
                write_private(self.secret_key_file, secrets.token_urlsafe(50) + "\n")
            (self.run / "lock").touch(mode=0o600)
        except OSError as error:
            raise CannotStart(
                f"Nightowl cannot keep its data in {self.path} ({error.strerror}):"
                " make the folder writable, or set NIGHTOWL_HOME to another one."
            ) from error

    def open_to(self, account: Account) -> None:
        """Let the user of PostgreSQL pass through a home that we made, by group only."""
        state = self.path.stat()
        if state.st_uid == os.geteuid() and stat.S_IMODE(state.st_mode) == PRIVATE:
            os.chown(self.path, -1, account.gid)
            self.path.chmod(0o710)

    def write_environment(self, values: dict[str, str]) -> None:
        """What `manage.py` in another terminal needs, to find the running parts."""
        lines = "".join(f"{name}={value}\n" for name, value in values.items())
        write_private(self.environment_file, lines)

    def socket_folder(self, wanted: Path, file_name: str) -> Path:
        """The wanted folder, or a short private one when the socket's path would be too long."""
        if len(os.fsencode(wanted / file_name)) <= LONGEST_SOCKET_PATH:
            return wanted
        folder = _short_base() / f"nightowl-{os.geteuid()}-{self.fingerprint}"
        make_folder(folder, PASSABLE if os.geteuid() == 0 else PRIVATE)
        state = folder.lstat()
        if not stat.S_ISDIR(state.st_mode) or state.st_uid != os.geteuid() or state.st_mode & 0o022:
            raise CannotStart(f"{folder} belongs to someone else: remove it and start again.")
        return folder


def make_folder(path: Path, mode: int) -> None:
    """Make a folder with exactly this mode; one that is there already keeps its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.mkdir()
    except FileExistsError:
        if not path.is_dir():
            raise
        return
    path.chmod(mode)


def write_private(path: Path, text: str) -> None:
    """Put a file in place at once, readable for its owner only."""
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def _short_base() -> Path:
    if os.geteuid() == 0:
        return Path("/run")
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR") or "/nonexistent")
    if runtime.is_dir() and os.access(runtime, os.W_OK):
        return runtime
    return Path("/tmp")


@dataclass(frozen=True)
class Holder:
    """Who holds the lock on a home, and what for."""

    pid: int
    purpose: str
    address: str


class HomeLock:
    """Held for the whole life of a start; the kernel lets go of it when the process dies."""

    def __init__(self, home: Home) -> None:
        self._path = home.run / "lock"
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)

    def take(self, purpose: str, address: str) -> Holder | None:
        """Take the lock, or give back who has it."""
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return self._holder()
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, f"{os.getpid()}\n{purpose}\n{address}\n".encode(), 0)
        return None

    def _holder(self) -> Holder:
        lines = [*self._path.read_text(encoding="utf-8").splitlines(), "0", "", ""]
        return Holder(int(lines[0]), lines[1], lines[2])

    def release(self) -> None:
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

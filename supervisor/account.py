"""The system user that PostgreSQL runs as when Nightowl is started by root."""

import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from supervisor.refusals import CannotStart

NAME = "nightowl"


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int

    def reaches(self, path: Path) -> bool:
        """Whether this user can enter the folder or run the program, as the kernel sees it."""
        asked = subprocess.run(
            ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
            cwd="/",
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            check=False,
            capture_output=True,
        )
        return asked.returncode == 0


def own_name() -> str:
    """The name of the user who starts Nightowl: PostgreSQL knows people by name."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError as error:
        raise CannotStart(
            f"User {os.geteuid()} has no name in /etc/passwd, and PostgreSQL needs one:"
            " add the user or set DATABASE_URL."
        ) from error


def database_account(data: Path) -> Account | None:
    """Who runs PostgreSQL: the owner of its data, else a user of its own; None is ourselves."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat().st_uid) != 0:
        entry = pwd.getpwuid(owner)
    else:
        entry = _system_user()
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def _system_user() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(NAME)
    except KeyError:
        _add_system_user()
    return pwd.getpwnam(NAME)


def _add_system_user() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/sbin:/usr/bin:/bin")
    if useradd:
        options = ["--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent"]
        command = [useradd, *options, "--shell", "/usr/sbin/nologin", NAME]
        added = subprocess.run(command, check=False, capture_output=True, text=True)
        if added.returncode in {0, 9}:  # 9: another start added it just now
            return
        reason = added.stderr.strip()
    else:
        reason = "useradd is not installed"
    raise CannotStart(
        f"PostgreSQL does not run as root and the user {NAME!r} could not be added ({reason}):"
        " start Nightowl as an ordinary user, or set DATABASE_URL."
    )

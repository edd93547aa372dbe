"""Makes `.venv` with the pinned packages, then hands over to the supervisor in it.

Runs on whatever `python3` the machine has, so its syntax is that of Python 3.6: an old Python
gets a sentence and no traceback.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator

OLDEST = (3, 11)
ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
VENV_PYTHON = os.path.join(VENV, "bin", "python")
PINS = {
    "requirements.txt": ("requirements.txt", "constraints.txt"),
    "requirements-dev.txt": ("requirements-dev.txt", "requirements.txt", "constraints.txt"),
}


class Refusal(Exception):
    """One sentence for the person who typed the command."""


def main(arguments: "list[str]") -> int:
    wanted = "requirements-dev.txt" if arguments[:1] == ["--dev"] else "requirements.txt"
    supervisor_arguments = arguments[1:] if arguments[:1] == ["--dev"] else arguments
    try:
        refuse_machine(sys.version_info[:3], sys.platform, shutil.which("git"))
        with one_at_a_time():
            make_environment()
            install(wanted)
    except Refusal as refusal:
        sys.stderr.write(str(refusal) + "\n")
        return 1
    if supervisor_arguments:
        os.chdir(ROOT)
        os.execv(VENV_PYTHON, [VENV_PYTHON, "-m", "supervisor", *supervisor_arguments])
    return 0


def refuse_machine(version: "tuple[int, ...]", platform: str, git: "str | None") -> None:
    """Return if Nightowl can run here at all."""
    if version[:2] < OLDEST:
        raise Refusal(
            "Nightowl needs Python 3.11 or newer, and this is "
            + ".".join(str(part) for part in version)
            + ": install a newer one and name it, as in `make run PYTHON=python3.11`."
        )
    if not platform.startswith("linux"):
        raise Refusal("`make run` needs Linux; elsewhere use `docker compose up`.")
    if git is None:
        raise Refusal("Nightowl reads repositories with git, which is not installed here.")


@contextlib.contextmanager
def one_at_a_time() -> "Iterator[None]":
    """Wait for another start in this folder: `make run` and `make test` may be first at once."""
    lock = os.open(ROOT, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def make_environment() -> None:
    """Make `.venv`, or make it again if it was made by another Python or for another folder."""
    made_for = sys.version.split()[0] + " " + ROOT + "\n"
    note = os.path.join(VENV, "made-for")
    if is_sound() and read(note) in ("", made_for):
        return
    refuse_read_only()
    sys.stderr.write("Making .venv\n")
    command = [sys.executable, "-m", "venv", "--clear", VENV]
    if subprocess.call(command, stdout=sys.stderr) != 0:
        raise Refusal(
            "Python could not make .venv: on Debian and Ubuntu, install python3-venv first."
        )
    write(note, made_for)


def is_sound() -> bool:
    """Whether `.venv` has a Python of our version that starts."""
    if not os.path.exists(VENV_PYTHON):
        return False
    ours = repr(sys.version_info[:2])
    question = "import sys, pip; sys.exit(sys.version_info[:2] != " + ours + ")"
    return subprocess.call([VENV_PYTHON, "-c", question], stderr=subprocess.DEVNULL) == 0


def install(requirements: str) -> None:
    """Install the pinned packages unless these very pins are installed already."""
    if read(stamp_of(requirements)) == digest_of(requirements):
        return
    refuse_read_only()
    sys.stderr.write("Installing the packages of " + requirements + " into .venv\n")
    pip = [VENV_PYTHON, "-m", "pip", "--disable-pip-version-check"]
    what = ["--requirement", os.path.join(ROOT, requirements)]
    if subprocess.call([*pip, "install", "--quiet", *what], stdout=sys.stderr) != 0:
        raise Refusal(
            "The packages of " + requirements + " could not be installed, for the reason above."
        )
    for name in PINS[requirements]:
        if name in PINS:
            write(stamp_of(name), digest_of(name))


def stamp_of(requirements: str) -> str:
    return os.path.join(VENV, "installed-" + requirements)


def digest_of(requirements: str) -> str:
    digest = hashlib.sha256()
    for name in PINS[requirements]:
        digest.update(read(os.path.join(ROOT, name)).encode("utf-8"))
    return digest.hexdigest()


def refuse_read_only() -> None:
    folder = VENV if os.path.isdir(VENV) else ROOT
    if not os.access(folder, os.W_OK, effective_ids=True):
        raise Refusal(folder + " is read-only: put Nightowl into a folder that you can write to.")


def read(path: str) -> str:
    """The text of a file; none if there is no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def write(path: str, text: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)

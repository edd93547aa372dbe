"""The trees that are measured: source distributions, laid out as git repositories."""

import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

TREE = ("django", "5.2.8")
HISTORIES = {
    "requests": ("2.28.2", "2.29.0", "2.30.0", "2.31.0", "2.32.2", "2.32.5"),
    "flask": ("2.2.5", "2.3.3", "3.0.3", "3.1.2"),
}


def tree(folder: Path) -> Path:
    """Return a repository with the whole of Django in one commit."""
    name, version = TREE
    repository = folder / name
    if not (repository / ".git").is_dir():
        _begin(repository)
        _unpack(name, version, repository)
        _git(repository, "add", "-A")
        _git(repository, "commit", "-qm", f"{name} {version}")
    return repository


def history(folder: Path, name: str) -> Path:
    """Return a repository whose commits on main are successive releases, each one merged."""
    repository = folder / f"{name}-history"
    if (repository / ".git").is_dir():
        return repository
    _begin(repository)
    _git(repository, "commit", "-q", "--allow-empty", "-m", "start")
    for version in HISTORIES[name]:
        _git(repository, "checkout", "-q", "-b", f"release-{version}")
        _empty(repository)
        _unpack(name, version, repository)
        _git(repository, "add", "-A")
        _git(repository, "commit", "-qm", f"Release {version}")
        _git(repository, "checkout", "-q", "main")
        merge = f"Merge branch 'release-{version}'"
        _git(repository, "merge", "-q", "--no-ff", "-m", merge, f"release-{version}")
    return repository


def releases(repository: Path) -> list[str]:
    """Return the shas of the releases on main, oldest first."""
    return _git(repository, "rev-list", "--first-parent", "--reverse", "main").split()[1:]


def head(repository: Path) -> str:
    return _git(repository, "rev-parse", "HEAD").strip()


def copy_at(repository: Path, commit: str, folder: Path) -> Path:
    """Return a bare copy of a repository whose main stands at a commit, to move it from there."""
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run(
        ["git", "clone", "-q", "--bare", "--no-hardlinks", str(repository), str(folder)], check=True
    )
    move(folder, commit)
    return folder


def move(bare: Path, commit: str) -> None:
    _git(bare, "update-ref", "refs/heads/main", commit)
    _git(bare, "symbolic-ref", "HEAD", "refs/heads/main")


def change_two_files(bare: Path) -> str:
    """Return a commit after main in which two source files have a few more lines."""
    files = [p for p in _git(bare, "ls-tree", "-r", "--name-only", "main").split("\n") if p]
    sources = [path for path in files if path.endswith(".py")]
    chosen = [sources[len(sources) // 3], sources[len(sources) // 2]]
    with tempfile.TemporaryDirectory() as work:
        _git(bare, "--work-tree", work, "checkout", "-q", "main", "--", *chosen)
        for path in chosen:
            with Path(work, path).open("a") as file:
                file.write("\n\ndef added_by_a_commit(value):\n    return value + 1\n")
        _git(bare, "--work-tree", work, "read-tree", "main")
        _git(bare, "--work-tree", work, "add", *chosen)
        return _commit(bare, "Change two files")


def rename_many(bare: Path, count: int) -> tuple[str, int]:
    """Return a commit in which files moved to another folder, and how many did."""
    listed = _git(bare, "ls-tree", "-r", "main").split("\n")
    rows = [line.split("\t", 1) for line in listed if "\t" in line]
    moving = [(about, path) for about, path in rows if path.endswith(".py")][:count]
    _git(bare, "read-tree", "main")
    lines = []
    for about, path in moving:
        mode, _, sha = about.split()
        lines += [f"0 {'0' * 40}\t{path}", f"{mode} {sha}\tmoved/{path}"]
    _git(bare, "update-index", "--index-info", stdin="\n".join(lines) + "\n")
    return _commit(bare, "Move files"), len(moving)


def _commit(bare: Path, message: str) -> str:
    tree_sha = _git(bare, "write-tree").strip()
    sha = _git(bare, "commit-tree", tree_sha, "-p", "main", "-m", message).strip()
    move(bare, sha)
    return sha


def _begin(repository: Path) -> None:
    repository.mkdir(parents=True, exist_ok=True)
    _git(repository, "init", "-q", "-b", "main")


def _empty(repository: Path) -> None:
    for child in repository.iterdir():
        if child.name != ".git":
            shutil.rmtree(child) if child.is_dir() else child.unlink()


def _unpack(name: str, version: str, into: Path) -> None:
    with tempfile.TemporaryDirectory() as work:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:"]
        more = ["--no-build-isolation", "-d", work, f"{name}=={version}"]
        subprocess.run([*command, *more], check=True)
        (archive,) = Path(work).glob("*.tar.gz")
        with tarfile.open(archive) as packed:
            for member in packed.getmembers():
                _, _, member.name = member.name.partition("/")
                if member.name and ".." not in member.name.split("/"):
                    packed.extract(member, into)


def _git(repository: Path, *arguments: str, stdin: str = "") -> str:
    names = ["-c", "user.name=bench", "-c", "user.email=bench@example.org"]
    done = subprocess.run(
        ["git", "-C", str(repository), *names, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout

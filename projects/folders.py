"""Writing a plain folder into a mirror as a commit, for what has no repository."""

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from projects.git import UNWATCHED, Git, Watch
from projects.git_errors import LimitReached
from projects.mirrors import DETACHED, Fetched, Head, resolve_ref, settle, writable

AUTHOR = b"nightowl <nightowl@localhost>"
SKIPPED_FOLDERS = frozenset({b".git", b".venv", b"__pycache__", b"node_modules"})
_INCOMING = "refs/nightowl/incoming"


@dataclass(slots=True)
class _Allowance:
    bytes_left: int
    paths_left: int

    def take(self, size: int) -> None:
        self.bytes_left -= size
        self.paths_left -= 1
        if self.bytes_left < 0:
            raise LimitReached("size", "The folder is larger than the configured limit.")
        if self.paths_left < 0:
            raise LimitReached("paths", "The folder has more files than the configured limit.")


def snapshot_folder(path: Path, mirror: Path, *, watch: Watch = UNWATCHED) -> Fetched:
    """Commit what the folder holds now; the last commit stays when nothing has changed.

    What its .gitignore files name is left out, and nothing is followed out of the folder.
    """
    with writable(mirror, Git(watch=watch)) as repository, tempfile.TemporaryFile() as commands:
        before = resolve_ref(repository, DETACHED)
        if not _write_commit(path, repository, before, commands):
            return Fetched(None, "")
        commands.seek(0)
        repository.run("fast-import", "--quiet", "--force", "--done", stdin=commands)
        after = resolve_ref(repository, _INCOMING)
        if before is None or after is None or _tree(repository, before) != _tree(repository, after):
            repository.run("update-ref", DETACHED, after or "")
        repository.run("update-ref", "-d", _INCOMING)
        return settle(repository, Head("", DETACHED, after or ""))


def _tree(repository: Git, commit: str) -> bytes:
    return repository.run("rev-parse", "--verify", f"{commit}^{{tree}}")


def _write_commit(path: Path, repository: Git, before: str | None, out: IO[bytes]) -> int:
    """Write the folder as commands for fast-import, and return how many files there are."""
    now = int(datetime.now(UTC).timestamp())
    out.write(b"feature done\ncommit %s\n" % _INCOMING.encode())
    out.write(b"committer %s %d +0000\n" % (AUTHOR, now))
    out.write(b"data 18\nSnapshot of folder\n")
    if before:
        out.write(b"from %s\n" % before.encode())
    out.write(b"deleteall\n")
    allowance = _Allowance(
        repository.watch.limits.max_pack_bytes, repository.watch.limits.max_paths
    )
    count = 0
    top = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        for name in _names(path, repository):
            count += _write_file(top, name, allowance, out)
    finally:
        os.close(top)
    out.write(b"done\n")
    return count


def _names(path: Path, repository: Git) -> Iterator[bytes]:
    """Yield the files below the folder that are not ignored, as git names them."""
    waiting = [b""]
    while waiting:
        below = waiting.pop()
        folder = replace(repository, work_tree=path / os.fsdecode(below))
        rest = b""
        for piece in folder.stream(
            "ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"
        ):
            *names, rest = (rest + piece).split(b"\0")
            for name in names:
                if _is_skipped(below + name):
                    continue
                if name.endswith(b"/"):  # a repository inside of the folder
                    waiting.append(below + name)
                else:
                    yield below + name


def _is_skipped(name: bytes) -> bool:
    parts = name.rstrip(b"/").lower().split(b"/")
    return parts[0] == b"var" or not SKIPPED_FOLDERS.isdisjoint(parts)


def _write_file(top: int, name: bytes, allowance: _Allowance, out: IO[bytes]) -> bool:
    # Anything may have changed since it was listed; what vanished or became odd is left out.
    target = b""
    opened = -1
    with suppress(OSError), _folder_of(top, name) as (folder, last):
        found = os.stat(last, dir_fd=folder, follow_symlinks=False)
        if stat.S_ISLNK(found.st_mode):
            target = os.readlink(last, dir_fd=folder)
        elif stat.S_ISREG(found.st_mode):
            opened = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    if target:
        allowance.take(len(target))
        out.write(b"M 120000 inline %s\ndata %d\n%s\n" % (_quoted(name), len(target), target))
    elif opened >= 0:
        with open(opened, "rb") as file:
            _write_content(file, name, allowance, out)
    return bool(target) or opened >= 0


@contextmanager
def _folder_of(top: int, name: bytes) -> Iterator[tuple[int, bytes]]:
    """Open the folder of a file step by step, so that no step can be a symbolic link."""
    *folders, last = name.split(b"/")
    current = os.dup(top)
    try:
        for folder in folders:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
            inner = os.open(folder, flags, dir_fd=current)
            os.close(current)
            current = inner
        yield current, last
    finally:
        os.close(current)


def _write_content(file: IO[bytes], name: bytes, allowance: _Allowance, out: IO[bytes]) -> None:
    found = os.fstat(file.fileno())
    allowance.take(found.st_size)
    mode = b"100755" if found.st_mode & 0o100 else b"100644"
    out.write(b"M %s inline %s\ndata %d\n" % (mode, _quoted(name), found.st_size))
    left = found.st_size
    while left:
        # A file that shrinks or fails while it is read still has to have its announced length.
        piece = _read(file, min(left, 1 << 20)) or b"\0" * min(left, 1 << 20)
        out.write(piece)
        left -= len(piece)
    out.write(b"\n")


def _read(file: IO[bytes], size: int) -> bytes:
    try:
        return file.read(size)
    except OSError:
        return b""


def _quoted(name: bytes) -> bytes:
    escaped = name.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"%s"' % escaped

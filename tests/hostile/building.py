"""Writing large and odd repositories quickly: by fast-import, or by hand what git refuses."""

import os
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha1
from pathlib import Path

from tests.projects.repositories import ENVIRONMENT, Repository

PERSON = b"Alice <alice@example.org> 1767323045 +0000"
CHUNK = 1 << 20


def fast_import(repository: Repository, commands: Iterable[bytes]) -> None:
    """Feed commands to `git fast-import` piece by piece, so that none is held whole."""
    process = subprocess.Popen(
        ["git", f"--git-dir={repository.git_dir}", "fast-import", "--quiet", "--done"],
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
    )
    assert process.stdin is not None
    for command in commands:
        process.stdin.write(command)
    process.stdin.write(b"done\n")
    process.stdin.close()
    assert process.wait() == 0


def commit_command(
    number: int, *, branch: str = "main", message: bytes = b"A commit", parents: Iterable[int] = ()
) -> bytes:
    """The head of a commit; its files follow. Commits are known by their marks."""
    lines = [b"commit refs/heads/%s\n" % branch.encode(), b"mark :%d\n" % number]
    lines += [b"committer %s\n" % PERSON, b"data %d\n%s\n" % (len(message), message)]
    for position, parent in enumerate(parents):
        lines.append((b"merge" if position else b"from") + b" :%d\n" % parent)
    return b"".join(lines)


def file_command(path: str, content: bytes) -> bytes:
    quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return b'M 100644 inline "%s"\ndata %d\n%s\n' % (quoted.encode(), len(content), content)


def streamed_file(path: str, pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """A file that is too large to hold: its pieces one after the other."""
    yield b'M 100644 inline "%s"\ndata %d\n' % (path.encode(), size)
    yield from pieces
    yield b"\n"


def commit_of(contents: Mapping[str, bytes | str], *, branch: str = "main") -> Iterator[bytes]:
    """The commands for one commit, without parents, of these files."""
    yield commit_command(1, branch=branch)
    for name, content in contents.items():
        yield file_command(name, content.encode() if isinstance(content, str) else content)


def of_files(path: Path, contents: Mapping[str, bytes | str]) -> Path:
    """A repository of one commit with these files."""
    fast_import(Repository(path), commit_of(contents))
    return path


def of_large_files(path: Path, contents: Mapping[str, tuple[bytes, int]]) -> Path:
    """A repository of large files, each a unit repeated up to a size, written in pieces."""

    def commands() -> Iterator[bytes]:
        yield commit_command(1)
        for name, (unit, size) in contents.items():
            piece = unit * max(1, CHUNK // len(unit))
            count = size // len(piece)
            yield from streamed_file(name, (piece for _ in range(count)), count * len(piece))

    fast_import(Repository(path), commands())
    return path


def blob_of_zeros(repository: Repository, size: int) -> str:
    """Write a blob of zeros as a loose object that is hundreds of times smaller than it."""
    packer = zlib.compressobj(9)
    digest = sha1(b"blob %d\0" % size, usedforsecurity=False)
    packed = [packer.compress(b"blob %d\0" % size)]
    zeros = bytes(CHUNK)
    for _ in range(size // CHUNK):
        digest.update(zeros)
        packed.append(packer.compress(zeros))
    packed.append(packer.flush())
    sha = digest.hexdigest()
    place = repository.git_dir / "objects" / sha[:2] / sha[2:]
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(b"".join(packed))
    return sha


def object_file(repository: Repository, sha: str) -> Path:
    return repository.git_dir / "objects" / sha[:2] / sha[2:]


def script(path: Path, sentinel: Path) -> Path:
    """A program that leaves a file behind when anybody runs it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{sentinel}'\nexec \"$@\"\n")
    os.chmod(path, 0o755)
    return path

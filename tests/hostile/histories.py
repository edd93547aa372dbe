"""Histories that are long, wide, tangled or huge in one step."""

from collections.abc import Iterator
from pathlib import Path

from tests.hostile.building import commit_command, fast_import, file_command
from tests.hostile.fixtures import Hostile
from tests.projects.repositories import Repository

COMMITS = 10_000
PARENTS = 60
FILES = 20_000


def long_history(path: Path) -> Path:
    repository = Repository(path)

    def commands() -> Iterator[bytes]:
        for number in range(1, COMMITS + 1):
            yield commit_command(number, message=b"Step %d" % number)
            yield file_command(f"step_{number % 50}.py", b"step = %d\n" % number)

    fast_import(repository, commands())
    return path


def octopus(path: Path) -> Path:
    repository = Repository(path)

    def commands() -> Iterator[bytes]:
        for number in range(1, PARENTS + 1):
            yield commit_command(number, branch=f"arm-{number}")
            yield file_command(f"arm_{number}.py", b"arm = %d\n" % number)
        yield commit_command(PARENTS + 1, message=b"Octopus", parents=range(1, PARENTS + 1))
        yield file_command("head.py", b"head = 1\n")

    fast_import(repository, commands())
    return path


def many_roots(path: Path) -> Path:
    """Five hundred histories without a common beginning, joined one after the other."""
    repository = Repository(path)
    roots = 500

    def commands() -> Iterator[bytes]:
        for number in range(1, roots + 1):
            yield commit_command(number, branch=f"root-{number}")
            yield file_command(f"root_{number}.py", b"root = %d\n" % number)
        joined = 1
        for number in range(2, roots + 1):
            yield commit_command(roots + number, parents=(joined, number))
            yield file_command(f"root_{number}.py", b"root = %d\n" % number)
            joined = roots + number

    fast_import(repository, commands())
    return path


def huge_commit(path: Path) -> Path:
    repository = Repository(path)

    def commands() -> Iterator[bytes]:
        yield commit_command(1)
        for number in range(FILES):
            text = b"def function_%d(value):\n    return value + %d\n" % (number, number)
            yield file_command(f"package_{number % 40}/module_{number}.py", text)

    fast_import(repository, commands())
    return path


HISTORIES = [
    Hostile(name="10,000 commits", build=long_history, indexed=50),
    Hostile(name="octopus of 60", build=octopus, indexed=2, quick=True),
    Hostile(name="500 roots", build=many_roots, indexed=500),
    Hostile(name="20,000 files at once", build=huge_commit, indexed=FILES, embeds=False),
]

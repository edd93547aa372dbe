"""Which files of a repository change together, as its history shows."""

from collections import Counter, deque
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from projects.git import Git, Limits, Watch
from projects.git_errors import GitError
from projects.trees import checked_sha, cut_off

STEPS_KEPT = 1_500  # how much of a history says what is usual now
LARGEST = 25  # files; a larger change says nothing of pairs
READ_BYTES = 64 * 1024**2


@dataclass(frozen=True, slots=True)
class Companion:
    """A file that usually changes with another one: how often it did, and of how many times."""

    path: str
    together: int
    times: int

    @property
    def share(self) -> float:
        return self.together / self.times


@dataclass(slots=True)
class Companions:
    """How often files and pairs of files changed, in the steps so far."""

    times: Counter[str] = field(default_factory=Counter)
    pairs: Counter[tuple[str, str]] = field(default_factory=Counter)
    steps: deque[tuple[str, ...]] = field(default_factory=deque)

    def add(self, paths: Collection[str]) -> None:
        """Count one more step; the oldest is forgotten."""
        kept = tuple(sorted(set(paths))) if len(paths) <= LARGEST else ()
        self.steps.append(kept)
        self._count(kept, 1)
        if len(self.steps) > STEPS_KEPT:
            self._count(self.steps.popleft(), -1)

    def _count(self, paths: tuple[str, ...], number: int) -> None:
        for path in paths:
            self.times[path] += number
            for other in paths:
                if other != path:
                    self.pairs[path, other] += number

    def of(self, path: str, *, at_least: int = 1) -> list[Companion]:
        """Return what changed with a file, most often first."""
        times = self.times[path]
        if times < at_least:
            return []
        found = [
            Companion(other, together, times)
            for (one, other), together in self.pairs.items()
            if one == path and together >= at_least
        ]
        return sorted(found, key=lambda one: (-one.together, one.path))


def companions_before(mirror: Path, commit: str) -> Companions:
    """Return what changed together in the steps that led to a commit, itself among them."""
    found = Companions()
    for paths in reversed(list(islice(_steps(mirror, commit), STEPS_KEPT))):
        found.add(paths)
    return found


def _records(git: Git, command: tuple[str, ...]) -> list[bytes]:
    held = bytearray()
    try:
        with closing(git.stream(*command)) as pieces:
            for piece in pieces:
                held += piece
                if len(held) > READ_BYTES:
                    break
    except GitError:
        return []
    return bytes(held).split(b"\0")


def _steps(mirror: Path, commit: str) -> Iterator[list[str]]:
    git = Git(directory=mirror, watch=Watch(limits=Limits(wall_seconds=30)))
    command = (
        *("log", "-z", "--first-parent", "--diff-merges=first-parent", "--name-only"),
        *("--no-renames", "--no-show-signature", "--no-color", "--no-ext-diff", "--no-notes"),
        *(f"--max-count={STEPS_KEPT}", "--format=//%H", checked_sha(commit), "--"),
    )
    # A commit whose parents were left out only seems to have made each of its files.
    cut = cut_off(mirror)
    paths: list[str] | None = None
    for record in _records(git, command):
        if record.startswith(b"//"):
            if paths is not None:
                yield paths
            paths = None if record[2:].decode() in cut else []
        elif record and paths is not None:
            # A line break parts the paths of a commit from what is said of it.
            path = record if paths else record.removeprefix(b"\n")
            paths.append(path.decode("utf-8", "backslashreplace"))
    if paths is not None:
        yield paths

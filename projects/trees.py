"""Reading files and commits from a mirror, always by the sha of a commit."""

import re
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from projects.git import DEFAULT_LIMITS, Git, Limits, Watch
from projects.git_errors import FolderMissing, LimitReached, RepositoryDamaged
from projects.mirrors import SHA

Kind = Literal["file", "symlink", "submodule"]

_KINDS: dict[bytes, Kind] = {b"120000": "symlink", b"160000": "submodule"}
_LATEST = 253402300799  # the last second that a datetime can hold
_CHANGE = b"//"  # what the line of a commit begins with: no path of a tree can
_CLOCKS_DIFFER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One path of a tree; only a file has a size and can be read."""

    mode: str
    kind: Kind
    sha: str
    size: int | None
    raw: bytes

    @property
    def path(self) -> str:
        """The path as text: bytes that are no UTF-8 are shown as escapes."""
        return self.raw.decode("utf-8", "backslashreplace")


@dataclass(frozen=True, slots=True)
class CommitInfo:
    sha: str
    author: str
    email: str
    committed_at: datetime
    subject: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a commit did: who made it, when (None if that can't be), and what it touched."""

    sha: str
    author: str
    email: str
    committed_at: datetime | None
    paths: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How far back into a history to look."""

    seconds: float = 15
    commits: int = 200_000
    output: int = 128 * 1024**2  # bytes


USUAL_REACH = Reach()


def list_tree(
    mirror: Path, commit: str, folder: str = "", *, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Entry]:
    """Yield the paths of a commit, those below a folder if one is named, as git lists them."""
    git = Git(directory=mirror, watch=Watch(limits=limits))
    below = _checked_folder(folder)
    where = ("--", f"{below}/") if below else ()
    command = ("ls-tree", "-r", "-z", "-l", "--full-tree", checked_sha(commit), *where)
    count = 0
    with closing(git.stream(*command)) as pieces:
        for line in _split(pieces):
            count += 1
            if count > limits.max_paths:
                message = f"The repository has more than {limits.max_paths:,} paths."
                raise LimitReached("paths", message)
            yield _parse(line)
    if below and not count:
        raise FolderMissing(f"The repository has no folder named {below}.")


def read_blobs(
    mirror: Path, shas: Iterable[str], *, limits: Limits = DEFAULT_LIMITS
) -> Iterator[tuple[str, bytes]]:
    """Yield the content of each blob; one that is missing or over the limit is left out."""
    git = Git(directory=mirror, watch=Watch(limits=limits))
    small = []
    for sha, kind, size in _measure(git, shas):
        if kind == b"blob" and size <= limits.max_blob_bytes:
            small.append(sha)
    if small:
        yield from _contents(git, small)


def commit_info(mirror: Path, commit: str) -> CommitInfo:
    """Return who committed what and when, as the commit itself says."""
    git = Git(directory=mirror)
    shown = git.run(
        *("log", "-1", "--no-walk", "--no-show-signature", "--no-color"),
        *("--format=%H%x00%an%x00%ae%x00%ct%x00%s", checked_sha(commit), "--"),
    )
    fields = shown.decode("utf-8", "replace").split("\0")
    if len(fields) != 5:
        raise RepositoryDamaged
    sha, author, email, seconds, subject = fields
    return CommitInfo(
        sha,
        tidy(author, 200),
        tidy(email, 254),
        moment(seconds),
        tidy(subject, 500),
    )


def last_commit_date(mirror: Path, commit: str, folder: str = "") -> datetime | None:
    """Return when the commit's history last touched the folder, None if it never did."""
    below = _checked_folder(folder)
    where = (below,) if below else ()
    command = (
        "log",
        "-1",
        "--no-show-signature",
        "--format=%H %ct",
        checked_sha(commit),
        "--",
        *where,
    )
    found = Git(directory=mirror).run(*command).decode().rstrip("\n")
    return moment(found.partition(" ")[2]) if found else None


def walk_changes(
    mirror: Path,
    commit: str,
    folder: str = "",
    *,
    reach: Reach = USUAL_REACH,
    cancelled: Callable[[], bool] | None = None,
) -> Generator[Change, None, None]:
    """Yield the commits that led to one, without merges, the newest first.

    Raises LimitReached where the reach ends before the history does.
    """
    watch = Watch(limits=Limits(wall_seconds=reach.seconds), cancelled=cancelled)
    below = _checked_folder(folder)
    command = (
        *("log", "-z", "--no-merges", "--no-renames", "--no-mailmap", "--name-only"),
        *("--no-show-signature", "--no-color", "--no-ext-diff", "--no-notes"),
        *("--format=//%H%n%ct%n%an%n%ae", checked_sha(commit), "--", *((below,) if below else ())),
    )
    cut = cut_off(mirror)
    walked = 0
    with closing(Git(directory=mirror, watch=watch).stream(*command)) as pieces:
        for change in _changes(_split(_within(pieces, reach))):
            walked += 1
            if walked > reach.commits:
                raise LimitReached("commits", "The history is too long.")
            # Of its files, a commit whose parents were left out only seems to have made each one.
            if change.sha not in cut:
                yield change


def checked_sha(commit: str) -> str:
    """Return the sha of a commit as it is; raises ValueError for anything else."""
    if not SHA.fullmatch(commit):
        raise ValueError("not the sha of a commit")
    return commit


def _checked_folder(folder: str) -> str:
    parts = [part for part in folder.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in folder:
        raise FolderMissing("That is not a folder of the repository.")
    return "/".join(parts)


def _split(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\0")
        yield from lines


def _within(pieces: Iterable[bytes], reach: Reach) -> Iterator[bytes]:
    ends_at = time.monotonic() + reach.seconds
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > reach.output or time.monotonic() > ends_at:
            raise LimitReached("history", "The history is too long.")
        yield piece


def cut_off(mirror: Path) -> frozenset[str]:
    """Return the commits at which a shallow history was cut."""
    try:
        return frozenset((mirror / "shallow").read_text(encoding="ascii").split())
    except FileNotFoundError:
        return frozenset()


def _changes(records: Iterable[bytes]) -> Iterator[Change]:
    change: Change | None = None
    for record in records:
        if record.startswith(_CHANGE):
            if change is not None:
                yield change
            change = _change(record)
        elif record and change is not None:
            # A line break parts the paths of a commit from what is said of it.
            raw = record if change.paths else record.removeprefix(b"\n")
            change.paths.append(raw.decode("utf-8", "backslashreplace"))
    if change is not None:
        yield change


def _change(record: bytes) -> Change:
    text = record.removeprefix(_CHANGE).decode("utf-8", "replace")
    sha, seconds, author, email = [*text.split("\n", 3), "", "", ""][:4]
    number = int(seconds) if re.fullmatch(r"\d{1,12}", seconds) else 0
    latest = datetime.now(tz=UTC) + _CLOCKS_DIFFER
    when = moment(seconds) if 0 < number <= latest.timestamp() else None
    return Change(sha, tidy(author, 255), tidy(email, 255), when, [])


def _parse(line: bytes) -> Entry:
    about, _, raw = line.partition(b"\t")
    mode, _, sha, size = about.split()
    return Entry(
        mode=mode.decode(),
        kind=_KINDS.get(mode, "file"),
        sha=sha.decode(),
        size=int(size) if size.isdigit() else None,
        raw=raw,
    )


def _measure(git: Git, shas: Iterable[str]) -> Iterator[tuple[str, bytes, int]]:
    with tempfile.TemporaryFile() as asked:
        asked.writelines(checked_sha(sha).encode() + b"\n" for sha in shas)
        asked.seek(0)
        rest = b""
        for piece in git.stream("cat-file", "--batch-check", "--buffer", stdin=asked):
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                sha, kind, *size = line.split()
                yield sha.decode(), kind, int(size[0]) if size else 0


def _contents(git: Git, shas: list[str]) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryFile() as asked:
        asked.writelines(sha.encode() + b"\n" for sha in shas)
        asked.seek(0)
        with closing(git.stream("cat-file", "--batch", "--buffer", stdin=asked)) as pieces:
            held = bytearray()
            for sha in shas:
                _fill(held, pieces, b"\n")
                header, _, _ = held.partition(b"\n")
                size = int(header.split()[2])
                end = len(header) + 1 + size
                _fill(held, pieces, end + 1)
                # A slice of the array itself would be one copy more of what may be large.
                content = bytes(memoryview(held)[len(header) + 1 : end])
                del held[: end + 1]
                yield sha, content
            for _ in pieces:
                raise RepositoryDamaged


def _fill(held: bytearray, pieces: Iterator[bytes], until: bytes | int) -> None:
    """Take pieces until so many bytes, or these ones, are held."""
    while len(held) < until if isinstance(until, int) else until not in held:
        piece = next(pieces, None)
        if piece is None:
            raise RepositoryDamaged
        held += piece


def moment(seconds: str) -> datetime:
    """Return the moment a commit claims, kept within what a date can be."""
    number = int(seconds) if re.fullmatch(r"-?\d+", seconds) else 0
    return datetime.fromtimestamp(min(max(number, 0), _LATEST), tz=UTC)


def tidy(text: str, longest: int) -> str:
    """Return text in one line, without what can't be shown."""
    kept = "".join(" " if c.isspace() else c for c in text if c.isprintable() or c.isspace())
    return kept.strip()[:longest]

"""What a commit changed against its first parent: files with their renames, hunks and lines."""

import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from projects.git import Git, Limits, Watch
from projects.git_errors import GitError, LimitReached
from projects.mirrors import SHA
from projects.trees import checked_sha, cut_off, moment, tidy

# By the length of a sha: what the first commit of a history is compared with.
EMPTY_TREE = {
    40: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
    64: "6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321",
}
MOST_FILES = 400
LARGEST_PATCH = 24 * 1024**2  # bytes of one commit's patch
CONTEXT = 3
RENAMES_COMPARED = 600

_FILES = {"A": "added", "M": "changed", "D": "deleted", "R": "renamed", "C": "added"}
_RANGE = re.compile(rb"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
_MARK = b"//"


@dataclass(frozen=True, slots=True)
class Step:
    """A commit on the main line: a merge, or a plain commit; its first parent comes before it."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    committed_at: datetime
    message: str

    @property
    def parent(self) -> str:
        """The commit that it is compared with; empty for the first of a history."""
        return self.parents[0] if self.parents else ""

    @property
    def is_merge(self) -> bool:
        return len(self.parents) > 1

    @property
    def subject(self) -> str:
        return self.message.partition("\n")[0]


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that changed together; each with ` `, `-` or `+` before it."""

    old_start: int
    new_start: int
    lines: tuple[str, ...]

    def added(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that were added, with their numbers in the new file."""
        number = self.new_start
        for line in self.lines:
            if line.startswith("+"):
                yield number, line[1:]
            if not line.startswith("-"):
                number += 1

    def removed(self) -> Iterator[tuple[int, str]]:
        """Yield the lines that were removed, with their numbers in the old file."""
        number = self.old_start
        for line in self.lines:
            if line.startswith("-"):
                yield number, line[1:]
            if not line.startswith("+"):
                number += 1


@dataclass(frozen=True, slots=True)
class FileDiff:
    """What happened to one file; the old path is another one where it was renamed."""

    path: str
    old_path: str
    status: str  # added, changed, deleted, renamed
    old_sha: str
    new_sha: str
    hunks: tuple[Hunk, ...] = ()
    is_binary: bool = False

    def added_lines(self) -> dict[int, str]:
        return dict(line for hunk in self.hunks for line in hunk.added())

    def removed_lines(self) -> dict[int, str]:
        return dict(line for hunk in self.hunks for line in hunk.removed())

    def added_where(self, old_line: int) -> int | None:
        """Return the added line that stands where an old one was; nothing where none does."""
        for hunk in self.hunks:
            if any(number == old_line for number, _ in hunk.removed()):
                position = hunk.new_start + (old_line - hunk.old_start)
                return min(
                    (number for number, _ in hunk.added()),
                    key=lambda number: abs(number - position),
                    default=None,
                )
        return None


@dataclass(slots=True)
class Diff:
    """A commit's files; those beyond the limits are only counted."""

    files: list[FileDiff] = field(default_factory=list)
    left_out: int = 0

    @property
    def additions(self) -> int:
        return sum(len(file.added_lines()) for file in self.files)

    @property
    def deletions(self) -> int:
        return sum(len(file.removed_lines()) for file in self.files)


def main_line(
    mirror: Path, head: str, *, since: str = "", after: datetime | None = None, most: int = 10_000
) -> list[Step]:
    """Return the steps that led to a commit, the oldest first: each merge is one of them.

    `since` is a commit whose own steps are left out, `after` a moment before which none is looked
    at. Commits at which a shallow history was cut are left out: all their files look new.
    """
    where = [checked_sha(head), *([f"^{checked_sha(since)}"] if since else [])]
    when = [f"--since={int(after.timestamp())}"] if after else []
    listed = Git(directory=mirror).run(
        *("log", "-z", "--first-parent", "--no-show-signature", "--no-color", "--no-notes"),
        *("--no-mailmap", f"--max-count={most}", *when),
        *("--format=//%H%n%P%n%ct%n%an%n%ae%n%B", *where, "--"),
        max_output=256 * 1024**2,
    )
    cut = cut_off(mirror)
    steps = [_step(record) for record in listed.split(b"\0") if record.startswith(_MARK)]
    return [step for step in reversed(steps) if step.sha not in cut]


def leads_to(mirror: Path, older: str, newer: str) -> bool:
    """Whether a commit is still among those that led to another; no after a rewritten history."""
    try:
        Git(directory=mirror).run(
            "merge-base", "--is-ancestor", checked_sha(older), checked_sha(newer)
        )
    except GitError:
        return False
    return True


def find_commit(mirror: Path, name: str) -> str:
    """Return the full sha of what a person calls a commit; nothing if the mirror has none."""
    if not re.fullmatch(r"[0-9A-Za-z][\w./~^-]{0,200}", name) or ".." in name:
        return ""
    try:
        found = Git(directory=mirror).run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"
        )
    except GitError:
        return ""
    sha = found.decode("ascii", "replace").strip()
    return sha if SHA.fullmatch(sha) else ""


def diff_of(mirror: Path, commit: str, parent: str, *, limits: Limits | None = None) -> Diff:
    """Return what a commit changed against its first parent, `parent`; "" for the first commit."""
    git = Git(directory=mirror, watch=Watch(limits=limits or Limits(wall_seconds=120)))
    before = checked_sha(parent) if parent else EMPTY_TREE[len(checked_sha(commit))]
    listed = git.run(
        *("diff-tree", "-r", "-z", "--raw", "--no-abbrev", "-M", f"-l{RENAMES_COMPARED}"),
        *("--diff-filter=AMDRCT", before, checked_sha(commit)),
        max_output=64 * 1024**2,
    )
    files = list(_listed(listed))
    if not files:
        return Diff()
    patches = _patches(git, before, commit, len(files))[:MOST_FILES]
    return Diff(_with_hunks(files, patches), len(files) - len(patches))


def _step(record: bytes) -> Step:
    text = record.removeprefix(_MARK).decode("utf-8", "replace")
    sha, parents, seconds, author, email, message = [*text.split("\n", 5), *[""] * 5][:6]
    return Step(
        sha,
        tuple(parents.split()),
        tidy(author, 255),
        tidy(email, 255),
        moment(seconds),
        message.replace("\0", " ").strip()[:20_000],
    )


def _listed(raw: bytes) -> Iterator[FileDiff]:
    """Yield the files of a raw listing: `:modes shas status`, then one path or two."""
    fields = iter(raw.split(b"\0"))
    for about in fields:
        if not about.startswith(b":"):
            continue
        old_mode, new_mode, old_sha, new_sha, status = about[1:].decode().split()
        old_path = next(fields, b"").decode("utf-8", "backslashreplace")
        path = old_path
        if status[0] in "RC":
            path = next(fields, b"").decode("utf-8", "backslashreplace")
        # What becomes another kind of thing has two patches: one goes, the other comes.
        nothing = ("000000", "0" * len(new_sha))
        sides = [("D", old_mode, old_sha, *nothing), ("A", *nothing, new_mode, new_sha)]
        if status[0] != "T":
            sides = [(status[0], old_mode, old_sha, new_mode, new_sha)]
        for letter, mode_before, before, mode_after, after in sides:
            # What is no regular file has no lines to look at; its patch is still counted.
            kind = _FILES[letter] if {mode_before, mode_after} <= _REGULAR else "other"
            yield FileDiff(path, old_path, kind, before, after)


_REGULAR = {"100644", "100755", "000000"}


def _patches(git: Git, before: str, commit: str, files: int) -> list[bytes]:
    """Return the patch of each file in the order of the listing; fewer where it grows too large."""
    held = bytearray()
    command = (
        *("diff-tree", "-r", "-p", "--no-color", "--no-ext-diff", "--no-textconv", "-M"),
        *(f"-l{RENAMES_COMPARED}", f"-U{CONTEXT}", "--diff-filter=AMDRCT", "--submodule=short"),
        *(before, commit),
    )
    with closing(git.stream(*command)) as pieces:
        for piece in pieces:
            held += piece
            if len(held) > LARGEST_PATCH:
                break
    # Lines of a file can't begin so: each has a sign before it.
    starts = [match.start() for match in re.finditer(rb"(?m)^diff --git ", held)]
    ends = [*starts[1:], len(held)]
    whole = [bytes(held[start:end]) for start, end in zip(starts, ends, strict=True)]
    if len(held) > LARGEST_PATCH:
        return whole[:-1]
    if len(whole) != files:
        raise LimitReached("output", "The patch of a commit can't be told apart by files.")
    return whole


def _with_hunks(files: list[FileDiff], patches: list[bytes]) -> list[FileDiff]:
    found = []
    for file, patch in zip(files, patches, strict=False):
        if file.status == "other":
            continue
        is_binary = b"\nBinary files " in patch or b"\nGIT binary patch" in patch
        found.append(
            FileDiff(
                file.path,
                file.old_path,
                file.status,
                file.old_sha,
                file.new_sha,
                () if is_binary else tuple(_hunks(patch)),
                is_binary,
            )
        )
    return found


def _hunks(patch: bytes) -> Iterator[Hunk]:
    rows = patch.split(b"\n")
    position = 0
    while position < len(rows):
        found = _RANGE.match(rows[position])
        position += 1
        if found is None:
            continue
        old, new = int(found[2] or 1), int(found[4] or 1)
        lines = []
        while (old or new) and position < len(rows):
            row = rows[position]
            position += 1
            if row.startswith(b"\\"):
                continue
            old -= not row.startswith(b"+")
            new -= not row.startswith(b"-")
            lines.append(row.decode("utf-8", "replace"))
        yield Hunk(int(found[1]), int(found[3]), tuple(lines))

"""A repository as it stands at one commit: its paths, its files, where words occur in it."""

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from projects.git import Git, Limits, Watch
from projects.git_errors import GitError
from projects.trees import checked_sha, list_tree, read_blobs

GREP_SECONDS = 20
GREP_BYTES = 8 * 1024**2
LARGEST_FILE = 1_000_000  # bytes
MOST_WORDS = 60


@dataclass(frozen=True, slots=True)
class Mention:
    """A line in which a word occurs; lines count from 1."""

    path: str
    line: int
    text: str


class CommitTree:
    """The files of a commit, read from a mirror when they are asked for."""

    def __init__(self, mirror: Path, commit: str) -> None:
        self.mirror = mirror
        self.commit = checked_sha(commit)
        self._read: dict[str, str | None] = {}
        self._lines: dict[str, list[str]] = {}

    @cached_property
    def shas(self) -> dict[str, str]:
        """The name of each file's content, by its path."""
        entries = list_tree(self.mirror, self.commit)
        return {entry.path: entry.sha for entry in entries if entry.kind == "file"}

    def paths(self) -> Collection[str]:
        return self.shas.keys()

    def read(self, path: str) -> str | None:
        """Return the text of a file; nothing where there is none, or it is too large."""
        if path not in self._read:
            sha = self.shas.get(path)
            found = self.read_all([sha]) if sha else {}
            self._read[path] = found.get(sha or "")
        return self._read[path]

    def lines(self, path: str) -> list[str]:
        """Return the lines of a file; one that is empty where it can't be read."""
        if path not in self._lines:
            self._lines[path] = (self.read(path) or "").split("\n")
        return self._lines[path]

    def read_all(self, shas: Iterable[str]) -> dict[str, str]:
        """Return the texts of several contents by their names; those too large are left out."""
        limits = Limits(max_blob_bytes=LARGEST_FILE)
        return {
            sha: data.decode("utf-8", "replace")
            for sha, data in read_blobs(self.mirror, shas, limits=limits)
            if b"\0" not in data[:8_192]
        }

    def mentions(self, words: Collection[str]) -> list[Mention]:
        """Return the lines in which one of the words stands by itself, as git finds them."""
        wanted = sorted(word for word in words if word and "\n" not in word)[:MOST_WORDS]
        if not wanted:
            return []
        git = Git(directory=self.mirror, watch=Watch(limits=Limits(wall_seconds=GREP_SECONDS)))
        named = [part for word in wanted for part in ("-e", word)]
        command = ("grep", "-n", "-I", "-w", "-F", "-z", "--no-color", "--full-name", *named)
        held = bytearray()
        try:
            with closing(git.stream(*command, self.commit, "--", allowed=(0, 1))) as pieces:
                for piece in pieces:
                    held += piece
                    if len(held) > GREP_BYTES:
                        break
        except GitError:
            return []
        return list(_mentions(bytes(held)))


# Each follows the one before at once: a path may hold line breaks, the text of a line can't.
_MENTION = re.compile(rb"[0-9a-f]{40,64}:([^\0]+)\0(\d+)\0([^\n]*)\n?")


def _mentions(printed: bytes) -> Iterator[Mention]:
    for path, line, text in _MENTION.findall(printed):
        shown = text[:500].decode("utf-8", "replace")
        yield Mention(path.decode("utf-8", "backslashreplace"), int(line), shown)

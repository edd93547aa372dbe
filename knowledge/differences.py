"""What a sync has to do: a source's documents beside the files it holds now."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from knowledge.chunking import CHUNKER_VERSION
from knowledge.models import Document
from knowledge.selection import CONTENT_REASONS, Selection
from projects.models import Source
from projects.trees import Entry

LONGEST_PATH = 4096
MOST_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class Known:
    """A document as it was left by the last sync."""

    id: UUID
    git_sha: str
    chunker_version: int
    state: str
    error: str
    attempts: int

    def is_current(self, entry: Entry, reason: str) -> bool:
        """Whether the document says of the file what reading it again would say."""
        if self.git_sha != entry.sha or self.chunker_version != CHUNKER_VERSION:
            return False
        if reason:
            return self.state == Document.State.SKIPPED and self.error == reason
        if self.state == Document.State.FAILED:
            return self.attempts >= MOST_ATTEMPTS
        return self.state == Document.State.INDEXED or self.error in CONTENT_REASONS


@dataclass(slots=True)
class Difference:
    """Entries to read, entries to note as skipped, documents to forget."""

    to_read: list[Entry] = field(default_factory=list)
    to_skip: list[tuple[Entry, str]] = field(default_factory=list)
    to_forget: list[UUID] = field(default_factory=list)
    unindexable: list[str] = field(default_factory=list)
    known: int = 0  # indexed documents before
    lost: int = 0  # of these, how many would be gone, and their content too

    @property
    def forgets_most(self) -> bool:
        return self.lost * 2 > self.known


def known_documents(source: Source) -> dict[str, Known]:
    rows = Document.objects.filter(source=source).values_list(
        "path", "pk", "git_sha", "chunker_version", "state", "error", "attempts"
    )
    return {row[0]: Known(*row[1:]) for row in rows.iterator(chunk_size=5000)}


def compare(known: dict[str, Known], entries: Iterable[Entry], selection: Selection) -> Difference:
    """Return the least that makes the documents those of a fresh index of the entries."""
    found = Difference()
    seen: set[str] = set()
    contents: set[str] = set()
    for entry in entries:
        path = entry.path
        if len(path) > LONGEST_PATH or "\0" in path:
            found.unindexable.append(f"{path[:80]}…: path too long")
            continue
        if path in seen:  # bytes that are no text are spelled out, as another name may be
            found.unindexable.append(f"{path[:80]}: another file's name reads the same")
            continue
        seen.add(path)
        contents.add(entry.sha)
        reason = selection.reason_to_skip(path, entry.kind, entry.size)
        if path in known and known[path].is_current(entry, reason):
            continue
        if reason:
            found.to_skip.append((entry, reason))
        else:
            found.to_read.append(entry)
    for path, document in known.items():
        is_indexed = document.state == Document.State.INDEXED
        found.known += is_indexed
        if path not in seen:
            found.to_forget.append(document.id)
            # What only moved is not lost.
            found.lost += is_indexed and document.git_sha not in contents
    return found

"""Finding what stood in a file at a commit, the part of it to show, and what it defines."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max
from django.urls import reverse

from accounts.viewers import Viewer
from knowledge.highlighting import lines_of
from knowledge.models import Chunk, Document, DocumentVersion
from projects.models import Source

LINES_A_PAGE = 2_000
WHOLE_UP_TO_LINES = 5_000


@dataclass(frozen=True, slots=True)
class Version:
    """The text at a path at a commit, and the document that stands there now, if any."""

    source: Source
    path: str
    commit: str
    text: str
    language: str
    document: Document | None

    @property
    def has_changed(self) -> bool:
        """Whether the source says something else now than it did at the commit."""
        return self.document is None or self.document.content != self.text

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]

    @property
    def size(self) -> int:
        return len(self.text.encode(errors="replace"))


def find_version(viewer: Viewer, source_id: UUID, commit: str, path: str) -> Version | None:
    """Return what stood at a path at a commit, or nothing when it is not kept or not theirs."""
    source = (
        Source.objects.visible_to(viewer).select_related("project").filter(pk=source_id).first()
    )
    if source is None:
        return None
    document = (
        Document.objects.visible_to(viewer)
        .filter(source=source, path=path, state=Document.State.INDEXED)
        .select_related("blob")
        .first()
    )
    kept = _kept_version(source, commit, path)
    if kept is None and document is not None:
        if commit in {source.head, document.commit}:
            return Version(source, path, commit, document.content, document.language, document)
        kept = _version_as_of(source, commit, path)
    if kept is None:
        return None
    return Version(source, path, commit, kept.blob.text, kept.language, document)


def _kept_version(source: Source, commit: str, path: str) -> DocumentVersion | None:
    rows = DocumentVersion.objects.filter(source=source, path=path, commit=commit)
    return rows.select_related("blob").first()


def _version_as_of(source: Source, commit: str, path: str) -> DocumentVersion | None:
    """Return what a file said at a commit that changed others: its last version before."""
    versions = DocumentVersion.objects.filter(source=source)
    moment = versions.filter(commit=commit).aggregate(moment=Max("created_at"))["moment"]
    if moment is None:
        return None
    before = versions.filter(path=path, created_at__lte=moment).select_related("blob")
    return before.order_by("-created_at").first()


def file_address(document: Document, start_line: int, end_line: int) -> str:
    """Return the address of the page that shows lines of a document as it is now."""
    page = reverse("file", args=[document.source_id, document.commit, document.path])
    return f"{page}?lines={start_line}-{end_line}#L{start_line}"


@dataclass(frozen=True, slots=True)
class Range:
    """Lines of a file, counted from 1, both ends included."""

    start: int
    end: int

    def __contains__(self, number: int) -> bool:
        return self.start <= number <= self.end

    def __str__(self) -> str:
        return f"{self.start}" if self.start == self.end else f"{self.start}-{self.end}"


def read_range(text: str) -> Range | None:
    """Read `10`, `10-20` or `L10-L20`; nothing for anything else."""
    match = re.fullmatch(r"L?(\d{1,7})(?:-L?(\d{1,7}))?", text.strip())
    if match is None:
        return None
    start, end = int(match.group(1)), int(match.group(2) or match.group(1))
    if not start:
        return None
    return Range(min(start, end), max(start, end))


@dataclass(frozen=True, slots=True)
class Page:
    """The part of a long file that is shown at once."""

    number: int
    count: int
    start_line: int
    text: str
    total_lines: int

    @property
    def end_line(self) -> int:
        return min(self.start_line + LINES_A_PAGE - 1, self.total_lines)


def page_of(text: str, *, number: int = 0, lit: Range | None = None) -> Page:
    """Return the asked page, or the one that holds the lit lines, or all of a short file."""
    lines = lines_of(text)
    if len(lines) <= WHOLE_UP_TO_LINES:
        return Page(1, 1, 1, text, len(lines))
    count = -(-len(lines) // LINES_A_PAGE)
    wanted = number or ((lit.start - 1) // LINES_A_PAGE + 1 if lit else 1)
    wanted = max(1, min(wanted, count))
    first = (wanted - 1) * LINES_A_PAGE
    return Page(
        wanted,
        count,
        first + 1,
        "\n".join(lines[first : first + LINES_A_PAGE]),
        len(lines),
    )


@dataclass(frozen=True, slots=True)
class Symbol:
    name: str
    line: int
    kind: str


def symbols_of(document: Document | None) -> Iterable[Symbol]:
    """Return what a document defines, in the order of its lines."""
    if document is None:
        return []
    rows = (
        Chunk.objects.filter(document=document)
        .exclude(symbol="")
        .order_by("start_line", "chunk_index")
        .values_list("symbol", "start_line", "kind")[:300]
    )
    seen: dict[str, Symbol] = {}
    for name, line, kind in rows:
        seen.setdefault(name, Symbol(name, line, kind))
    return list(seen.values())

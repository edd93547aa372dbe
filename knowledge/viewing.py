"""Finding what stood in a file at a commit, and how to lay it out."""

import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from django.db.models import CharField, Count, Func, IntegerField, Min, Q, Sum, Value
from django.db.models.functions import StrIndex, Substr

from accounts.viewers import Viewer
from knowledge.highlighting import lines_of
from knowledge.models import Chunk, Document, DocumentVersion
from projects.models import Source

LINES_A_PAGE = 2_000
WHOLE_UP_TO_LINES = 5_000
ENTRIES_SHOWN = 1_000
TABLE_ROWS = 500
TABLE_COLUMNS = 40


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
    kept = (
        DocumentVersion.objects.filter(source=source, path=path, commit=commit)
        .select_related("blob")
        .first()
    )
    if kept is not None:
        return Version(source, path, commit, kept.blob.text, kept.language, document)
    if document is not None and commit in {source.head, document.commit}:
        return Version(source, path, commit, document.content, document.language, document)
    return None


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
class Table:
    header: list[str]
    rows: list[list[str]]
    left_out: bool


def table_of(text: str) -> Table | None:
    """Return the first rows of a CSV text, or nothing when it is not one."""
    try:
        dialect: type[csv.Dialect] | str = csv.Sniffer().sniff(text[:4_000], ",;\t|")
    except csv.Error:
        dialect = "excel"
    rows: list[list[str]] = []
    try:
        for row in csv.reader(io.StringIO(text[:1_000_000]), dialect):
            rows.append(row[:TABLE_COLUMNS])
            if len(rows) > TABLE_ROWS + 1:
                break
    except csv.Error:
        return None
    if len(rows) < 2:
        return None
    return Table(rows[0], rows[1 : TABLE_ROWS + 1], len(rows) > TABLE_ROWS + 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of a folder: a file, or a folder with what is in it."""

    name: str
    path: str
    is_folder: bool
    files: int
    size: int
    state: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Crumb:
    name: str
    path: str


@dataclass(frozen=True, slots=True)
class Folder:
    """One level of a tree; a huge one is cut and knows by how much."""

    path: str
    entries: list[Entry] = field(default_factory=list)
    left_out: int = 0


def list_folder(viewer: Viewer, source: Source, path: str) -> Folder:
    """Return one level of a source's tree, folders first, from a single query."""
    prefix = f"{path.strip('/')}/" if path.strip("/") else ""
    rest = Substr("path", len(prefix) + 1)
    rows = (
        Document.objects.visible_to(viewer)
        .filter(source=source, path__startswith=prefix)
        .annotate(
            name=Func(
                rest,
                Value("/"),
                Value(1),
                function="split_part",
                output_field=CharField(),
            ),
            slash=StrIndex(rest, Value("/"), output_field=IntegerField()),
        )
        .values("name", inside=Q(slash__gt=0))
        .annotate(
            files=Count("pk"),
            size=Sum("file_size"),
            one=Min("state"),
            why=Min("error"),
        )
        .order_by()
    )
    entries = [
        Entry(
            row["name"],
            prefix + row["name"],
            row["inside"],
            row["files"],
            row["size"] or 0,
            "" if row["inside"] else row["one"],
            "" if row["inside"] else row["why"],
        )
        for row in rows
    ]
    entries.sort(key=lambda entry: (not entry.is_folder, entry.name.lower(), entry.name))
    left_out = max(0, len(entries) - ENTRIES_SHOWN)
    return Folder(prefix.rstrip("/"), entries[:ENTRIES_SHOWN], left_out)


def crumbs_of(path: str) -> list[Crumb]:
    """Return each folder above a path, with the path itself last."""
    parts = [part for part in path.split("/") if part]
    return [Crumb(part, "/".join(parts[: index + 1])) for index, part in enumerate(parts)]


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

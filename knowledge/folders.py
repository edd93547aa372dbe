"""The files of a source as a tree: one level at a time, folders first."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import CharField, Count, Func, IntegerField, Min, Q, Sum, Value
from django.db.models.functions import StrIndex, Substr

from accounts.viewers import Viewer
from knowledge.models import Document
from projects.models import Source

ENTRIES_SHOWN = 1_000
MATCHES_SHOWN = 200
DEEPEST = 30
MOST_ASKED = 20


@dataclass(slots=True)
class Entry:
    """A row of a folder: a file, or a folder with what is in it."""

    name: str
    path: str
    is_folder: bool
    files: int
    size: int
    state: str = ""
    reason: str = ""
    # What is in it where the tree is open there; None: nobody has looked yet.
    inside: "Folder | None" = None


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


def tree_to(viewer: Viewer, source: Source, path: str) -> Folder:
    """Return the tree open down to a folder: a query for each level, nothing of the others."""
    root = list_folder(viewer, source, "")
    level = root
    for crumb in crumbs_of(path)[:DEEPEST]:
        below = next((e for e in level.entries if e.is_folder and e.path == crumb.path), None)
        if below is None:
            break
        level = below.inside = list_folder(viewer, source, crumb.path)
    return root


@dataclass(frozen=True, slots=True)
class Matches:
    """The paths that hold some words, the shortest first; many are cut, and it knows."""

    words: str
    paths: list[str] = field(default_factory=list)
    are_cut: bool = False


def find_paths(viewer: Viewer, source: Source, words: str) -> Matches:
    """Return the indexed files whose path holds every one of the words."""
    documents = Document.objects.visible_to(viewer).filter(
        source=source, state=Document.State.INDEXED
    )
    for word in words.split()[:8]:
        documents = documents.filter(path__icontains=word)
    ordered = documents.order_by(Func("path", function="length"), "path")
    paths = list(ordered.values_list("path", flat=True)[: MATCHES_SHOWN + 1])
    return Matches(words, paths[:MATCHES_SHOWN], len(paths) > MATCHES_SHOWN)


def crumbs_of(path: str) -> list[Crumb]:
    """Return each folder above a path, with the path itself last."""
    parts = [part for part in path.split("/") if part]
    return [Crumb(part, "/".join(parts[: index + 1])) for index, part in enumerate(parts)]


def folders_among(viewer: Viewer, source: Source, paths: Iterable[str]) -> set[str]:
    """Return which of the paths are folders that hold something."""
    wanted = sorted({path for path in paths if path})[:MOST_ASKED]
    if not wanted:
        return set()
    counts = {
        f"folder{number}": Count("pk", filter=Q(path__startswith=f"{path}/"))
        for number, path in enumerate(wanted)
    }
    found = Document.objects.visible_to(viewer).filter(source=source).aggregate(**counts)
    return {path for number, path in enumerate(wanted) if found[f"folder{number}"]}

"""Whether a filtered search fills its limit, whatever little the filter leaves."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from django.db import connection
from django.db.models import Count

from accounts.viewers import Viewer
from bench.measuring import show
from bench.timing import HEAD, p95_of, times_of
from knowledge.models import Chunk, Document
from knowledge.retrieval import search
from knowledge.scopes import Filters, Scope
from projects.models import Project

SHARES = (0.001, 0.01, 0.1, 0.5, 1)
QUESTIONS = 30
LIMIT = 10


def show_filters(viewer: Viewer, project: Project, questions: Sequence[str]) -> None:
    """Search within ever smaller parts, and count the searches that do not fill their limit."""
    total = Chunk.objects.filter(project=project).count()
    sizes = dict(_candidates(project))
    rows = [("filter", "of the project", *HEAD[1:5], "not filled")]
    chosen = []
    for share in SHARES:
        for field in ("path", "language", "collection"):
            possible = [filters for filters in sizes if getattr(filters, field)]
            nearest = min(possible, key=lambda filters: abs(sizes[filters] - share * total))
            if 0.4 <= sizes[nearest] / total / share <= 2.5:
                chosen.append(nearest)
    wanted = [*dict.fromkeys(chosen), Filters()]
    rows += [_row(viewer, project, filters, total, questions) for filters in wanted]
    show("Filtered searches fill their limit", rows)


def _row(
    viewer: Viewer, project: Project, wanted: Filters, total: int, questions: Sequence[str]
) -> tuple[str, ...]:
    size = _size(project, wanted)
    counts: list[int] = []

    def ask(question: str) -> None:
        found = search(viewer, question, project_ids=[project.pk], filters=wanted, limit=LIMIT)
        counts.append(len(found.hits))

    spent = times_of(ask, questions[:QUESTIONS])
    short = sum(count < min(LIMIT, size) for count in counts)
    label = ", ".join(
        f"{name}:{value}"
        for name in ("path", "language", "collection")
        if (value := getattr(wanted, name))
    )
    p50 = sorted(spent)[len(spent) // 2]
    times = (f"{min(spent):.1f}", f"{p50:.1f}", f"{p95_of(spent):.1f}", f"{max(spent):.0f}")
    return (label or "none", f"{size / total:.2%}", *times, f"{short} of {len(counts)}")


def _candidates(project: Project) -> Iterator[tuple[Filters, int]]:
    """Yield filters with what they leave, roughly: folders, languages, collections."""
    chunks = Chunk.objects.filter(project=project)
    for field in ("language", "collection"):
        for value, size in chunks.values_list(field).annotate(Count("pk")):
            if value:
                yield replace(Filters(), **{field: value}), size
    folders: Counter[str] = Counter()
    documents = Document.objects.filter(project=project).annotate(size=Count("chunks"))
    for path, size in documents.values_list("path", "size"):
        parts = path.split("/")
        for depth in range(1, len(parts)):
            folders["/".join(parts[:depth]) + "/"] += size
    for folder, size in folders.items():
        yield Filters(path=folder), size


def _size(project: Project, wanted: Filters) -> int:
    sql, values = Scope((project.pk,), wanted).conditions()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM knowledge_chunk c JOIN knowledge_document d"
            f" ON d.id = c.document_id WHERE c.project_id = %s {sql}",
            [project.pk, *values],
        )
        return int(cursor.fetchone()[0])

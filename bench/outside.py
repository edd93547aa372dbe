"""What keeping points outside PostgreSQL costs, and what searching them there gives.

Without a server (QDRANT_URL) the steps on our side are measured, with Qdrant's client keeping the
points in the process; what only a server can show says so.
"""

import time
import warnings
from collections.abc import Callable, Sequence
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction

from bench.floors import scope_of, space_here
from bench.measuring import show
from knowledge.models import Chunk, EmbeddingSpace, Replica, Vector, VectorChange
from knowledge.points import Near
from knowledge.qdrant_vectors import IN_QDRANT, MOST_WAITING, checked, not_told_yet
from knowledge.replicating import bring_up_to_date, points_of
from knowledge.spaces import embedder_for
from knowledge.tending_replicas import leave
from knowledge.vectors import IN_POSTGRESQL
from projects.models import Project
from providers.embedding import Vectors

IN_THIS_PROCESS = ":memory:"
AT_ONCE = 500
ROUNDS = 20
QUESTIONS = 50
WANTED = 10
BEHIND = (0, 1_000, MOST_WAITING)
NOT_MEASURED = "not measured"


def show_outside(made: Sequence[Project], questions: Sequence[str]) -> None:
    address = settings.QDRANT_URL
    settings.QDRANT_URL = address or IN_THIS_PROCESS
    space = space_here()
    total = Vector.objects.filter(space=space).count()
    warnings.filterwarnings("ignore", message="Local mode")
    try:
        leave()
        _show_writing(space, total)
        _show_checking(space, made[0])
        _show_server(space, made[0], questions, is_there=bool(address))
    finally:
        leave()
        settings.QDRANT_URL = address


def _show_writing(space: EmbeddingSpace, total: int) -> None:
    fresh = EmbeddingSpace.objects.create(model_name="bench", dimensions=space.dimensions)
    some = Vector.objects.filter(space=space)[:AT_ONCE]
    places = [(vector.chunk_id, vector.project_id) for vector in some]
    rows = np.array([vector.embedding for vector in some], dtype=np.float32)
    quiet = _seconds_of(lambda: _store(fresh, places, rows))
    Replica.objects.create(space=fresh, generation=1, layout="")
    noted = _seconds_of(lambda: _store(fresh, places, rows))
    fresh.delete()
    read = _seconds_of(lambda: points_of(space, [chunk for chunk, _ in places]))
    began_at = time.perf_counter()
    assert bring_up_to_date(space)
    filled = time.perf_counter() - began_at
    where = "this process" if settings.QDRANT_URL == IN_THIS_PROCESS else "a server"
    show(
        f"Telling of {total:,} vectors",
        [
            ("what", "microseconds a vector"),
            ("storing it without an index, nobody to be told", f"{1e6 * quiet / AT_ONCE:.0f}"),
            ("storing it and noting the change", f"{1e6 * noted / AT_ONCE:.0f}"),
            ("reading and packing a point", f"{1e6 * read / AT_ONCE:.0f}"),
            (f"filling all into {where}", f"{1e6 * filled / total:.0f}"),
        ],
    )


def _store(space: EmbeddingSpace, places: Sequence[tuple[UUID, UUID]], rows: Vectors) -> None:
    """Store vectors as an embed job does, and take that back."""
    with transaction.atomic():
        IN_POSTGRESQL.put(space, places, rows)
        transaction.set_rollback(True)


def _show_checking(space: EmbeddingSpace, project: Project) -> None:
    scope = scope_of([project.pk])
    some = Vector.objects.filter(space=space, project=project)[:100]
    near = [Near(row.chunk_id, row.version, 0.5) for row in some]
    vector = np.array(some[0].embedding, dtype=np.float32)
    rows = [("what", "milliseconds")]
    looked_up = _seconds_of(lambda: _keys([one.id for one in near]))
    rows.append(("floor: 100 passages by their keys", f"{1e3 * looked_up:.1f}"))
    spent = _seconds_of(lambda: checked(space.pk, near, scope))
    rows.append(("looking 100 hits up again", f"{1e3 * spent:.1f}"))
    for waiting in BEHIND:
        _let_wait(space, waiting)
        spent = _seconds_of(lambda: not_told_yet(space, vector, scope, 100))
        rows.append((f"comparing what was not told yet, {waiting:,} changes", f"{1e3 * spent:.1f}"))
    VectorChange.objects.all().delete()
    show("Beside each search in Qdrant", rows)


def _keys(ids: Sequence[UUID]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM knowledge_chunk WHERE id = ANY(%s)", [list(ids)])
        cursor.fetchall()


def _let_wait(space: EmbeddingSpace, count: int) -> None:
    VectorChange.objects.all().delete()
    ids = Vector.objects.filter(space=space).values_list("chunk_id", flat=True)[:count]
    VectorChange.objects.bulk_create(
        [VectorChange(space_id=space.pk, chunk_id=one) for one in ids], batch_size=1000
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE knowledge_vectorchange")


def _show_server(
    space: EmbeddingSpace, project: Project, questions: Sequence[str], *, is_there: bool
) -> None:
    rows = [("what", "plain", "int8")]
    if is_there:
        model = embedder_for(space)
        vectors = [model.embed_question(question) for question in questions[:QUESTIONS]]
        figures = [_asked(space, project, vectors, int8=int8) for int8 in (False, True)]
    else:
        figures = [(NOT_MEASURED, NOT_MEASURED)] * 2
    for number, name in enumerate(("a search, p50 / p95 ms", "recall@10 against exact")):
        rows.append((name, *(figure[number] for figure in figures)))
    show("On a Qdrant server", rows)


def _asked(
    space: EmbeddingSpace, project: Project, vectors: Sequence[Vectors], *, int8: bool
) -> tuple[str, str]:
    settings.QDRANT_INT8 = int8
    while not bring_up_to_date(space):
        time.sleep(1)
    assert Replica.objects.filter(space=space, state=Replica.State.SERVING).exists()
    scope, spent, shares = scope_of([project.pk]), [], []
    among = Chunk.objects.filter(project=project).count()
    for vector in vectors:
        began_at = time.perf_counter()
        found = IN_QDRANT.nearest(space, vector, scope, among=among, limit=WANTED)
        spent.append(1e3 * (time.perf_counter() - began_at))
        exact = IN_POSTGRESQL.nearest(space, vector, scope, among=among, limit=WANTED)
        shares.append(len(set(found) & set(exact)) / max(1, len(exact)))
    p50, p95 = np.percentile(spent, [50, 95])
    return f"{p50:.1f} / {p95:.1f}", f"{np.mean(shares):.3f}"


def _seconds_of(act: Callable[[], object]) -> float:
    """Return the median of several times."""
    spent = []
    for _ in range(ROUNDS):
        began_at = time.perf_counter()
        act()
        spent.append(time.perf_counter() - began_at)
    return float(np.median(spent))

"""Bringing a store of points to what PostgreSQL holds: change by change, and from nothing.

PostgreSQL is the truth. One process at a time works on a space, and whatever it does can be done
again: it looks up how a passage stands now and makes the point like it, so a change that is met
twice, late or after a kill comes to the same.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone
from pgvector import SparseVector

from knowledge.models import EmbeddingSpace, Replica, VectorChange
from knowledge.points import (
    Held,
    Layout,
    Naming,
    Point,
    PointsLost,
    PointsUnavailable,
    point_store,
)
from knowledge.spaces import living_spaces
from knowledge.vectors import read_halves
from projects.checkpoints import checkpoint

logger = logging.getLogger(__name__)
State = Replica.State
AT_ONCE = 500  # points
HASH_BYTES = 8  # of the hashes of body and header, to tell a text by


def spaces_elsewhere() -> list[EmbeddingSpace]:
    """Return the spaces whose points are kept outside PostgreSQL, too."""
    if not settings.QDRANT_URL:
        raise PointsUnavailable("QDRANT_URL is not set: PostgreSQL alone has the vectors.")
    return living_spaces()


def bring_up_to_date(space: EmbeddingSpace, until: float = float("inf")) -> bool:
    """Tell the store what it has not heard of; False while there is more, or it does not answer."""
    with alone(space) as is_alone:
        if not is_alone:
            return False
        replicas = Replica.objects.filter(space=space)
        with noting_errors(replicas):
            prepare(space)
            return drain(space, until) and _fill(space, until)
    return False


@contextmanager
def alone(space: EmbeddingSpace) -> Iterator[bool]:
    """Yield whether this process is the only one at a space's points."""
    key = (space.pk.int ^ 1) & (2**62 - 1)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [key])
        is_alone = bool(cursor.fetchone()[0])
        try:
            yield is_alone
        finally:
            if is_alone:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [key])


@contextmanager
def noting_errors(replicas: QuerySet[Replica]) -> Iterator[None]:
    try:
        yield
    except PointsUnavailable as problem:
        logger.warning("Points can't be brought up to date: %s", problem)
        replicas.update(error=str(problem), updated_at=timezone.now())
    else:
        replicas.exclude(error="").update(error="")


# --- Generations ---------------------------------------------------------------------------


def wanted_layout(space: EmbeddingSpace) -> Layout:
    return Layout(space.dimensions, is_quantized=settings.QDRANT_INT8)


def prepare(space: EmbeddingSpace) -> None:
    """Begin a generation where there is none, or none that is as it should be."""
    wanted = str(wanted_layout(space))
    there, aliases = set(point_store().names()), point_store().aliases()
    fitting = set()
    for replica in Replica.objects.filter(space=space, state__in=Replica.LIVING_STATES):
        if not _is_whole(replica, there, aliases):
            retire_replica(replica)
        elif replica.layout == wanted:
            fitting.add(replica.state)
    if not fitting:
        begin_generation(space)


def _is_whole(replica: Replica, there: set[str], aliases: dict[str, str]) -> bool:
    """Whether the store still has the collections of a generation, and asks this one."""
    naming = Naming(replica.space_id, replica.generation)
    is_asked = replica.state == State.SERVING
    return all(
        naming.collection(kept) in there
        and (not is_asked or aliases.get(naming.alias(kept)) == naming.collection(kept))
        for kept in replica.collections
    )


def retire_replica(replica: Replica) -> None:
    rows = Replica.objects.filter(pk=replica.pk)
    rows.update(state=State.RETIRED, updated_at=timezone.now())


@transaction.atomic
def begin_generation(space: EmbeddingSpace) -> Replica:
    """Declare a new generation, which is filled beside the one that answers."""
    # Who is writing vectors is waited for: from here on every change of them is noted.
    with connection.cursor() as cursor:
        cursor.execute("LOCK TABLE knowledge_vector IN SHARE ROW EXCLUSIVE MODE")
    of_space = Replica.objects.filter(space=space)
    of_space.filter(state=State.FILLING).update(state=State.RETIRED)
    last = of_space.aggregate(last=Max("generation"))["last"] or 0
    return Replica.objects.create(
        space=space, generation=last + 1, layout=str(wanted_layout(space))
    )


def give_up(replica: Replica) -> None:
    """Remove what is left of a generation that no search asks any more."""
    naming = Naming(replica.space_id, replica.generation)
    mine = {naming.collection(kept) for kept in replica.collections}
    stale = [alias for alias, name in point_store().aliases().items() if name in mine]
    point_store().point_aliases({}, stale)
    for name in mine:
        point_store().remove(name)
    checkpoint("points.removed")
    replica.delete()


def _serve(replica: Replica) -> None:
    """Let a filled generation answer from one moment on."""
    naming = Naming(replica.space_id, replica.generation)
    before = Replica.objects.filter(space=replica.space_id, state=State.SERVING).first()
    wanted = {naming.alias(kept): naming.collection(kept) for kept in replica.collections}
    gone = set(before.collections if before else ()) - set(replica.collections)
    point_store().point_aliases(wanted, [naming.alias(kept) for kept in gone])
    checkpoint("points.switching")
    now = timezone.now()
    with transaction.atomic():
        if before is not None:
            Replica.objects.filter(pk=before.pk).update(state=State.RETIRED, updated_at=now)
        Replica.objects.filter(pk=replica.pk).update(
            state=State.SERVING, served_at=now, updated_at=now
        )
    checkpoint("points.switched")


# --- Changes -------------------------------------------------------------------------------


def drain(space: EmbeddingSpace, until: float = float("inf")) -> bool:
    """Tell every living generation what changed; False when time was up before all was told."""
    while True:
        changes = dict(
            VectorChange.objects.filter(space_id=space.pk)
            .order_by("id")
            .values_list("id", "chunk_id")[:AT_ONCE]
        )
        if not changes:
            return True
        if time.monotonic() > until:
            return False
        checkpoint("points.claimed")
        chunk_ids = list(dict.fromkeys(changes.values()))
        points = points_of(space, chunk_ids)
        gone = set(chunk_ids) - {point.held.id for point in points}
        for replica in Replica.objects.filter(space=space, state__in=Replica.LIVING_STATES):
            try:
                _keep(replica, points)
                checkpoint("points.kept")
                _forget(replica, list(gone))
            except PointsLost:
                retire_replica(replica)  # and the next round begins another
                raise
        checkpoint("points.told")
        VectorChange.objects.filter(pk__in=list(changes)).delete()
        checkpoint("points.marked")


def _keep(replica: Replica, points: Sequence[Point]) -> None:
    of_collections: dict[str, list[Point]] = defaultdict(list)
    for point in points:
        of_collections[point.collection].append(point)
    naming = Naming(replica.space_id, replica.generation)
    for kept, some in of_collections.items():
        if kept not in replica.collections:
            _add_collection(replica, kept)
        point_store().keep(naming.collection(kept), some)


def _add_collection(replica: Replica, kept: str) -> None:
    naming = Naming(replica.space_id, replica.generation)
    point_store().create(naming.collection(kept), wanted_layout(replica.space))
    if replica.state == State.SERVING:
        point_store().point_aliases({naming.alias(kept): naming.collection(kept)}, [])
    checkpoint("points.created")
    replica.collections = sorted([*replica.collections, kept])
    replica.save(update_fields=["collections", "updated_at"])


def _forget(replica: Replica, ids: Sequence[UUID]) -> None:
    naming = Naming(replica.space_id, replica.generation)
    for kept in replica.collections if ids else ():
        point_store().forget(naming.collection(kept), ids)


def points_of(space: EmbeddingSpace, chunk_ids: Sequence[UUID]) -> list[Point]:
    """Return how passages stand now; those without a vector are left out."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT v.chunk_id, v.project_id, v.version, c.body_hash, c.header_hash,
                c.collection, halfvec_send(v.embedding), c.weights::text
            FROM knowledge_vector v JOIN knowledge_chunk c ON c.id = v.chunk_id
            WHERE v.space_id = %s AND v.chunk_id = ANY(%s)""",
            [space.pk, list(chunk_ids)],
        )
        rows = cursor.fetchall()
    points = []
    for chunk_id, project_id, version, body, header, collection, sent, weights in rows:
        sparse = SparseVector.from_text(weights)
        points.append(
            Point(
                held=Held(chunk_id, project_id, version, told_by(body, header)),
                collection=collection,
                meaning=read_halves(bytes(sent)),
                words=dict(zip(sparse.indices(), sparse.values(), strict=True)),
            )
        )
    return points


def told_by(body: bytes, header: bytes) -> str:
    return bytes(body[:HASH_BYTES]).hex() + bytes(header[:HASH_BYTES]).hex()


# --- Filling -------------------------------------------------------------------------------


def _fill(space: EmbeddingSpace, until: float) -> bool:
    """Go on filling a new generation, and let it answer once it has everything."""
    replica = Replica.objects.filter(space=space, state=State.FILLING).first()
    if replica is None:
        return True
    while time.monotonic() < until:
        ids = _after(space, replica.filled_to)
        if not ids:
            # What changed while it was filled comes before it answers.
            if not drain(space, until):
                return False
            replica.refresh_from_db()
            _serve(replica)
            return True
        # No change can be told between reading and storing: this process alone tells them.
        _keep(replica, points_of(space, ids))
        checkpoint("points.filled")
        replica.filled_to = ids[-1]
        Replica.objects.filter(pk=replica.pk).update(
            filled_to=ids[-1], filled=F("filled") + len(ids), updated_at=timezone.now()
        )
    return False


def _after(space: EmbeddingSpace, chunk_id: UUID | None) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT chunk_id FROM knowledge_vector WHERE space_id = %s AND chunk_id > %s"
            f" ORDER BY chunk_id LIMIT {AT_ONCE}",
            [space.pk, chunk_id or UUID(int=0)],
        )
        return [row[0] for row in cursor.fetchall()]

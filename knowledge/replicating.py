"""Bringing a store of points to what PostgreSQL holds: change by change, and from nothing.

PostgreSQL is the truth. One process at a time works on a space, and whatever it does can be done
again: it looks up how a passage stands now and makes the point like it, so a change that is met
twice, late or after a kill comes to the same.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

from django.conf import settings
from django.db import OperationalError, connection, transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone
from pgvector import SparseVector

from knowledge.locking import alone_at
from knowledge.models import EmbeddingSpace, Replica, VectorChange
from knowledge.points import (
    Held,
    Layout,
    Naming,
    Point,
    PointsLost,
    PointsUnavailable,
    SpaceBusy,
    is_of_space,
    point_store,
)
from knowledge.spaces import living_spaces
from knowledge.vectors import read_halves
from projects.checkpoints import checkpoint

logger = logging.getLogger(__name__)
State = Replica.State
AT_ONCE = 500  # points
NUMBERS_AT_ONCE = 1_000_000  # of their vectors
PATIENCE_MS = 3000
HASH_BYTES = 8  # of the hashes of body and header, to tell a text by


def spaces_elsewhere() -> list[EmbeddingSpace]:
    """Return the spaces whose points are kept outside PostgreSQL, too."""
    if not settings.QDRANT_URL:
        raise PointsUnavailable("QDRANT_URL is not set: PostgreSQL alone has the vectors.")
    return living_spaces()


def bring_up_to_date(space: EmbeddingSpace, until: float = float("inf")) -> bool:
    """Tell the store what it has not heard of; False while there is more to do, or no way to.

    There is none while another process is at it, or the store does not answer.
    """
    with alone(space) as is_alone:
        if not is_alone:
            return False
        with noting_errors(Replica.objects.filter(space=space)):
            prepare(space)
            _give_up_retired(space)
            return drain(space, until) and _fill(space, until)
    return False


def alone(space: EmbeddingSpace) -> AbstractContextManager[bool]:
    """Yield whether this process is the only one at a space's points."""
    return alone_at(space.pk.int ^ 1)  # its index has the other number


@contextmanager
def noting_errors(replicas: QuerySet[Replica]) -> Iterator[None]:
    try:
        yield
    except SpaceBusy:
        return
    except PointsUnavailable as problem:
        logger.warning("Points can't be brought up to date: %s", problem)
        replicas.update(error=str(problem), updated_at=timezone.now())
    else:
        replicas.exclude(error="").update(error="")


# --- Generations ---------------------------------------------------------------------------


def wanted_layout(space: EmbeddingSpace) -> Layout:
    return Layout(space.dimensions, is_quantized=settings.QDRANT_INT8)


def living(space: EmbeddingSpace) -> QuerySet[Replica]:
    return Replica.objects.filter(space=space, state__in=Replica.LIVING_STATES)


def prepare(space: EmbeddingSpace) -> None:
    """Begin a generation where there is none that is as it should be, or somebody asked for one."""
    if not living(space).exists():
        begin_generation(space)
    wanted = str(wanted_layout(space))
    there, aliases = set(point_store().names()), point_store().aliases()
    for replica in living(space):
        is_unwanted = replica.state == State.FILLING and replica.layout != wanted
        if is_unwanted or not _is_whole(replica, there, aliases):
            retire_replica(replica)
    left = living(space)
    if not left.filter(layout=wanted).exists() or left.exclude(rebuild_asked_at=None).exists():
        begin_generation(space)
        left.exclude(rebuild_asked_at=None).update(rebuild_asked_at=None)


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


def begin_generation(space: EmbeddingSpace) -> Replica:
    """Declare a new generation, which is filled beside the one that answers.

    Whoever writes vectors is waited for, so that every change from here on is noted; raises
    SpaceBusy if that takes long.
    """
    of_space = Replica.objects.filter(space=space)
    try:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{PATIENCE_MS}ms'")
                cursor.execute("LOCK TABLE knowledge_vector IN SHARE ROW EXCLUSIVE MODE")
            of_space.filter(state=State.FILLING).update(state=State.RETIRED)
            last = of_space.aggregate(last=Max("generation"))["last"] or 0
            return Replica.objects.create(
                space=space, generation=last + 1, layout=str(wanted_layout(space))
            )
    except OperationalError as error:
        raise SpaceBusy("Vectors are being written: it begins a little later.") from error


def _give_up_retired(space: EmbeddingSpace) -> None:
    """Remove what is left of generations that no search asks any more, whoever knows of them."""
    of_space = Replica.objects.filter(space=space)
    naming = [Naming(space.pk, one.generation) for one in of_space.exclude(state=State.RETIRED)]
    names = point_store().names()
    stale = {
        name
        for name in names
        if is_of_space(space.pk, name) and not any(one.owns(name) for one in naming)
    }
    if stale:
        aliases = point_store().aliases()
        point_store().point_aliases({}, [alias for alias in aliases if aliases[alias] in stale])
        for name in stale:
            point_store().remove(name)
        checkpoint("points.removed")
    of_space.filter(state=State.RETIRED).delete()


def give_up(space: EmbeddingSpace) -> None:
    """Remove all that the store has of a space; raises PointsUnavailable."""
    with alone(space) as is_alone:
        if is_alone:
            Replica.objects.filter(space=space).update(state=State.RETIRED)
            _give_up_retired(space)


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
            retire_replica(before)
        Replica.objects.filter(pk=replica.pk, state=State.FILLING).update(
            state=State.SERVING, served_at=now, updated_at=now
        )
    checkpoint("points.switched")


# --- Changes -------------------------------------------------------------------------------


def at_once(space: EmbeddingSpace) -> int:
    """Return how many points go into a request: Qdrant takes 32 MB unless told otherwise."""
    return min(AT_ONCE, NUMBERS_AT_ONCE // space.dimensions)


def drain(space: EmbeddingSpace, until: float = float("inf")) -> bool:
    """Tell every living generation what changed; False when time was up before all was told."""
    while True:
        changes = dict(
            VectorChange.objects.filter(space_id=space.pk)
            .order_by("id")
            .values_list("id", "chunk_id")[: at_once(space)]
        )
        if not changes:
            return True
        if time.monotonic() > until:
            return False
        checkpoint("points.claimed")
        chunk_ids = list(dict.fromkeys(changes.values()))
        points = points_of(space, chunk_ids)
        gone = set(chunk_ids) - {point.held.id for point in points}
        _tell(space, points, list(gone))
        checkpoint("points.told")
        VectorChange.objects.filter(pk__in=list(changes)).delete()
        checkpoint("points.marked")


def _tell(space: EmbeddingSpace, points: Sequence[Point], gone: Sequence[UUID]) -> None:
    replicas = list(living(space).order_by("state"))  # the one that is being filled first
    for replica in replicas:
        try:
            _keep(replica, points)
            checkpoint("points.kept")
            _forget(replica, gone)
        except PointsLost:
            retire_replica(replica)  # and the next round begins another
            raise
        except PointsUnavailable:
            if replica is replicas[0]:
                raise
            # The store answers, but not for this one; what follows it is on its way.
            retire_replica(replica)


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
    Replica.objects.filter(pk=replica.pk).update(
        collections=replica.collections, updated_at=timezone.now()
    )


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
    while time.monotonic() < until:
        # Anew for each page: what was told between two may have brought it a collection.
        replica = living(space).filter(state=State.FILLING).first()
        if replica is None:
            return True
        ids = _after(space, replica.filled_to)
        # No change can be told between reading and storing: this process alone tells them.
        _keep(replica, points_of(space, ids) if ids else [])
        checkpoint("points.filled")
        if not drain(space, until):
            return False
        if not ids:
            replica.refresh_from_db()
            _serve(replica)
            return True
        Replica.objects.filter(pk=replica.pk).update(
            filled_to=ids[-1], filled=F("filled") + len(ids), updated_at=timezone.now()
        )
    return False


def _after(space: EmbeddingSpace, chunk_id: UUID | None) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT chunk_id FROM knowledge_vector WHERE space_id = %s AND chunk_id > %s"
            f" ORDER BY chunk_id LIMIT {at_once(space)}",
            [space.pk, chunk_id or UUID(int=0)],
        )
        return [row[0] for row in cursor.fetchall()]

"""Comparing a store of points with PostgreSQL, point by point, and mending what differs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from knowledge.models import EmbeddingSpace, Replica, VectorChange
from knowledge.points import Held, Naming, PointId, PointsUnavailable, point_store
from knowledge.replicating import alone, drain, prepare, told_by

AT_ONCE = 1000
ROUNDS = 3  # of mending: what changes meanwhile is told in between


@dataclass(slots=True)
class Differences:
    """What a store holds and should not, or should and does not."""

    compared: int = 0
    missing: int = 0
    foreign: int = 0  # of passages that are gone, of another collection, or of somebody else
    wrong_project: int = 0
    outdated: int = 0  # another vector or text than the passage has now

    @property
    def total(self) -> int:
        return self.missing + self.foreign + self.wrong_project + self.outdated

    @property
    def sentence(self) -> str:
        if not self.total:
            return f"{self.compared:,} points, all as in PostgreSQL."
        return (
            f"{self.total:,} differences among {self.compared:,} points: {self.missing:,} missing,"
            f" {self.foreign:,} foreign, {self.wrong_project:,} of a wrong project,"
            f" {self.outdated:,} outdated."
        )

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "total": self.total}


@dataclass(slots=True)
class Mending:
    """What has to be told to the store anew, and what has to go from which collection."""

    tell: list[UUID] = field(default_factory=list)
    forget: dict[str, list[PointId]] = field(default_factory=lambda: defaultdict(list))


def reconcile(space: EmbeddingSpace, *, fix: bool) -> Differences:
    """Compare what answers for a space with PostgreSQL; with `fix`, return what is left after it.

    Raises PointsUnavailable when the store does not answer or nothing of the space answers yet.
    """
    with alone(space) as is_alone:
        if not is_alone:
            raise PointsUnavailable("Another process is at this space: try again in a minute.")
        prepare(space)
        found, mending = _compare(space)
        first = found
        for _ in range(ROUNDS if fix else 0):
            if not found.total:
                break
            _mend(space, mending)
            found, mending = _compare(space)
    told = {"found": first.as_dict(), **({"left": found.as_dict()} if fix else {})}
    serving = Replica.objects.filter(space=space, state=Replica.State.SERVING)
    serving.update(comparison=told, compared_at=timezone.now(), asked_at=None)
    return found


def _compare(space: EmbeddingSpace) -> tuple[Differences, Mending]:
    drain(space)
    replica = Replica.objects.filter(space=space, state=Replica.State.SERVING).first()
    if replica is None:
        raise PointsUnavailable("Nothing of this space is in use there yet: it is being filled.")
    found, mending = Differences(), Mending()
    naming = Naming(space.pk, replica.generation)
    for kept in replica.collections:
        _look_for_foreign(space, naming.collection(kept), kept, found, mending)
    _look_for_missing(space, naming, replica.collections, found, mending)
    return found, mending


def _look_for_foreign(
    space: EmbeddingSpace, name: str, kept: str, found: Differences, mending: Mending
) -> None:
    for page in point_store().all_held(name):
        ours = [held.id for held in page if isinstance(held.id, UUID)]
        should_be = {held.id: held for held, where in _should_be(space, ours) if where == kept}
        waiting = _waiting(space, ours)
        for held in page:
            found.compared += 1
            wanted = should_be.get(held.id)
            if held.id in waiting:
                continue
            if wanted is None:
                found.foreign += 1
                mending.forget[name].append(held.id)
            elif held != wanted:
                if held.project_id != wanted.project_id:
                    found.wrong_project += 1
                else:
                    found.outdated += 1
                mending.tell += [one for one in ours if one == held.id]


def _look_for_missing(
    space: EmbeddingSpace,
    naming: Naming,
    collections: Sequence[str],
    found: Differences,
    mending: Mending,
) -> None:
    for page in _pages(space):
        waiting = _waiting(space, page)
        of_collections: dict[str, list[UUID]] = defaultdict(list)
        for held, kept in _should_be(space, page):
            if isinstance(held.id, UUID) and held.id not in waiting:
                of_collections[kept].append(held.id)
        for kept, ids in of_collections.items():
            there: Iterable[PointId] = ()
            if kept in collections:
                there = point_store().held(naming.collection(kept), ids)
            lacking = [one for one in ids if one not in there]
            found.missing += len(lacking)
            mending.tell += lacking


def _mend(space: EmbeddingSpace, mending: Mending) -> None:
    for name, ids in mending.forget.items():
        for start in range(0, len(ids), AT_ONCE):
            point_store().forget(name, ids[start : start + AT_ONCE])
    VectorChange.objects.bulk_create(
        (VectorChange(space_id=space.pk, chunk_id=one) for one in mending.tell),
        batch_size=AT_ONCE,
    )
    drain(space)


def _should_be(space: EmbeddingSpace, ids: Sequence[UUID]) -> list[tuple[Held, str]]:
    """Return how points should be, and in which collection, by what PostgreSQL holds."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT v.chunk_id, v.project_id, v.version, c.body_hash, c.header_hash,
                c.collection
            FROM knowledge_vector v JOIN knowledge_chunk c ON c.id = v.chunk_id
            WHERE v.space_id = %s AND v.chunk_id = ANY(%s)""",
            [space.pk, list(ids)],
        )
        return [
            (Held(chunk_id, project_id, version, told_by(body, header)), kept)
            for chunk_id, project_id, version, body, header, kept in cursor.fetchall()
        ]


def _waiting(space: EmbeddingSpace, ids: Sequence[UUID]) -> set[PointId]:
    """Return which of the passages have changed since, so that they can't agree yet."""
    changes = VectorChange.objects.filter(space_id=space.pk, chunk_id__in=ids)
    return set(changes.values_list("chunk_id", flat=True))


def _pages(space: EmbeddingSpace) -> Iterator[list[UUID]]:
    after = UUID(int=0)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT chunk_id FROM knowledge_vector WHERE space_id = %s AND chunk_id > %s"
                f" ORDER BY chunk_id LIMIT {AT_ONCE}",
                [space.pk, after],
            )
            page = [row[0] for row in cursor.fetchall()]
        if not page:
            return
        yield page
        after = page[-1]

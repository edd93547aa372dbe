"""Comparing a store of points with PostgreSQL, point by point, and mending what differs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from knowledge.models import EmbeddingSpace, Replica, VectorChange
from knowledge.points import (
    Held,
    Naming,
    PointId,
    PointsUnavailable,
    SpaceBusy,
    point_store,
)
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


def reconcile(space: EmbeddingSpace, *, fix: bool) -> Differences:
    """Compare what answers for a space with PostgreSQL; with `fix`, return what is left after it.

    Raises PointsUnavailable when the store does not answer or nothing of the space answers yet,
    SpaceBusy when another process is at it.
    """
    with alone(space) as is_alone:
        if not is_alone:
            raise SpaceBusy("Another process is at this space: try again in a minute.")
        if fix:
            prepare(space)
        drain(space)
        replica = serving_of(space)
        first = found = Comparing(space, replica, fix).run()
        for _ in range(ROUNDS if fix else 0):
            if not found.total:
                break
            found = Comparing(space, replica, fix).run()
    told = {"found": first.as_dict(), **({"left": found.as_dict()} if fix else {})}
    rows = Replica.objects.filter(pk=replica.pk)
    rows.update(comparison=told, compared_at=timezone.now())
    if fix:
        rows.update(reconcile_asked_at=None)
    return found


def serving_of(space: EmbeddingSpace) -> Replica:
    replica = Replica.objects.filter(space=space, state=Replica.State.SERVING).first()
    if replica is None:
        raise PointsUnavailable("Nothing of this space is in use there yet: it is being filled.")
    return replica


@dataclass(slots=True)
class Comparing:
    """One look at all points, a page at a time; with `fix` each page is mended at once."""

    space: EmbeddingSpace
    replica: Replica
    fix: bool
    found: Differences = field(default_factory=Differences)

    def run(self) -> Differences:
        naming = Naming(self.space.pk, self.replica.generation)
        for kept in self.replica.collections:
            self._look_for_foreign(naming.collection(kept), kept)
        self._look_for_missing(naming)
        return self.found

    def _look_for_foreign(self, name: str, kept: str) -> None:
        for page in point_store().all_held(name):
            ours = [held.id for held in page if isinstance(held.id, UUID)]
            should_be = {
                held.id: held for held, where in _should_be(self.space, ours) if where == kept
            }
            waiting = _waiting(self.space, ours)
            settled = [held for held in page if held.id not in waiting]
            foreign = [held.id for held in settled if held.id not in should_be]
            differing = [held for held in settled if should_be.get(held.id, held) != held]
            moved = [h for h in differing if h.project_id != should_be[h.id].project_id]
            self.found.compared += len(page)
            self.found.foreign += len(foreign)
            self.found.wrong_project += len(moved)
            self.found.outdated += len(differing) - len(moved)
            self._mend([held.id for held in differing], {name: foreign})

    def _look_for_missing(self, naming: Naming) -> None:
        for page in _pages(self.space):
            waiting = _waiting(self.space, page)
            of_collections: dict[str, list[UUID]] = defaultdict(list)
            for held, kept in _should_be(self.space, page):
                if isinstance(held.id, UUID) and held.id not in waiting:
                    of_collections[kept].append(held.id)
            for kept, ids in of_collections.items():
                there: Iterable[PointId] = ()
                if kept in self.replica.collections:
                    there = point_store().held(naming.collection(kept), ids)
                lacking = [one for one in ids if one not in there]
                self.found.missing += len(lacking)
                self._mend(lacking, {})

    def _mend(self, differing: Sequence[PointId], foreign: Mapping[str, list[PointId]]) -> None:
        """Tell what changed meanwhile, and with `fix` what differs."""
        if self.fix:
            for name, ids in foreign.items():
                if ids:
                    point_store().forget(name, ids)
            VectorChange.objects.bulk_create(
                [
                    VectorChange(space_id=self.space.pk, chunk_id=one)
                    for one in differing
                    if isinstance(one, UUID)
                ]
            )
        drain(self.space)
        self.replica.refresh_from_db(fields=["collections"])


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

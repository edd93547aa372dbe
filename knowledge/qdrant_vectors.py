"""Vectors as PostgreSQL keeps them, found by Qdrant, each hit looked up here before it counts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.db import connection
from pgvector import HalfVector

from knowledge import words
from knowledge.breaker import Breaker
from knowledge.legs import LEG_LIMIT, Weighed
from knowledge.models import EmbeddingSpace, Replica
from knowledge.points import NO_DIRECTION, Asked, Naming, Near, PointsUnavailable, point_store
from knowledge.scopes import Filters, Scope
from knowledge.vectors import PgVectors
from projects.models import Job
from providers.embedding import Vectors

MOST_WAITING = 5_000  # changes that a search compares itself, in 30 ms
ROUNDS = 3  # of asking for more, where hits turn out to be no more
breaker = Breaker()


class QdrantVectors(PgVectors):
    """Asks Qdrant for the nearest passages of a space that it holds; raises PointsUnavailable.

    With a filter PostgreSQL has to look at the passages anyway, and then compares what is left.
    """

    def nearest(
        self, space: EmbeddingSpace, vector: Vectors, scope: Scope, *, among: int, limit: int
    ) -> list[UUID]:
        replica = serving(space) if _is_plain(scope) else None
        if replica is None:
            return super().nearest(space, vector, scope, among=among, limit=limit)
        # First, so that a change that is told meanwhile is met by one or the other.
        near = not_told_yet(space, vector, scope, limit)
        near += _still_there(replica, vector, scope, limit)
        near.sort(key=lambda one: -one.score)
        found = list(dict.fromkeys(one.id for one in near))[:limit]
        if len(found) < limit:
            # Few passages are compared here as fast, and it shows what Qdrant has not.
            here = super().nearest(space, vector, scope, among=among, limit=limit)
            if len(here) > len(found):
                raise PointsUnavailable("Qdrant lacks some of these passages.")
        return found

    def by_words(self, space: EmbeddingSpace, weighed: Weighed, scope: Scope) -> list[UUID] | None:
        """Return the passages with the rarest words; None where PostgreSQL has to be asked."""
        replica = serving(space) if _is_plain(scope) else None
        names = _aliases(replica, scope.filters.collection) if replica else []
        if replica is None or not names or _lacks_passages(space, scope):
            return None
        counted = {term.number: float(term.times) for term in weighed.terms if term.chunks}
        if not counted:
            return []
        asked = Asked(scope.project_ids, LEG_LIMIT)
        with _watched():
            near = point_store().by_words(names, words.places_of(counted), asked)
        there = checked(replica.space_id, near, scope)
        return _heaviest([one.id for one in there], weighed)


IN_QDRANT = QdrantVectors()


def serving(space: EmbeddingSpace) -> Replica | None:
    rows = Replica.objects.raw(
        "SELECT * FROM knowledge_replica WHERE space_id = %s AND state = %s",
        [space.pk, Replica.State.SERVING],
    )
    return next(iter(rows), None)


def _is_plain(scope: Scope) -> bool:
    """Whether Qdrant alone can tell what is in scope: projects, and perhaps a collection."""
    return replace(scope.filters, collection="") == Filters()


@contextmanager
def _watched() -> Iterator[None]:
    if not breaker.allows():
        raise PointsUnavailable("Qdrant does not answer.")
    try:
        yield
    except BaseException:
        breaker.failed()
        raise
    breaker.went_well()


def _aliases(replica: Replica, collection: str) -> list[str]:
    naming = Naming(replica.space_id, replica.generation)
    return [naming.alias(kept) for kept in replica.collections if collection in ("", kept)]


def _still_there(replica: Replica, vector: Vectors, scope: Scope, limit: int) -> list[Near]:
    names = _aliases(replica, scope.filters.collection)
    asked = Asked(scope.project_ids, limit)
    found: list[Near] = []
    for _ in range(ROUNDS if names else 0):
        with _watched():
            near = point_store().nearest(names, vector, asked)
        found = checked(replica.space_id, near, scope)
        if len(found) >= limit or len(near) < asked.limit:
            break
        asked = replace(asked, limit=4 * asked.limit)
    return found


def checked(space_id: UUID, near: Sequence[Near], scope: Scope) -> list[Near]:
    """Return those hits that are passages of the scope now, with the very vector that was met."""
    conditions, values = scope.conditions()
    given: list[Any] = [
        [one.id for one in near],
        [one.version for one in near],
        space_id,
        list(scope.project_ids),
        *values,
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT v.chunk_id, v.version
            FROM unnest(%s::uuid[], %s::bigint[]) AS met (id, version)
            JOIN knowledge_vector v ON v.chunk_id = met.id AND v.version = met.version
            JOIN knowledge_chunk c ON c.id = v.chunk_id
            JOIN knowledge_document d ON d.id = c.document_id
            WHERE v.space_id = %s AND v.project_id = ANY(%s) {conditions}""",
            given,
        )
        there = set(cursor.fetchall())
    return [one for one in near if (one.id, one.version) in there]


def not_told_yet(space: EmbeddingSpace, vector: Vectors, scope: Scope, limit: int) -> list[Near]:
    """Return the nearest of what changed a moment ago, so that nobody has to wait to find it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT chunk_id FROM knowledge_vectorchange WHERE space_id = %s"
            f" LIMIT {MOST_WAITING + 1}",
            [space.pk],
        )
        changed = [row[0] for row in cursor.fetchall()]
        if len(changed) > MOST_WAITING:
            raise PointsUnavailable("Qdrant has yet to hear of many changes.")
        if not changed:
            return []
        conditions, values = scope.conditions()
        cursor.execute(
            f"""SELECT v.chunk_id, v.version,
                coalesce(nullif(1 - (v.embedding <=> %s::halfvec), 'NaN'), {NO_DIRECTION}) AS score
            FROM knowledge_vector v JOIN knowledge_chunk c ON c.id = v.chunk_id
            JOIN knowledge_document d ON d.id = c.document_id
            WHERE v.chunk_id = ANY(%s) AND v.space_id = %s AND v.project_id = ANY(%s) {conditions}
            ORDER BY score DESC LIMIT {limit:d}""",
            [
                HalfVector(vector).to_text(),
                list(set(changed)),
                space.pk,
                list(scope.project_ids),
                *values,
            ],
        )
        return [Near(*row) for row in cursor.fetchall()]


def _lacks_passages(space: EmbeddingSpace, scope: Scope) -> bool:
    """Whether passages may have words and no point: not embedded, or not told of."""
    if space.error:
        return True
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT FROM knowledge_vectorchange WHERE space_id = %s)", [space.pk]
        )
        if cursor.fetchone()[0]:
            return True
    kinds = (Job.Kind.SYNC, Job.Kind.EMBED)
    return Job.objects.open().filter(project__in=scope.project_ids, kind__in=kinds).exists()


def _heaviest(ids: Sequence[UUID], weighed: Weighed) -> list[UUID]:
    """Return the best by the same weights as ever: each collection counts words for itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM knowledge_chunk WHERE id = ANY(%s)"
            f" ORDER BY weights <#> %s::sparsevec, id LIMIT {LEG_LIMIT}",
            [list(ids), weighed.sparse],
        )
        return [row[0] for row in cursor.fetchall()]

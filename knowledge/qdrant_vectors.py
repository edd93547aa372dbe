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
from knowledge.points import Asked, Naming, Near, PointsUnavailable, point_store
from knowledge.scopes import Filters, Scope
from knowledge.vectors import PgVectors
from providers.embedding import Vectors

# A filter is sent as the passages that pass it; of more than so many, PostgreSQL compares all.
MOST_NAMED = 10_000
ROUNDS = 3  # of asking for more, where hits turn out to be no more
breaker = Breaker()


class QdrantVectors(PgVectors):
    """Asks Qdrant for the nearest passages of a space that it holds; raises PointsUnavailable."""

    def nearest(
        self, space: EmbeddingSpace, vector: Vectors, scope: Scope, *, among: int, limit: int
    ) -> list[UUID]:
        replica = serving(space)
        named = _named_by_filters(scope)
        if replica is None or (named is not None and len(named) > MOST_NAMED):
            return super().nearest(space, vector, scope, among=among, limit=limit)
        if named == []:
            return []
        near = self._still_there(replica, vector, scope, named, limit)
        near += _not_told_yet(space, vector, scope, limit)
        near.sort(key=lambda one: -one.score)
        found = list(dict.fromkeys(one.id for one in near))[:limit]
        if len(found) < limit:
            # Few passages are compared here as fast, and it shows what Qdrant has not.
            here = super().nearest(space, vector, scope, among=among, limit=limit)
            if len(here) > len(found):
                raise PointsUnavailable("Qdrant lacks some of these passages.")
        return found

    def _still_there(
        self,
        replica: Replica,
        vector: Vectors,
        scope: Scope,
        named: Sequence[UUID] | None,
        limit: int,
    ) -> list[Near]:
        names = _aliases(replica, scope.filters.collection)
        asked = Asked(scope.project_ids, limit, named)
        found: list[Near] = []
        for _ in range(ROUNDS if names else 0):
            with _watched():
                near = point_store().nearest(names, vector, asked)
            found = checked(replica.space_id, near, scope)
            if len(found) >= limit or len(near) < asked.limit:
                break
            asked = replace(asked, limit=4 * asked.limit)
        return found

    def by_words(self, space: EmbeddingSpace, weighed: Weighed, scope: Scope) -> list[UUID] | None:
        """Return the passages with the rarest words; None where PostgreSQL has to be asked."""
        replica = serving(space)
        named = _named_by_filters(scope)
        if replica is None or (named is not None and len(named) > MOST_NAMED):
            return None
        counted = {term.number: float(term.times) for term in weighed.terms if term.chunks}
        names = _aliases(replica, scope.filters.collection)
        if not counted or not names or named == []:
            return []
        asked = Asked(scope.project_ids, LEG_LIMIT, named)
        with _watched():
            near = point_store().by_words(names, words.places_of(counted), asked)
        there = checked(replica.space_id, near, scope)
        return _heaviest([one.id for one in there], weighed)


def serving(space: EmbeddingSpace) -> Replica | None:
    rows = Replica.objects.raw(
        "SELECT * FROM knowledge_replica WHERE space_id = %s AND state = %s",
        [space.pk, Replica.State.SERVING],
    )
    return next(iter(rows), None)


@contextmanager
def _watched() -> Iterator[None]:
    if not breaker.allows():
        raise PointsUnavailable("Qdrant does not answer.")
    try:
        yield
    except PointsUnavailable:
        breaker.failed()
        raise
    breaker.went_well()


def _aliases(replica: Replica, collection: str) -> list[str]:
    naming = Naming(replica.space_id, replica.generation)
    return [naming.alias(kept) for kept in replica.collections if collection in ("", kept)]


def _named_by_filters(scope: Scope) -> list[UUID] | None:
    """Return the passages that the filters leave, a few more than can be sent; None for all."""
    if replace(scope.filters, collection="") == Filters():
        return None
    conditions, values = scope.conditions()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT c.id FROM knowledge_chunk c JOIN knowledge_document d
            ON d.id = c.document_id
            WHERE c.project_id = ANY(%s) {conditions} LIMIT {MOST_NAMED + 1}""",
            [list(scope.project_ids), *values],
        )
        return [row[0] for row in cursor.fetchall()]


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
            f"""SELECT v.chunk_id FROM unnest(%s::uuid[], %s::bigint[]) AS met (id, version)
            JOIN knowledge_vector v ON v.chunk_id = met.id AND v.version = met.version
            JOIN knowledge_chunk c ON c.id = v.chunk_id
            JOIN knowledge_document d ON d.id = c.document_id
            WHERE v.space_id = %s AND v.project_id = ANY(%s) {conditions}""",
            given,
        )
        there = {row[0] for row in cursor.fetchall()}
    return [one for one in near if one.id in there]


def _not_told_yet(space: EmbeddingSpace, vector: Vectors, scope: Scope, limit: int) -> list[Near]:
    """Return the nearest of what changed a moment ago, so that nobody has to wait to find it."""
    conditions, values = scope.conditions()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH changed AS MATERIALIZED (
                SELECT DISTINCT chunk_id FROM (
                    SELECT chunk_id FROM knowledge_vectorchange WHERE space_id = %s
                    ORDER BY id DESC LIMIT {MOST_NAMED}
                ) latest)
            SELECT v.chunk_id, v.version, 1 - (v.embedding <=> %s::halfvec) AS score
            FROM changed JOIN knowledge_vector v ON v.chunk_id = changed.chunk_id
            JOIN knowledge_chunk c ON c.id = v.chunk_id
            JOIN knowledge_document d ON d.id = c.document_id
            WHERE v.space_id = %s AND v.project_id = ANY(%s) {conditions}
            ORDER BY score DESC LIMIT {limit:d}""",
            [
                space.pk,
                HalfVector(vector).to_text(),
                space.pk,
                list(scope.project_ids),
                *values,
            ],
        )
        rows = [Near(*row) for row in cursor.fetchall()]
    return [one for one in rows if one.score == one.score]  # else it has no direction


def _heaviest(ids: Sequence[UUID], weighed: Weighed) -> list[UUID]:
    """Return the best by the same weights as ever: each collection counts words for itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM knowledge_chunk WHERE id = ANY(%s)"
            f" ORDER BY weights <#> %s::sparsevec LIMIT {LEG_LIMIT}",
            [list(ids), weighed.sparse],
        )
        return [row[0] for row in cursor.fetchall()]

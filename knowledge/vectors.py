"""Where vectors are kept and searched: one protocol, and PostgreSQL, which always has them."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from django.conf import settings
from django.db import connection, transaction
from django.utils.module_loading import import_string
from pgvector import HalfVector

from knowledge import copying
from knowledge.legs import Weighed
from knowledge.locking import alone_at
from knowledge.models import EmbeddingSpace, Vector
from knowledge.scopes import Filters, Scope
from knowledge.staging import copy_in
from providers.embedding import Vectors

# Up to so many vectors in a scope are compared one by one; the index guesses among more.
COMPARED_EXACTLY = 300_000
# How far the index looks round, while it is built and while it is asked. Copies of copies, as in
# vendored code, are a graph's worst case: with half as much they hide what is near.
CONNECTED_AMONG = 200
LOOKED_AT = 1000
MET_BY_INDEX = 8_000  # so many before the nearest are chosen: what it meets late is often nearer
INDEX_PREFIX = "vectors_in_"
# An index that finds no room in memory while it is built takes ten times as long.
LEAST_MEMORY, MOST_MEMORY = 64, 1500  # MB
BYTES_OF_A_NODE = 400  # beside its vector
BY_INDEX = (
    f"SET LOCAL hnsw.ef_search = {LOOKED_AT}; SET LOCAL hnsw.iterative_scan = relaxed_order;"
    # The planner would rather sort all vectors than use an index that it thinks dear.
    " SET LOCAL enable_sort = off"
)


class VectorStore(Protocol):
    """Vectors of chunks by space: what one model made is never compared with another's."""

    def put(
        self, space: EmbeddingSpace, chunks: Sequence[tuple[UUID, UUID]], rows: Vectors
    ) -> None:
        """Keep a row for each (chunk, project), none of which has one in the space."""

    def nearest(
        self, space: EmbeddingSpace, vector: Vectors, scope: Scope, *, among: int, limit: int
    ) -> list[UUID]:
        """Return the chunks nearest to a vector; `among` is how many the scope's projects hold."""

    def by_words(self, space: EmbeddingSpace, weighed: Weighed, scope: Scope) -> list[UUID] | None:
        """Return the chunks with the rarest words; None where the store keeps no words."""

    def count(self, space: EmbeddingSpace) -> int:
        """Return how many chunks have a vector in the space."""

    def prepare(self, space: EmbeddingSpace) -> bool:
        """Make searching the whole space fast; False while another process is at it."""

    def drop(self, space: EmbeddingSpace) -> None:
        """Forget all vectors of the space."""


def vector_store() -> VectorStore:
    named: VectorStore = import_string(settings.VECTOR_STORE)
    return named


class PgVectors:
    """One table for all spaces, and in it one partial index for each."""

    def put(
        self, space: EmbeddingSpace, chunks: Sequence[tuple[UUID, UUID]], rows: Vectors
    ) -> None:
        keys = [(space.pk.bytes, chunk.bytes, project.bytes) for chunk, project in chunks]
        with connection.cursor() as cursor:
            into = "knowledge_vector (space_id, chunk_id, project_id, embedding)"
            copy_in(cursor, into, [b"".join(packed(keys, rows))])

    def nearest(
        self, space: EmbeddingSpace, vector: Vectors, scope: Scope, *, among: int, limit: int
    ) -> list[UUID]:
        # With a filter the index would often give up before it met the few passages that are left.
        if among > COMPARED_EXACTLY and scope.filters == Filters():
            found = self._by_index(space, vector, scope, limit)
            if len(found) == limit:
                return found
        return self._exactly(space, vector, scope, limit)

    def by_words(self, space: EmbeddingSpace, weighed: Weighed, scope: Scope) -> list[UUID] | None:
        return None

    def count(self, space: EmbeddingSpace) -> int:
        return Vector.objects.filter(space=space).count()

    def prepare(self, space: EmbeddingSpace) -> bool:
        with connection.cursor() as cursor, alone_at(space.pk.int) as is_alone:
            if not is_alone:
                return False
            if self.index_is_valid(space) is False:
                # What an interrupted build leaves: IF NOT EXISTS would take it for an index.
                cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index_name(space)}")
            if self.index_is_valid(space) is None:
                cursor.execute(f"SET maintenance_work_mem = '{self._memory_for(space)}MB'")
                cursor.execute(
                    f"CREATE INDEX CONCURRENTLY {index_name(space)} ON knowledge_vector"
                    f" USING hnsw ((embedding::halfvec({space.dimensions:d})) halfvec_cosine_ops)"
                    f" WITH (ef_construction = {CONNECTED_AMONG})"
                    f" WHERE space_id = '{space.pk}'"
                )
                cursor.execute("RESET maintenance_work_mem")
            return self.index_is_valid(space) is True

    def drop(self, space: EmbeddingSpace) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index_name(space)}")
            cursor.execute(
                "SELECT DISTINCT project_id FROM knowledge_vector WHERE space_id = %s", [space.pk]
            )
            for (project_id,) in cursor.fetchall():
                cursor.execute(
                    "DELETE FROM knowledge_vector WHERE project_id = %s AND space_id = %s",
                    [project_id, space.pk],
                )

    def index_is_valid(self, space: EmbeddingSpace) -> bool | None:
        """Whether the space's index can be used; None when there is none."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(%s)",
                [index_name(space)],
            )
            row = cursor.fetchone()
        return None if row is None else bool(row[0])

    def _memory_for(self, space: EmbeddingSpace) -> int:
        needed = self.count(space) * (2 * space.dimensions + BYTES_OF_A_NODE) // 2**20
        return min(max(LEAST_MEMORY, needed), MOST_MEMORY)

    def _exactly(
        self, space: EmbeddingSpace, vector: Vectors, scope: Scope, limit: int
    ) -> list[UUID]:
        # An approximate index would fill its limit from other projects and return too few.
        # Adding 0 keeps the planner from it.
        joins, conditions, values = _narrowed(scope)
        return _ids(
            f"""SELECT v.chunk_id FROM knowledge_vector v {joins}
            WHERE v.space_id = %s AND v.project_id = ANY(%s) {conditions}
            ORDER BY (v.embedding <=> %s::halfvec) + 0 LIMIT {limit:d}""",
            [space.pk, list(scope.project_ids), *values, HalfVector(vector).to_text()],
        )

    def _by_index(
        self, space: EmbeddingSpace, vector: Vectors, scope: Scope, limit: int
    ) -> list[UUID]:
        # Adding 0 has them sorted: the planner trusts the index's order, which is a rough one.
        kind = f"halfvec({space.dimensions:d})"
        literal = HalfVector(vector).to_text()
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(BY_INDEX)
            cursor.execute(
                f"""WITH met AS MATERIALIZED (
                    SELECT v.chunk_id, v.embedding::{kind} <=> %s::{kind} AS distance
                    FROM knowledge_vector v
                    WHERE v.space_id = %s AND v.project_id = ANY(%s)
                    ORDER BY v.embedding::{kind} <=> %s::{kind} LIMIT {max(limit, MET_BY_INDEX):d})
                SELECT chunk_id FROM met ORDER BY distance + 0 LIMIT {limit:d}""",
                [literal, space.pk, list(scope.project_ids), literal],
            )
            return [row[0] for row in cursor.fetchall()]


# It has them all, whatever else is asked.
IN_POSTGRESQL = PgVectors()


def index_name(space: EmbeddingSpace) -> str:
    return f"{INDEX_PREFIX}{space.pk.hex}"


def _narrowed(scope: Scope) -> tuple[str, str, list[Any]]:
    """Return joins, conditions and parameters, none of them where there is no filter."""
    conditions, values = scope.conditions()
    if not conditions:
        return "", "", []
    joins = """JOIN knowledge_chunk c ON c.id = v.chunk_id
        JOIN knowledge_document d ON d.id = c.document_id"""
    return joins, conditions, values


def _ids(sql: str, values: Sequence[Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def packed(keys: Sequence[tuple[bytes, ...]], rows: Vectors) -> Iterator[bytes]:
    """Yield rows for COPY: the columns of each key, then its vector."""
    # Binary: writing numbers as text would cost more time than a fast embedder takes.
    halves = np.ascontiguousarray(rows, dtype=">f2")
    shape = struct.pack(">hh", halves.shape[1], 0)
    for key, half in zip(keys, halves, strict=True):
        yield copying.row(*map(copying.raw, (*key, shape + half.tobytes())))


def read_halves(sent: bytes) -> Vectors:
    """Return a vector from what `halfvec_send` gives."""
    made: Vectors = np.frombuffer(sent, dtype=">f2", offset=4).astype(np.float32)
    return made

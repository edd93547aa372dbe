"""The bare work beneath a search: the statements that rank, and a question's vector."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.db import connection, transaction
from pgvector import HalfVector

from knowledge.legs import LEG_LIMIT, weigh_question
from knowledge.models import Chunk, EmbeddingSpace
from knowledge.scopes import Filters, Scope
from knowledge.spaces import active_space, embedder_for
from knowledge.vectors import BY_INDEX, COMPARED_EXACTLY

Floor = Callable[[str], object]


def space_here() -> EmbeddingSpace:
    space = active_space()
    assert space is not None
    return space


def scope_of(project_ids: Sequence[UUID]) -> Scope:
    return Scope(tuple(project_ids), Filters())


def of_words(project_ids: Sequence[UUID]) -> Floor:
    """Return the one statement: passages by the index of terms, the best by inner product."""
    scope = scope_of(project_ids)

    def ask(question: str) -> None:
        weighed = weigh_question(question, scope)
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            cursor.execute(
                "SELECT id FROM knowledge_chunk WHERE terms && %s::bigint[]"
                f" ORDER BY weights <#> %s::sparsevec LIMIT {LEG_LIMIT}",
                [weighed.places, weighed.sparse],
            )
            cursor.fetchall()

    return ask


def of_meaning(project_ids: Sequence[UUID]) -> Floor:
    """Return the model's work, then exact distances or, among many passages, the index."""
    space = space_here()
    among = Chunk.objects.filter(project__in=project_ids).count()
    kind = f"halfvec({space.dimensions})"
    # Adding 0 keeps the planner from the index; nothing else is done to the vectors.
    exact = f"""SELECT chunk_id FROM knowledge_vector WHERE space_id = %s AND project_id = ANY(%s)
        ORDER BY (embedding <=> %s::halfvec) + 0 LIMIT {LEG_LIMIT}"""
    by_index = f"""SELECT chunk_id FROM knowledge_vector
        WHERE space_id = %s AND project_id = ANY(%s)
        ORDER BY embedding::{kind} <=> %s::{kind} LIMIT {LEG_LIMIT}"""

    def ask(question: str) -> None:
        vector = HalfVector(embedder_for(space).embed_question(question)).to_text()
        with transaction.atomic(), connection.cursor() as cursor:
            if among > COMPARED_EXACTLY:
                cursor.execute(BY_INDEX)
            cursor.execute(
                by_index if among > COMPARED_EXACTLY else exact,
                [space.pk, list(project_ids), vector],
            )
            cursor.fetchall()

    return ask


def of_both(project_ids: Sequence[UUID]) -> Floor:
    words, meaning = of_words(project_ids), of_meaning(project_ids)

    def ask(question: str) -> None:
        words(question)
        meaning(question)

    return ask

"""Documents that mean nearly the same: as a text, or as another document."""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from pgvector import HalfVector

from accounts.viewers import Viewer
from knowledge.models import Chunk, Document, EmbeddingSpace
from knowledge.spaces import active_space, embedder_for
from projects.models import Project
from providers.embedding import EmbedderUnavailable

USUAL_LIMIT = 5
MOST_DOCUMENTS = 50
USUAL_THRESHOLD = 0.7
LONGEST_TEXT = 20_000  # characters; a model reads some hundred words of them


@dataclass(frozen=True, slots=True)
class Wanted:
    """How many documents, how near at least (0-1), of whom, and from which project."""

    limit: int = USUAL_LIMIT
    threshold: float = USUAL_THRESHOLD
    user_id: UUID | None = None
    project_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Similar:
    """A document with its nearest passage, and the cosine of the angle between the two texts."""

    document: Document
    score: float
    passage: Chunk


@dataclass(slots=True)
class Found:
    similar: list[Similar] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def similar_to_text(viewer: Viewer, text: str, wanted: Wanted) -> Found:
    """Return the documents nearest to a text, of those that the viewer may see."""
    space = active_space()
    if space is None:
        return Found(notes=["Nothing is embedded yet."])
    try:
        vector = HalfVector(embedder_for(space).embed_question(text[:LONGEST_TEXT]))
    except EmbedderUnavailable:
        return Found(notes=["The embedding model does not answer."])
    return Found(_nearest(viewer, vector, space, wanted))


def similar_to_document(viewer: Viewer, document: Document, wanted: Wanted) -> Found:
    """Return the other documents nearest to one, by the middle of its passages' vectors."""
    space = active_space()
    vector = _middle_of(document, space) if space else None
    if space is None or vector is None:
        return Found(notes=["This document is not embedded yet."])
    return Found(_nearest(viewer, vector, space, wanted, besides=document.pk))


def _middle_of(document: Document, space: EmbeddingSpace) -> HalfVector | None:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT avg(v.embedding)::text FROM knowledge_vector v
            JOIN knowledge_chunk c ON c.id = v.chunk_id
            WHERE c.document_id = %s AND v.space_id = %s""",
            [document.pk, space.pk],
        )
        (text,) = cursor.fetchone()
    return None if text is None else HalfVector.from_text(text)


def _nearest(
    viewer: Viewer,
    vector: HalfVector,
    space: EmbeddingSpace,
    wanted: Wanted,
    *,
    besides: UUID | None = None,
) -> list[Similar]:
    visible = Project.objects.visible_to(viewer)
    if wanted.project_id is not None:
        visible = visible.filter(pk=wanted.project_id)
    values: list[Any] = [
        vector.to_text(),
        space.pk,
        list(visible.values_list("pk", flat=True)),
        besides,
        wanted.user_id,
        wanted.user_id,
        wanted.threshold,
        wanted.limit,
    ]
    with connection.cursor() as cursor:
        # Exact: every vector in scope is compared, so that no filter makes results disappear.
        cursor.execute(
            """WITH compared AS MATERIALIZED (
                SELECT c.document_id, c.id,
                    -- A text that the model refused has no direction, and so no cosine.
                    NULLIF(1 - (v.embedding <=> %s::halfvec), 'NaN') AS score
                FROM knowledge_vector v JOIN knowledge_chunk c ON c.id = v.chunk_id
                WHERE v.space_id = %s AND v.project_id = ANY(%s)
            ), best AS (
                SELECT DISTINCT ON (b.document_id) b.document_id, b.id, b.score
                FROM compared b JOIN knowledge_document d ON d.id = b.document_id
                WHERE d.id IS DISTINCT FROM %s::uuid
                    AND (%s::uuid IS NULL OR d.user_id = %s::uuid) AND b.score >= %s
                ORDER BY b.document_id, b.score DESC, b.id
            )
            SELECT id, score FROM best ORDER BY score DESC, document_id LIMIT %s""",
            values,
        )
        found = [(pk, min(1.0, score)) for pk, score in cursor.fetchall()]
    passages = (
        Chunk.objects.filter(pk__in=[pk for pk, _ in found])
        .select_related("document__source", "document__user", "document__project")
        .defer("weights", "terms")
        .in_bulk()
    )
    return [
        Similar(passages[pk].document, score, passages[pk]) for pk, score in found if pk in passages
    ]

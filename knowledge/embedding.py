"""Filling in vectors behind the words: each text once in a space, whatever points to it."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import numpy as np
from django.db import IntegrityError, transaction
from pgvector import HalfVector

from knowledge.models import Chunk, EmbeddedText, EmbeddingSpace, Vector
from projects.jobs import JobFailed, Lease
from providers.embedding import EmbedderUnavailable, Vectors, embedder, normalised

BATCH = 32
HEADER_WEIGHT = 0.5  # of a header's vector beside its body's


def active_space() -> EmbeddingSpace:
    """Return the space of the configured embedder, made when it is first needed."""
    model = embedder()
    space = EmbeddingSpace.objects.filter(
        state=EmbeddingSpace.State.ACTIVE, model_name=model.model_name
    ).first()
    if space is not None:
        return space
    dimensions = len(model.embed_question("dimensions"))
    try:
        with transaction.atomic():
            EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.ACTIVE).update(
                state=EmbeddingSpace.State.RETIRED
            )
            space, _ = EmbeddingSpace.objects.update_or_create(
                model_name=model.model_name,
                dimensions=dimensions,
                defaults={"state": EmbeddingSpace.State.ACTIVE, "weight": model.weight},
            )
            return space
    except IntegrityError:  # another process made it at the same moment
        return EmbeddingSpace.objects.get(
            state=EmbeddingSpace.State.ACTIVE, model_name=model.model_name
        )


def run_embed(lease: Lease) -> None:
    """Give every chunk of a source its vector in the active space."""
    try:
        space = active_space()
        waiting = list(
            Chunk.objects.filter(document__source=lease.job.source_id)
            .exclude(vectors__space=space)
            .order_by("document__path", "chunk_index")
            .values_list("pk", flat=True)
        )
        lease.progress("embedding", 0, len(waiting))
        for start in range(0, len(waiting), BATCH):
            _embed_chunks(waiting[start : start + BATCH], space, lease)
            lease.progress("embedding", min(start + BATCH, len(waiting)), len(waiting))
    except EmbedderUnavailable as error:
        raise JobFailed(str(error), retry=True) from error


def _embed_chunks(ids: Sequence[UUID], space: EmbeddingSpace, lease: Lease) -> None:
    chunks = list(
        Chunk.objects.filter(pk__in=ids).only(
            "project_id", "chunk_text", "header", "body_hash", "header_hash"
        )
    )
    texts = {bytes(chunk.body_hash): chunk.chunk_text for chunk in chunks}
    texts.update({bytes(chunk.header_hash): chunk.header for chunk in chunks})
    vectors = _vectors_of(texts, space)
    with transaction.atomic():
        lease.hold()
        # A sync may have replaced a document meanwhile: its old chunks need no vector.
        there = Chunk.objects.filter(pk__in=ids).select_for_update(no_key=True)
        still = set(there.values_list("pk", flat=True))
        Vector.objects.bulk_create(
            [
                Vector(
                    space=space,
                    chunk_id=chunk.pk,
                    project_id=chunk.project_id,
                    embedding=HalfVector(_combined(chunk, vectors)),
                )
                for chunk in chunks
                if chunk.pk in still
            ],
            ignore_conflicts=True,
        )


def _combined(chunk: Chunk, vectors: Mapping[bytes, Vectors]) -> Vectors:
    """Body and header apart, then together: a rename embeds one short line again, no body."""
    body, header = vectors[bytes(chunk.body_hash)], vectors[bytes(chunk.header_hash)]
    return normalised(body + HEADER_WEIGHT * header)


def _vectors_of(texts: Mapping[bytes, str], space: EmbeddingSpace) -> dict[bytes, Vectors]:
    """Return texts' vectors by hash, from the store where the space has seen them before."""
    known = EmbeddedText.objects.filter(space=space, text_hash__in=list(texts))
    vectors = {
        bytes(text_hash): np.asarray(embedding, dtype=np.float32)
        for text_hash, embedding in known.values_list("text_hash", "embedding")
    }
    new = [text_hash for text_hash in texts if text_hash not in vectors]
    if new:
        made = embedder().embed([texts[text_hash] for text_hash in new])
        vectors.update(zip(new, made, strict=True))
        EmbeddedText.objects.bulk_create(
            [
                EmbeddedText(
                    space=space, text_hash=text_hash, embedding=HalfVector(vectors[text_hash])
                )
                for text_hash in new
            ],
            ignore_conflicts=True,
        )
    return vectors

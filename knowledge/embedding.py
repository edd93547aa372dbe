"""Filling in vectors behind the words: each text once in a space, whatever points to it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import F

from knowledge.matching import settle_texts
from knowledge.models import Chunk, Document, EmbeddedText, EmbeddingSpace
from knowledge.spaces import (
    SpaceRefused,
    active_space,
    embedder_for,
    finish,
    follow_environment,
    is_living,
    living_spaces,
)
from knowledge.staging import stage
from knowledge.tending_replicas import call_to_tend
from knowledge.vectors import packed, read_halves, vector_store
from projects.checkpoints import checkpoint
from projects.leases import JobFailed, Lease
from providers.embedding import Effort, EmbedderUnavailable, Vectors, normalised, tokens_about
from providers.ledger import record_embedding

HEADER_WEIGHT = 0.5  # of a header's vector beside its body's
# Passages that are read and stored together: more of them while they are done quickly.
FEWEST, MOST = 256, 4096
SECONDS_FOR_SOME = 2.0
TEXTS_BETWEEN_SAVES = 256
LONGEST_NOTES = 500


class BudgetUsedUp(Exception):
    """No more tokens may be spent on a space; the message names it."""


class SpaceGone(Exception):
    """The space was retired while it was being filled."""


def run_embed(lease: Lease) -> None:
    """Give every passage of a source its vector in every living space, the active one first."""
    while settle_texts():
        lease.make_way()
    checkpoint("embed.settled")
    if active_space() is None:
        _declare_first()
    failure: JobFailed | None = None
    for space in living_spaces():
        try:
            Filling(space, lease).run()
        except (SpaceGone, SpaceRefused):
            continue
        except (EmbedderUnavailable, BudgetUsedUp) as error:
            EmbeddingSpace.objects.filter(pk=space.pk).update(error=str(error)[:LONGEST_NOTES])
            # What is only kept for going back may be out of reach by now.
            if failure is None and space.state != EmbeddingSpace.State.KEPT:
                failure = JobFailed(str(error), retry=isinstance(error, EmbedderUnavailable))
    if failure is not None:
        raise failure


def _declare_first() -> None:
    try:
        follow_environment()
    except EmbedderUnavailable as error:
        raise JobFailed(str(error), retry=True) from error
    except SpaceRefused as refusal:
        if active_space() is None:  # else another process has just declared it
            raise JobFailed(str(refusal)) from refusal


def stage_of(space: EmbeddingSpace) -> str:
    """Return what a job says that it is doing while it fills the space."""
    is_active = space.state == EmbeddingSpace.State.ACTIVE
    return "embedding" if is_active else f"embedding with {space.model_name}"[:50]


@dataclass(slots=True)
class Filling:
    """One source's passages on their way into one space."""

    space: EmbeddingSpace
    lease: Lease
    tokens: int = 0
    began_at: float = field(default_factory=time.monotonic)

    def run(self) -> None:
        waiting = list(
            Chunk.objects.filter(document__source=self.lease.job.source_id)
            .exclude(vectors__space=self.space)
            .order_by("document__path", "chunk_index")
            .values_list("pk", flat=True)
        )
        checkpoint("embed.listed")
        stage = stage_of(self.space)
        self.lease.progress(stage, 0, len(waiting))
        try:
            done = 0
            for some in _growing(waiting):
                if done:
                    self.lease.make_way()
                self._embed(some)
                done += len(some)
                self.lease.progress(stage, done, len(waiting))
        finally:
            self._tell_ledger()
        EmbeddingSpace.objects.filter(pk=self.space.pk).exclude(error="").update(error="")
        if self.space.built_at is None or self.space.takes_over_when_built:
            finish(self.space)
        call_to_tend()

    def _embed(self, ids: Sequence[UUID]) -> None:
        chunks = list(
            Chunk.objects.filter(pk__in=ids).only(
                *("project_id", "document_id", "chunk_text", "header", "body_hash"),
                *("header_hash", "start_line", "end_line"),
            )
        )
        texts = {bytes(chunk.body_hash): chunk.chunk_text for chunk in chunks}
        texts.update({bytes(chunk.header_hash): chunk.header for chunk in chunks})
        self._store(chunks, self._vectors_of(texts))

    def _vectors_of(self, texts: Mapping[bytes, str]) -> dict[bytes, Vectors]:
        """Return texts' vectors by hash, from the store where the space has seen them before."""
        vectors = _known(self.space, texts)
        # Texts of a length go together, so that little is padded.
        new = sorted(texts.keys() - vectors.keys(), key=lambda text_hash: len(texts[text_hash]))
        size = self._texts_between_saves()
        for start in range(0, len(new), size):
            some = new[start : start + size]
            vectors.update(zip(some, self._make([texts[text] for text in some], some), strict=True))
        return vectors

    def _texts_between_saves(self) -> int:
        """A server is asked for many at once; a model in the process leaves off sooner."""
        return 16 * self.space.texts_at_once if self.space.base_url else TEXTS_BETWEEN_SAVES

    def _make(self, texts: list[str], hashes: Sequence[bytes]) -> Vectors:
        self.lease.check()
        self._check_budget(texts)
        effort = Effort(pause=self._pause)
        try:
            # As they are kept, so that a passage's vector is the same whenever its texts were met.
            made = embedder_for(self.space).embed(texts, effort)
            made = made.astype(np.float16).astype(np.float32)
        except EmbedderUnavailable:
            self._spend(effort.tokens)
            raise
        checkpoint("embed.made")
        # Kept whoever holds the job by now: it is paid for, and true of the text for ever.
        with transaction.atomic():
            self._spend(effort.tokens)
            if not is_living(self.space.pk):
                raise SpaceGone
            _keep(self.space, hashes, made)
        checkpoint("embed.cached")
        with transaction.atomic():
            self.lease.hold()
        return made

    def _store(self, chunks: Sequence[Chunk], vectors: Mapping[bytes, Vectors]) -> None:
        with transaction.atomic():
            self.lease.hold()
            if not is_living(self.space.pk):
                raise SpaceGone
            # A sync may have replaced a document meanwhile: its old chunks need no vector.
            there = Chunk.objects.filter(pk__in=[chunk.pk for chunk in chunks])
            lacking = there.exclude(vectors__space=self.space).select_for_update(no_key=True)
            still = set(lacking.values_list("pk", flat=True))
            stored = [chunk for chunk in chunks if chunk.pk in still]
            if stored:
                places = [(chunk.pk, chunk.project_id) for chunk in stored]
                vector_store().put(self.space, places, _combined(stored, vectors))
                self._note_refused(
                    [chunk for chunk in stored if not vectors[bytes(chunk.body_hash)].any()]
                )
            checkpoint("embed.storing")
        checkpoint("embed.stored")

    def _note_refused(self, chunks: Sequence[Chunk]) -> None:
        documents = Document.objects.in_bulk({chunk.document_id for chunk in chunks})
        for chunk in chunks:
            document = documents[chunk.document_id]
            note = f"{self.space.model_name} refuses lines {chunk.start_line}-{chunk.end_line}."
            if note not in document.notes:
                document.notes = f"{document.notes} {note}".strip()[:LONGEST_NOTES]
                document.save(update_fields=["notes"])

    def _pause(self, seconds: float) -> None:
        """Wait for a turn, but end at once when the work must end."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.lease.check()
            time.sleep(min(left, 0.25))

    def _check_budget(self, texts: Sequence[str]) -> None:
        rows = EmbeddingSpace.objects.filter(pk=self.space.pk)
        used, budget = rows.values_list("tokens_used", "token_budget").get()
        if budget is not None and used + tokens_about(texts) > budget:
            raise BudgetUsedUp(
                f"The token budget of {self.space.model_name} ({budget:,} tokens) is used up:"
                " raise it to go on."
            )

    def _spend(self, tokens: int) -> None:
        self.tokens += tokens
        if tokens:
            rows = EmbeddingSpace.objects.filter(pk=self.space.pk)
            rows.update(tokens_used=F("tokens_used") + tokens)

    def _tell_ledger(self) -> None:
        if self.tokens:
            job, price = self.lease.job, self.space.usd_per_million
            record_embedding(
                adapter=self.space.adapter,
                model_name=self.space.model_name,
                tokens=self.tokens,
                cost=None if price is None else price * self.tokens / 1_000_000,
                user=job.requested_by,
                project_id=job.project_id,
                origin=("source", job.source_id),
                duration_ms=round(1000 * (time.monotonic() - self.began_at)),
            )


def _growing(ids: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    """Yield ids in parts, each twice as large as the one before while that was done quickly."""
    start, size = 0, FEWEST
    while start < len(ids):
        began_at = time.monotonic()
        yield ids[start : start + size]
        start += size
        if time.monotonic() - began_at < SECONDS_FOR_SOME:
            size = min(MOST, 2 * size)


def _combined(chunks: Sequence[Chunk], vectors: Mapping[bytes, Vectors]) -> Vectors:
    """Body and header apart, then together: a rename embeds one short line again, no body."""
    bodies = np.stack([vectors[bytes(chunk.body_hash)] for chunk in chunks])
    headers = np.stack([vectors[bytes(chunk.header_hash)] for chunk in chunks])
    return normalised(bodies + HEADER_WEIGHT * headers)


def _known(space: EmbeddingSpace, texts: Mapping[bytes, str]) -> dict[bytes, Vectors]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT text_hash, halfvec_send(embedding) FROM knowledge_embeddedtext"
            " WHERE space_id = %s AND text_hash = ANY(%s)",
            [space.pk, list(texts)],
        )
        return {bytes(text): read_halves(bytes(sent)) for text, sent in cursor.fetchall()}


def _keep(space: EmbeddingSpace, hashes: Sequence[bytes], made: Vectors) -> None:
    table = EmbeddedText._meta.db_table
    with connection.cursor() as cursor:
        rows = packed([(key,) for key in hashes], made)
        stage(cursor, "vectors", "text_hash bytea, embedding halfvec", rows)
        # In one order, so that two jobs with the same texts wait for each other.
        cursor.execute(
            f"INSERT INTO {table} (space_id, text_hash, embedding)"
            " SELECT %s, text_hash, embedding FROM staged_vectors ORDER BY text_hash"
            " ON CONFLICT DO NOTHING",
            [space.pk],
        )

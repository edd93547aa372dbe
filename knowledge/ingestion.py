"""Storing what was read of files in place of what was there, with exact counts of terms."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone

from knowledge import copying, languages, words
from knowledge.chunking import CHUNKER_VERSION
from knowledge.models import Document, DocumentVersion
from knowledge.origins import Given
from knowledge.reading import COLUMNS, Asked, Content, read
from knowledge.staging import copy_in, stage
from projects.models import Source
from projects.trees import Entry


@dataclass(slots=True)
class Reading:
    """What was made of one file: a document and its passages, or the reason there are none."""

    document: Document
    content: Content = field(default_factory=Content)


def question_of(document: Document, source: Source, data: bytes) -> Asked:
    """Return what a reader has to be told to read a document's bytes."""
    return Asked(
        path=document.path,
        data=data,
        project_id=document.project_id,
        document_id=document.id,
        collection=source.collection or _collection_of_reviews(source, document.path),
        metadata=document.metadata,
    )


def _collection_of_reviews(source: Source, path: str) -> str:
    """Return the collection of what the nights found: the product itself put it in its folder."""
    return path.partition("/")[0] if source.kind == Source.Kind.REVIEWS else ""


def read_file(
    source: Source,
    entry: Entry,
    data: bytes,
    *,
    commit: str,
    document_id: UUID | None = None,
    given: Given | None = None,
) -> Reading:
    """Read one file here and now; a sync has many read apart (knowledge.readers)."""
    document = blank_document(source, entry, commit=commit, document_id=document_id, given=given)
    return reading_of(document, read(question_of(document, source, data)))


def blank_document(
    source: Source,
    entry: Entry,
    *,
    commit: str,
    document_id: UUID | None = None,
    given: Given | None = None,
) -> Document:
    path = entry.path
    return Document(
        id=document_id or uuid4(),
        project_id=source.project_id,
        source=source,
        user_id=given.user_id if given else None,
        title=given.title if given else "",
        metadata=given.metadata if given else {},
        path=path,
        file_type=languages.file_type(path),
        file_size=entry.size or 0,
        language=languages.language_of(path),
        layer=languages.layer_of(path),
        git_sha=entry.sha,
        commit=commit,
        chunker_version=CHUNKER_VERSION,
    )


def reading_of(document: Document, content: Content) -> Reading:
    """Return a document as its content makes it."""
    if content.skipped:
        return skipped(document, content.skipped)
    if content.failed:
        return failed(document, content.failed)
    document.attempts = 0
    document.encoding = content.encoding
    document.notes = content.notes
    document.metadata = content.metadata
    document.title = document.title or content.title
    document.collection = content.collection
    document.blob_id = sha256(content.text.encode()).hexdigest()
    return Reading(document, content)


def skipped(document: Document, reason: str) -> Reading:
    document.state = Document.State.SKIPPED
    document.error = reason
    return Reading(document)


def failed(document: Document, reason: str) -> Reading:
    document.state = Document.State.FAILED
    document.error = reason
    document.attempts += 1
    return Reading(document)


def replace_documents(readings: Sequence[Reading]) -> None:
    """Store documents and their passages in place of those with their ids.

    Runs inside a transaction.
    """
    removed = _remove_chunks([reading.document.id for reading in readings])
    _store_texts(readings)
    _store_documents([reading.document for reading in readings])
    added = _store_chunks(readings)
    if readings:
        _adjust_counts(readings[0].document.project_id, added, removed)


def remove_documents(project_id: UUID, document_ids: Sequence[UUID]) -> None:
    """Forget documents; what was cited of them stays readable. Runs inside a transaction."""
    removed = _remove_chunks(document_ids)
    Document.objects.filter(pk__in=document_ids)._raw_delete("default")
    _adjust_counts(project_id, Counter(), removed)


def _remove_chunks(document_ids: Sequence[UUID]) -> Counter[int]:
    """Delete passages with their vectors; return in how many of them each term was."""
    ids = list(document_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM knowledge_vector WHERE chunk_id IN"
            " (SELECT id FROM knowledge_chunk WHERE document_id = ANY(%s))",
            [ids],
        )
        cursor.execute(
            "WITH gone AS (DELETE FROM knowledge_chunk WHERE document_id = ANY(%s)"
            " RETURNING project_id, terms)"
            " SELECT project_id, NULL, count(*) FROM gone GROUP BY project_id"
            " UNION ALL SELECT project_id, term, count(*) FROM gone, unnest(terms) AS term"
            " GROUP BY project_id, term",
            [ids],
        )
        removed: Counter[int] = Counter()
        for project_id, term, chunks in cursor.fetchall():
            number = words.EVERY_CHUNK if term is None else term ^ words.mark_of(project_id)
            removed[number] += chunks
    return removed


def _store_texts(readings: Iterable[Reading]) -> None:
    texts = {r.document.blob_id: r.content.text for r in readings if r.document.blob_id}
    now = copying.moment(timezone.now())
    rows = (
        copying.row(copying.text(sha), copying.text(text), now)
        for sha, text in sorted(texts.items())
    )
    with connection.cursor() as cursor:
        stage(cursor, "texts", "sha varchar, text text, created_at timestamptz", rows)
        cursor.execute(
            "INSERT INTO knowledge_blob (sha, text, created_at) SELECT * FROM staged_texts"
            " ORDER BY sha ON CONFLICT DO NOTHING"
        )


def _store_documents(documents: Sequence[Document]) -> None:
    changing = [
        field.name
        for field in Document._meta.concrete_fields
        if field.name not in {"id", "created_at", "source", "path", "project"}
    ]
    Document.objects.bulk_create(
        documents, update_conflicts=True, unique_fields=["source", "path"], update_fields=changing
    )
    DocumentVersion.objects.bulk_create(
        [
            DocumentVersion(
                source=document.source,
                path=document.path,
                commit=document.commit,
                blob_id=document.blob_id,
                language=document.language,
            )
            for document in documents
            if document.blob_id
        ],
        ignore_conflicts=True,
    )


def _store_chunks(readings: Sequence[Reading]) -> Counter[int]:
    added: Counter[int] = Counter()
    for reading in readings:
        added.update(reading.content.terms)
        added[words.EVERY_CHUNK] += reading.content.passages
    with connection.cursor() as cursor:
        blocks = (reading.content.rows for reading in readings)
        copy_in(cursor, f"knowledge_chunk ({COLUMNS})", blocks)
    return added


def _adjust_counts(project_id: UUID, added: Counter[int], removed: Counter[int]) -> None:
    changes = Counter(added)
    changes.subtract(removed)
    # In order of the term, so that two syncs of a project can't wait for each other for ever.
    rows = sorted((term, change) for term, change in changes.items() if change)
    if not rows:
        return
    packed = (copying.row(copying.bigint(term), copying.integer(change)) for term, change in rows)
    with connection.cursor() as cursor:
        stage(cursor, "terms", "term bigint, chunks int", packed)
        cursor.execute(
            "INSERT INTO knowledge_termcount (project_id, term, chunks)"
            " SELECT %s, term, chunks FROM staged_terms ORDER BY term"
            " ON CONFLICT (project_id, term)"
            " DO UPDATE SET chunks = knowledge_termcount.chunks + excluded.chunks",
            [project_id],
        )

"""Reading a file into chunks that can be searched, and storing them in place of what was there."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.utils import timezone
from psycopg.types.json import Jsonb

from knowledge import languages, words
from knowledge.chunking import CHUNKER_VERSION, chunk_document
from knowledge.chunking import Chunk as Passage
from knowledge.decoding import decode
from knowledge.models import Blob, Document, DocumentVersion
from knowledge.redaction import redact
from projects.models import Source
from projects.trees import Entry

HEADER_SHARE = 1.0  # how much a word of the header counts beside one of the body
LONGEST_PATH = 4096

COLUMNS = (
    "id, created_at, updated_at, project_id, document_id, chunk_index, chunk_text, start_line,"
    " end_line, header, header_anchor, symbol, kind, definitions, language, layer, collection,"
    " metadata, weights, terms, body_hash, header_hash"
)


@dataclass(slots=True)
class Reading:
    """What was made of one file: a document and its passages, or the reason there are none."""

    document: Document
    text: str = ""
    passages: Sequence[Passage] = ()
    counts: list[Counter[int]] = field(default_factory=list)


def read_file(source: Source, entry: Entry, data: bytes, *, commit: str) -> Reading:
    """Decode, redact and cut up a file. Touches no database; what it can't read it says."""
    document = blank_document(source, entry, commit=commit)
    if languages.is_binary(data):
        return skipped(document, "binary")
    decoded = decode(data)
    if languages.looks_generated(decoded.text):
        return skipped(document, "generated")
    text, masked = redact(decoded.text)
    chunked = chunk_document(document.path, text, document.language)
    notes = [decoded.note, chunked.notes, f"{masked} secrets masked" if masked else ""]
    document.encoding = decoded.encoding
    document.notes = "; ".join(note for note in notes if note)[:500]
    document.metadata = chunked.metadata
    document.title = str(chunked.metadata.get("title", ""))[:512]
    document.collection = languages.collection_of(document.path, chunked.metadata)
    document.blob_id = sha256(text.encode()).hexdigest()
    counts = [
        words.count_terms({passage.text: 1, passage.header: HEADER_SHARE})
        for passage in chunked.chunks
    ]
    return Reading(document, text, chunked.chunks, counts)


def blank_document(source: Source, entry: Entry, *, commit: str) -> Document:
    path = entry.path
    language = languages.language_of(path)
    return Document(
        project_id=source.project_id,
        source=source,
        path=path,
        file_type=languages.file_type(path),
        file_size=entry.size or 0,
        language=language,
        layer=languages.layer_of(path),
        git_sha=entry.sha,
        commit=commit,
        chunker_version=CHUNKER_VERSION,
    )


def skipped(document: Document, reason: str) -> Reading:
    document.state = Document.State.SKIPPED
    document.error = reason
    return Reading(document)


def failed(document: Document, reason: str) -> Reading:
    document.state = Document.State.FAILED
    document.error = reason
    return Reading(document)


def replace_documents(readings: Sequence[Reading], known: dict[str, UUID]) -> None:
    """Store documents and their chunks in place of those at their paths.

    `known` maps paths to the ids of documents that are there. Runs inside a transaction.
    """
    for reading in readings:
        reading.document.id = known.setdefault(reading.document.path, uuid4())
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
    removed: Counter[int] = Counter()
    ids = list(document_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM knowledge_vector WHERE chunk_id IN"
            " (SELECT id FROM knowledge_chunk WHERE document_id = ANY(%s))",
            [ids],
        )
        cursor.execute(
            "DELETE FROM knowledge_chunk WHERE document_id = ANY(%s) RETURNING project_id, terms",
            [ids],
        )
        for project_id, terms in cursor.fetchall():
            mark = words.mark_of(project_id)
            removed.update(term ^ mark for term in terms)
            removed[words.EVERY_CHUNK] += 1
    return removed


def _store_texts(readings: Iterable[Reading]) -> None:
    texts = {r.document.blob_id: r.text for r in readings if r.document.blob_id}
    blobs = [Blob(sha=sha, text=text) for sha, text in sorted(texts.items())]
    Blob.objects.bulk_create(blobs, ignore_conflicts=True)


def _store_documents(documents: Sequence[Document]) -> None:
    changing = [
        field.name
        for field in Document._meta.concrete_fields
        if field.name not in {"id", "created_at", "source", "path", "project", "user"}
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


def _store_chunks(readings: Iterable[Reading]) -> Counter[int]:
    added: Counter[int] = Counter()
    now = timezone.now()
    into = f"COPY knowledge_chunk ({COLUMNS}) FROM STDIN"
    with connection.cursor() as cursor, cursor.copy(into) as copy:
        for reading in readings:
            for passage, counts in zip(reading.passages, reading.counts, strict=True):
                copy.write_row(_row(reading.document, passage, counts, now))
                added.update(counts.keys())
                added[words.EVERY_CHUNK] += 1
    return added


def _row(document: Document, passage: Passage, counts: Counter[int], now: object) -> list[Any]:
    return [
        uuid4(),
        now,
        now,
        document.project_id,
        document.id,
        passage.index,
        passage.text,
        passage.start_line,
        passage.end_line,
        passage.header,
        passage.anchor[:512],
        passage.symbol[:512],
        passage.kind,
        [name[:255] for name in passage.definitions],
        document.language,
        document.layer,
        document.collection,
        Jsonb({}),
        words.sparse_text(words.weigh(counts)),
        words.array_text(words.numbers_in(document.project_id, counts)),
        sha256(passage.text.encode()).digest(),
        sha256(passage.header.encode()).digest(),
    ]


def _adjust_counts(project_id: UUID, added: Counter[int], removed: Counter[int]) -> None:
    changes = Counter(added)
    changes.subtract(removed)
    # In order of the term, so that two syncs of a project can't wait for each other for ever.
    rows = sorted((term, change) for term, change in changes.items() if change)
    if not rows:
        return
    terms, chunks = zip(*rows, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO knowledge_termcount (project_id, term, chunks)"
            " SELECT %s, term, chunks FROM unnest(%s::bigint[], %s::int[]) AS t (term, chunks)"
            " ON CONFLICT (project_id, term)"
            " DO UPDATE SET chunks = knowledge_termcount.chunks + excluded.chunks",
            [project_id, list(terms), list(chunks)],
        )

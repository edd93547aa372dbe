"""From a file's bytes to passages ready to be stored; needs neither Django nor a database."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from knowledge import copying, languages, words
from knowledge.chunking import chunk_by_lines, chunk_document
from knowledge.decoding import decode
from knowledge.pieces import Chunk, tokens_of
from knowledge.redaction import redact

# The columns of a passage, in the order in which they are packed.
COLUMNS = (
    "id, created_at, updated_at, project_id, document_id, chunk_index, chunk_text, start_line,"
    " end_line, header, header_anchor, symbol, kind, definitions, language, layer, collection,"
    " metadata, weights, terms, body_hash, header_hash"
)
COLUMN_COUNT = COLUMNS.count(",") + 1
# What of a document's front matter is kept beside each of its passages.
METADATA_OF_PASSAGES = (
    *("category", "tags", "area", "keyFiles", "table", "columns"),
    # Of what reviews found.
    *("severity", "filePath", "commitSha", "author", "date", "targetFile", "testType", "framework"),
    *("confidence", "module", "reason", "lastUpdated", "score", "violations"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A file to read, and where its passages will belong."""

    path: str
    data: bytes
    project_id: UUID
    document_id: UUID
    collection: str = ""  # of its source; empty: the file decides
    metadata: Mapping[str, Any] = field(default_factory=dict)  # given beside the text
    by_lines: bool = False  # after its parser broke


@dataclass(slots=True)
class Content:
    """What was made of a file: its text with its passages, or why there are none."""

    skipped: str = ""
    failed: str = ""
    text: str = ""
    encoding: str = ""
    notes: str = ""
    title: str = ""
    collection: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    passages: int = 0
    rows: bytes = b""  # of the passages, for COPY in binary
    terms: dict[int, int] = field(default_factory=dict)  # in how many passages each occurs


def read(asked: Asked) -> Content:
    """Decode, redact and cut up a file."""
    if languages.is_binary(asked.data):
        return Content(skipped="binary")
    decoded = decode(asked.data)
    if languages.looks_generated(decoded.text):
        return Content(skipped="generated")
    text, masked = redact(decoded.text)
    language = languages.language_of(asked.path)
    chunk = chunk_by_lines if asked.by_lines else chunk_document
    chunked = chunk(asked.path, text, language)
    notes = [decoded.note, chunked.notes, f"{masked} secrets masked" if masked else ""]
    metadata = {**chunked.metadata, **asked.metadata}
    content = Content(
        text=text,
        encoding=decoded.encoding,
        notes="; ".join(note for note in notes if note)[:500],
        title=str(metadata.get("title", ""))[:512],
        collection=asked.collection or languages.collection_of(asked.path, metadata),
        metadata=metadata,
    )
    _pack(content, asked, chunked.chunks, language)
    return content


def _pack(content: Content, asked: Asked, chunks: list[Chunk], language: str) -> None:
    terms: Counter[int] = Counter()
    shared = {key: content.metadata[key] for key in METADATA_OF_PASSAGES if key in content.metadata}
    place = _Place(asked, language, languages.layer_of(asked.path), content.collection, shared)
    rows = []
    for chunk in chunks:
        counts = words.count_terms(chunk.text, chunk.header)
        terms.update(counts.keys())
        rows.append(copying.row(*place.fields(chunk, counts), columns=COLUMN_COUNT))
    content.passages = len(rows)
    content.rows = b"".join(rows)
    content.terms = dict(terms)


class _Place:
    """What all passages of a file share, packed once."""

    def __init__(
        self, asked: Asked, language: str, layer: str, collection: str, metadata: Mapping[str, Any]
    ) -> None:
        now = copying.moment(datetime.now(UTC))
        self.project_id = asked.project_id
        self.times = now + now
        self.belongs_to = copying.identity(asked.project_id) + copying.identity(asked.document_id)
        self.kind = copying.text(language) + copying.text(layer)
        self.chosen = asked.collection
        self.collection = collection
        self.metadata = metadata

    def fields(self, chunk: Chunk, counts: Mapping[int, int]) -> Iterator[bytes]:
        """Yield a passage's fields in the order of `COLUMNS`."""
        body, header = (
            chunk.text.encode("utf-8", "replace"),
            chunk.header.encode("utf-8", "replace"),
        )
        about = {"method": chunk.kind, "tokens": tokens_of(body)}
        yield copying.identity(uuid4())
        yield self.times
        yield self.belongs_to
        yield copying.integer(chunk.index)
        yield copying.raw(body)
        yield copying.integer(chunk.start_line)
        yield copying.integer(chunk.end_line)
        yield copying.raw(header)
        yield copying.text(chunk.anchor[:512])
        yield copying.text(chunk.symbol[:512])
        yield copying.text(chunk.kind)
        yield copying.texts([name[:255] for name in chunk.definitions])
        yield self.kind
        yield copying.text(self.chosen or chunk.collection or self.collection)
        yield copying.document({**self.metadata, **chunk.metadata, **about})
        yield copying.sparse(words.weigh(counts))
        yield copying.bigints(words.numbers_in(self.project_id, counts))
        yield copying.raw(sha256(body).digest())
        yield copying.raw(sha256(header).digest())

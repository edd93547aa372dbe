"""Each stage of indexing by itself, beside a splitter that others use, on the same files."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import transaction
from langchain_text_splitters import Language, RecursiveCharacterTextSplitter

from bench import corpora
from bench.measuring import clocked, rate, show
from knowledge import languages
from knowledge.chunking import chunk_document
from knowledge.decoding import decode
from knowledge.ingestion import Reading, blank_document, question_of, reading_of, replace_documents
from knowledge.reading import read
from knowledge.selection import Selection
from projects.models import Source
from projects.trees import Entry, list_tree, read_blobs

# The sizes that tutorials give, and the length that our passages have.
PEERS = {"1,000 characters": 1000, "our length": 1200}
PEER_LANGUAGES = {
    "python": Language.PYTHON,
    "javascript": Language.JS,
    "markdown": Language.MARKDOWN,
    "html": Language.HTML,
    "rst": Language.RST,
}


@dataclass(slots=True)
class Files:
    """The files of a commit that are read, with their contents."""

    entries: list[Entry]
    contents: dict[str, bytes]
    listed: int

    def __iter__(self) -> Iterator[tuple[Entry, bytes]]:
        for entry in self.entries:
            yield entry, self.contents[entry.sha]


def show_stages(repository: Path, source: Source) -> None:
    """List, read, cut up and store a tree, one stage after the other, in one process."""
    mirror, commit = repository / ".git", corpora.head(repository)
    rows: list[tuple[str, ...]] = [("stage", "seconds", "files/s", "chunks/s", "against the peer")]
    with clocked() as listing:
        entries = list(list_tree(mirror, commit))
        selection = Selection(largest=settings.MAX_FILE_BYTES)
        chosen = [e for e in entries if not selection.reason_to_skip(e.path, e.kind, e.size)]
    rows.append(_row("list and choose", listing.seconds, len(entries)))
    with clocked() as fetching:
        contents = dict(read_blobs(mirror, {entry.sha for entry in chosen}))
    files = Files([e for e in chosen if e.sha in contents], contents, len(entries))
    rows.append(_row("read from git", fetching.seconds, len(files.entries)))
    peer_seconds = _show_peers(files, rows)
    rows.append(_chunk_alone(files, peer_seconds))
    readings, row = _read_whole(files, source)
    rows += [row, _store(readings, source)]
    show(f"Stages, each alone in one process: {repository.name}, {len(entries):,} files", rows)


def _row(
    name: str, seconds: float, files: int, chunks: int = 0, against: str = ""
) -> tuple[str, ...]:
    pace = rate(chunks, seconds) if chunks else ""
    return (name, f"{seconds:.2f}", rate(files, seconds), pace, against)


def _texts(files: Files) -> list[tuple[str, str]]:
    found = ((entry.path, data) for entry, data in files if not languages.is_binary(data))
    return [(path, decode(data).text) for path, data in found]


def _show_peers(files: Files, rows: list[tuple[str, ...]]) -> float:
    """Split the same texts with langchain-text-splitters; return the seconds of the usual size."""
    texts = _texts(files)
    seconds = []
    for name, size in PEERS.items():
        splitters = _splitters(size)
        with clocked() as span:
            chunks = sum(
                len(splitters.get(languages.language_of(path), splitters[""]).split_text(text))
                for path, text in texts
            )
        rows.append(_row(f"peer: split at {name}", span.seconds, len(texts), chunks))
        seconds.append(span.seconds)
    return seconds[0]


def _splitters(size: int) -> dict[str, RecursiveCharacterTextSplitter]:
    rules = {"chunk_size": size, "chunk_overlap": 100}
    known = {
        name: RecursiveCharacterTextSplitter.from_language(language, **rules)
        for name, language in PEER_LANGUAGES.items()
    }
    return {**known, "": RecursiveCharacterTextSplitter(**rules)}


def _chunk_alone(files: Files, peer_seconds: float) -> tuple[str, ...]:
    texts = _texts(files)
    with clocked() as span:
        chunks = sum(len(chunk_document(path, text).chunks) for path, text in texts)
    against = f"{peer_seconds / span.seconds:.2f} x its speed"
    return _row("cut up, by syntax and headings", span.seconds, len(texts), chunks, against)


def _read_whole(files: Files, source: Source) -> tuple[list[Reading], tuple[str, ...]]:
    commit = "0" * 40
    with clocked() as span:
        readings = []
        for entry, data in files:
            document = blank_document(source, entry, commit=commit)
            readings.append(reading_of(document, read(question_of(document, source, data))))
    chunks = sum(reading.content.passages for reading in readings)
    name = "decode, mask, cut up, weigh words"
    return readings, _row(name, span.seconds, len(readings), chunks)


def _store(readings: list[Reading], source: Source) -> tuple[str, ...]:
    chunks = sum(reading.content.passages for reading in readings)
    with clocked() as span:
        for start in range(0, len(readings), 200):
            with transaction.atomic():
                replace_documents(readings[start : start + 200])
    return _row("store, with the index of words", span.seconds, len(readings), chunks)

"""What an index holds, in a form in which two indexes can be compared row by row."""

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256

from django.db import connection

from knowledge import words
from knowledge.models import Chunk, Document, DocumentVersion, TermCount, Vector
from projects.models import Project, Source

Rows = Counter[tuple[object, ...]]
SHOWN = 5


def contents(source: Source) -> dict[str, Rows]:
    """Everything that a fresh index of the same commit would hold too, and nothing else."""
    return {
        "documents": _documents(source),
        "chunks": _chunks(source),
        "vectors": _vectors(source),
    }


def _documents(source: Source) -> Rows:
    rows = Document.objects.filter(source=source).values_list(
        *("path", "state", "error", "file_type", "file_size", "language", "layer", "collection"),
        *("title", "blob_id", "git_sha", "encoding", "metadata", "chunker_version", "notes"),
    )
    return Counter(tuple(map(_hashable, row)) for row in rows)


def _chunks(source: Source) -> Rows:
    mark = words.mark_of(source.project_id)
    rows = Chunk.objects.filter(document__source=source).values_list(
        *("document__path", "chunk_index", "start_line", "end_line", "symbol", "kind"),
        *("collection", "language", "layer", "header_anchor", "definitions", "weights"),
        *("chunk_text", "header", "body_hash", "header_hash", "terms"),
    )
    found: Rows = Counter()
    for *row, text, header, body_hash, header_hash, terms in rows.iterator():
        # A hash that does not belong to its text would find another text's vector.
        assert bytes(body_hash) == sha256(text.encode()).digest()
        assert bytes(header_hash) == sha256(header.encode()).digest()
        numbers = sha256(repr(sorted(term ^ mark for term in terms)).encode()).hexdigest()
        found[(*map(_hashable, row), bytes(body_hash).hex(), header, numbers)] += 1
    return found


def _vectors(source: Source) -> Rows:
    rows = Vector.objects.filter(chunk__document__source=source, space__state="active")
    return Counter(
        (path, index, str(vector))
        for path, index, vector in rows.values_list(
            "chunk__document__path", "chunk__chunk_index", "embedding"
        )
    )


def _hashable(value: object) -> object:
    if isinstance(value, str | int | None):
        return value
    return tuple(value) if isinstance(value, list) else str(value)


def check_same(have: Mapping[str, Rows], want: Mapping[str, Rows], of: str) -> None:
    """Fail with the first rows in which two indexes differ."""
    for table, expected in want.items():
        found = have[table]
        if found == expected:
            continue
        surplus, missing = found - expected, expected - found
        lines = [f"{of}: {surplus.total()} {table} too many, {missing.total()} missing"]
        lines += [f"  too many: {row}" for row in list(surplus)[:SHOWN]]
        lines += [f"  missing:  {row}" for row in list(missing)[:SHOWN]]
        raise AssertionError("\n".join(lines))


def check_counts(project: Project) -> None:
    """The numbers that words are ranked by are those that the chunks themselves give."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT term, count(*) FROM knowledge_chunk, unnest(terms) AS term"
            " WHERE project_id = %s GROUP BY term",
            [project.pk],
        )
        mark = words.mark_of(project.pk)
        counted = {(term ^ mark, number): 1 for term, number in cursor.fetchall()}
    chunks = Chunk.objects.filter(project=project).count()
    if chunks:
        counted[(words.EVERY_CHUNK, chunks)] = 1
    kept = TermCount.objects.filter(project=project).exclude(chunks=0)
    check_same(
        {"counts": Counter(kept.values_list("term", "chunks"))},
        {"counts": Counter(counted)},
        of=str(project),
    )


def check_sound(source: Source) -> None:
    """What must hold at any moment, also in the middle of the way to a commit."""
    chunks = Chunk.objects.filter(document__source=source)
    places = Counter(chunks.values_list("document__path", "chunk_index"))
    assert not [place for place, times in places.items() if times > 1][:SHOWN]
    without_text = chunks.exclude(document__state=Document.State.INDEXED)
    assert not without_text.values_list("document__path", "document__error")[:SHOWN]
    check_counts(source.project)
    for document in Document.objects.filter(source=source, blob__isnull=False):
        assert DocumentVersion.objects.filter(
            source=source, path=document.path, commit=document.commit, blob=document.blob_id
        ).exists(), f"a citation of {document.path} would not open"


def check_filled(source: Source) -> None:
    """Every chunk has its one vector in the active space."""
    chunks = Chunk.objects.filter(document__source=source)
    empty = chunks.exclude(vectors__space__state="active")
    assert not empty.values_list("document__path", "chunk_index")[:SHOWN]
    vectors = Vector.objects.filter(chunk__document__source=source, space__state="active")
    assert vectors.count() == chunks.count()

from collections import Counter

import pytest

from knowledge import words
from knowledge.ingestion import read_file, remove_documents
from knowledge.models import Blob, Chunk, Document, DocumentVersion, TermCount
from projects.trees import Entry


def counts_of(project) -> dict[int, int]:
    return dict(
        TermCount.objects.filter(project=project, chunks__gt=0).values_list("term", "chunks")
    )


def recount(project) -> dict[int, int]:
    found: Counter[int] = Counter()
    for terms in Chunk.objects.filter(project=project).values_list("terms", flat=True):
        found.update(words.numbers_in(project.pk, terms))
        found[words.EVERY_CHUNK] += 1
    return dict(found)


def read(source, path, data) -> Document:
    entry = Entry("100644", "file", "1" * 40, len(data), path.encode())
    return read_file(source, entry, data, commit="c" * 40)


def test_a_document_knows_what_it_is(source, index):
    document = index(source, "src/app/views.py", "def home():\n    return 'ok'\n")
    assert document.language == "python"
    assert document.file_type == "py"
    assert document.file_size == 28
    assert document.collection == "code-chunks"
    assert document.content == "def home():\n    return 'ok'\n"
    assert document.commit == "c" * 40


def test_indexing_again_replaces_the_chunks(source, index):
    first = index(source, "a.py", "def old():\n    return 1\n")
    again = index(source, "a.py", "def new():\n    return 2\n")
    assert first.pk == again.pk
    assert [chunk.symbol for chunk in again.chunks.all()] == ["new"]


def test_counts_of_terms_are_exact_after_any_change(source, index, project):
    index(source, "a.py", "def alpha():\n    return beta\n")
    index(source, "b.py", "def beta():\n    return alpha\n")
    assert counts_of(project) == recount(project)
    index(source, "a.py", "def gamma():\n    return beta\n")
    assert counts_of(project) == recount(project)
    remove_documents(project.pk, list(Document.objects.values_list("pk", flat=True)))
    assert counts_of(project) == {}


def test_what_was_cited_stays_readable_after_its_document_is_gone(source, index, project):
    document = index(source, "a.py", "def alpha():\n    return 1\n")
    remove_documents(project.pk, [document.pk])
    version = DocumentVersion.objects.get(source=source, path="a.py", commit="c" * 40)
    assert version.blob.text == "def alpha():\n    return 1\n"


def test_the_same_text_is_kept_once(source, index):
    index(source, "a.txt", "the same words\n")
    index(source, "b.txt", "the same words\n")
    assert Blob.objects.count() == 1


def test_chunks_carry_lines_symbol_header_and_collection(source, index):
    document = index(
        source, "docs/guide.md", "# Guide\n\nHello there.\n\n## Setup\n\nInstall it.\n"
    )
    chunks = list(document.chunks.order_by("chunk_index"))
    assert [chunk.chunk_index for chunk in chunks] == list(range(len(chunks)))
    assert chunks[0].start_line == 1
    assert chunks[0].header.startswith("docs/guide.md")
    assert chunks[0].header_anchor.startswith("#")
    assert {chunk.collection for chunk in chunks} == {document.collection}


@pytest.mark.parametrize(
    ("data", "encoding"),
    [
        ("日本語のテキストです。設定を読む関数。".encode("shift_jis"), "shift_jis"),
        ("texte accentué à décoder, déjà vu".encode("latin-1"), "latin-1"),
        ("utf sixteen text".encode("utf-16"), "utf-16"),
    ],
)
def test_other_encodings_are_read_and_noted(source, data, encoding):
    reading = read(source, "notes.txt", data)
    assert reading.document.state == Document.State.INDEXED
    assert (
        reading.document.encoding.replace("-", "_")
        .lower()
        .startswith(encoding.replace("-", "_")[:6])
    )
    assert reading.content.passages


def test_secrets_are_masked_before_anything_is_stored(source, index):
    secret = "AKIA" + "IOSFODNN7REALKEY"
    document = index(source, "settings.py", f'KEY = "{secret}"\nname = 1\n')
    assert secret not in document.content
    assert secret not in document.chunks.get().chunk_text
    assert "1 secrets masked" in document.notes


def test_binary_content_is_skipped_whatever_its_name(source):
    reading = read(source, "image.py", b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(200))
    assert reading.document.state == Document.State.SKIPPED
    assert reading.document.error == "binary"


@pytest.mark.parametrize(
    "text",
    ["'-" * 20_000, "[" * 100_000, "1+" * 100_000, "a" + ".b" * 100_000, "x=\n" * 50_000],
    ids=["quotes", "brackets", "sums", "dots", "lines"],
)
def test_text_that_breaks_parsers_is_still_cut_up(source, text):
    reading = read(source, "bomb.py", text.encode())
    assert reading.document.state == Document.State.INDEXED
    assert reading.content.passages

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.chunking import Chunk, Chunked, chunk_document
from knowledge.pieces import LIMIT_TOKENS, Lines, cut_rows, split_long
from tests.knowledge.samples import assert_covers, covered_rows

PATHS = [
    *("a.py", "a.ts", "a.tsx", "a.js", "a.go", "a.java", "a.rs", "a.c", "a.cpp", "a.cs", "a.rb"),
    *("a.php", "a.sql", "a.sh", "a.md", "a.rst", "a.txt", "a.csv", "a.yml", "a.json", "a.toml"),
    *("a.ini", "a.html", "a.css", "a.po", "Makefile"),
]
FRAGMENTS = [
    *("def f(x):\n", "    return x\n", "class A:\n", "\n", "# Title\n", "text\n", "===\n", "---\n"),
    *("```\n", "{\n", "}\n", "[", "]\n", '"key": 1,\n', "key: value\n", "- item\n", "a,b\n", '"'),
    *("function f() {\n", "/* c */\n", "// c\n", "'''", "#ifdef A\n", "#endif\n", "<?php\n", "\t"),
    *("CREATE TABLE t (a int);\n", "é日本\n", "x = 1;\n", "\r\n", "\u2028", "\x0c", "--\n", "${\n"),
    *("word " * 60 + "\n", "x" * 2_500 + "\n", "[section]\n", "<div>\n", "=\n", ".. _a:\n"),
]
documents = st.lists(st.sampled_from(FRAGMENTS), max_size=60).map("".join)


@given(path=st.sampled_from(PATHS), text=documents | st.text(max_size=200))
@settings(max_examples=400, deadline=None)
def test_chunks_cover_every_line_in_order_and_are_the_same_each_time(path: str, text: str) -> None:
    chunked = chunk_document(path, text)

    assert chunk_document(path, text) == chunked
    chunks = chunked.chunks
    rows = text.split("\n")
    whole = [chunk for chunk in chunks if len(rows[chunk.start_line - 1]) < 1_800]
    seen = list(covered_rows(chunks))
    assert seen == sorted(seen)
    assert {number for number, row in enumerate(rows, 1) if row.strip()} <= set(seen)
    assert len(list(covered_rows(whole))) == len(set(covered_rows(whole)))
    for chunk in whole:
        assert chunk.text == "\n".join(rows[chunk.start_line - 1 : chunk.end_line])
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))


@given(path=st.sampled_from(PATHS), text=documents)
@settings(max_examples=200, deadline=None)
def test_no_chunk_is_over_the_limit_or_empty(path: str, text: str) -> None:
    for chunk in chunk_document(path, text).chunks:
        assert chunk.text.strip()
        assert Lines(chunk.text).cost(0, chunk.text.count("\n")) <= LIMIT_TOKENS + 20
        assert chunk.header.startswith(path)


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("text", ["", "\n", " \n\t\n", "\r\n"])
def test_nothing_becomes_no_chunks(path: str, text: str) -> None:
    assert chunk_document(path, text).chunks == []


BOMBS = {
    "minus": "-" * 200_000 + "1",
    "attributes": "a" + ".b" * 200_000,
    "sum": "1+" * 200_000,
    "not": "not " * 100_000,
    "open brackets": "[" * 100_000,
    "closed brackets": "[" * 100_000 + "]" * 100_000,
    "open braces": "{" * 100_000,
    "indents": "".join(" " * depth + "if x:\n" for depth in range(150)),
    "assignments": "x=" * 200_000 + "1",
    "generics": "a<" * 100_000,
    "generics in lines": "".join(f"a{i * 7919 % 9973}<\n" for i in range(20_000)),
    "conditions": "a?b:" * 50_000,
    "heredocs": "<<A\n" * 50_000,
    "selects": "".join(f"select (select a{i * 7919 % 9973}\n" for i in range(20_000)),
    "interpolations": '"${' * 50_000,
    "quotes": '"' * 200_001,
    "nested yaml": "a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n" * 9,
    "one line": "x" * 2_000_000,
    "statements": "x;" * 100_000,
    "functions": "def f(): pass\n" * 20_000,
    "dangling": "class A {\n" * 20_000,
}


@pytest.mark.parametrize("path", PATHS)
def test_hostile_text_is_cut_in_time_and_covered(path: str) -> None:
    for name, bomb in BOMBS.items():
        text = f"<?php {bomb}" if path.endswith(".php") else bomb
        started = time.process_time()

        chunks = chunk_document(path, text).chunks

        assert time.process_time() - started < 2, name
        assert sum(len(chunk.text) for chunk in chunks) >= len(text.replace("\n", "")) * 0.6, name


def test_hostile_source_is_noted() -> None:
    chunked = chunk_document("a.py", "[" * 100_000)

    assert chunked.notes == "chunked by lines: a line is too long"
    assert {chunk.kind for chunk in chunked.chunks} == {"lines"}


def test_a_language_that_is_given_is_believed_over_the_path() -> None:
    chunks = chunk_document("script", "def run():\n    pass\n", "python").chunks

    assert chunks[0].symbol == "run"


def test_text_without_a_chunker_of_its_own_is_cut_at_blank_lines() -> None:
    paragraph = "some words of a template that nobody parses\n" * 10
    text = f"{paragraph}\n" * 10

    chunks = chunk_document("a.html", text).chunks

    assert len(chunks) > 3
    assert all(chunk.text.count("\n") % 11 in {9, 20} for chunk in chunks)
    assert_covers(text, chunks)


def test_an_enormous_line_is_several_chunks_with_one_number() -> None:
    text = "first\n" + "word " * 2_000 + "\nlast\n"

    chunks = chunk_document("a.html", text).chunks
    middle = [chunk for chunk in chunks if chunk.start_line == 2]

    assert len(middle) > 4
    assert "".join(chunk.text for chunk in middle) == "word " * 2_000
    assert {chunk.end_line for chunk in middle} == {2}


def test_lines_end_at_line_feeds_only() -> None:
    text = "one\u2028still one\x85still one\x0cstill one\rstill one\ntwo\n"

    (chunk,) = chunk_document("a.txt", text).chunks

    assert (chunk.start_line, chunk.end_line) == (1, 2)


def test_characters_that_take_three_bytes_count_as_a_token_each() -> None:
    lines = Lines("日本語の見出し\n" * 2 + "x = compute(order)")

    assert lines.cost(0, 0) == 6
    assert lines.cost(2, 2) == 5


def test_indentation_and_blank_lines_cost_nothing() -> None:
    lines = Lines("        x\n\n\t\n")

    assert [lines.cost(row, row) for row in range(4)] == [1, 0, 0, 0]
    assert lines.trimmed(0, 3) == (0, 0)


def test_rows_are_cut_within_a_paragraph_only_when_it_is_too_large() -> None:
    lines = Lines("a b c d e f g h\n" * 4 + "\n" + "i j k\n" * 2)

    assert list(cut_rows(lines, 0, len(lines) - 1, 10)) == [(0, 1), (2, 3), (5, 6)]
    assert list(cut_rows(lines, 0, len(lines) - 1, 100)) == [(0, 6)]


def test_a_line_is_split_at_spaces_where_it_can_be() -> None:
    parts = list(split_long("word " * 1_000))

    assert "".join(parts) == "word " * 1_000
    assert all(part.endswith(" ") for part in parts)
    assert len(list(split_long("x" * 4_000))) == 3
    assert list(split_long("short")) == ["short"]


def test_a_chunk_cannot_be_changed() -> None:
    chunk = Chunk(0, "text", 1, 1)

    with pytest.raises(AttributeError):
        chunk.text = "other"  # type: ignore[misc]
    assert Chunked([chunk]) == Chunked([chunk], "", {})

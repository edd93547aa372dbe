import pytest

from knowledge.outlines import Heading, chunk_outline
from knowledge.pieces import (
    LIMIT_TOKENS,
    TARGET_TOKENS,
    Lines,
    Piece,
    chunks_of,
    cover,
    header_of,
    pack,
    paragraphs,
)
from knowledge.plain_lines import chunk_lines
from tests.knowledge.samples import assert_covers

ROW = "one two three four five six seven eight"  # 11 tokens


def rows(count: int) -> Lines:
    return Lines("\n".join([ROW] * count))


def spans(pieces: list[Piece]) -> list[tuple[int, int]]:
    return [(piece.first, piece.last) for piece in pieces]


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ([], [(0, 9)]),
        ([(0, 9)], [(0, 9)]),
        ([(3, 4)], [(0, 9)]),
        ([(0, 2), (5, 6)], [(0, 4), (5, 9)]),
        ([(0, 5), (3, 9)], [(0, 5), (6, 9)]),
        ([(0, 5), (2, 3), (6, 9)], [(0, 5), (6, 9)]),
        ([(0, 3), (3, 3), (3, 5)], [(0, 3), (4, 9)]),
        ([(0, 20)], [(0, 20)]),
    ],
)
def test_gaps_are_filled_and_overlaps_removed(
    given: list[tuple[int, int]], covered: list[tuple[int, int]]
) -> None:
    lines = rows(21 if (0, 20) in given else 10)

    assert spans(cover(lines, [Piece(first, last) for first, last in given])) == covered


def test_a_piece_inside_another_leaves_its_names_there() -> None:
    (piece,) = cover(rows(3), [Piece(0, 2, definitions=("a",)), Piece(1, 1, definitions=("b",))])

    assert piece.definitions == ("a", "b")


def test_blank_rows_at_the_ends_of_a_piece_are_left_out() -> None:
    lines = Lines("\n\na\n\nb\n\n")

    assert spans(cover(lines, [Piece(0, 6)])) == [(2, 4)]
    assert spans(cover(Lines("\n\n"), [Piece(0, 2)])) == []


def test_a_piece_over_the_limit_is_cut_and_defines_its_name_once() -> None:
    lines = rows(100)
    piece = Piece(0, 99, ("A",), "f", "method", "def f()", definitions=("f",))

    parts = cover(lines, [piece])

    assert len(parts) == 4
    assert all(lines.cost(*span) <= TARGET_TOKENS for span in spans(parts))
    assert {(part.symbol, part.kind, part.signature) for part in parts} == {
        ("A.f", "method", "def f()")
    }
    assert [part.definitions for part in parts] == [("f",), (), (), ()]


def test_neighbours_of_one_scope_are_joined_up_to_the_target() -> None:
    pieces = [Piece(i * 5, i * 5 + 4, name=f"f{i}", definitions=(f"f{i}",)) for i in range(10)]

    packed = pack(rows(50), pieces)

    assert spans(packed) == [(0, 24), (25, 49)]
    assert packed[0].definitions == ("f0", "f1", "f2", "f3", "f4")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (Piece(0, 4, ("A",), "f"), Piece(5, 9, ("B",), "g")),
        (Piece(0, 4, name="f", stands_alone=True), Piece(5, 9, name="g")),
        (Piece(0, 4, name="f"), Piece(5, 9, name="g", stands_alone=True)),
        (Piece(0, 14, name="f"), Piece(15, 29, name="g")),
    ],
    ids=["other scope", "left alone", "right alone", "too large together"],
)
def test_neighbours_that_do_not_belong_together_stay_apart(left: Piece, right: Piece) -> None:
    expected = [(left.first, left.last), (right.first, right.last)]

    assert spans(pack(rows(30), [left, right])) == expected


def test_parts_of_one_definition_are_joined_though_they_stand_alone() -> None:
    parts = [
        Piece(i * 10, i * 10 + 9, (), "f", "function", "def f()", stands_alone=True)
        for i in range(6)
    ]

    assert spans(pack(rows(60), parts)) == [(0, 29), (30, 59)]


def test_the_last_lines_of_a_definition_are_no_chunk_of_their_own() -> None:
    parts = [
        Piece(first, last, (), "f", "function", "def f()", stands_alone=True)
        for first, last in ((0, 35), (36, 37))
    ]

    assert spans(pack(rows(38), parts)) == [(0, 37)]


def test_a_class_keeps_its_signature_when_its_fields_join_it() -> None:
    head = Piece(0, 0, ("A",), "", "class", "class A(B)", definitions=("A",))
    field = Piece(1, 4, ("A",), "", "class", definitions=("x",))

    (piece,) = pack(rows(5), [head, field])

    assert (piece.signature, piece.definitions) == ("class A(B)", ("A", "x"))


def test_nothing_is_joined_over_the_limit() -> None:
    lines = rows(60)
    big = Piece(0, LIMIT_TOKENS // 11 - 1, name="f", kind="function", stands_alone=True)
    remnant = Piece(big.last + 1, big.last + 1, kind="module")

    assert len(pack(lines, [big, remnant])) == 2


@pytest.mark.parametrize(
    ("piece", "header"),
    [
        (Piece(0, 0), "a.py : N"),
        (Piece(0, 0, (), "f", "function", "def f()", definitions=("f",)), "a.py > def f() : f, N"),
        (Piece(0, 0, ("A",), "f", "method", "def f()"), "a.py > A > def f() : N"),
        (Piece(0, 0, ("A",), "", "class", "class A"), "a.py > class A : N"),
        (Piece(0, 0, ("One", "Two"), "Three", "section"), "a.py > One > Two > Three : N"),
        (Piece(0, 0, mentions=("x",), definitions=("N", "y")), "a.py : x, N, y"),
    ],
)
def test_headers_tell_where_a_chunk_is_from(piece: Piece, header: str) -> None:
    assert header_of("a.py", piece, ("N",)) == header


def test_chunks_are_numbered_across_split_rows() -> None:
    lines = Lines("short\n" + "word " * 1_000 + "\nshort")

    chunks = chunks_of("a", lines, [Piece(0, 0), Piece(1, 1), Piece(2, 2)], ())

    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))
    assert [chunk.start_line for chunk in chunks] == [1, 2, 2, 2, 3]


def test_paragraphs_are_runs_of_rows_that_are_not_blank() -> None:
    assert list(paragraphs(Lines("\na\nb\n \nc\n\n"), 0, 6)) == [(1, 2), (4, 4)]


def test_a_section_goes_up_to_the_next_of_its_level_or_above() -> None:
    text = "\n".join([ROW] * 90)
    headings = [Heading(0, 1, "A"), Heading(30, 2, "B"), Heading(50, 3, "C"), Heading(60, 1, "D")]

    chunks = chunk_outline("a", text, headings, "section")

    assert [(c.start_line, c.end_line, c.header) for c in chunks] == [
        (1, 30, "a > A"),
        (31, 50, "a > A > B"),
        (51, 60, "a > A > B > C"),
        (61, 90, "a > D"),
    ]
    assert_covers(text, chunks)


def test_levels_may_be_skipped() -> None:
    text = "\n".join([ROW] * 60)
    headings = [Heading(0, 3, "A"), Heading(20, 1, "B"), Heading(40, 4, "C")]

    chunks = chunk_outline("a", text, headings, "section")

    assert [chunk.header for chunk in chunks] == ["a > A", "a > B", "a > B > C"]


def test_text_before_the_first_heading_is_kept() -> None:
    text = "\n".join([ROW] * 30)

    chunks = chunk_outline("a", text, [Heading(15, 1, "A")], "section")

    assert [(c.start_line, c.header) for c in chunks] == [(1, "a"), (16, "a > A")]


def test_lines_are_cut_where_they_are_blank() -> None:
    paragraph = "\n".join([ROW] * 12)
    text = "\n\n".join([paragraph] * 6)

    chunks = chunk_lines("a.txt", text)

    assert [(c.start_line, c.end_line) for c in chunks] == [(1, 25), (27, 51), (53, 77)]
    assert {(c.kind, c.symbol, c.header) for c in chunks} == {("lines", "", "a.txt")}
    assert_covers(text, chunks)

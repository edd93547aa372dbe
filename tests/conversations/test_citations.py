import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.citations import Unmarked, without_code, without_marks
from tests.conversations.marks import numbers_of


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It does [1].", [1]),
        ("It does [2] and [1], [2].", [2, 1]),
        ("Both [1, 3].", [1, 3]),
        ("All [1-3], [5–6].", [1, 2, 3, 5, 6]),
        ("Backwards [3-1].", [3]),
        ("No end [1-999].", list(range(1, 22))),
        ("No marks at all.", []),
        ("An index a[i] and a footnote [^1].", []),
        ("A year [2026].", []),
        ("Code `a[1]` and\n```\nb[2]\n```\nthen [3].", [3]),
        ("~~~\n[1]\n```\n[2]\n~~~\n[3]", [3]),
        ("```\n[1] never closed", []),
    ],
)
def test_marks_outside_of_code_are_read_in_order_of_appearance(text, numbers):
    assert numbers_of(text) == numbers


def test_a_text_without_its_code_is_as_long():
    text = "a `b` c\n```\nd\n```\ne"

    assert len(without_code(text)) == len(text)
    assert "b" not in without_code(text)


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("It does [1].", "It does."),
        ("Both [1, 2] and [3-5][6].", "Both and."),
        ("`a[1]` is code [1].", "`a[1]` is code."),
        ("```\na[1]\n```\nSo [2].", "```\na[1]\n```\nSo."),
    ],
)
def test_marks_are_taken_out_of_prose_alone(text, bare):
    assert without_marks(text) == bare


def streamed(pieces: list[str]) -> list[str]:
    unmarked = Unmarked()
    return [*(unmarked.feed(piece) for piece in pieces), unmarked.rest()]


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        (["It does [1]."], "It does."),
        (["It does [", "1", "]."], "It does."),
        (["It does", " ", "[1", ", 99]", " so."], "It does so."),
        (["See [1]", "(https://evil.example)", " there."], "See there."),
        (["A list [x] and ", "[", "y]"], "A list [x] and [y]"),
        (["It ends in [1"], "It ends in [1"),
        (["It ends in [1]"], "It ends in"),
        (["Read `entries", "[1]", "` [2]."], "Read `entries[1]`."),
        (["```\n", "entries", "[1]\n", "``", "`\n", "So [2]."], "```\nentries[1]\n```\nSo."),
        (["A lone ` [1]", " sign.\n\nThen `a", "[2]`."], "A lone ` sign.\n\nThen `a[2]`."),
    ],
)
def test_while_an_answer_streams_marks_are_held_back(pieces, shown):
    assert "".join(streamed(pieces)) == shown


@given(st.lists(st.text(alphabet="ab []()1,-`~\n", max_size=6), max_size=16))
@settings(max_examples=400)
def test_how_a_text_is_torn_changes_nothing_of_what_is_shown(pieces):
    whole = "".join(pieces)
    assert "".join(streamed(pieces)) == without_marks(whole)


def test_what_cannot_become_a_mark_or_code_is_shown_at_once():
    pieces = ["A ", "lone ` sign", " holds", " back.\n\n", "The", " next paragraph"]

    shown = ["A", " lone ", "", "` sign holds back.\n\n", "The", " next paragraph", ""]
    assert streamed(pieces) == shown

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.citations import cited_numbers, keep_known


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("It does [1].", [1]),
        ("It does [2] and [1], [2].", [2, 1]),
        ("Both [1, 3].", [1, 3]),
        ("No marks at all.", []),
        ("An index a[i] and a footnote [^1].", []),
        ("A year [2026].", []),
    ],
)
def test_marks_are_read_in_order_of_appearance(text, numbers):
    assert cited_numbers(text) == numbers


@pytest.mark.parametrize(
    ("text", "kept", "dropped"),
    [
        ("It does [1].", "It does [1].", 0),
        ("It does [9].", "It does.", 1),
        ("It does [1][9].", "It does [1].", 1),
        ("Both [1, 9].", "Both [1].", 1),
        ("Both [1, 2].", "Both [1][2].", 0),
        ("None [8, 9] here", "None here", 2),
    ],
)
def test_marks_that_stand_for_nothing_are_dropped_and_counted(text, kept, dropped):
    assert keep_known(text, {1, 2}) == (kept, dropped)


@given(st.text(alphabet="ab [],0123456789\n", max_size=60), st.sets(st.integers(1, 99)))
def test_only_known_numbers_remain_in_any_text(text, known):
    kept, _ = keep_known(text, known)
    assert set(cited_numbers(kept)) <= known

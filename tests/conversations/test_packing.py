"""Which lines an answer stands on, and that a budget is a budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.packing import HEADER_TOKENS, Extent, cost_of, pack

ROWS = {"a": [f"a{n} = {n}" for n in range(1, 61)], "b": [f"b{n} = {n}" for n in range(1, 61)]}
ROWS["a"][20] = ROWS["a"][21] = ""  # lines 21 and 22


def lines_of(runs) -> list[tuple[str, int, int]]:
    return [(run.extent.document, run.extent.first, run.extent.last) for run in runs]


def test_hits_come_grouped_by_file_and_the_best_file_first():
    hits = [Extent("b", 1, 5), Extent("a", 1, 5), Extent("b", 30, 35)]
    assert lines_of(pack(hits, {}, ROWS, budget=2_000)) == [
        ("b", 1, 5),
        ("b", 30, 35),
        ("a", 1, 5),
    ]


@pytest.mark.parametrize(
    ("hits", "merged"),
    [
        ([Extent("a", 1, 5), Extent("a", 6, 9)], [("a", 1, 9)]),
        ([Extent("a", 6, 9), Extent("a", 1, 5)], [("a", 1, 9)]),
        ([Extent("a", 1, 20), Extent("a", 23, 30)], [("a", 1, 30)]),
        ([Extent("a", 1, 9), Extent("a", 5, 12)], [("a", 1, 12)]),
        ([Extent("a", 1, 5), Extent("a", 7, 9)], [("a", 1, 5), ("a", 7, 9)]),
        ([Extent("a", 1, 5), Extent("b", 6, 9)], [("a", 1, 5), ("b", 6, 9)]),
    ],
)
def test_lines_that_touch_become_one_passage_also_across_blank_ones(hits, merged):
    assert lines_of(pack(hits, {}, ROWS, budget=2_000)) == merged


def test_a_merged_passage_is_named_after_its_best_hit():
    hits = [Extent("a", 6, 9, "second"), Extent("a", 1, 5, "first")]
    (run,) = pack(hits, {}, ROWS, budget=2_000)
    assert (run.lead, run.extent.symbol) == (0, "second")


def test_neighbours_fill_the_room_that_is_left():
    beside = {0: [Extent("a", 11, 15), Extent("a", 1, 4)]}
    hits = [Extent("a", 5, 10)]
    assert lines_of(pack(hits, beside, ROWS, budget=2_000)) == [("a", 1, 15)]
    tight = cost_of("\n".join(ROWS["a"][4:10])) + 5
    assert lines_of(pack(hits, beside, ROWS, budget=tight)) == [("a", 5, 10)]


def test_a_neighbour_that_does_not_touch_what_was_found_stays_out():
    beside = {0: [Extent("a", 13, 15)]}
    assert lines_of(pack([Extent("a", 5, 10)], beside, ROWS, budget=2_000)) == [("a", 5, 10)]


def test_the_rest_of_the_same_thing_comes_before_what_only_stands_beside():
    hits = [Extent("a", 5, 10, "one"), Extent("b", 5, 10, "two")]
    beside = {0: [Extent("a", 11, 15, "other")], 1: [Extent("b", 11, 15, "two")]}
    both = sum(cost_of("\n".join(ROWS[name][4:10])) for name in "ab")
    room = cost_of("\n".join(ROWS["b"][10:15])) - HEADER_TOKENS
    assert lines_of(pack(hits, beside, ROWS, budget=both + room)) == [("a", 5, 10), ("b", 5, 15)]


def test_a_hit_that_is_too_large_alone_is_cut_between_lines():
    (run,) = pack([Extent("a", 1, 60)], {}, ROWS, budget=60)
    assert run.extent.last < 60
    assert run.text == "\n".join(ROWS["a"][: run.extent.last])
    assert run.tokens <= 60


def test_a_later_hit_that_does_not_fit_makes_room_for_a_smaller_one():
    hits = [Extent("a", 1, 5), Extent("b", 1, 60), Extent("b", 30, 31)]
    budget = cost_of("\n".join(ROWS["a"][:5])) + cost_of("\n".join(ROWS["b"][29:31]))
    assert lines_of(pack(hits, {}, ROWS, budget=budget)) == [("a", 1, 5), ("b", 30, 31)]


def test_a_part_of_an_enormous_line_stays_that_part():
    hits = [Extent("a", 3, 3, part="a3 ="), Extent("a", 4, 6)]
    runs = pack(hits, {0: [Extent("a", 4, 6)]}, ROWS, budget=2_000)
    assert [run.text for run in runs] == ["a3 =", "\n".join(ROWS["a"][3:6])]


def test_nothing_found_is_nothing_packed():
    assert pack([], {}, ROWS, budget=100) == []


extents = st.builds(
    lambda document, first, length, symbol: Extent(
        document, first, min(60, first + length), symbol
    ),
    st.sampled_from("ab"),
    st.integers(1, 60),
    st.integers(0, 25),
    st.sampled_from(["", "x", "y"]),
)


@given(
    st.lists(extents, max_size=8),
    st.dictionaries(st.integers(0, 8), st.lists(extents, max_size=2)),
    st.integers(60, 900),
)
def test_passages_are_lines_as_they_stand_within_the_budget_and_apart(hits, beside, budget):
    runs = pack(hits, beside, ROWS, budget=budget)
    seen: set[tuple[str, int]] = set()
    for run in runs:
        rows = ROWS[run.extent.document][run.extent.first - 1 : run.extent.last]
        assert run.text == "\n".join(rows)
        numbers = {(run.extent.document, n) for n in range(run.extent.first, run.extent.last + 1)}
        assert not seen & numbers
        seen |= numbers
    assert sum(run.tokens for run in runs) <= budget

"""Figures of retrieval, against what they are by hand."""

import math

import pytest

from knowledge.evaluation import NAMES, agreement, evaluate, judge, summarise, summarise_chunks
from knowledge.golden_sets import Golden, Passage


def golden(*relevant: str, lines: tuple[Passage, ...] = ()) -> Golden:
    return Golden("q", "a question", frozenset(relevant), frozenset(lines))


def files(*paths: str) -> list[Passage]:
    return [Passage(path, 1, 9) for path in paths]


def test_figures_of_a_small_set_are_what_they_are_by_hand():
    answers = {"one": files("a", "b"), "two": files("x", "y", "b"), "none": files("x")}
    questions = [
        Golden("1", "one", frozenset({"a"})),
        Golden("2", "two", frozenset({"b"})),
        Golden("3", "none", frozenset({"b"})),
    ]
    figures, outcomes = evaluate(questions, answers.__getitem__)
    assert figures.questions == 3
    assert figures.hit_at_1 == pytest.approx(1 / 3)
    assert figures.hit_at_5 == pytest.approx(2 / 3)
    assert figures.mrr == pytest.approx((1 + 1 / 3) / 3)
    assert figures.ndcg_at_10 == pytest.approx((1 + 0.5) / 3)
    assert [outcome.first for outcome in outcomes] == [1, 3, 0]
    assert summarise(outcomes) == figures


def test_precision_and_recall_of_three_are_those_of_the_published_sets():
    figures = judge(golden("a", "b", "c", "d"), files("a", "x", "b", "c")).by_file
    assert figures.precision_at_3 == pytest.approx(2 / 3)
    assert figures.recall_at_3 == pytest.approx(2 / 4)
    assert figures.recall_at_5 == pytest.approx(3 / 4)


def test_precision_is_of_what_was_found_when_that_is_less_than_three():
    assert judge(golden("a"), files("a")).by_file.precision_at_3 == 1
    assert judge(golden("a"), []).by_file.precision_at_3 == 0


def test_a_rank_beyond_three_counts_for_the_one_and_not_for_the_other():
    figures = judge(golden("a"), files("w", "x", "y", "a")).by_file
    assert (figures.mrr, figures.mrr_at_3) == (0.25, 0)
    figures = judge(golden("a"), files("w", "x", "a")).by_file
    assert (figures.mrr, figures.mrr_at_3) == (pytest.approx(1 / 3), pytest.approx(1 / 3))


@pytest.mark.parametrize(
    ("rank", "hits"),
    [(1, (1, 1, 1, 1)), (5, (0, 1, 1, 1)), (10, (0, 0, 1, 1)), (20, (0, 0, 0, 1)), (21, (0,) * 4)],
)
def test_a_hit_is_within_the_first_so_many(rank, hits):
    found = files(*(f"x{place}" for place in range(rank - 1)), "a")
    figures = judge(golden("a"), found).by_file
    assert (figures.hit_at_1, figures.hit_at_5, figures.hit_at_10, figures.hit_at_20) == hits
    assert figures.recall_at_20 == hits[-1]


def test_a_file_counts_once_however_many_passages_it_has():
    outcome = judge(golden("b"), files("a", "a", "a", "b"))
    assert (outcome.first, outcome.first_chunk) == (2, 4)
    assert outcome.found == ["a", "b"]


def test_recall_looks_at_ten_files():
    outcome = judge(golden("a", "z"), files("a", *map(str, range(9)), "z"))
    assert outcome.by_file.recall_at_10 == 0.5
    assert outcome.missed == ["z"]


def test_all_relevant_files_on_top_are_a_perfect_order():
    assert judge(golden("a", "b"), files("b", "a", "c")).by_file.ndcg_at_10 == pytest.approx(1)


def test_gain_is_discounted_by_rank():
    figures = judge(golden("a", "b"), files("x", "a", "y", "b")).by_file
    expected = (1 / math.log2(3) + 1 / math.log2(5)) / (1 + 1 / math.log2(3))
    assert figures.ndcg_at_10 == pytest.approx(expected)


def test_by_chunk_the_lines_that_are_told_must_be_found():
    told = (Passage("a", 10, 20), Passage("a", 50, 60))
    found = [Passage("a", 1, 9), Passage("a", 18, 30), Passage("b", 1, 9), Passage("a", 55, 70)]
    outcome = judge(golden("a", lines=told), found)
    assert (outcome.first, outcome.first_chunk) == (1, 2)
    assert outcome.by_chunk.hit_at_1 == 0
    assert outcome.by_chunk.mrr == 0.5
    assert outcome.by_chunk.recall_at_3 == 0.5
    assert outcome.by_chunk.recall_at_5 == 1
    assert outcome.by_chunk.precision_at_3 == pytest.approx(1 / 3)
    assert outcome.by_file.recall_at_3 == 1


def test_without_lines_any_passage_of_a_relevant_file_answers():
    found = [Passage("x", 1, 9), Passage("a", 5, 6), Passage("a", 7, 8), Passage("b", 1, 2)]
    figures = judge(golden("a", "b"), found).by_chunk
    assert figures.mrr == 0.5
    assert figures.recall_at_3 == 0.5
    assert figures.precision_at_3 == pytest.approx(2 / 3)


def test_one_passage_that_answers_twice_is_no_better_than_perfect():
    told = (Passage("a", 1, 2), Passage("a", 3, 4))
    figures = judge(golden("a", lines=told), [Passage("a", 1, 9)]).by_chunk
    assert (figures.ndcg_at_10, figures.recall_at_3) == (1, 1)


def test_nothing_to_find_and_nothing_found_are_zero():
    for outcome in (judge(golden(), files("a")), judge(golden("a"), [])):
        assert {getattr(outcome.by_file, name) for name in NAMES} == {0}
        assert outcome.first == outcome.first_chunk == 0


def test_no_question_has_figures_of_zero():
    assert summarise([]).questions == 0
    assert {getattr(summarise_chunks([]), name) for name in NAMES} == {0}


def test_what_is_kept_of_a_question_is_bounded():
    kept = judge(golden("f3", "z"), files(*(f"f{n}" for n in range(50)))).as_dict()
    assert kept["found"] == [f"f{n}" for n in range(10)]
    assert (kept["first"], kept["missed"], kept["mrr"]) == (4, ["z"], 0.25)


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ([["a", "b"]], [["b", "a"]], 1),
        ([["a", "b"]], [["b", "c"]], 0.5),
        ([["a"], ["b"]], [["a"], ["c"]], 0.5),
        ([[]], [[]], 1),
        ([], [], 0),
    ],
)
def test_agreement_is_how_much_of_the_first_ten_is_shared(first, second, share):
    assert agreement(first, second) == share

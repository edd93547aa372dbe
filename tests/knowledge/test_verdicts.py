"""What chance alone would not have done: intervals of differences, and what is said of them."""

import numpy as np
import pytest

from knowledge.verdicts import Interval, Marks, Word, judge_runs, paired_difference


def test_the_same_figures_differ_by_nothing():
    assert paired_difference([0.2, 1.0, 0.5], [0.2, 1.0, 0.5]) == Interval(0.0, 0.0, 0.0)


def test_a_difference_that_every_question_shows_is_above_nothing():
    interval = paired_difference([0.6, 0.7, 0.9], [0.5, 0.6, 0.8])
    for edge in (interval.mean, interval.low, interval.high):
        assert edge == pytest.approx(0.1)
    assert interval.word == Word.BETTER


def test_a_difference_of_one_question_among_many_may_be_chance():
    ours, theirs = [0.5] * 20, [0.5] * 20
    ours[0] = 1.0
    interval = paired_difference(ours, theirs)
    assert interval.mean == pytest.approx(0.025)
    assert interval.low == 0
    assert interval.word == Word.AS_WELL


def test_the_interval_is_as_wide_as_theory_says():
    chance = np.random.default_rng(7)
    differences = chance.normal(0.1, 0.2, 400)
    interval = paired_difference(differences.tolist(), [0.0] * 400)
    half = 1.96 * differences.std() / np.sqrt(400)
    assert interval.low == pytest.approx(differences.mean() - half, abs=0.002)
    assert interval.high == pytest.approx(differences.mean() + half, abs=0.002)


def test_chance_is_the_same_each_time_and_another_by_another_seed():
    ours, theirs = [0.1, 0.9, 0.4, 0.7], [0.3, 0.2, 0.4, 0.1]
    assert paired_difference(ours, theirs) == paired_difference(ours, theirs)
    few = [paired_difference(ours, theirs, resamples=50, seed=seed) for seed in (1, 2)]
    assert few[0] != few[1]


def test_swapping_the_two_turns_the_interval_round():
    ours, theirs = [0.1, 0.9, 0.4, 0.7], [0.3, 0.2, 0.4, 0.1]
    one, other = paired_difference(ours, theirs), paired_difference(theirs, ours)
    assert (one.mean, one.low, one.high) == pytest.approx((-other.mean, -other.high, -other.low))


def test_no_question_gives_no_difference():
    assert paired_difference([], []) == Interval()


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (0.01, 0.2, Word.BETTER),
        (-0.2, -0.01, Word.WORSE),
        (-0.1, 0.1, Word.AS_WELL),
        (0.0, 0.1, Word.AS_WELL),
        (-0.1, 0.0, Word.AS_WELL),
    ],
)
def test_only_an_interval_wholly_on_one_side_says_anything(low, high, word):
    assert Interval((low + high) / 2, low, high).word == word


def test_an_interval_is_written_with_its_signs():
    assert str(Interval(0.0512, -0.01, 0.1)) == "+0.051 [-0.010, +0.100]"


def marks(*ndcg: float) -> list[Marks]:
    return [Marks(1.0, value) for value in ndcg]


@pytest.mark.parametrize(
    ("these", "those", "sentence"),
    [
        (
            marks(*[0.7] * 40),
            marks(*[0.6] * 40),
            "Finds better: nDCG@10 0.700 against 0.600 on 40 questions"
            " (difference +0.100, 95% between +0.100 and +0.100).",
        ),
        (
            marks(*[0.5] * 40),
            marks(*[0.6] * 40),
            "Finds worse: nDCG@10 0.500 against 0.600 on 40 questions"
            " (difference -0.100, 95% between -0.100 and -0.100).",
        ),
        (
            marks(0.5),
            marks(0.5),
            "Finds about as well: nDCG@10 0.500 against 0.500 on 1 question"
            " (difference +0.000, 95% between +0.000 and +0.000); too few to rely on.",
        ),
        ([], [], "There is no question that both were asked."),
    ],
)
def test_a_verdict_is_one_sentence(these, those, sentence):
    assert judge_runs(these, those).sentence == sentence


def test_the_gain_decides_and_the_rank_is_told_beside_it():
    verdict = judge_runs([Marks(0.2, 0.9)] * 30, [Marks(0.4, 0.8)] * 30)
    assert (verdict.word, verdict.questions) == (Word.BETTER, 30)
    assert verdict.mrr.mean == pytest.approx(-0.2)

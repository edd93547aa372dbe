"""Each thing is said once, what matters most first, and a reader is shown a few."""

from dataclasses import replace
from random import Random

import pytest

from reviews.merging import KEPT_OF_A_COMMIT, SHOWN_OF_A_COMMIT, merge, shown, weight
from reviews.observations import Observation
from reviews.verifying import Verified

SEEN = Observation(
    rule="nightowl/a",
    severity="warning",
    category="bug",
    path="a.py",
    start_line=10,
    end_line=12,
    claim="It is so.",
    confidence=0.7,
)


def said(**changed):
    return Verified(replace(SEEN, **changed), is_verified=True)


def at(line, **changed):
    return said(start_line=line, end_line=line, **changed)


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({}, id="the same"),
        pytest.param({"claim": "Other words."}, id="same rule and line"),
        pytest.param({"start_line": 12, "end_line": 20}, id="same rule and claim"),
        pytest.param({"rule": "ruff/B"}, id="another rule of the category"),
        pytest.param({"rule": "ruff/B", "start_line": 8, "end_line": 10}, id="lines meet"),
        pytest.param({"rule": "ruff/B", "start_line": 1, "end_line": 99}, id="lines around"),
        pytest.param({"rule": "ruff/B", "category": "pattern"}, id="a pattern is a bug"),
    ],
)
def test_what_says_the_same_of_the_same_lines_is_said_once(other):
    second = said(**other, severity="info")
    assert merge([said(), second]) == merge([second, said()]) == [said()]


@pytest.mark.parametrize(
    "other",
    [
        {"path": "b.py"},
        {"start_line": 13, "end_line": 13},
        {"start_line": 9, "end_line": 9},
        {"rule": "ruff/B", "category": "security"},
        {"rule": "ruff/B", "category": "convention"},
        {"start_line": 11, "end_line": 11, "claim": "Another thing."},
    ],
)
def test_what_says_something_else_is_said_too(other):
    second = said(**other, severity="info")
    assert merge([said(), second]) == merge([second, said()]) == [said(), second]


def test_a_pattern_and_a_bug_may_be_one_but_two_others_not():
    pattern, test = said(category="pattern", rule="b"), said(category="test", rule="c")
    assert merge([pattern, test]) == [pattern, test]


HEAVIEST_FIRST = [
    at(9, severity="critical", confidence=0.1, rule="z"),
    at(8, confidence=0.9, rule="z"),
    at(7, path="b.py", rule="nightowl/z"),
    at(1, rule="a"),
    at(2, rule="a"),
    at(1, path="b.py", rule="a"),
    at(1, path="b.py", rule="b", category="security"),
    at(3, severity="info", confidence=1.0),
]


@pytest.mark.parametrize("seed", range(5))
def test_what_matters_most_comes_first_in_whatever_order_it_was_said(seed):
    mixed = HEAVIEST_FIRST.copy()
    Random(seed).shuffle(mixed)
    assert merge(mixed) == HEAVIEST_FIRST


def test_how_much_it_matters_is_told_in_that_order():
    assert weight(SEEN) == (1, 0.7, True)
    assert weight(replace(SEEN, severity="critical", rule="model")) == (2, 0.7, False)
    assert weight(replace(SEEN, severity="info", rule="mynightowl/a")) == (0, 0.7, False)


def test_a_lighter_one_goes_even_where_it_bridges_two():
    first, last = said(start_line=1, end_line=3), said(start_line=5, end_line=6)
    bridge = said(start_line=3, end_line=5, severity="info")
    assert merge([bridge, last, first]) == [first, last]


def test_there_is_an_end_to_what_is_kept():
    many = [at(line) for line in range(1, KEPT_OF_A_COMMIT + 5)]
    assert merge(many) == many[:KEPT_OF_A_COMMIT]
    assert merge([]) == []


def test_a_doubt_stays_with_what_it_doubts():
    doubted = Verified(replace(SEEN, severity="info"), is_verified=False, doubt="Not there.")
    assert merge([doubted]) == [doubted]


@pytest.mark.parametrize(
    ("severities", "expected"),
    [
        ([], set()),
        (["info", "info"], set()),
        (["critical", "warning", "info"], {0, 1}),
        (["info", "warning"], {1}),
        (["warning"] * 7, set(range(SHOWN_OF_A_COMMIT))),
        (["info"] * 3 + ["critical"] * 7, set(range(3, 3 + SHOWN_OF_A_COMMIT))),
    ],
)
def test_a_few_are_shown_and_no_remarks(severities, expected):
    assert shown([said(severity=severity) for severity in severities]) == expected

"""A claim is held against the change: what is not there makes it a remark, with the reason."""

import pytest

from reviews.observations import Observation
from reviews.verifying import LONGEST_QUOTE, LONGEST_TEXT, quoted_from, stands_there, verify

LINES = ["def hunt():", "    mice = 1", "", "    return mice"]
NOT_THERE = "The lines are not there."
NOT_ADDED = "The change did not add these lines."
NOT_QUOTED = "The quoted words do not stand there."
NO_RULE = "No rule or document says that this should not be."


def claim(start=2, end=2, quote="mice = 1", **said):
    said = {"severity": "critical", "category": "bug", "reference": "A rule", **said}
    at = {"path": "owl.py", "start_line": start, "end_line": end}
    return Observation(rule="nightowl/x", claim="It is wrong.", quote=quote, **at, **said)


@pytest.mark.parametrize(
    ("observation", "doubt"),
    [
        (claim(), ""),
        (claim(1, 4), ""),
        (claim(1, 4, "mice = 1\nreturn mice"), ""),
        (claim(2, 3), ""),
        (claim(0, 2), NOT_THERE),
        (claim(-3, -1), NOT_THERE),
        (claim(4, 5), NOT_THERE),
        (claim(3, 2), NOT_THERE),
        (claim(1, 1, "def hunt():"), NOT_ADDED),
        (claim(2, 2, "mice = 2"), NOT_QUOTED),
        (claim(2, 2, "mice"), NOT_QUOTED),
        (claim(2, 2, "return mice"), NOT_QUOTED),
        (claim(2, 4, "return mice\nmice = 1"), NOT_QUOTED),
        (claim(2, 2, ""), NOT_QUOTED),
        (claim(2, 2, " \n "), NOT_QUOTED),
        (claim(reference=""), NO_RULE),
        (claim(reference=" \n"), NO_RULE),
    ],
)
def test_a_claim_without_its_evidence_is_a_remark(observation, doubt):
    found = verify(observation, LINES, {2, 4})
    assert (found.is_verified, found.doubt) == (not doubt, doubt)
    assert found.observation.severity == ("info" if doubt else "critical")
    assert found.observation.claim == observation.claim


@pytest.mark.parametrize(
    ("category", "severity", "expected"),
    [
        ("bug", "critical", "info"),
        ("convention", "warning", "info"),
        ("security", "critical", "critical"),
        ("security", "warning", "warning"),
        ("security", "info", "info"),
    ],
)
def test_a_comment_in_the_code_settles_matters_of_taste_alone(category, severity, expected):
    said = claim(category=category, severity=severity, evidence="Why.", is_suppressed=True)
    found = verify(said, LINES, {2})
    assert (found.is_verified, found.observation.severity) == (True, expected)
    assert found.observation.evidence == "Why. A comment in the code tells tools to be quiet."


@pytest.mark.parametrize(
    ("quote", "lines", "stands"),
    [
        ("a", ["a"], True),
        ("  a  ", ["\ta"], True),
        ("a\n\n b", ["a", "b"], True),
        ("a\nb", ["x", "a", "", "b", "y"], True),
        ("a\nb", ["a", "x", "b"], False),
        ("a\nb", ["b", "a"], False),
        ("a", ["ab"], False),
        ("a  b", ["a b"], False),
        ("", ["a"], False),
        ("a", [], False),
    ],
)
def test_quoted_lines_follow_each_other_whatever_space_is_around(quote, lines, stands):
    assert stands_there(quote, lines) is stands


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [(1, 1, "1"), (2, 4, "2\n3\n4"), (9, 12, "9\n10"), (1, 10, "1\n2\n3\n4\n5\n6"), (11, 12, "")],
)
def test_the_first_lines_are_quoted(start, end, expected):
    assert quoted_from([str(number) for number in range(1, 11)], start, end) == expected
    assert expected.count("\n") < LONGEST_QUOTE


def test_a_long_line_is_quoted_as_far_as_it_goes():
    assert quoted_from(["x" * 5_000], 1, 1) == "x" * LONGEST_TEXT

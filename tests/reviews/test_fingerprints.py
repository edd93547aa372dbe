"""A finding is known again wherever its lines have moved, and never taken for another."""

import re
from dataclasses import replace

import pytest

from reviews.fingerprints import fingerprints, symbol_at
from reviews.observations import Observation
from reviews.outlines import outline_of

SEEN = Observation(
    rule="nightowl/swallowed-error",
    severity="warning",
    category="bug",
    path="a.py",
    start_line=3,
    end_line=4,
    claim="An error is lost.",
    quote="except OSError:\n    pass",
)


def one(symbol="send", **changed):
    (found,) = fingerprints([(replace(SEEN, **changed), symbol)])
    return found


@pytest.mark.parametrize(
    "changed",
    [
        {"start_line": 30, "end_line": 31},
        {"quote": "  except  OSError:\r\n\tpass\n"},
        {"severity": "info", "confidence": 0.1},
        {"claim": "Said in other words.", "evidence": "why", "reference": "where", "patch": "x"},
        {"category": "pattern", "is_suppressed": True},
        {"model_name": "m", "prompt_version": "2", "left": ("b.py",)},
    ],
)
def test_a_finding_is_known_again(changed):
    assert one(**changed) == one()


@pytest.mark.parametrize(
    "changed",
    [
        {"rule": "ruff/S110"},
        {"path": "b.py"},
        {"symbol": "remind"},
        {"symbol": ""},
        {"quote": "except OSError:\n    continue"},
        {"quote": "exceptOSError: pass"},
        {"quote": ""},
        # What parts the fields can't be told from what is in them.
        {"rule": "nightowl", "path": "swallowed-error/a.py"},
        {"path": "a.pysend", "symbol": ""},
    ],
)
def test_another_finding_is_another(changed):
    assert one(**changed) != one()


def test_without_a_quote_the_claim_is_what_is_known_again():
    assert one(quote="") == one(quote="", start_line=9)
    assert one(quote="") != one(quote="", claim="Something else.")
    assert one(quote="") == one(quote="An error is lost.")


def test_equal_findings_are_told_apart_by_their_order():
    again = replace(SEEN, start_line=20, end_line=21)
    other = replace(SEEN, path="b.py")
    three = fingerprints([(SEEN, "send"), (again, "send"), (SEEN, "send")])

    assert len(set(three)) == 3
    assert three[0] == one()
    assert fingerprints([(SEEN, "send"), (other, "send"), (again, "send")]) == [
        three[0],
        one(path="b.py"),
        three[1],
    ]
    assert fingerprints([]) == []


@pytest.mark.parametrize("text", ["", "é\u2028", "\ud800", "\0", "x" * 100_000])
def test_a_fingerprint_is_short_whatever_is_in_it(text):
    assert re.fullmatch("[0-9a-f]{32}", one(symbol=text, quote=text, path=text))


NESTED = """\
x = 1
class Ledger:
    rate = 2
    def total(self):
        a = 1
        return a

def due():
    return 2
"""


@pytest.mark.parametrize(
    ("line", "symbol"),
    [
        (0, ""),
        (1, ""),
        (2, "Ledger"),
        (3, "Ledger"),
        (4, "Ledger.total"),
        (6, "Ledger.total"),
        (7, ""),
        (8, "due"),
        (9, "due"),
        (10, ""),
    ],
)
def test_a_line_is_in_its_innermost_definition(line, symbol):
    assert symbol_at(outline_of(NESTED, "python"), line) == symbol


def test_a_line_is_in_nothing_where_nothing_is_defined():
    assert symbol_at([], 1) == ""

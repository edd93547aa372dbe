"""What is said of one file, and a process that no file can hang, break or exhaust for others."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from reviews import inspectors
from reviews.inspecting import (
    LARGEST,
    Asked,
    inspect,
    is_suppressed,
    new_ones,
    packed,
    unpacked,
)
from reviews.inspectors import BROKE, TOO_SLOW, inspector
from reviews.rule_files import read_rule, rules
from reviews.tree_rules import Place

WRONG = "def hunt(owl):\n    try:\n        owl.fly()\n    except OSError:\n        pass\n"
SWALLOWED = "nightowl/swallowed-error"
RULE = """
id: {name}
category: bug
severity: warning
confidence: 0.7
claim: It shouts.
why: It is loud.
reference: Ours
languages:
  python: {{ match: {{ pattern: "SHOUT()" }}, when: "{when}" }}
"""


def asked(after, *, path="owl.py", language="python", layer="source", before="", added=None):
    lines = range(1, after.count("\n") + 2) if added is None else added
    return Asked(path, language, layer, before, after, frozenset(lines))


def said(found):
    return [(one.rule, one.start_line) for one in found.observations]


@pytest.fixture(scope="module")
def lent():
    """One process for all files, hostile ones among them."""
    with inspector() as one:
        yield one


def test_a_process_answers_as_inspecting_here_would(lent):
    of_a_file = asked(WRONG, before="import os\n", added=[1, 2, 3, 4, 5])
    answer = lent.ask(of_a_file)
    assert said(answer) == [(SWALLOWED, 4)]
    assert answer == inspect(of_a_file, rules())
    assert unpacked(packed(answer)) == answer


HOSTILE = {
    "brackets": ("(" * 20_000, "python"),
    "pairs of brackets": ("[" * 5_000 + "]" * 5_000, "python"),
    "blocks": ("if (a) {" * 5_000, "typescript"),
    "classes": ("class A {" * 20_000, "java"),
    "templates": ("template<" * 5_000, "cpp"),
    "backticks": ("`${" * 20_000, "javascript"),
    "a sum": ("x = " + "1+" * 20_000 + "1", "python"),
    "one line": ("x = 1; " * 5_000, "python"),
    "one word": ("a" * 90_000, "typescript"),
    "spaces": (" " * 90_000 + "x", "python"),
    "empty lines": ("\n" * 90_000 + "x", "python"),
    "continued lines": ("\\\n" * 20_000, "c"),
    "comments": ("/*" * 20_000, "c"),
    "quotes": ("'\"'" * 20_000, "python"),
    "functions": ("def f(a): pass\n" * 2_000, "python"),
    "substitutions": ("$(" * 10_000, "bash"),
    "bytes": (bytes(range(256)).decode("latin-1") * 1_000, "python"),
    "NUL": ("\0" * 90_000, "python"),
    "nothing": ("", "python"),
}


@pytest.mark.parametrize(("text", "language"), HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_file_is_answered_and_the_next_one_too(lent, text, language):
    process = lent._started().pid
    answer = lent.ask(asked(text, language=language))
    assert (said(answer), answer.failed) == ([], "")
    assert said(lent.ask(asked(WRONG))) == [(SWALLOWED, 4)]
    assert lent._started().pid == process


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_file_that_is_too_large_is_left_out(lent, where):
    large = "x = 1\n" * (LARGEST // 6 + 1)
    answer = lent.ask(asked(**{"after": WRONG, where: large}))
    assert (said(answer), answer.failed) == ([], "it is too large")


def test_wrong_lines_beside_a_nul_are_found_still(lent):
    assert said(lent.ask(asked(f"x = '\0'\n{WRONG}"))) == [(SWALLOWED, 5)]


@pytest.mark.parametrize("file", ["a parser", "a pattern"])
def test_a_file_that_hangs_ends_alone(monkeypatch, file):
    monkeypatch.setattr(inspectors, "SECONDS", 1.0)
    hanging = {
        "a parser": asked("package a\n" + "func(" * 40_000, language="go", path="owl.go"),
        "a pattern": asked("a" * 60),
    }[file]
    with inspector([RULE.format(name="slow", when="(?:a|a)+b")]) as one:
        first = one._started()
        began_at = time.monotonic()
        assert one.ask(hanging).failed == TOO_SLOW
        assert time.monotonic() - began_at < 10
        assert first.returncode == -signal.SIGALRM
        assert said(one.ask(asked(WRONG))) == [(SWALLOWED, 4)]
        assert one._started().pid != first.pid


def test_a_file_that_needs_too_much_memory_ends_alone(monkeypatch):
    monkeypatch.setattr(inspectors, "MEGABYTES", 40)
    sums = (f"def f{n}(a, b):\n    return a{n * 7919} + [{n / 7}, b]\n" for n in range(6_500))
    text = "".join(sums)[:LARGEST]
    with inspector() as one:
        assert said(one.ask(asked(WRONG))) == [(SWALLOWED, 4)]
        answer = one.ask(asked(text))
        assert answer.failed in {BROKE, "it needs too much memory to inspect"}
        assert said(one.ask(asked(WRONG))) == [(SWALLOWED, 4)]


def test_a_process_that_breaks_over_a_file_is_replaced():
    with inspector() as one:
        first = one._started()
        assert one.ask(asked("x = '\ud800'\n")).failed == BROKE  # half of a pair: no text at all
        assert first.returncode > 0
        assert said(one.ask(asked(WRONG))) == [(SWALLOWED, 4)]


def test_the_next_file_is_not_blamed_for_a_process_that_died_between():
    with inspector() as one:
        one.ask(asked(WRONG))
        os.kill(one._started().pid, signal.SIGKILL)
        one._started().wait()
        answer = one.ask(asked(WRONG))
        assert (said(answer), answer.failed) == ([(SWALLOWED, 4)], "")


def test_a_process_has_nothing_of_ours_and_ends_with_the_work(monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "hush")
    with inspector() as one:
        one.ask(asked(""))
        process = one._started()
        environment = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
        limits = Path(f"/proc/{process.pid}/limits").read_text()
    assert set(environment) == {b"LC_ALL=C.UTF-8", b"PYTHONDONTWRITEBYTECODE=1", b""}
    assert str(inspectors.MEGABYTES * 1024 * 1024) in limits
    assert process.returncode == 0


def test_the_rules_of_a_project_are_asked_beside_ours():
    with inspector([RULE.format(name="quiet", when="")]) as one:
        answer = one.ask(asked(f"{WRONG}SHOUT()\n"))
    assert said(answer) == [(SWALLOWED, 4), ("standard/quiet", 6)]


def place(rule, start, text, end=0):
    return Place(rule, None, start, end or start, text)


@pytest.mark.parametrize(
    ("before", "after", "added", "new"),
    [
        ([], [("a", 1)], {1}, [1]),
        ([], [("a", 1)], {2}, []),
        (["a"], [("a", 5)], {5}, []),  # moved
        (["a b"], [("a   b", 5)], {5}, []),  # and other space in it
        (["a"], [("a", 1), ("a", 5)], {5}, [5]),  # the old one stands still
        (["a"], [("a", 1), ("a", 5)], {1, 5}, [5]),
        (["a", "a"], [("a", 1), ("a", 5), ("a", 9)], {5, 9}, [9]),
        (["a"], [("b", 5)], {5}, [5]),
    ],
)
def test_a_place_that_was_there_before_is_not_new(before, after, added, new):
    rule = read_rule(RULE.format(name="x", when=""))
    known = Counter((rule.name, text) for text in before)
    places = [place(rule, line, text) for text, line in after]
    assert [one.start_line for one in new_ones(places, known, added)] == new


@pytest.mark.parametrize(
    "comment",
    [
        *("# noqa", "# noqa: E501", "# nosec", "//nolint:errcheck", "// NOSONAR"),
        *("// eslint-disable-next-line", "# type: ignore[x]", "# pylint: disable=x"),
        *("# pylint:disable=x", "// @ts-ignore", "// @ts-expect-error: x", "//phpcs:ignore X"),
        *("// biome-ignore lint: x", "# rubocop:disable X", "#[allow(x)]"),
        '@SuppressWarnings("x")',
    ],
)
@pytest.mark.parametrize(("line", "is_near"), [(1, False), (2, True), (3, True), (4, False)])
def test_a_comment_on_a_line_or_above_it_tells_tools_to_be_quiet(comment, line, is_near):
    lines = ["a", "b", "c", "d", "e"]
    lines[line - 1] += f"  {comment}"
    assert is_suppressed(lines, 3, 3) is is_near


@pytest.mark.parametrize("line", ["x = nosecrets", "# no quality", "ignore(type)", "snoqa = 1"])
def test_a_word_like_it_silences_nothing(line):
    assert not is_suppressed([line], 1, 1)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("def f(a):\n    return a\n", "def f(a, b):\n    return a\n", ("warning", 0.85)),
        ("", "def f(a, b):\n    return a\n", ("info", 0.6)),
        ("def f(a, b):\n    return b\n", "def f(a, b):\n    return a\n", None),
        ("", "def f(a, _b):\n    return a\n", None),
        ("", "def f(a, *b, **c):\n    return a\n", None),
        ("", "def f(a, b):\n    ...\n", None),
        ("", "def f(a, b):\n    raise NotImplementedError\n", None),
        ("", "@given\ndef f(a, b):\n    return a\n", None),
        ("", "class A:\n    def f(self, a):\n        return a\n", None),
        (
            "class A(B):\n    def f(self):\n        return 1\n",
            "class A(B):\n    def f(self, b):\n        return 1\n",
            ("info", 0.85),
        ),
    ],
)
def test_a_parameter_that_a_change_adds_and_nothing_reads_is_found(before, after, expected):
    found = inspect(asked(after, before=before), []).observations
    assert [(one.severity, one.confidence) for one in found] == ([expected] if expected else [])
    assert all(one.claim == "f takes “b” and never reads it." for one in found)


def branches(count):
    return "def f(a):\n" + "".join(f"    if a == {n}:\n        a += 1\n" for n in range(count))


@pytest.mark.parametrize(
    ("before", "after", "claim"),
    [
        (0, 14, None),
        (0, 15, "There are 16 ways through f now."),
        (14, 15, None),
        (14, 17, "There are 18 ways through f now, 15 before."),
        (20, 22, None),
        (20, 23, "There are 24 ways through f now, 21 before."),
    ],
)
def test_a_function_that_became_hard_to_follow_is_a_remark(before, after, claim):
    old = branches(before) if before else ""
    added = range(2 * before + 2, 2 * after + 2)
    found = inspect(asked(branches(after), before=old, added=added), []).observations
    expected = [("lizard/complexity", "info", claim)] if claim else []
    assert [(one.rule, one.severity, one.claim) for one in found] == expected


def test_tests_may_be_long_and_leave_parameters_unread():
    text = f"{branches(30)}\n\ndef test_a(b):\n    return 1\n"
    assert inspect(asked(text, layer="test"), []).observations == []

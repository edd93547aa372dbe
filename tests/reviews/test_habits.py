"""What usually comes with a change and did not: tests, and files that change together."""

import pytest

from reviews.habits import HABIT_STEPS, LARGE, SMALL, TOGETHER, missing_companions, missing_tests
from tests.reviews.changing import changed

TEST = {"tests/test_owl.py": "def test_owl():\n    assert True\n"}


def owl(lines, name="hunt"):
    """Return a function of so many lines, its head among them."""
    return f"def {name}():\n" + "".join(f"    x{n} = {n}\n" for n in range(1, lines))


def unusual(path, before, after, *, steps=(), check=missing_tests):
    change = changed(path, before, after)
    for paths in steps:
        change.companions.add(paths)
    return list(check(change))


TESTED = [("owl.py", "tests/test_owl.py")]
UNTESTED = [("owl.py",)]


@pytest.mark.parametrize(
    ("lines", "steps", "severity"),
    [
        (LARGE, TESTED * HABIT_STEPS, "warning"),
        (SMALL, TESTED * HABIT_STEPS, "warning"),  # it is public
        (SMALL - 1, TESTED * HABIT_STEPS, None),
        (LARGE, TESTED * (HABIT_STEPS - 1), "info"),
        (LARGE, [], "info"),
        (LARGE, TESTED * 7 + UNTESTED * 3, "warning"),
        (LARGE, TESTED * 6 + UNTESTED * 4, "info"),
        # What is no code says nothing of a habit.
        (LARGE, TESTED * 6 + [("README.md",), ("config/a.toml",)] * 9, "warning"),
        (LARGE, TESTED * 6 + UNTESTED * 4 + [("tests/test_owl.py",)] * 20, "info"),
        # Nor does what was usual long ago.
        (LARGE, TESTED * 60 + UNTESTED * 60, "info"),
        (LARGE, UNTESTED * 60 + TESTED * 60, "warning"),
    ],
)
def test_code_that_changes_without_a_test_is_unusual_where_tests_are_usual(
    tmp_path, lines, steps, severity
):
    said = unusual(tmp_path, TEST, {"owl.py": owl(lines)}, steps=steps)
    assert [one.severity for one in said] == ([severity] if severity else [])


def test_a_small_change_of_what_is_private_is_a_remark(tmp_path):
    steps = TESTED * HABIT_STEPS
    (small,) = unusual(tmp_path / "a", TEST, {"owl.py": owl(LARGE - 1, "_hunt")}, steps=steps)
    (large,) = unusual(tmp_path / "b", TEST, {"owl.py": owl(LARGE, "_hunt")}, steps=steps)
    assert (small.severity, small.confidence) == ("info", 0.5)
    assert (large.severity, large.confidence) == ("warning", 0.7)


def test_the_largest_function_is_named_with_what_history_shows(tmp_path):
    text = f"{owl(5)}\n\n{owl(8, 'sleep')}"
    (one,) = unusual(tmp_path, TEST, {"owl.py": text}, steps=TESTED * 6 + UNTESTED)
    assert one.claim == "sleep does something else now, and no test changed with it."
    assert one.evidence.startswith("Of the last 7 changes of code here, 6 came with tests. ")
    assert (one.path, one.start_line, one.quote) == ("owl.py", 8, "def sleep():")
    assert (one.rule, one.category) == ("nightowl/untested-change", "test")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (TEST, {"owl.py": owl(20), "tests/test_owl.py": "def test_owl():\n    assert 1\n"}),
        ({}, {"owl.py": owl(20)}),  # nobody tests here
        (TEST, {"tests/owl.py": owl(20)}),
        (TEST, {"examples/owl.py": owl(20)}),
        (TEST, {"scripts/owl.py": owl(20)}),
        (TEST, {"owl.py": "\n".join(f"x{n} = {n}" for n in range(20))}),
        (TEST, {"owl.py": "def hunt():\n" + "\n" * 20 + "    return 1\n"}),
        (TEST, {"owl.py": 'def hunt():\n    """\n' + "    Hunt.\n" * 9 + '    """\n    ...\n'}),
        # Moved as it was: the function does what it did.
        ({**TEST, "owl.py": owl(20)}, {"owl.py": f"import os\n\n\n{owl(20)}"}),
        ({**TEST, "owl.py": owl(20)}, {"owl.py": f"class A:\n    x = 1\n\n\n{owl(20)}"}),
    ],
    ids=[
        *("a test came", "no tests", "a test", "an example", "a script", "no function"),
        *("empty lines", "a stub", "imports", "a class"),
    ],
)
def test_what_needs_no_test_is_not_unusual(tmp_path, before, after):
    assert unusual(tmp_path, before or {"x.md": "x"}, after, steps=TESTED * 9) == []


PAIR = ("owl.py", "nest.py")
FILES = {"owl.py": "x = 1\n", "nest.py": "y = 1\n"}


@pytest.mark.parametrize(
    ("steps", "severity"),
    [
        ([PAIR] * TOGETHER, "warning"),
        ([PAIR] * (TOGETHER - 1), None),
        ([PAIR] * 8 + [("owl.py",)] * 2, "info"),
        ([PAIR] * 7 + [("owl.py",)] * 2, None),
        ([PAIR] * 7 + [("nest.py",)] * 3, "warning"),
        ([PAIR] * 6 + [("nest.py",)] * 3, None),  # it changes with others as well
        ([(*PAIR, *(f"{n}.py" for n in range(30)))] * 9, None),  # too many to say anything
    ],
)
def test_a_file_that_has_always_changed_with_another_is_missed(tmp_path, steps, severity):
    said = unusual(tmp_path, FILES, {"owl.py": "x = 2\n"}, steps=steps, check=missing_companions)
    assert [one.severity for one in said] == ([severity] if severity else [])


def test_what_is_missed_says_how_often_it_came(tmp_path):
    (one,) = unusual(
        tmp_path,
        FILES,
        {"owl.py": "x = 1\nz = 2\n"},
        steps=[PAIR] * 4 + [("owl.py",)],
        check=missing_companions,
    )
    assert one.claim == "nest.py usually changes with this file and did not."
    assert one.evidence == "It did in 4 of 5 changes of owl.py among the last 1,500 at most."
    assert (one.start_line, one.quote, one.left) == (2, "z = 2", ("nest.py",))
    assert (one.rule, one.confidence) == ("nightowl/missing-companion", 0.55)


@pytest.mark.parametrize(
    ("before", "after", "pair"),
    [
        (FILES, {"owl.py": "x = 2\n", "nest.py": "y = 2\n"}, PAIR),
        ({"owl.py": "x = 1\n"}, {"owl.py": "x = 2\n"}, PAIR),
        ({**FILES, **TEST}, {"owl.py": "x = 2\n"}, TESTED[0]),
        ({**FILES, **TEST}, {"tests/test_owl.py": "x = 2\n"}, TESTED[0]),
        ({**FILES, "README.md": "a\n"}, {"README.md": "b\n"}, ("README.md", "nest.py")),
        ({**FILES, "owl.py": "x = 1\ny = 2\n"}, {"owl.py": "x = 1\n"}, PAIR),
    ],
    ids=["both", "gone since", "a test", "of a test", "of a document", "only removed"],
)
def test_what_did_not_have_to_come_is_not_missed(tmp_path, before, after, pair):
    assert unusual(tmp_path, before, after, steps=[pair] * 9, check=missing_companions) == []


def test_a_companion_is_told_once_for_all_files(tmp_path):
    before = {**FILES, "wing.py": "z = 1\n"}
    after = {"owl.py": "x = 2\n", "wing.py": "z = 2\n"}
    steps = [("owl.py", "wing.py", "nest.py")] * 5
    (one,) = unusual(tmp_path, before, after, steps=steps, check=missing_companions)
    assert (one.path, one.left) == ("owl.py", ("nest.py",))


def test_a_renamed_file_keeps_its_companions(tmp_path):
    text = "".join(f"x{n} = {n}\n" for n in range(9))
    change = changed(
        tmp_path, {**FILES, "owl.py": text}, {"barn.py": f"{text}y = 1\n"}, gone=["owl.py"]
    )
    for _ in range(5):
        change.companions.add(PAIR)
    (one,) = missing_companions(change)
    assert (one.path, one.left) == ("barn.py", ("nest.py",))

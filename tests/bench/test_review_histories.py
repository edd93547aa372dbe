"""The benchmark of reviews is what its description says, and counts what was found rightly."""

import re
from collections import Counter
from pathlib import Path

import pytest

from bench.reviews.histories import (
    HERE,
    Defect,
    HistoryBroken,
    Step,
    Written,
    build_one,
    read_history,
)
from bench.reviews.measuring import NEAR, Said, Tally, by_tools, meets
from projects.companions import Companions
from projects.diffs import diff_of, main_line
from reviews.inspecting import is_suppressed

HISTORIES = sorted(HERE.glob("*/*.history"))
PARTS = ("tuned", "unseen")
LANGUAGES = {"python", "typescript", "go", "java"}

each_history = pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)


def steps_of(part: str) -> list[Written]:
    """Return the steps of a part, without the commits that programs begin with."""
    return [
        step
        for path in sorted((HERE / part).glob("*.history"))
        for step in read_history(path)[1][1:]
    ]


def trees(path: Path) -> list[tuple[Written, dict[str, str], dict[str, str]]]:
    """Return the steps of a history with the files before and after each."""
    found, before = [], {}
    for step in read_history(path)[1]:
        after = dict(before)
        for _, changes in step.commits:
            after.update(changes)
        after = {name: text for name, text in after.items() if text is not None}
        found.append((step, before, after))
        before = after
    return found


def stripped(text: str) -> Counter[str]:
    return Counter(line.strip() for line in text.split("\n"))


def test_there_is_what_the_description_says():
    said = (HERE / "README.md").read_text()
    rows = re.findall(r"\| `(\w+)` \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", said)
    counted = [
        (
            part,
            len(list((HERE / part).glob("*.history"))),
            len(steps_of(part)),
            sum(not step.defects for step in steps_of(part)),
            sum(len(step.defects) for step in steps_of(part)),
        )
        for part in PARTS
    ]
    assert [(row[0], *map(int, row[1:])) for row in rows] == counted
    assert "Twenty-three small programs" in said
    assert sum(row[1] for row in counted) == 23
    assert sum(row[4] for row in counted) == 150
    assert "There are 28 kinds" in said
    assert (
        len({one.kind for part in PARTS for step in steps_of(part) for one in step.defects}) == 28
    )


@pytest.mark.parametrize("part", PARTS)
def test_half_of_the_steps_are_clean_and_the_others_bring_a_defect_or_two(part):
    defects = Counter(len(step.defects) for step in steps_of(part))
    assert defects[0] * 2 >= defects.total()
    assert defects.keys() <= {0, 1, 2}


def test_nothing_of_what_is_tuned_on_is_measured_as_unseen():
    tuned, unseen = (
        {(one.path, one.text) for step in steps_of(part) for one in step.defects} for part in PARTS
    )
    assert tuned.isdisjoint(unseen)
    kinds = [{one.kind for step in steps_of(part) for one in step.defects} for part in PARTS]
    assert kinds[1] <= kinds[0]


@each_history
def test_a_history_reads_as_a_team_would_have_written_it(path):
    language, steps = read_history(path)
    assert language in LANGUAGES
    assert path.stem.startswith(f"{language}-")
    assert 11 <= len(steps) - 1 <= 14
    assert len({step.subject for step in steps}) == len(steps)
    assert len({step.author for step in steps[1:]}) >= 2


@each_history
def test_every_step_changes_something_and_adds_the_lines_of_its_defects(path):
    for step, before, after in trees(path)[1:]:
        assert before != after, step.subject
        for defect in step.defects:
            there, was = after[defect.path], before.get(defect.path, "")
            assert stripped(there)[defect.text] > stripped(was)[defect.text], step.subject
            assert len(defect.why) > 20
            # What should have changed with it is there, and did not.
            assert all(after[other] == before[other] for other in defect.also), step.subject


@each_history
def test_no_line_with_a_defect_tells_tools_to_be_quiet(path):
    for step, _, after in trees(path)[1:]:
        for defect in step.defects:
            lines = after[defect.path].split("\n")
            at = next(n for n, line in enumerate(lines, 1) if line.strip() == defect.text)
            assert not is_suppressed(lines, at, at), step.subject


SMALL = """language: python
@@ file owl.py
import os


def hunt():
    return 1
@@ file README.md
Owls.
@@ step Hunt twice | Ana Ruiz
@@ edit owl.py
<<<<
    return 1
====
    return 2
>>>>
@@ step Fly | Bo Li | merge
@@ commit Begin to fly
@@ file fly.py
def fly():
    return 1
@@ commit Rename
@@ move owl.py night.py
@@ defect wrong-variable fly.py
    return 1
It should be the other one.
also: README.md
@@ step Leave | Ana Ruiz
@@ delete fly.py
"""


@pytest.fixture
def write(tmp_path):
    def put(text: str) -> Path:
        path = tmp_path / "python-owls.history"
        path.write_text(text)
        return path

    return put


def test_a_history_becomes_a_repository(write, tmp_path):
    program = build_one(write(SMALL), tmp_path / "a")
    assert (program.name, program.language) == ("python-owls", "python")
    assert [step.subject for step in program.steps] == ["Hunt twice", "Fly", "Leave"]
    line = main_line(program.repository, program.steps[-1].sha)
    assert [step.sha for step in line[1:]] == [step.sha for step in program.steps]
    assert [step.parent for step in line[1:]] == [step.parent for step in program.steps]
    assert [step.is_merge for step in line] == [False, False, True, False]
    assert [step.author for step in line] == ["Ana Ruiz", "Ana Ruiz", "Bo Li", "Ana Ruiz"]
    changes = [diff_of(program.repository, one.sha, one.parent).files for one in program.steps]
    assert [sorted((one.status, one.path) for one in files) for files in changes] == [
        [("changed", "owl.py")],
        [("added", "fly.py"), ("renamed", "night.py")],
        [("deleted", "fly.py")],
    ]
    assert program.steps[1].defects == (
        Defect(
            *("wrong-variable", "fly.py", "return 1", "It should be the other one."),
            ("README.md",),
            2,
        ),
    )


def test_the_same_history_makes_the_same_commits(write, tmp_path):
    programs = [build_one(write(SMALL), tmp_path / place) for place in "ab"]
    assert programs[0].steps == programs[1].steps


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("    return 1\n====", "    return 7\n====", "owl.py has 0 times"),
        ("import os\n", "import os\n    return 1\n", "owl.py has 2 times"),
        ("@@ delete", "@@ burn", "what is “burn”?"),
        ("    return 1\nIt", "    return 9\nIt", "does not add “return 9”"),
        ("wrong-variable fly.py", "wrong-variable night.py", "does not add “return 1”"),
        ("also: README.md", "also: NOTES.md", "there is no NOTES.md"),
    ],
)
def test_a_history_that_does_not_hold_is_refused(write, tmp_path, old, new, complaint):
    assert SMALL.count(old) == 1
    with pytest.raises(HistoryBroken, match=re.escape(complaint)):
        build_one(write(SMALL.replace(old, new)), tmp_path / "a")


def test_a_real_program_is_built_with_every_defect_where_it_says(tmp_path):
    path = HERE / "tuned" / "python-ledger.history"
    program = build_one(path, tmp_path)
    assert len(program.steps) == len(read_history(path)[1]) - 1
    for step in program.steps:
        files = {one.path: one for one in diff_of(program.repository, step.sha, step.parent).files}
        for defect in step.defects:
            added = files[defect.path].added_lines()
            assert added[defect.line].strip() == defect.text


WRONG = Defect("off-by-one", "a.py", "x", "Why.", (), 10)
LEFT = Defect("stale-docs", "a.py", "x", "Why.", ("README.md", "b.py"), 10)


@pytest.mark.parametrize(
    ("said", "defect", "is_met"),
    [
        (("a.py", 10, 10), WRONG, True),
        (("a.py", 10 - NEAR, 10 - NEAR), WRONG, True),
        (("a.py", 10 + NEAR, 10 + NEAR), WRONG, True),
        (("a.py", 9 - NEAR, 9 - NEAR), WRONG, False),
        (("a.py", 11 + NEAR, 11 + NEAR), WRONG, False),
        (("a.py", 1, 30), WRONG, True),
        (("b.py", 10, 10), WRONG, False),
        (("README.md", 99, 99), LEFT, True),
        (("b.py", 1, 1), LEFT, True),
        (("a.py", 99, 99), LEFT, True),
        (("c.py", 10, 10), LEFT, False),
    ],
)
def test_a_finding_meets_a_defect_by_its_place(said, defect, is_met):
    assert meets(Said(*said, "x"), defect) is is_met


def test_findings_are_counted_as_true_false_and_missed():
    tally = Tally()
    race = Defect("race", "b.py", "x", "Why.", (), 50)
    tally.count(
        Step("1", "0", "Hunt", (WRONG, race)),
        [
            Said("a.py", 10, 10, "right"),
            Said("a.py", 12, 12, "right again"),
            Said("a.py", 40, 40, "wrong"),
            Said("b.py", 50, 50, "a remark", is_weighty=False),
        ],
    )
    tally.count(Step("2", "1", "Sleep", (LEFT,)), [Said("README.md", 1, 1, "right")])
    tally.count(
        Step("3", "2", "Fly", ()),
        [Said("a.py", 10, 10, "wrong"), Said("a.py", 10, 10, "a remark", is_weighty=False)],
    )
    tally.count(Step("4", "3", "Rest", ()), [])

    assert (tally.said, tally.true) == (5, 3)
    assert tally.defects == {"off-by-one": 1, "race": 1, "stale-docs": 1}
    assert +tally.found == {"off-by-one": 1, "stale-docs": 1}
    assert (tally.clean, tally.said_of_clean) == (2, 1)
    assert (tally.precision, tally.recall, tally.of_clean) == (3 / 5, 2 / 3, 1 / 2)
    assert tally.wrong == ["Hunt: wrong at a.py:40", "Fly: wrong at a.py:10"]


def test_nothing_said_is_nothing_wrong():
    assert (Tally().precision, Tally().recall, Tally().of_clean) == (1.0, 0.0, 0.0)


def test_the_tools_alone_are_heard_on_added_lines_only(write, tmp_path):
    shell = "    os.system(input())\n"
    text = SMALL.replace("    return 1\n@@ file R", f"    return 1\n\n\ndef a():\n{shell}@@ file R")
    text = text.replace("    return 2\n>>>>", f"    return 2\n\n\ndef b():\n{shell}>>>>")
    program = build_one(write(text), tmp_path / "a")
    step = program.steps[0]
    main = main_line(program.repository, step.sha)[-1]
    said = by_tools(program, step, main, Companions())
    assert {(one.by, one.start) for one in said} == {("ruff S605", 9), ("bandit B605", 9)}

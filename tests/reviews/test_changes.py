"""A change as the checks see it: what is code of the project, and what is still defined."""

import pytest

from projects.companions import Companions
from projects.diffs import FileDiff
from reviews.changes import Change, ChangedFile, is_product
from reviews.inspecting import Inspection
from reviews.outlines import outline_of


@pytest.mark.parametrize(
    "path",
    [
        *("a.py", "src/a.ts", "web/View.tsx", "cmd/main.go", "src/Main.java", "lib/a.rb", "a.rs"),
        *("a.c", "a.cpp", "a.cs", "a.php", "a.js", "A.PY", "app/migrations/0001_first.py"),
        *("models.py", "toolshed/a.py", "app/scripting/a.py", "latest/a.py", "contest.py"),
    ],
)
def test_code_that_does_the_work_is_product(path):
    assert is_product(path)


@pytest.mark.parametrize(
    "path",
    [
        *("test_a.py", "tests/a.py", "src/a_test.go", "a.test.ts", "src/test/java/ATest.java"),
        *("conftest.py", "spec/a_spec.rb", "examples/a.py", "docs/conf.py", "setup.py"),
        *("locale/de.py", ".github/a.py", "settings.py", "config/a.py", "vite.config.ts"),
        *("bench/a.py", "benchmarks/a.py", "a/scripts/b.py", "tools/a.go", "tool/a.go"),
        *("demo/a.py", "playground/a.ts"),
        *("README.md", "a.txt", "a.json", "a.yml", "a.css", "a.html", "a.sql", "Makefile", "a"),
        "",
    ],
)
def test_what_is_beside_the_work_is_not(path):
    assert not is_product(path)


def changed(path="a.py", *, before="", after=""):
    diff = FileDiff(path, path, "changed", "1" * 40, "2" * 40)
    found = Inspection(before=outline_of(before, "python"), after=outline_of(after, "python"))
    return ChangedFile(diff, "python", "source", before, after, inspection=found)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param("def a(): 1", "def a(): 2", ["a"], id="same name"),
        pytest.param("def a(): 1", "x = 1\n\ndef a(): 1", ["a"], id="moved"),
        pytest.param("def a(): 1", "def b(): 1", [], id="renamed"),
        pytest.param("", "def a(): 1", [], id="new"),
        pytest.param("def a(): 1", "", [], id="gone"),
        pytest.param("def a(): 1", "def a(): 1\ndef a(): 2", [], id="twice now"),
        pytest.param("def a(): 1\ndef a(): 2", "def a(): 1", [], id="twice before"),
        pytest.param(
            "class A:\n def a(self): 1\nclass B:\n def a(self): 1",
            "class B:\n def a(self): 2",
            ["B", "B.a"],
            id="by the whole name",
        ),
        pytest.param(
            "def b(): 1\ndef a(): 1", "def a(): 1\ndef b(): 1", ["b", "a"], id="in the old order"
        ),
    ],
)
def test_what_is_still_defined_comes_in_pairs(before, after, expected):
    pairs = list(changed(before=before, after=after).pairs())
    assert [earlier.name for earlier, _ in pairs] == expected
    assert [now.name for _, now in pairs] == expected


def test_a_pair_is_the_definition_before_and_after():
    file = changed(before="def a(b): 1", after="\ndef a(c): 1")
    ((earlier, now),) = file.pairs()
    assert (earlier, now) == (file.inspection.before[0], file.inspection.after[0])
    assert (earlier.start_line, now.start_line) == (1, 2)


@pytest.mark.parametrize(
    ("after", "lines"),
    [
        ("a\nb\n", ["a", "b", ""]),
        ("a\r\nb", ["a\r", "b"]),
        ("", [""]),
        ("a\fb\u2028c", ["a\fb\u2028c"]),
    ],
)
def test_the_lines_of_a_file_are_those_that_git_counts(after, lines):
    assert changed(after=after).lines() == lines


def test_a_change_knows_its_product_and_what_it_defines():
    files = [
        changed("tests/test_a.py", after="def test_a(): 1"),
        changed("src/a.py", before="def gone(): 1", after="class A:\n def due(self): 1"),
        changed("README.md"),
    ]
    change = Change(None, files, None, Companions())

    assert [file.path for file in change.product()] == ["src/a.py"]
    names = ("A", "due", "test_a", "gone", "A.due", "")
    assert [name for name in names if change.defines(name)] == ["A", "due", "test_a"]

"""Tests that are suggested parse, name what exists, and pass or fail for a reason."""

import ast
import subprocess
import sys

import pytest

from reviews.suggesting import suggest_tests


class Files(dict):
    """A repository as a table of texts."""

    def paths(self):
        return self.keys()

    def read(self, path):
        return self.get(path)


def suggest(files, path):
    text = files[path]
    return suggest_tests(Files(files), path, range(1, text.count("\n") + 2))


SPLIT = '''def split(cents: int, months: int) -> list[int]:
    """Return what is due each month."""
    if months < 1:
        raise ValueError("at least one month")
    part, rest = divmod(cents, months)
    return [part + 1] * rest + [part] * (months - rest)
'''
TESTED = {"tests/test_other.py": "def test_a():\n    assert True\n"}


def test_what_the_code_refuses_is_tested():
    (found,) = suggest({"money.py": SPLIT, **TESTED}, "money.py")
    assert found.symbol == "split"
    assert found.framework == "pytest"
    assert found.test_file == "tests/test_money.py"
    assert "pytest.raises(ValueError)" in found.code
    assert "months=0" in found.code
    assert found.confidence == pytest.approx(0.8)
    ast.parse(found.code)


def test_what_is_tested_already_is_not_suggested():
    known = {"tests/test_money.py": "from money import split\n\ndef test_a():\n    split(1, 1)\n"}
    assert suggest({"money.py": SPLIT, **known}, "money.py") == []


def test_a_project_of_unittest_gets_unittest():
    tests = {"tests/test_x.py": "import unittest\n\nclass A(unittest.TestCase):\n    pass\n"}
    (found,) = suggest({"money.py": SPLIT, **tests}, "money.py")
    assert found.framework == "unittest"
    assert "self.assertRaises(ValueError)" in found.code


@pytest.mark.parametrize(
    "text",
    [
        "def _hidden(a: int) -> int:\n    b = a\n    return b\n",
        "def f(thing: Unknown) -> int:\n    a = thing\n    return 1\n",
        "def broken(:\n    pass\n    pass\n",
        "x = 1\n",
        "(" * 5_000,
    ],
)
def test_nothing_is_suggested_where_nothing_can_be_said(text):
    assert suggest({"a.py": text, **TESTED}, "a.py") == []


def test_a_test_file_needs_no_test():
    assert suggest({"tests/test_money.py": SPLIT}, "tests/test_money.py") == []


SCRIPT = """export function double(value: number): number {
  const twice = value * 2;
  return twice;
}
"""


def test_a_function_of_typescript_is_imported_by_the_way_from_its_test():
    files = {"src/math.ts": SCRIPT, "test/a.test.ts": 'import { it } from "vitest";'}
    (found,) = suggest(files, "src/math.ts")
    assert found.framework == "vitest"
    assert 'import { double } from "../src/math";' in found.code
    assert 'expect(typeof (double(3))).toBe("number");' in found.code


def test_a_function_of_go_is_tested_in_its_package():
    text = 'package money\n\nfunc Name(cents int) string {\n\tx := "a"\n\treturn x\n}\n'
    (found,) = suggest({"money.go": text}, "money.go")
    assert found.test_file == "money_test.go"
    assert found.code.startswith("package money\n")
    assert "func TestName(t *testing.T)" in found.code


RUNNABLE = {
    "refuses": SPLIT,
    "text": "def shout(name: str) -> str:\n    loud = name.upper()\n    return loud\n",
    "later": "async def total(rows: list) -> int:\n    found = len(rows)\n    return found\n",
    "empty": (
        "def first(rows: list) -> bool:\n    if not rows:\n        return False\n    return True\n"
    ),
    "number": (
        "def half(amount: float) -> float:\n    if amount == 0:\n        raise ValueError\n"
        "    return amount / 2\n"
    ),
    "missing": (
        "def greet(name: str) -> str:\n    if not name:\n        raise ValueError('who')\n"
        "    return 'hi ' + name\n"
    ),
}


@pytest.mark.parametrize("text", RUNNABLE.values(), ids=RUNNABLE.keys())
def test_a_suggested_test_runs_and_passes_where_the_code_is_right(text, tmp_path):
    (found,) = suggest({"thing.py": text, **TESTED}, "thing.py")
    (tmp_path / "thing.py").write_text(text)
    (tmp_path / "test_thing.py").write_text(found.code)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django"]
    done = subprocess.run(
        [*command, "."], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, found.code + done.stdout

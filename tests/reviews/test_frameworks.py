"""Which framework a project tests with, and where the test of a file goes."""

import pytest

from reviews.frameworks import Habit, habit_for


class Files(dict):
    """A repository as a table of texts."""

    def paths(self):
        return self.keys()

    def read(self, path):
        return self.get(path)


PYTEST = "def test_a():\n    assert True\n"
UNITTEST = "import unittest\n\nclass A(unittest.TestCase):\n    pass\n"


@pytest.mark.parametrize(
    ("files", "path", "language", "framework"),
    [
        ({}, "owl.py", "python", "pytest"),
        ({"tests/test_a.py": PYTEST}, "owl.py", "python", "pytest"),
        ({"tests/test_a.py": UNITTEST}, "owl.py", "python", "unittest"),
        ({"tests/test_a.py": UNITTEST, "tests/test_b.py": PYTEST}, "owl.py", "python", "pytest"),
        ({"owl_test.go": "package owl\n"}, "owl.go", "go", "go testing"),
        ({}, "owl.go", "go", "go testing"),
        ({}, "src/main/java/Owl.java", "java", "junit5"),
        (
            {"src/test/java/ATest.java": "import org.junit.Test;\n"},
            "src/main/java/Owl.java",
            "java",
            "junit4",
        ),
        (
            {"src/test/java/ATest.java": "import org.junit.jupiter.api.Test;\n"},
            "src/main/java/Owl.java",
            "java",
            "junit5",
        ),
        ({}, "owl.ts", "typescript", "vitest"),
        ({"package.json": '{"devDependencies": {"jest": "1"}}'}, "owl.ts", "typescript", "jest"),
        ({"package.json": '{"devDependencies": {"mocha": "1"}}'}, "owl.js", "javascript", "mocha"),
        (
            {"package.json": '{"jest": {}, "vitest": "1"}'},
            "owl.tsx",
            "tsx",
            "vitest",
        ),
        ({"package.json": '{"name": "jester"}'}, "owl.ts", "typescript", "vitest"),
        ({"a.test.ts": 'import { it } from "node:test";'}, "owl.js", "javascript", "node:test"),
        (
            {"a.test.ts": 'import { it } from "vitest";', "package.json": '{"jest": "1"}'},
            "owl.ts",
            "typescript",
            "vitest",
        ),
    ],
)
def test_a_framework_is_told_by_the_tests_that_are_there(files, path, language, framework):
    assert habit_for(Files(files), path, language).framework == framework


@pytest.mark.parametrize(
    ("path", "language"), [("owl.rb", "ruby"), ("owl.rs", "rust"), ("owl.css", "css")]
)
def test_nothing_is_said_of_languages_that_are_not_supported(path, language):
    assert habit_for(Files({"tests/owl_test.rb": ""}), path, language) is None


@pytest.mark.parametrize(
    ("test", "path", "language"),
    [
        ("tests/test_owl.py", "owl.py", "python"),
        ("tests/birds/test_owl.py", "src/birds/owl.py", "python"),
        ("tests/owl_test.py", "owl.py", "python"),
        ("tests/test_Owl.py", "owl.py", "python"),
        ("tests/test_spec.py", "spec.py", "python"),
        ("tests/test_contest.py", "contest.py", "python"),
        ("src/owl.test.ts", "src/owl.ts", "typescript"),
        ("src/owl.spec.ts", "src/owl.ts", "typescript"),
        ("src/latest.test.ts", "src/latest.ts", "typescript"),
        ("src/owl.service.spec.ts", "src/owl.service.ts", "typescript"),
        ("src/__tests__/owl.js", "src/owl.js", "javascript"),
        ("src/owl.test.js", "src/owl.ts", "typescript"),
        ("owl_test.go", "owl.go", "go"),
        ("src/test/java/OwlTest.java", "src/main/java/Owl.java", "java"),
        ("src/test/java/OwlTests.java", "src/main/java/Owl.java", "java"),
    ],
)
def test_the_test_that_a_file_has_is_found(test, path, language):
    habit = habit_for(Files({test: "", "tests/a.txt": ""}), path, language)
    assert (habit.test_file, habit.exists) == (test, True)


@pytest.mark.parametrize(
    ("tests", "path", "language", "expected"),
    [
        ([], "src/owl.py", "python", "tests/test_owl.py"),
        (["test/unit/test_a.py"], "src/owl.py", "python", "test/unit/test_owl.py"),
        (["conftest.py"], "owl.py", "python", "test_owl.py"),
        (["tests/test_howl.py"], "owl.py", "python", "tests/test_owl.py"),
        ([], "owl/night.go", "go", "owl/night_test.go"),
        (["a_test.go"], "owl/night.go", "go", "owl/night_test.go"),
        ([], "src/main/java/a/Owl.java", "java", "src/test/java/a/OwlTest.java"),
        ([], "src/owl.ts", "typescript", "tests/owl.test.ts"),
        ([], "src/owl.js", "javascript", "tests/owl.test.js"),
        (["src/a.test.ts"], "src/b/owl.ts", "typescript", "src/b/owl.test.ts"),
        (["src/a.test.tsx"], "src/b/owl.tsx", "tsx", "src/b/owl.test.ts"),
        (["test/a.test.ts"], "src/owl.ts", "typescript", "test/owl.test.ts"),
        (["src/__tests__/a.js"], "src/owl.js", "javascript", "src/__tests__/owl.test.js"),
        (
            ["tests/owls/test_a.py", "tests/mice/test_b.py"],
            "a.b.py",
            "python",
            "tests/mice/test_a.b.py",
        ),
        # Tests of another language say nothing.
        (["spec/a_test.go"], "src/owl.py", "python", "tests/test_owl.py"),
    ],
)
def test_a_new_test_goes_beside_those_that_are_there(tests, path, language, expected):
    files = Files(dict.fromkeys(tests, ""))
    framework = habit_for(files, path, language).framework
    assert habit_for(files, path, language) == Habit(framework, expected, exists=False)

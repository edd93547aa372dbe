"""Which framework a project tests with, and where the test of a file goes."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Protocol

from knowledge.languages import language_of, layer_of

LOOKED_AT = 12  # test files of a language


class Tree(Protocol):
    """A repository at one commit."""

    def paths(self) -> Collection[str]: ...

    def read(self, path: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Habit:
    """How a project tests a language: with what, and in which file a thing would be tested."""

    framework: str
    test_file: str
    exists: bool  # whether that file is there already


_PACKAGES = (("vitest", "vitest"), ("jest", "jest"), ("mocha", "mocha"))


def habit_for(tree: Tree, path: str, language: str) -> Habit | None:
    """Return how a file would be tested; nothing for a language that is not supported."""
    tests = sorted(
        one
        for one in tree.paths()
        if layer_of(one) == "test" and _family(language_of(one)) == _family(language)
    )
    framework = _framework(tree, tests, language)
    if not framework:
        return None
    stem = PurePosixPath(path).stem
    named = [one for one in tests if _tested_by(one) == stem.lower()]
    if named:
        return Habit(framework, named[0], True)
    return Habit(framework, _usual_place(tests, path, language), False)


def _family(language: str) -> str:
    return "script" if language in {"javascript", "typescript", "tsx"} else language


def _framework(tree: Tree, tests: list[str], language: str) -> str:
    family = _family(language)
    if family == "go":
        return "go testing"
    texts = [tree.read(path) or "" for path in tests[:LOOKED_AT]]
    if family == "python":
        is_unittest = texts and all("import unittest" in text for text in texts)
        return "unittest" if is_unittest else "pytest"
    if family == "java":
        return "junit4" if any("import org.junit.Test" in text for text in texts) else "junit5"
    return _of_scripts(tree, texts) if family == "script" else ""


def _of_scripts(tree: Tree, texts: list[str]) -> str:
    for text in texts:
        if "node:test" in text:
            return "node:test"
        if "vitest" in text:
            return "vitest"
    manifest = tree.read("package.json") or ""
    return next((name for word, name in _PACKAGES if f'"{word}"' in manifest), "vitest")


def _tested_by(path: str) -> str:
    """Return the name of what a test file is for, in lower case."""
    stem = PurePosixPath(path).stem.lower()
    # One mark only: `test_contest.py` is for `contest.py`, `latest.test.ts` for `latest.ts`.
    return re.sub(r"^tests?_|[._]?(?:tests?|spec)$", "", stem, count=1)


def _usual_place(tests: list[str], path: str, language: str) -> str:
    """Return where the test of a file would go, beside those that are there."""
    at = PurePosixPath(path)
    if language == "go":
        return str(at.with_name(f"{at.stem}_test.go"))
    if language == "java":
        there = str(at).replace("/main/", "/test/", 1)
        return str(PurePosixPath(there).with_name(f"{at.stem}Test.java"))
    folder = str(PurePosixPath(tests[0]).parent) if tests else "tests"
    if language == "python":
        return str(PurePosixPath(folder, f"test_{at.stem}.py"))
    is_beside = bool(tests) and not re.search(r"(?:^|/)(?:tests?|__tests__|spec)(?:/|$)", folder)
    suffix = ".test.ts" if language != "javascript" else ".test.js"
    return str(at.with_name(at.stem + suffix)) if is_beside else f"{folder}/{at.stem}{suffix}"

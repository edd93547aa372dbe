"""Tests worth writing for what a change did: code that parses, with names that exist.

What a test should expect is taken from the code where it says so: refused arguments, early returns,
the kind of value that an annotation promises. Confidence is 0.5 for a test that is only sketched,
and grows with what is known: 0.1 for typed arguments, 0.2 for an expectation that the code states,
and 0.1 where the project already has a file for it.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from knowledge.languages import language_of, layer_of
from knowledge.syntax_trees import Unparsable, parse_source, refuse_bombs
from reviews.frameworks import Habit, Tree, habit_for
from reviews.other_tests import scaffold
from reviews.outlines import Outline, outline_of
from reviews.python_tests import write_tests

LARGEST = 200_000  # characters
BASE, TYPED, STATED, PLACED = 0.5, 0.1, 0.2, 0.1

__all__ = ["Suggested", "Tree", "suggest_tests"]


@dataclass(frozen=True, slots=True)
class Suggested:
    """A test for a symbol: where it would go, its code, and why it is worth writing."""

    target_file: str
    test_file: str
    test_type: str
    framework: str
    confidence: float
    language: str
    symbol: str
    start_line: int
    end_line: int
    code: str
    reason: str


def suggest_tests(
    tree: Tree, path: str, changed_lines: Collection[int], *, most: int = 3
) -> list[Suggested]:
    """Return tests for what changed in a file; none where nothing can be said that is so."""
    text = tree.read(path) or ""
    language = language_of(path)
    if layer_of(path) == "test" or not text or len(text) > LARGEST:
        return []
    habit = habit_for(tree, path, language)
    if habit is None:
        return []
    found: list[Suggested] = []
    for outline in _worth_testing(text, language, changed_lines):
        if len(found) >= most:
            break
        tested = tree.read(habit.test_file) or "" if habit.exists else ""
        if outline.own_name not in tested:
            suggested = _suggested(tree, path, text, outline, habit)
            found += [suggested] if suggested else []
    return found


def _worth_testing(text: str, language: str, lines: Collection[int]) -> Iterator[Outline]:
    for outline in outline_of(text, language):
        is_touched = any(outline.start_line <= line <= outline.end_line for line in lines)
        is_small = outline.end_line - outline.start_line < 2
        is_ours = outline.is_callable and outline.is_public and not outline.own_name.startswith("_")
        if is_touched and is_ours and not (is_small or outline.is_stub):
            yield outline


def _suggested(
    tree: Tree, path: str, text: str, outline: Outline, habit: Habit
) -> Suggested | None:
    language = language_of(path)
    if language == "python":
        written = write_tests(tree, path, text, outline, habit.framework)
    else:
        written = scaffold(path, text, language, outline, habit)
    if written is None or not _parses(written.code, language):
        return None
    confidence = (
        BASE + PLACED * habit.exists + TYPED * written.is_typed + STATED * written.is_stated
    )
    return Suggested(
        target_file=path,
        test_file=habit.test_file,
        test_type="unit",
        framework=habit.framework,
        confidence=round(confidence, 2),
        language=language,
        symbol=outline.name,
        start_line=outline.start_line,
        end_line=outline.end_line,
        code=written.code,
        reason=written.reason,
    )


def _parses(code: str, language: str) -> bool:
    source = code.encode()
    try:
        refuse_bombs(source)
        return not parse_source(source, language).root_node.has_error
    except Unparsable:
        return False

"""Patterns that name files, in the syntax of .gitignore, one a line."""

import re
from collections.abc import Iterable

import re2
from pathspec import GitIgnoreSpec

LONGEST_PATTERN = 500
MOST_PATTERNS = 2_000  # of a repository's own ignore file; the rest of it counts for nothing
MOST_LINES = 200  # that a person gives


class PatternRefused(Exception):
    """A line is not a pattern; the message says which and why."""


def check_patterns(text: str) -> str:
    """Return what a person gave, tidied; raises `PatternRefused`."""
    lines = [line.rstrip("\r") for line in text.strip().split("\n")]
    if len(lines) > MOST_LINES:
        raise PatternRefused(f"Give at most {MOST_LINES} lines.")
    for number, line in enumerate(lines, 1):
        if len(line) > LONGEST_PATTERN:
            raise PatternRefused(f"Line {number} is longer than {LONGEST_PATTERN} characters.")
        if not is_pattern(line):
            raise PatternRefused(f"Line {number} is not a pattern: {line[:80]}")
    return "\n".join(lines)


def spec_of(lines: Iterable[str]) -> GitIgnoreSpec:
    """Return what matches paths in time linear in their length, whatever the patterns say."""
    return GitIgnoreSpec.from_lines(lines, backend="re2")


def lenient_spec(text: str) -> GitIgnoreSpec | None:
    """Return the patterns of a text, if it has any; a line that is none is passed by, as in git."""
    lines = [line for line in text.splitlines()[:MOST_PATTERNS] if is_pattern(line)]
    spec = spec_of(lines)
    return spec if any(pattern.include is not None for pattern in spec.patterns) else None


def is_pattern(line: str) -> bool:
    """Whether git would make anything of the line; a comment and an empty one count."""
    if "\0" in line or "[[" in line or len(line) > LONGEST_PATTERN:
        return False
    try:
        spec = spec_of([line])
    except (ValueError, re.error, re2.error):
        return False
    is_blank = not line.strip() or line.startswith("#")
    return is_blank or any(pattern.include is not None for pattern in spec.patterns)

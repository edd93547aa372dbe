"""Tests worth writing for what a change did: code that parses, with names that exist."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


class Tree(Protocol):
    """A repository at one commit."""

    def paths(self) -> Collection[str]: ...

    def read(self, path: str) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Suggested:
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
    return []

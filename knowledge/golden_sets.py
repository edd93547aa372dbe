"""Questions with what answers them: what a set of them holds, and its form as JSON lines."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FORM = '{"id", "query", "relevant": [paths]}'


class SetUnreadable(Exception):
    """A question set is not in the format; the message says where."""


@dataclass(frozen=True, slots=True, order=True)
class Passage:
    """Lines of a file, both ends included; the whole file where no lines are told."""

    path: str
    start_line: int = 0
    end_line: int = 0

    @property
    def has_lines(self) -> bool:
        return self.start_line > 0

    def touches(self, other: "Passage") -> bool:
        """Whether the two share a line."""
        if self.path != other.path:
            return False
        if not (self.has_lines and other.has_lines):
            return True
        return self.start_line <= other.end_line and other.start_line <= self.end_line


@dataclass(frozen=True, slots=True)
class Golden:
    """A question, the paths that answer it, and the lines in them where somebody told."""

    id: str
    query: str
    relevant: frozenset[str]
    lines: frozenset[Passage] = frozenset()
    note: str = ""

    @property
    def passages(self) -> list[Passage]:
        """Return what is to be found: the lines that are told, and else whole files."""
        told = {passage.path for passage in self.lines}
        return sorted([*self.lines, *(Passage(path) for path in self.relevant - told)])


def read_set(path: Path) -> list[Golden]:
    """Return the questions of a file of JSON lines."""
    return parse_set(path.read_text(encoding="utf-8"))


def parse_set(text: str) -> list[Golden]:
    """Return the questions of JSON lines; raises SetUnreadable with the line."""
    golden = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            golden.append(_read(json.loads(line), number))
        except (ValueError, KeyError, TypeError) as error:
            raise SetUnreadable(f"Line {number} is not {FORM}.") from error
    if not golden:
        raise SetUnreadable("The set holds no question.")
    return golden


def write_set(golden: Iterable[Golden]) -> str:
    """Return questions as JSON lines, which `parse_set` reads back."""
    return "".join(f"{json.dumps(_row(one), ensure_ascii=False)}\n" for one in golden)


def _read(row: dict[str, Any], number: int) -> Golden:
    passages = _passages(row["relevant"])
    return Golden(
        id=str(row.get("id", number)),
        query=str(row["query"]),
        relevant=frozenset(passage.path for passage in passages),
        lines=frozenset(passage for passage in passages if passage.has_lines),
        note=str(row.get("note", "")),
    )


def _passages(given: Sequence[Any]) -> list[Passage]:
    if not isinstance(given, list):
        raise TypeError
    return [
        passage_of(one["path"], one.get("start_line"), one.get("end_line"))
        if isinstance(one, dict)
        else Passage(str(one))
        for one in given
    ]


def passage_of(path: str, start_line: int | None, end_line: int | None) -> Passage:
    """Return lines of a file, a single one where only the first is told."""
    if start_line is None:
        return Passage(str(path))
    start = int(start_line)
    end = int(end_line) if end_line is not None else start
    if not 1 <= start <= end:
        raise ValueError
    return Passage(str(path), start, end)


def _row(golden: Golden) -> dict[str, Any]:
    relevant = [
        {"path": one.path, "start_line": one.start_line, "end_line": one.end_line}
        if one.has_lines
        else one.path
        for one in golden.passages
    ]
    row: dict[str, Any] = {"id": golden.id, "query": golden.query, "relevant": relevant}
    return {**row, "note": golden.note} if golden.note else row

"""Notebooks cut at their cells; lines are those of the raw file that hold a cell's source."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from knowledge.headings import markdown_headings
from knowledge.pieces import TARGET_TOKENS, Chunk, Lines, Piece, cut_rows, header_of, split_long

LONGEST_OUTPUT = 600
MOST_CELLS = 400
LONGEST_OUTPUT_SHOWN = 10_000

_TOKEN = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|[{}\[\]\n]')
_COLON = re.compile(r"\s*:")
_COLOURS = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")
_DEFINED = re.compile(r"^(?:async )?(?:def|class) (\w{1,80})", re.MULTILINE)


class NotANotebook(Exception):
    """The text is no JSON, or no notebook of version 4; the reason is for people."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as a reader meets it, with the lines of the raw file that hold its source."""

    kind: str
    source: str
    output: str
    number: int | None
    first_line: int
    last_line: int


@dataclass(frozen=True, slots=True)
class Notebook:
    cells: list[Cell]
    language: str
    left_out: int


@dataclass(slots=True)
class _Passage:
    text: str
    first: int
    last: int
    title: str


def read_notebook(text: str) -> Notebook:
    """The first cells of a notebook, to be read; raises NotANotebook."""
    notebook = _loaded(text)
    cells, rows = _cells(notebook), _source_rows(text)
    if len(rows) != len(cells):
        raise NotANotebook("its cells could not be found")
    shown = [
        Cell(
            kind if (kind := cell.get("cell_type")) in ("markdown", "code") else "raw",
            _plain(cell.get("source")),
            _output(cell, LONGEST_OUTPUT_SHOWN),
            number if isinstance(number := cell.get("execution_count"), int) else None,
            first + 1,
            last + 1,
        )
        for cell, (first, last) in zip(cells[:MOST_CELLS], rows, strict=False)
    ]
    return Notebook(shown, _language(notebook), len(cells) - len(shown))


def _language(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    for key, name in (("language_info", "name"), ("kernelspec", "language")):
        about = metadata.get(key) if isinstance(metadata, dict) else None
        language = about.get(name) if isinstance(about, dict) else None
        if isinstance(language, str) and language:
            return language.lower()[:30]
    return "python"


def chunk_notebook(path: str, text: str) -> list[Chunk]:
    """The cells of a notebook with what they printed, small neighbours joined; no images."""
    cells = _cells(_loaded(text))
    rows = _source_rows(text)
    if len(rows) != len(cells):
        raise NotANotebook("its cells could not be found")
    chunks: list[Chunk] = []
    for passage in _joined(list(_passages(cells, rows))):
        scope = (passage.title,) if passage.title else ()
        definitions = tuple(dict.fromkeys(_DEFINED.findall(passage.text)))
        piece = Piece(passage.first, passage.last, scope, kind="cell", definitions=definitions)
        for part in split_long(passage.text):
            chunks.append(
                Chunk(
                    index=len(chunks),
                    text=part,
                    start_line=passage.first + 1,
                    end_line=passage.last + 1,
                    kind="cell",
                    header=header_of(path, piece, ()),
                    definitions=definitions,
                )
            )
    return chunks


def _loaded(text: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise NotANotebook("not valid JSON") from error
    return notebook if isinstance(notebook, dict) else {}


def _cells(notebook: dict[str, Any]) -> list[dict[str, Any]]:
    cells = notebook.get("cells")
    if not isinstance(cells, list) or not all(isinstance(cell, dict) for cell in cells):
        raise NotANotebook("not a notebook of version 4")
    return cells


def _source_rows(text: str) -> list[tuple[int, int]]:
    """For each cell the rows of the raw file that its source takes; a list begins below its key."""
    rows: list[tuple[int, int]] = []
    top_key = cell_key = ""
    for row, depth, mark, is_key in _marks(text):
        if depth == 1 and is_key:
            top_key = mark
        elif top_key != '"cells"':
            continue
        elif depth == 3 and mark == "{":
            rows.append((row, row))
            cell_key = ""
        elif depth == 3 and is_key:
            cell_key = mark
            rows[-1] = (row, -1) if mark == '"source"' else rows[-1]
        elif cell_key == '"source"' and mark[0] == '"':
            first, last = rows[-1]
            rows[-1] = (row if last < 0 else first, row)
    return [(first, max(first, last)) for first, last in rows]


def _marks(text: str) -> Iterator[tuple[int, int, str, bool]]:
    """The strings and brackets of a JSON text: row, depth inside them, the mark, whether a key."""
    row = depth = 0
    for token in _TOKEN.finditer(text):
        mark = token[0]
        if mark == "\n":
            row += 1
            continue
        depth += (mark in "{[") - (mark in "}]")
        yield row, depth, mark, mark[0] == '"' and _COLON.match(text, token.end()) is not None


def _passages(cells: list[dict[str, Any]], rows: list[tuple[int, int]]) -> Iterator[_Passage]:
    title = ""
    for cell, (first, last) in zip(cells, rows, strict=True):
        source = _plain(cell.get("source"))
        if cell.get("cell_type") == "markdown" and (headings := markdown_headings(source)):
            title = headings[0].title
        lines = Lines(source)
        is_row_by_row = len(lines) == last - first + 1
        parts = list(cut_rows(lines, 0, len(lines) - 1, TARGET_TOKENS))
        for start, end in parts:
            shown = lines.text(start, end)
            if end == parts[-1][1] and (output := _output(cell)):
                shown = f"{shown}\n\n{output}"
            if is_row_by_row:
                yield _Passage(shown, first + start, first + end, title)
            else:
                yield _Passage(shown, first, last, title)


def _output(cell: dict[str, Any], longest: int = LONGEST_OUTPUT) -> str:
    """What the cell printed, as text."""
    outputs = cell.get("outputs")
    shown: list[str] = []
    for output in outputs[:50] if isinstance(outputs, list) else ():
        if not isinstance(output, dict):
            continue
        data = output.get("data")
        plain = data.get("text/plain") if isinstance(data, dict) else None
        error = f"{output['ename']}: {output.get('evalue', '')}" if "ename" in output else ""
        shown.append(_plain(output.get("text") or plain) or error)
    text = _COLOURS.sub("", "\n".join(part for part in shown if part))
    return text[:longest].strip()


def _plain(value: object) -> str:
    """The text of a field that notebooks keep as a string or as a list of lines."""
    if isinstance(value, list):
        value = "".join(part for part in value if isinstance(part, str))
    text = value if isinstance(value, str) else ""
    return re.sub("[\x00\ud800-\udfff]", "\ufffd", text)


def _joined(passages: list[_Passage]) -> list[_Passage]:
    joined: list[_Passage] = []
    for passage in passages:
        if joined and joined[-1].title == passage.title:
            together = f"{joined[-1].text}\n\n{passage.text}"
            if len(together) * 5 // 18 <= TARGET_TOKENS:
                joined[-1].text, joined[-1].last = together, passage.last
                continue
        joined.append(passage)
    return joined

"""Data files cut by their structure: rows of tables, keys of configuration."""

import re
from collections.abc import Iterator

from knowledge.outlines import Heading
from knowledge.pieces import LIMIT_TOKENS, TARGET_TOKENS, Chunk, Lines, Piece, chunks_of

DEEPEST_KEY = 3
COLUMNS_IN_HEADER = 400

# Possessive: else a string of a megabyte of backslashes takes a hundred to remember the way back.
_JSON_TOKEN = re.compile(r'"(?:[^"\\\n]++|\\.)*+"?|[{}\[\]\n]')
_JSON_COLON = re.compile(r"\s*:")
_YAML_KEY = re.compile(
    r"""( *)(?:- +)?("[^"\n]{1,100}"|'[^'\n]{1,100}'"""
    r"""|[^\s#&*!|>%@`"'\[\]{},?:-][^:#\n]{0,100}?)\s*:(?:\s|$)"""
)
_TOML_TABLE = re.compile(r"\s*\[{1,2}\s*([^\]\n]{1,200}?)\s*\]{1,2}\s*(?:[#;].*)?$")
_TOML_KEY = re.compile(r"""([\w.\-"']{1,100})\s*[=:]""")


def chunk_table(path: str, text: str) -> list[Chunk]:
    """Rows of a table; its first row, the names of the columns, is in the header of every chunk."""
    lines = Lines(text)
    columns = next((row for row in lines.rows if row.strip()), "").strip()[:COLUMNS_IN_HEADER]
    pieces = [Piece(first, last, kind="rows") for first, last in _records(lines)]
    for piece in pieces:
        piece.mentions = (columns,)
    return chunks_of(path, lines, pieces, ())


def _records(lines: Lines) -> Iterator[tuple[int, int]]:
    """Runs of whole records of about the target; a quoted field may hold line feeds."""
    start, safe_end = 0, -1
    is_open = False
    for row, line in enumerate(lines.rows):
        is_open ^= line.count('"') % 2 == 1
        too_large = lines.cost(start, row) > (LIMIT_TOKENS if is_open else TARGET_TOKENS)
        if too_large and row > start:
            end = safe_end if safe_end >= start else row - 1
            yield from _trimmed(lines, start, end)
            start = end + 1
        if not is_open:
            safe_end = row
    yield from _trimmed(lines, start, len(lines) - 1)


def _trimmed(lines: Lines, first: int, last: int) -> Iterator[tuple[int, int]]:
    first, last = lines.trimmed(first, last)
    if first <= last:
        yield first, last


def json_headings(text: str) -> list[Heading]:
    """The keys of the outer levels of a JSON text, found without loading it."""
    headings: list[Heading] = []
    row = depth = 0
    in_list = [False]
    for token in _JSON_TOKEN.finditer(text):
        mark = token[0]
        if mark == "\n":
            row += 1
        elif mark in "{[":
            depth += 1
            if depth <= DEEPEST_KEY + 1:
                del in_list[depth:]
                in_list.append(mark == "[")
        elif mark in "}]":
            depth = max(0, depth - 1)
        elif (
            0 < depth <= DEEPEST_KEY
            and not in_list[min(depth, len(in_list) - 1)]
            and _JSON_COLON.match(text, token.end())
        ):
            _append(headings, Heading(row, depth, mark.strip('"')[:100]))
    return headings


def _append(headings: list[Heading], heading: Heading) -> None:
    """Adds the heading; of several in a row of text the first, outermost, stands for it."""
    if not headings or headings[-1].row < heading.row:
        headings.append(heading)


def yaml_headings(text: str) -> list[Heading]:
    """The keys of a YAML text by their indentation, found without loading it."""
    headings: list[Heading] = []
    for row, line in enumerate(text.split("\n")):
        found = _YAML_KEY.match(line)
        if found and len(found[1]) <= 8:
            # An item may stand as far left as the key of its list, and is below it all the same.
            is_item = line.startswith("- ", len(found[1]))
            title = line.strip()[2:62].strip() if is_item else found[2].strip("\"' ")
            headings.append(Heading(row, 2 * len(found[1]) + 1 + is_item, title))
    return headings


def toml_headings(text: str) -> list[Heading]:
    """The tables of a TOML or INI text, and the keys that stand before the first."""
    headings: list[Heading] = []
    for row, line in enumerate(text.split("\n")):
        if found := _TOML_TABLE.match(line[:300]):
            headings.append(Heading(row, 1, re.sub("[\"']", "", found[1])))
        elif found := _TOML_KEY.match(line[:120]):
            level = 2 if any(heading.level == 1 for heading in headings[:1]) else 1
            headings.append(Heading(row, level, found[1]))
    return headings

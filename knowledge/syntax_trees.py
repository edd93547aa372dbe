"""Chunks of source code, cut along its syntax tree."""

import re
import threading
import time
import zlib
from dataclasses import replace

from tree_sitter import Node, Parser, Tree

from knowledge.definitions import Definition, bound_names, definition_of, receiver_of
from knowledge.grammars import CONTAINERS, GRAMMARS, load_language
from knowledge.pieces import (
    HEADER_PART,
    INTRODUCTION_TOKENS,
    LIMIT_TOKENS,
    SMALL_TOKENS,
    TARGET_TOKENS,
    Chunk,
    Lines,
    Piece,
    chunks_of,
    cover,
    pack,
)

PARSE_SECONDS = 1.0
DEEPEST_NESTING = 200
DEEPEST_WALK = 48
LONGEST_ROW = 20_000
REPETITIVE = 40

_BRACKETS = re.compile(rb"[\[\](){}<>;]")
_OPENING = re.compile(r"(?:\s|=>|[{(:=;])*$")


class Unparsable(Exception):
    """The text would cost the parser too much, or has no structure; the reason is for people."""


def is_supported(language: str) -> bool:
    return language in GRAMMARS


def chunk_code(path: str, text: str, language: str) -> list[Chunk]:
    """The definitions of a source file as chunks; raises Unparsable when lines cut it better."""
    source = text.encode(errors="replace")
    refuse_bombs(source)
    tree = parse_source(source, language)
    root = tree.root_node
    if root.type == "ERROR":
        raise Unparsable("the parser found no structure")
    lines = Lines(text)
    outline = _Outline(lines, source, language)
    outline.walk(root.children, (), None, 0)
    pieces = pack(lines, cover(lines, outline.pieces))
    names = tuple(dict.fromkeys(outline.top_names))
    return chunks_of(path, lines, pieces, names)


def refuse_bombs(source: bytes) -> None:
    """Raises Unparsable for text that is nested or repeated as no person writes it.

    Some grammars need memory that grows with the square of unclosed brackets (`a<a<a<…` in Java:
    a gigabyte for 20 KB), which no time limit bounds well enough.
    """
    if len(source) > LONGEST_ROW and max(map(len, source.split(b"\n"))) > LONGEST_ROW:
        raise Unparsable("a line is too long")
    if len(source) > LONGEST_ROW and len(zlib.compress(source, 1)) * REPETITIVE < len(source):
        raise Unparsable("the text repeats itself")
    if _nesting(source) > DEEPEST_NESTING:
        raise Unparsable("nested too deeply")


def _nesting(source: bytes) -> int:
    """The most brackets open at once; angle brackets are forgotten where a statement ends."""
    depth = angles = deepest = 0
    for bracket in _BRACKETS.findall(source):
        if bracket in b"([{":
            depth += 1
        elif bracket in b")]}":
            depth -= depth > 0
        elif bracket == b"<":
            angles += 1
        elif bracket == b">":
            angles -= angles > 0
        if bracket in b";{}":
            angles = 0
        deepest = max(deepest, depth, angles)
    return deepest


class _Workbench(threading.local):
    """What a thread parses with; parsers cannot be shared, and are dear enough to keep."""

    def __init__(self) -> None:
        self.parsers: dict[str, Parser] = {}
        self.buffer = bytearray()


_workbench = _Workbench()


def parse_source(source: bytes, language: str) -> Tree:
    """Return the syntax tree of a text; raises Unparsable where that takes too long."""
    parsers, buffer = _workbench.parsers, _workbench.buffer
    if language not in parsers:
        parsers[language] = Parser(load_language(language))
    parser = parsers[language]
    # The binding never frees what the read function gives it, so it is given the same object
    # for every file: a worker would otherwise keep every source that it has ever parsed.
    buffer[:] = source
    views: list[memoryview] = []
    # The processor's time, not the clock's: a busy machine must not change how a file is cut.
    deadline = time.thread_time() + PARSE_SECONDS

    def read(offset: int, _point: object) -> bytearray | memoryview | None:
        if offset >= len(source):
            return None
        if offset == 0:
            return buffer
        views.append(memoryview(buffer)[offset:])
        return views[-1]

    def is_late(_offset: int, _has_error: bool) -> bool:
        return time.thread_time() > deadline

    try:
        return parser.parse(read, encoding="utf8", progress_callback=is_late)
    except ValueError as error:
        parser.reset()
        raise Unparsable("the parser took too long") from error
    finally:
        for view in views:
            view.release()


class _Outline:
    """Collects the pieces of a file in order, while walking down from its root."""

    def __init__(self, lines: Lines, source: bytes, language: str) -> None:
        self.lines = lines
        self.source = source
        self.language = language
        self.comments = GRAMMARS[language].comments
        self.regions = GRAMMARS[language].regions
        self.pieces: list[Piece] = []
        self.top_names: list[str] = []

    def walk(
        self, nodes: list[Node], scope: tuple[str, ...], owner: Piece | None, depth: int
    ) -> None:
        """Adds the pieces of sibling nodes; a comment directly above a node belongs to it."""
        comment_first = comment_last = -1
        for node in nodes:
            first, last = _rows(node)
            if node.type in self.comments:
                if self.pieces and first <= self.pieces[-1].last:
                    continue
                if comment_first >= 0 and first > comment_last + 1:
                    self._add_statement(comment_first, comment_last, scope, owner)
                    comment_first = -1
                comment_first = first if comment_first < 0 else comment_first
                comment_last = last
                continue
            if comment_first >= 0 and first > comment_last + 1:
                self._add_statement(comment_first, comment_last, scope, owner)
                comment_first = -1
            start = comment_first if comment_first >= 0 else first
            comment_first = -1
            self._add(node, (start, last), scope, owner, depth)
        if comment_first >= 0:
            self._add_statement(comment_first, comment_last, scope, owner)

    def _add(
        self,
        node: Node,
        rows: tuple[int, int],
        scope: tuple[str, ...],
        owner: Piece | None,
        depth: int,
    ) -> None:
        first, last = rows
        too_large = self.lines.cost(first, last) > LIMIT_TOKENS
        definition = None
        if node.is_named and (owner is None or last > first):
            definition = definition_of(node, self.language, self.source)
        if definition and definition.name and depth < DEEPEST_WALK:
            self._define(definition, rows, scope, depth)
        elif (too_large or (owner is None and node.type in self.regions)) and depth < DEEPEST_WALK:
            before = len(self.pieces)
            self.walk(node.children, scope, owner, depth + 1)
            if len(self.pieces) > before:
                self.pieces[before].first = min(first, self.pieces[before].first)
        else:
            names: tuple[str, ...] = ()
            if owner is None and node.is_named:
                names = bound_names(node, self.language, self.source)
            self._add_statement(first, last, scope, owner, names)
            if not scope:
                self.top_names += names

    def _add_statement(
        self,
        first: int,
        last: int,
        scope: tuple[str, ...],
        owner: Piece | None,
        names: tuple[str, ...] = (),
    ) -> None:
        if owner:
            piece = Piece(first, last, owner.scope, owner.name, owner.kind, owner.signature)
            piece.stands_alone = True
        else:
            piece = Piece(
                first, last, scope, kind="class" if scope else "module", definitions=names
            )
        self.pieces.append(piece)

    def _define(
        self,
        definition: Definition,
        rows: tuple[int, int],
        scope: tuple[str, ...],
        depth: int,
    ) -> None:
        first, last = rows
        name, kind, body = definition.name, definition.kind, definition.body
        if self.language == "go" and (receiver := receiver_of(definition.node, self.source)):
            name = f"{receiver}.{name}"
        own_name = name.rsplit(".", 1)[-1]
        if not scope and kind != "implementation":
            self.top_names.append(own_name)
        if (
            kind == "function"
            and (scope or own_name != name)
            and self.language in {"python", "rust", "cpp"}
        ):
            kind = "method"
        piece = Piece(first, last, scope, name, kind, self._signature(definition))
        piece.definitions = (own_name,) if kind != "implementation" else ()
        cost = self.lines.cost(first, last)
        if body is not None and kind in CONTAINERS:
            self._define_container(piece, body, depth)
        elif body is not None and cost > LIMIT_TOKENS:
            self._define_in_parts(piece, body, depth)
        else:
            piece.stands_alone = cost > SMALL_TOKENS
            if definition.columns:
                # A passage of its own for each table, that schemas can be searched by.
                piece.stands_alone, piece.collection = True, "schemas"
                piece.metadata = {"table": name, "columns": list(definition.columns)}
            self.pieces.append(piece)

    def _define_container(self, piece: Piece, body: Node, depth: int) -> None:
        inner_scope = (*piece.scope, piece.name)
        before = len(self.pieces)
        head = Piece(piece.first, _rows(body)[0], inner_scope, "", piece.kind, piece.signature)
        head.definitions = piece.definitions
        self.pieces.append(head)
        self.walk(body.children, inner_scope, None, depth + 1)
        members = self.pieces[before:]
        if len(members) > 1 and members[1].first <= head.last < members[1].last:
            head.last = members[1].first - 1
        if self.lines.cost(piece.first, piece.last) <= TARGET_TOKENS:
            piece.definitions = tuple(name for member in members for name in member.definitions)
            piece.stands_alone = self.lines.cost(piece.first, piece.last) > SMALL_TOKENS
            self.pieces[before:] = [piece]

    def _define_in_parts(self, piece: Piece, body: Node, depth: int) -> None:
        """A large definition in parts that all carry its signature; the first begins with it."""
        before = len(self.pieces)
        head = replace(piece, last=_rows(body)[0], stands_alone=True)
        self.pieces.append(head)
        self.walk(body.children, (*piece.scope, piece.name), piece, depth + 1)
        while len(self.pieces) > before + 1 and (
            self.pieces[before + 1].name == piece.name
            and self.lines.cost(head.first, head.last) < INTRODUCTION_TOKENS
        ):
            head.last = max(head.last, self.pieces.pop(before + 1).last)

    def _signature(self, definition: Definition) -> str:
        """What stands before the body, in one line."""
        start = definition.start_byte
        end = definition.body.start_byte if definition.body else definition.node.end_byte
        raw = self.source[start : min(end, start + 4 * HEADER_PART)].decode(errors="ignore")
        if definition.body is None:
            raw = raw.split("\n", 1)[0]
        return _OPENING.sub("", " ".join(raw.split()))[:HEADER_PART]


def _rows(node: Node) -> tuple[int, int]:
    first, (last, column) = node.start_point[0], node.end_point
    return first, last - 1 if column == 0 and last > first else last

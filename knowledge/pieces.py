"""What every chunker shares: chunks, the pieces they are made of, how pieces become chunks."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

# Estimated, not counted: UTF-8 bytes of a line without its indentation, over 3.6. Word-piece
# vocabularies come near that for code and English, and a CJK character (3 bytes) costs about one.
# Indentation costs a little all the same, or a chunk of spaces could be of any size.
TARGET_TOKENS = 300
LIMIT_TOKENS = 512
SMALL_TOKENS = 150
PART_TOKENS = 400
INTRODUCTION_TOKENS = 60
TINY_TOKENS = 20
LIMIT_BYTES = LIMIT_TOKENS * 18 // 5
NAMES_IN_HEADER = 12
HEADER_PART = 160

_WORD = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document that is searched, embedded and quoted as one."""

    index: int
    text: str
    start_line: int
    end_line: int
    symbol: str = ""
    kind: str = "lines"
    anchor: str = ""
    header: str = ""
    definitions: tuple[str, ...] = ()
    # Where the passage is of a collection of its own, and what is known of it alone.
    collection: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Chunked:
    """The chunks of a document, in order, with what a reader should know of how they were cut."""

    chunks: list[Chunk]
    notes: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Piece:
    """Consecutive rows (counted from 0) that should stay together."""

    first: int
    last: int
    scope: tuple[str, ...] = ()
    name: str = ""
    kind: str = "lines"
    signature: str = ""
    anchor: str = ""
    definitions: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    stands_alone: bool = False
    is_several: bool = False
    collection: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)

    @property
    def symbol(self) -> str:
        if self.kind == "section":
            return ""
        return ".".join((*self.scope, self.name)) if self.name else ".".join(self.scope)


def tokens_of(text: bytes) -> int:
    """Return about how many tokens a model makes of UTF-8."""
    return (len(text) * 5 + 17) // 18


class Lines:
    """A text as rows that end at a line feed and nowhere else, with what each costs in tokens."""

    def __init__(self, text: str) -> None:
        self.rows = text.split("\n")
        is_ascii = text.isascii()
        self._totals = [0]
        total = 0
        for row in self.rows:
            if words := row.strip():
                size = len(words) if is_ascii else len(words.encode())
                total += (size * 5 + 17) // 18 + (len(row) - len(words)) // 32
            self._totals.append(total)

    def __len__(self) -> int:
        return len(self.rows)

    def cost(self, first: int, last: int) -> int:
        return self._totals[last + 1] - self._totals[first]

    def text(self, first: int, last: int) -> str:
        return "\n".join(self.rows[first : last + 1])

    def is_blank(self, row: int) -> bool:
        return self._totals[row + 1] == self._totals[row]

    def trimmed(self, first: int, last: int) -> tuple[int, int]:
        """The same rows without blank ones at either end; last < first when nothing is left."""
        while first <= last and self.is_blank(first):
            first += 1
        while last >= first and self.is_blank(last):
            last -= 1
        return first, last


def paragraphs(lines: Lines, first: int, last: int) -> Iterator[tuple[int, int]]:
    """Runs of rows without a blank one among them."""
    start = -1
    for row in range(first, last + 1):
        if lines.is_blank(row):
            if start >= 0:
                yield start, row - 1
            start = -1
        elif start < 0:
            start = row
    if start >= 0:
        yield start, last


def cut_rows(lines: Lines, first: int, last: int, target: int) -> Iterator[tuple[int, int]]:
    """Consecutive runs of rows of about the target each, cut at blank lines where there are any."""
    start = end = -1
    for begin, finish in _at_most(lines, paragraphs(lines, first, last), target):
        if start >= 0 and lines.cost(start, finish) <= target:
            end = finish
            continue
        if start >= 0:
            yield start, end
        start, end = begin, finish
    if start >= 0:
        yield start, end


def _at_most(
    lines: Lines, spans: Iterator[tuple[int, int]], target: int
) -> Iterator[tuple[int, int]]:
    for first, last in spans:
        if lines.cost(first, last) <= target:
            yield first, last
            continue
        start = first
        for row in range(first, last + 1):
            if row > start and lines.cost(start, row) > target:
                yield start, row - 1
                start = row
        yield start, last


def cover(lines: Lines, pieces: list[Piece]) -> list[Piece]:
    """The pieces stretched so that each non-blank row is in one, in order, none over the limit."""
    covered: list[Piece] = []
    for piece in pieces:
        previous = covered[-1] if covered else None
        edge = previous.last + 1 if previous else 0
        if previous and piece.last < edge:
            previous.definitions += piece.definitions
            continue
        if previous is None or piece.first < edge:
            piece.first = edge
        elif piece.first > edge:
            previous.last = piece.first - 1
        covered.append(piece)
    if covered:
        covered[-1].last = max(covered[-1].last, len(lines) - 1)
    elif len(lines):
        covered.append(Piece(0, len(lines) - 1))
    return [part for piece in covered for part in _within_limit(lines, piece)]


def _within_limit(lines: Lines, piece: Piece) -> Iterator[Piece]:
    piece.first, piece.last = lines.trimmed(piece.first, piece.last)
    if piece.last < piece.first:
        return
    total = lines.cost(piece.first, piece.last)
    if total <= LIMIT_TOKENS:
        yield piece
        return
    for position, (first, last) in enumerate(
        cut_rows(lines, piece.first, piece.last, TARGET_TOKENS)
    ):
        part = Piece(first, last, piece.scope, piece.name, piece.kind, piece.signature)
        part.anchor, part.mentions, part.stands_alone = piece.anchor, piece.mentions, True
        part.definitions = piece.definitions if position == 0 else ()
        part.collection, part.metadata = piece.collection, piece.metadata
        yield part


def pack(lines: Lines, pieces: list[Piece], target: int = TARGET_TOKENS) -> list[Piece]:
    """Neighbours of one scope joined up to the target; what stands alone is left as it is."""
    packed: list[Piece] = []
    for piece in pieces:
        if packed and _joins(lines, packed[-1], piece, target):
            packed[-1] = _joined(lines, packed[-1], piece)
        else:
            packed.append(piece)
    return packed


def _joins(lines: Lines, left: Piece, right: Piece, target: int) -> bool:
    total = lines.cost(left.first, right.last)
    if total > LIMIT_TOKENS:
        return False
    if _are_parts_of_one(left, right):
        rest = lines.cost(right.first, right.last)
        return total <= PART_TOKENS or rest <= INTRODUCTION_TOKENS
    if _introduces(left, right):
        return lines.cost(left.first, left.last) <= INTRODUCTION_TOKENS
    if _remnant_of(lines, left, right):
        return True
    if left.stands_alone or right.stands_alone or left.scope != right.scope:
        return False
    return total <= target


def _are_parts_of_one(left: Piece, right: Piece) -> bool:
    return bool(left.name and left.name == right.name) and (left.scope, left.signature) == (
        right.scope,
        right.signature,
    )


def _introduces(left: Piece, right: Piece) -> bool:
    """Whether the left is what stands between a heading, or the top, and the first one under it."""
    if left.kind not in {"section", "key"} or left.is_several or left.kind != right.kind:
        return False
    return right.scope == ((*left.scope, left.name) if left.name else left.scope)


def _remnant_of(lines: Lines, left: Piece, right: Piece) -> Piece | None:
    """The one that is too short to be found on its own: closing brackets, a lone import, a call."""
    if _is_remnant(lines, right, left) and not right.signature:
        return right
    return left if _is_remnant(lines, left, right) else None


def _is_remnant(lines: Lines, piece: Piece, neighbour: Piece) -> bool:
    if piece.name or lines.cost(piece.first, piece.last) > TINY_TOKENS:
        return False
    if piece.kind not in {"module", "class", "implementation"}:
        return not _WORD.search(lines.text(piece.first, piece.last))
    return not piece.definitions or piece.scope == neighbour.scope


def _joined(lines: Lines, left: Piece, right: Piece) -> Piece:
    if _introduces(left, right):
        right.first = left.first
        return right
    remnant = right if _are_parts_of_one(left, right) else _remnant_of(lines, left, right)
    if remnant:
        kept = left if remnant is right else right
        kept.first, kept.last = left.first, right.last
        kept.definitions = left.definitions + right.definitions
        if not kept.name and not kept.signature:
            kept.signature = remnant.signature
        return kept
    told = [piece for piece in (left, right) if piece.name or piece.definitions]
    joined = Piece(left.first, right.last, left.scope, anchor=left.anchor)
    joined.definitions = left.definitions + right.definitions
    joined.is_several = left.is_several or right.is_several or len(told) > 1
    if joined.is_several:
        _describe_several(joined, left, right)
        return joined
    source = told[0] if told else left
    joined.name, joined.kind, joined.signature = source.name, source.kind, source.signature
    joined.mentions = left.mentions + right.mentions
    return joined


def _describe_several(joined: Piece, left: Piece, right: Piece) -> None:
    joined.mentions = tuple(
        name for piece in (left, right) for name in (piece.name, *piece.mentions) if name
    )
    if left.kind == right.kind:
        joined.kind = left.kind
    else:
        joined.kind = "class" if left.scope else "module"
    if not left.name and left.kind == joined.kind:
        joined.signature = left.signature


def chunks_of(path: str, lines: Lines, pieces: list[Piece], names: tuple[str, ...]) -> list[Chunk]:
    """The pieces as chunks; a row too long for one chunk becomes several with its number."""
    chunks: list[Chunk] = []
    for piece in pieces:
        header = header_of(path, piece, names)
        text = lines.text(piece.first, piece.last)
        for part in split_long(text):
            chunks.append(
                Chunk(
                    index=len(chunks),
                    text=part,
                    start_line=piece.first + 1,
                    end_line=piece.last + 1,
                    symbol=piece.symbol,
                    kind=piece.kind,
                    anchor=piece.anchor,
                    header=header,
                    definitions=tuple(dict.fromkeys(piece.definitions)),
                    collection=piece.collection,
                    metadata=piece.metadata,
                )
            )
    return chunks


def split_long(text: str) -> Iterator[str]:
    """The text, or when it is one enormous row, slices of it that fit a chunk."""
    size = len(text)
    weight = size if text.isascii() else len(text.encode())
    if "\n" in text or weight <= LIMIT_BYTES + 64:
        yield text
        return
    step = max(1, LIMIT_BYTES * size // weight)
    start = 0
    while start < size:
        end = start + step
        if end < size:
            space = text.rfind(" ", start + step // 2, end)
            end = space + 1 if space > 0 else end
        if text[start:end].strip():
            yield text[start:end]
        start = end


def header_of(path: str, piece: Piece, names: tuple[str, ...]) -> str:
    """The line that says where a chunk is from: path, what encloses it, the names around it."""
    place = [path, *piece.scope]
    if piece.signature:
        if not piece.name and piece.scope:
            place.pop()
        place.append(piece.signature)
    elif piece.name:
        place.append(piece.name)
    header = " > ".join(part[:HEADER_PART] for part in place)
    listed = list(dict.fromkeys(piece.mentions + piece.definitions + names))[:NAMES_IN_HEADER]
    return f"{header} : {', '.join(listed)}" if listed else header

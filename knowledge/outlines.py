"""Chunks of text that has an outline: headings of a document, keys of a data file."""

from dataclasses import dataclass

from knowledge.pieces import TARGET_TOKENS, Chunk, Lines, Piece, chunks_of, cover, pack

SMALL_SECTION = 80


@dataclass(frozen=True, slots=True)
class Heading:
    """A row that begins a section; a section ends where one of its level or above begins."""

    row: int
    level: int
    title: str
    anchor: str = ""


def chunk_outline(
    path: str, text: str, headings: list[Heading], kind: str, opening: str = "section"
) -> list[Chunk]:
    """A chunk for each section that fits one with all that is under it, smaller ones joined."""
    lines = Lines(text)
    pieces = pack(lines, cover(lines, _pieces(lines, headings, kind, opening)))
    return chunks_of(path, lines, pieces, ())


def _pieces(lines: Lines, headings: list[Heading], kind: str, opening: str) -> list[Piece]:
    pieces = []
    if headings and headings[0].row > 0:
        pieces.append(Piece(0, headings[0].row - 1, kind=opening))
    ends = _ends(headings, len(lines))
    ancestors: list[Heading] = []
    position = 0
    while position < len(headings):
        heading = headings[position]
        while ancestors and ancestors[-1].level >= heading.level:
            ancestors.pop()
        last, following = ends[position]
        inner: tuple[str, ...] = ()
        if lines.cost(heading.row, last) <= TARGET_TOKENS:
            inner = tuple(each.title for each in headings[position + 1 : following])
        else:
            following = position + 1
            last = headings[following].row - 1 if following < len(headings) else len(lines) - 1
        scope = tuple(each.title for each in ancestors)
        piece = Piece(heading.row, last, scope, heading.title, kind, "", heading.anchor)
        piece.mentions = inner
        piece.stands_alone = lines.cost(heading.row, last) > SMALL_SECTION
        pieces.append(piece)
        ancestors.append(heading)
        position = following
    return pieces


def _ends(headings: list[Heading], size: int) -> list[tuple[int, int]]:
    """For each heading, the last row under it and the position of the first heading that is not."""
    ends = [(size - 1, len(headings))] * len(headings)
    open_positions: list[int] = []
    for position, heading in enumerate(headings):
        while open_positions and headings[open_positions[-1]].level >= heading.level:
            ends[open_positions.pop()] = (heading.row - 1, position)
        open_positions.append(position)
    return ends

"""Chunks of text of which nothing is known but its lines."""

from knowledge.definition_lines import names_defined_in
from knowledge.pieces import TARGET_TOKENS, Chunk, Lines, Piece, chunks_of, cut_rows


def chunk_lines(path: str, text: str) -> list[Chunk]:
    """Consecutive lines, cut at blank ones where there are any."""
    lines = Lines(text)
    pieces = [
        Piece(first, last, definitions=names_defined_in(lines.text(first, last)))
        for first, last in cut_rows(lines, 0, len(lines) - 1, TARGET_TOKENS)
    ]
    return chunks_of(path, lines, pieces, ())

"""Cutting text as most tutorials do: by characters, at blank lines, lines and spaces if possible.

The same pieces as LangChain's RecursiveCharacterTextSplitter with its default separators, so that
our chunks can be measured against what people would otherwise build.
"""

from collections import deque
from collections.abc import Iterator, Sequence

SIZE = 1000
OVERLAP = 100
SEPARATORS = ("\n\n", "\n", " ", "")

Span = tuple[int, int]


def split_by_characters(text: str, *, size: int = SIZE, overlap: int = OVERLAP) -> list[Span]:
    """Return where the pieces of a text begin and end, without white space at their edges."""
    spans = _split(text, (0, len(text)), SEPARATORS, size, overlap)
    trimmed = (_trimmed(text, span) for span in spans)
    return [span for span in trimmed if span[0] < span[1]]


def _split(
    text: str, span: Span, separators: Sequence[str], size: int, overlap: int
) -> Iterator[Span]:
    present = (
        place for place, one in enumerate(separators) if not one or text.find(one, *span) >= 0
    )
    place = next(present, len(separators) - 1)
    finer = separators[place + 1 :]
    small: list[Span] = []
    for piece in _cut(text, span, separators[place]):
        if piece[1] - piece[0] < size:
            small.append(piece)
            continue
        yield from _merged(small, size, overlap)
        small = []
        if finer:
            yield from _split(text, piece, finer, size, overlap)
        else:
            yield piece
    yield from _merged(small, size, overlap)


def _cut(text: str, span: Span, separator: str) -> Iterator[Span]:
    """Yield pieces that cover the span, each but the first beginning with the separator."""
    start, end = span
    if not separator:
        yield from ((place, place + 1) for place in range(start, end))
        return
    looked_from = start
    while (found := text.find(separator, looked_from, end)) >= 0:
        if found > start:
            yield start, found
        start, looked_from = found, found + len(separator)
    if start < end:
        yield start, end


def _merged(pieces: Sequence[Span], size: int, overlap: int) -> Iterator[Span]:
    """Yield neighbours joined up to a size; each begins with the last pieces of the one before."""
    held: deque[Span] = deque()
    total = 0
    for piece in pieces:
        length = piece[1] - piece[0]
        if held and total + length > size:
            yield held[0][0], held[-1][1]
            while total > overlap or (total + length > size and total > 0):
                start, end = held.popleft()
                total -= end - start
        held.append(piece)
        total += length
    if held:
        yield held[0][0], held[-1][1]


def _trimmed(text: str, span: Span) -> Span:
    start, end = span
    piece = text[start:end]
    start += len(piece) - len(piece.lstrip())
    return start, max(start, end - (len(piece) - len(piece.rstrip())))

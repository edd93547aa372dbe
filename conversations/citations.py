"""Numbered marks in an answer, such as [1]: where they stand, outside of code."""

import re
from collections.abc import Iterator

GAP = r"[ \t]*\n?[ \t]*"
MARK = re.compile(rf"[ \t]?\[(\d{{1,3}}(?:{GAP}[,–-]{GAP}\d{{1,3}})*)\](?:\([^)\n]*\))?")
# A mark that may go on in the next piece; the address behind one included.
BEGUN = re.compile(r"[ \t]?(?:\[(?:\d[\d\s,–-]{0,60})?(?:\](?:\([^)\n]{0,300})?)?)?$")
LONGEST_BEGUN = 400  # signs, more than the pattern can match
# Within a paragraph: a sign that stands alone is none of the next one's.
CODE = re.compile(r"(?<!`)(`+)(?!`)((?:(?!\n[^\S\n]*\n).)+?)(?<!`)\1(?!`)", re.DOTALL)
OPEN = re.compile("`")  # in a text whose code is taken out: it may be code one day
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
MOST_OF_A_RANGE = 20


def numbers_in(mark: str) -> list[int]:
    """Return the numbers of what stands between brackets: `1, 3-5`."""
    numbers: list[int] = []
    for part in mark.split(","):
        first, *last = (int(number) for number in re.split(r"\s*[–-]\s*", part.strip()))
        end = last[0] if last else first
        numbers += range(first, min(end, first + MOST_OF_A_RANGE) + 1) if end >= first else [first]
    return numbers


def without_marks(text: str) -> str:
    """Return a text without its marks; what stands in code is left alone."""
    if "[" not in text:
        return text
    masked = without_code(text)
    for mark in reversed(list(MARK.finditer(masked))):
        text = text[: mark.start()] + text[mark.end() :]
    return text


class Unmarked:
    """A text on its way to a reader, piece by piece, without marks that nobody has checked yet.

    Code stays as it is. What is code can be told only where it ends: until then it is held back.
    """

    def __init__(self) -> None:
        self._paragraph = ""
        self._shown = 0  # so many signs of it, without its marks

    def feed(self, piece: str) -> str:
        """Return what can be shown by now; what may become a mark or code is held back."""
        self._paragraph += piece
        over = _end_of_paragraphs(self._paragraph)
        shown = self._next(self._paragraph[:over])
        if over:
            self._paragraph, self._shown = self._paragraph[over:], 0
        return shown + self._next(self._paragraph[: _sure_end(self._paragraph)])

    def rest(self) -> str:
        """Return what was held back and is no mark after all."""
        return self._next(self._paragraph)

    def _next(self, sure: str) -> str:
        bare = without_marks(sure)
        shown, self._shown = bare[self._shown :], max(self._shown, len(bare))
        return shown


def _end_of_paragraphs(text: str) -> int:
    """Return where the last paragraph begins, which alone what follows can belong to."""
    if "\n" not in text:
        return 0
    at, end = 0, 0
    for line, is_code in lines_of(text):
        at += len(line) + 1
        if not is_code and not line.strip() and at <= len(text):
            end = at
    return end


def _sure_end(text: str) -> int:
    """Return how much of a paragraph means the same whatever follows it."""
    whole = text.rstrip("`")
    masked = without_code(whole)
    begun = BEGUN.search(masked, max(0, len(masked) - LONGEST_BEGUN))
    ends = [match.start() for match in (begun, OPEN.search(masked)) if match]
    return min([len(whole), *ends])


def without_code(text: str) -> str:
    """Return a text of the same length in which code says nothing."""
    if "`" not in text and "~" not in text:
        return text
    lines = [" " * len(line) if is_code else line for line, is_code in lines_of(text)]
    return CODE.sub(lambda match: "x" * len(match[0]), "\n".join(lines))


def lines_of(text: str) -> Iterator[tuple[str, bool]]:
    """Yield each line and whether it belongs to a fenced block of code."""
    fence = ""
    for line in text.split("\n"):
        match = FENCE.match(line)
        if fence:
            closes = match and match[1].startswith(fence) and not line.strip().strip(fence[0])
            fence = "" if closes else fence
            yield line, True
        elif match:
            fence = match[1]
            yield line, True
        else:
            yield line, False

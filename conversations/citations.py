"""Numbered marks in an answer, such as [1]: where they stand, outside of code."""

import re
from collections.abc import Iterator

MARK = re.compile(r"[ \t]?\[(\d{1,3}(?:\s*[,–-]\s*\d{1,3})*)\](?:\([^)\n]*\))?")
# A mark that may go on in the next piece; the address behind one included.
BEGUN = re.compile(r"[ \t]?(?:\[(?:\d[\d\s,–-]{0,60})?(?:\](?:\([^)\n]{0,300})?)?)?$")
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
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


def cited_numbers(text: str) -> list[int]:
    """Return the numbers of a text's marks, each once, in order of appearance."""
    prose = without_code(text)
    found = (number for match in MARK.finditer(prose) for number in numbers_in(match[1]))
    return list(dict.fromkeys(found))


def without_marks(text: str) -> str:
    """Return a text without its marks; what stands in code is left alone."""
    masked = without_code(text)
    for mark in reversed(list(MARK.finditer(masked))):
        text = text[: mark.start()] + text[mark.end() :]
    return text


class Unmarked:
    """A text on its way to a reader, piece by piece, without marks that nobody has checked yet."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Return what can be shown by now; what may become a mark is held back."""
        text = self._held + piece
        begun = BEGUN.search(text)
        place = begun.start() if begun else len(text)
        self._held = text[place:]
        return MARK.sub("", text[:place])

    def rest(self) -> str:
        """Return what was held back and is no mark after all."""
        held, self._held = self._held, ""
        return MARK.sub("", held)


def without_code(text: str) -> str:
    """Return a text of the same length in which code says nothing."""
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

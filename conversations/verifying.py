"""Checking an answer's citations before anybody sees them: what is quoted has to be there.

A mark stands for the sentence that it is in, and for the code or quotation right after it. It stays
if its number is that of a passage which was found, and if that passage has every quoted or
backticked span of the sentence. Where another passage has them the mark moves there; else it goes.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from conversations.citations import CODE, MARK, lines_of, numbers_in, without_code
from knowledge.parsing_markdown import citations_in

DEFINITION = re.compile(r"^ {0,3}\[[^\]\n]{1,40}\]:[^\n]*$", re.MULTILINE)
SENTENCE_END = re.compile(r":(?=\s|$)|[.!?](?:[ \t]?\[\d[\d,\s–-]*\])*(?=\s|$)")
QUOTED = re.compile(r'"([^"\n]{2,400}?)"|“([^”\n]{2,400}?)”')
ITEM = re.compile(r"\s*(?:[-*+]|\d{1,3}[.)])\s|#{1,6}\s|\|")
ELISION = re.compile(r"…|\.\.\.")
# A line of code that says nothing but that some are left out.
ELIDED_LINE = re.compile(r"^[ \t]*(?:#|//|/\*|--)?[ \t]*…[ \t]*(?:\*/)?[ \t]*$", re.MULTILINE)
MOST_ROUNDS = 6


class Quotable(Protocol):
    """A passage as far as checking needs it."""

    @property
    def number(self) -> int: ...

    @property
    def text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Span:
    """Something that an answer says is written in a passage."""

    text: str
    is_code: bool

    def occurs_in(self, passage: "Readable") -> bool:
        """Whether it is there, sign for sign, but for white space and what it says is left out."""
        at = 0
        for part in self._parts():
            at = passage.plain.find(part, at)
            if at < 0:
                return False
            at += len(part)
        return True

    def _parts(self) -> list[str]:
        if self.is_code:
            parts = ELIDED_LINE.split(self.text.removesuffix("()"))
        else:
            parts = ELISION.split(self.text)
        return [plain for part in parts if (plain := _plain(part))]


@dataclass(frozen=True, slots=True)
class Readable:
    """A passage's text, prepared for looking things up in it."""

    number: int
    plain: str

    @classmethod
    def of(cls, passage: Quotable) -> "Readable":
        return cls(passage.number, _plain(passage.text))


@dataclass(slots=True)
class Claim:
    """Marks that stand together, and the spans that they are to support."""

    spans: list[Span] = field(default_factory=list)
    marks: list[re.Match[str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Verified:
    """An answer with the citations that hold, their numbers, and how many were left out."""

    text: str
    dropped: int
    shown: frozenset[int] = frozenset()


def verify(text: str, passages: Sequence[Quotable]) -> Verified:
    """Return an answer with the citations that hold, and how many were left out."""
    readable = {passage.number: Readable.of(passage) for passage in passages}
    dropped = 0
    for _ in range(MOST_ROUNDS):
        # A definition would turn `[1]` into a link to anywhere.
        text = DEFINITION.sub("", text) if DEFINITION.search(without_code(text)) else text
        changed, lost = _verified(text, readable)
        dropped += lost
        if changed == text:
            break
        text = changed  # without a mark, what was its sentence may belong to the one before
    on_the_page = citations_in(text)
    if changed == text and on_the_page == _shown(text):
        return Verified(text, dropped, frozenset(on_the_page))
    dropped += len(on_the_page)
    while MARK.search(text):
        text = MARK.sub("", text)
    return Verified(text, dropped)


def _shown(text: str) -> list[int]:
    """Return the numbers of the marks that were checked.

    Where a page would take others for marks, its idea of what is code is another than the one
    here, and none of them can be trusted.
    """
    marks = [mark for claim in _claims(text) for mark in claim.marks]
    return [n for mark in sorted(marks, key=lambda mark: mark.start()) for n in numbers_in(mark[1])]


def _verified(text: str, readable: Mapping[int, Readable]) -> tuple[str, int]:
    dropped = 0
    pieces: list[tuple[int, int, str]] = []
    for claim in _claims(text):
        held, lost = _held(claim, readable)
        dropped += lost
        pieces += _rewritten(claim, held)
    for start, end, piece in sorted(pieces, reverse=True):
        text = text[:start] + piece + text[end:]
    return text, dropped


def _held(claim: Claim, readable: Mapping[int, Readable]) -> tuple[list[int], int]:
    """Return the numbers that a claim's marks may show, and how many they lose."""
    asked = list(dict.fromkeys(n for mark in claim.marks for n in numbers_in(mark[1])))
    held = [
        number
        for number in asked
        if number in readable and all(s.occurs_in(readable[number]) for s in claim.spans)
    ]
    if not held and claim.spans:
        has_all = (r for r in readable.values() if all(s.occurs_in(r) for s in claim.spans))
        moved = next(has_all, None)
        if moved is not None:
            return [moved.number], max(0, len(asked) - 1)
    return held, len(asked) - len(held)


def _rewritten(claim: Claim, held: list[int]) -> Iterator[tuple[int, int, str]]:
    """Yield what each mark becomes: its own numbers that hold, and each of them once."""
    left = list(held)
    for place, mark in enumerate(claim.marks):
        own = [number for number in numbers_in(mark[1]) if number in left]
        is_last = place == len(claim.marks) - 1
        shown = left if is_last and not own else own
        left = [number for number in left if number not in shown]
        lead = mark[0][: len(mark[0]) - len(mark[0].lstrip())] if shown else ""
        yield mark.start(), mark.end(), lead + "".join(f"[{number}]" for number in shown)


def _claims(text: str) -> list[Claim]:
    """Return the claims of a text; code or a quotation right after one is part of it."""
    found: list[Claim] = []
    last: Claim | None = None
    for start, end, kind in _blocks(text):
        if kind == "code":
            if last is not None:
                last.spans.append(Span(_unfenced(text[start:end]), is_code=True))
            continue
        claims, closes = _claims_of_prose(text, start, end)
        if kind == "quote":
            said = re.sub(r"^\s*>\s?", "", MARK.sub("", text[start:end]), flags=re.MULTILINE)
            owner = claims[-1] if claims else last
            if owner is not None:
                owner.spans.append(Span(said, is_code=False))
        elif claims or text[start:end].strip():
            last = claims[-1] if claims and closes else None
        found += claims
    return found


def _blocks(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield the runs of lines that belong together: code, quotations, items, paragraphs."""
    begin, at, kind = 0, 0, ""
    for line, is_code in lines_of(text):
        if is_code:
            this = "code"
        elif line.lstrip().startswith(">"):
            this = "quote"
        else:
            this = "prose" if line.strip() else ""
        if this != kind or (this == "prose" and ITEM.match(line)):
            if kind:
                yield begin, at - 1, kind
            begin, kind = at, this
        at += len(line) + 1
    if kind:
        yield begin, len(text), kind


def _claims_of_prose(text: str, start: int, end: int) -> tuple[list[Claim], bool]:
    """Return the claims of a block, and whether its end is one, so that code may follow it."""
    block = text[start:end]
    masked = CODE.sub(lambda match: "x" * len(match[0]), block)
    claims: list[Claim] = []
    closes = False
    for first, last in _sentences(masked):
        of_sentence = _claims_of_sentence(text, masked, start, first, last)
        claims += of_sentence
        if masked[first:last].strip(" .:\n"):
            closes = bool(of_sentence)
    return claims, closes


def _sentences(masked: str) -> Iterator[tuple[int, int]]:
    begin = 0
    for match in SENTENCE_END.finditer(masked):
        yield begin, match.end()
        begin = match.end()
    if begin < len(masked):
        yield begin, len(masked)


def _claims_of_sentence(text: str, masked: str, start: int, first: int, last: int) -> list[Claim]:
    """Return one claim for each run of marks, with the spans before it, the last with all after."""
    marks = MARK.finditer(text, start + first, start + last)
    tokens: list[tuple[int, Span | re.Match[str]]] = [(mark.start(), mark) for mark in marks]
    tokens += _spans(text, masked, start, first, last)
    claims: list[Claim] = []
    waiting: list[Span] = []
    inside = {start + place for place in range(first, last) if masked[place] == "x"}
    for at, token in sorted(tokens, key=lambda pair: pair[0]):
        if isinstance(token, Span):
            waiting.append(token)
        elif token.start() in inside and text[token.start()] != "x":
            continue  # an index within code, not a mark
        elif claims and not waiting and _touch(text, claims[-1].marks[-1].end(), at):
            claims[-1].marks.append(token)
        else:
            claims.append(Claim(waiting, [token]))
            waiting = []
    if claims:
        claims[-1].spans += waiting
    return claims


def _touch(text: str, end: int, start: int) -> bool:
    return not text[end:start].strip(" ,;")


def _spans(text: str, masked: str, start: int, first: int, last: int) -> Iterator[tuple[int, Span]]:
    for match in CODE.finditer(text, start + first, start + last):
        yield match.start(), Span(match[2].strip(), is_code=True)
    for match in QUOTED.finditer(masked, first, last):
        said = text[start + match.start() + 1 : start + match.end() - 1]
        yield start + match.start(), Span(said, is_code=False)


def _unfenced(block: str) -> str:
    lines = block.split("\n")[1:]
    return "\n".join(lines[:-1] if lines and lines[-1].strip(" `~") == "" else lines)


def _plain(text: str) -> str:
    return " ".join(text.split())

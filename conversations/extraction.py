"""An answer without a model: the definition, the lines that matter, and where else to look.

A path stands outside of backticks: what a mark stands for has to be in the passage itself.
"""

import re
from collections.abc import Sequence

from conversations.excerpts import (
    PROSE,
    Wanted,
    best_sentences,
    definition_for,
    explanation_of,
    lines_of_definition,
    lines_that_matter,
    mentions_of,
    sentences_of,
    signature_end,
    telling_row,
)
from conversations.passages import Passage

SENTENCES = 3
LONGEST_LINE = 140
MENTIONS_OF_A_PASSAGE = 3
# A passage that says less of the question than this share of the best one is not told of.
LEAST_SHARE = 0.35
IS_TEST = re.compile(
    r"(?:^|/)(?:tests?|testing|specs?|__tests__)/|(?:^|/)test_|[_.](?:test|spec)\."
)
SPECIAL = re.compile(r"([\\`*\[\]<>#|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def compose(question: str, passages: Sequence[Passage], *, uses_of: str = "") -> str:
    """Return Markdown made of the passages' own words, each with its mark.

    Where somebody asks who uses a name, the places that do come right after its definition.
    """
    wanted = Wanted.of(question, [passage.text for passage in passages])
    first, *others = passages
    parts = [_lead(question, first, wanted)]
    if uses_of:
        used, others = _uses(uses_of, others)
        parts += used
    gains = {passage.number: wanted.gain(_whole(passage)) for passage in passages}
    least = LEAST_SHARE * max(gains.values())
    parts += _sections(question, [p for p in others if gains[p.number] >= least], wanted)
    return "\n\n".join(parts)


def plain(text: str) -> str:
    """Return words that Markdown leaves as they are."""
    return SPECIAL.sub(r"\\\1", text)


def _lead(question: str, passage: Passage, wanted: Wanted) -> str:
    if passage.language in PROSE:
        told = best_sentences(sentences_of(passage.found_text), wanted, SENTENCES)
        shown = _quoted(told, passage) or [
            _fenced(lines_that_matter(passage.found_text, wanted), "")
        ]
        head = f"{_heading(passage)}{_place(passage)} [{passage.number}]"
        return "\n\n".join([head, *shown])
    text = passage.found_text
    definition = definition_for(question, _bare(passage.symbol), text, wanted)
    summary, *rest = explanation_of(text, definition) or [""]
    told = [told for told in (summary, *best_sentences(rest, wanted, 1)) if told]
    code = (
        lines_that_matter(text, wanted)
        if definition is None
        else lines_of_definition(text, definition, wanted)
    )
    name = f"`{definition.name}`, " if definition else _part_of(passage)
    head = f"{name}{_place(passage)} [{passage.number}]"
    return "\n\n".join([head, *_quoted(told, passage), _fenced(code, passage.language)])


def _quoted(sentences: Sequence[str], passage: Passage) -> list[str]:
    """Return a quotation for each sentence: they need not follow each other in the passage."""
    return [f"> {sentence} [{passage.number}]" for sentence in sentences]


def _uses(name: str, passages: Sequence[Passage]) -> tuple[list[str], list[Passage]]:
    """Return where a name is used, and the passages that do not use it."""
    lines: list[str] = []
    rest: list[Passage] = []
    for passage in passages:
        found = [] if passage.language in PROSE else mentions_of(name, passage.text)
        if not found:
            rest.append(passage)
        for row, line, around in found[:MENTIONS_OF_A_PASSAGE]:
            inside = f", in `{around}`" if around else ""
            place = f"{plain(passage.path)}, line {passage.start_line + row}{inside}"
            lines.append(f"- {place}: {_code(line)} [{passage.number}]")
    return (["Used in:", "\n".join(lines)] if lines else []), rest


def _sections(question: str, passages: Sequence[Passage], wanted: Wanted) -> list[str]:
    sections: dict[str, list[str]] = {
        "In the documentation:": [],
        "Also in the code:": [],
        "In the tests:": [],
    }
    said: set[str] = set()
    for passage in passages:
        is_test = IS_TEST.search(passage.path) and passage.language not in PROSE
        of_code = "In the tests:" if is_test else "Also in the code:"
        name = "In the documentation:" if passage.language in PROSE else of_code
        if told := _mention(question, passage, wanted, said):
            sections[name].append(told)
    parts = [[name, "\n".join(lines)] for name, lines in sections.items() if lines]
    return [part for section in parts for part in section]


def _mention(question: str, passage: Passage, wanted: Wanted, said: set[str]) -> str:
    """Return one line on a passage: what it says, but nothing that was said before.

    Nothing where it says nothing that can be quoted; the passage stands among the sources.
    """
    text = passage.found_text
    if passage.language in PROSE:
        told = [s for s in sentences_of(text) if s not in said]
        shown = "".join(f" “{sentence}”" for sentence in best_sentences(told, wanted, 1))
    else:
        definition = definition_for(question, _bare(passage.symbol), text, wanted)
        told = [s for s in explanation_of(text, definition) if s not in said]
        rows = text.split("\n")
        first = rows[definition.signature].strip() if definition else telling_row(text, wanted)
        is_whole = definition is None or signature_end(rows, definition) == definition.signature + 1
        shown = f" {_code(first)}{'' if is_whole else ' …'}" if first else ""
        shown += "".join(f" “{sentence}”" for sentence in best_sentences(told, wanted, 1))
    said.update(told)
    if not shown:
        return ""
    part = "" if passage.language in PROSE or definition else _part_of(passage)
    return f"- {part}{_place(passage)}:{shown} [{passage.number}]"


def _part_of(passage: Passage) -> str:
    """Say of what a passage is a part: its name need not stand in it, so it is not quoted."""
    return f"part of {plain(passage.symbol)}, " if passage.symbol else ""


def _place(passage: Passage) -> str:
    first, last = passage.found_start or passage.start_line, passage.found_end or passage.end_line
    lines = f"line {first}" if first == last else f"lines {first}–{last}"
    return f"{plain(passage.path)}, {lines}"


def _heading(passage: Passage) -> str:
    """Return the heading of a section, where it can be quoted."""
    heading = passage.header.partition(" : ")[0].rpartition(" > ")[2]
    is_there = heading and heading != passage.path and heading in passage.text
    return f"“{heading}”, " if is_there and not re.search(r"[“”`\[\]]", heading) else ""


def _bare(symbol: str) -> str:
    return symbol.rpartition(".")[2]


def _whole(passage: Passage) -> str:
    return f"{passage.text}\n{passage.path}\n{passage.symbol}"


def _code(line: str) -> str:
    """Return a line as code, cut at its end where it is too long to read."""
    cut = line[:LONGEST_LINE].rstrip()
    longest = max((len(run) for run in re.findall(r"`+", cut)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if cut.startswith("`") or cut.endswith("`") else ""
    return f"{ticks}{pad}{cut}{pad}{ticks}{' …' if cut != line else ''}"


def _fenced(code: str, language: str) -> str:
    longest = max((len(run) for run in re.findall(r"`{3,}", code)), default=2)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{code}\n{fence}"

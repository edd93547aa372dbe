"""Markdown as it is read here: no raw HTML, tables, and numbers in brackets as citations."""

import re
from collections.abc import Mapping
from functools import cache
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

MAX_CHARACTERS = 120_000  # what is longer is shown as it stands
CITATION = re.compile(r"\[(\d{1,3}(?:, ?\d{1,3}){0,9})\]")


def parser_of_citations() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    parser.inline.ruler.before("link", "citation", _citation)
    return parser


def citations_in(text: str) -> list[int]:
    """Return the numbers that become links where all of them have an address, in order."""
    if len(text) > MAX_CHARACTERS:
        return []
    tokens = _parser().parse(text, {"citations": dict.fromkeys(range(1000), "")})
    inner = [child for token in tokens for child in token.children or []]
    return [int(number.content) for opening, number in pairwise(inner) if opening.meta.get("ours")]


@cache
def _parser() -> MarkdownIt:
    return parser_of_citations()


def _citation(state: StateInline, silent: bool) -> bool:
    """Read `[1]` or `[1, 2]`; before links, so that a text can't say where a number leads."""
    citations: Mapping[int, str] = state.env.get("citations") or {}
    match = CITATION.match(state.src, state.pos)
    if match is None or not citations or state.src[match.end() : match.end() + 1] == "(":
        return False
    if not silent:
        for number in map(int, match.group(1).split(",")):
            if number in citations:
                opening = state.push("link_open", "a", 1)
                opening.attrs = {"href": citations[number], "class": "citation"}
                opening.meta = {"ours": True}
            state.push("text", "", 0).content = (
                str(number) if number in citations else f"[{number}]"
            )
            if number in citations:
                state.push("link_close", "a", -1)
    state.pos = match.end()
    return True

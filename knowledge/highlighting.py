"""Code as safe HTML, line by line: Pygments finds the tokens, nothing else makes markup."""

import re
import time
from collections.abc import Collection, Iterable, Iterator
from functools import cache
from html import escape
from itertools import groupby

from django.utils.safestring import SafeString
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES, Text, _TokenType
from pygments.util import ClassNotFound

MAX_CHARACTERS = 400_000
MAX_LINE = 5_000
# Of the processor: some lexers need time that grows with the square of what only looks like code.
MAX_SECONDS = 0.5
CLOCK_EVERY = 32  # tokens: looking at it costs as much as one
PLAIN = {"n", "p", "w", "o", "nx"}  # classes of what has no colour

# What Nightowl calls a language where Pygments says something else.
ALIASES = {
    "shell": "bash",
    "text": "",
    "notebook": "json",
    "vue": "html",
    "csv": "",
    "tsx": "tsx",
    "jsonl": "json",
    "gettext": "po",
    "assembly": "nasm",
}

# Characters that change how a line looks without being seen (CVE-2021-42574 and its kin), and
# those that HTML would take for something else.
INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\U000e0000-\U000e007f]"
)


def highlight_lines(text: str, language: str, *, marks: Collection[str] = ()) -> list[SafeString]:
    """Return one piece of safe HTML for each line, with the words in `marks` lit."""
    lines = lines_of(text)
    lexer = _lexer_for(text, lines, language)
    pattern = _pattern_of(marks)
    if lexer is None:
        return [SafeString(_marked(line, pattern)) for line in lines]
    return [SafeString("".join(pieces)) for pieces in _pieces(lexer, lines, pattern)]


def lines_of(text: str) -> list[str]:
    """Return the lines as editors count them: a last line break ends a line, begins none."""
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if len(lines) > 1 and not lines[-1] else lines


def _lexer_for(text: str, lines: list[str], language: str) -> Lexer | None:
    name = ALIASES.get(language.lower(), language.lower())
    if not name or len(text) > MAX_CHARACTERS or max(map(len, lines)) > MAX_LINE:
        return None
    try:
        return get_lexer_by_name(name)
    except ClassNotFound:
        return None


def _pieces(lexer: Lexer, lines: list[str], pattern: re.Pattern[str] | None) -> Iterable[list[str]]:
    result: list[list[str]] = [[]]
    for name, value in _runs(lexer, "\n".join(lines)):
        for number, part in enumerate(value.split("\n")):
            if number:
                result.append([])
            if part:
                html = _marked(part, pattern)
                result[-1].append(f'<span class="{name}">{html}</span>' if name else html)
    return result


def _runs(lexer: Lexer, text: str) -> Iterator[tuple[str, str]]:
    """The text in pieces of one class each, as long as they go."""
    for name, tokens in groupby(_tokens(lexer, text), lambda token: _class_of(token[0])):
        yield name, "".join(value for _, value in tokens)


def _tokens(lexer: Lexer, text: str) -> Iterator[tuple[_TokenType, str]]:
    """The tokens of a text; what is left when the time is up is one piece without a colour."""
    deadline = time.thread_time() + MAX_SECONDS
    for number, (position, kind, value) in enumerate(lexer.get_tokens_unprocessed(text)):
        if not number % CLOCK_EVERY and time.thread_time() > deadline:
            yield Text, text[position:]
            return
        yield kind, value


@cache
def _class_of(kind: _TokenType) -> str:
    while kind not in STANDARD_TYPES and kind.parent is not None:
        kind = kind.parent
    name: str = STANDARD_TYPES.get(kind, "")
    return "" if name in PLAIN else name


def _pattern_of(marks: Collection[str]) -> re.Pattern[str] | None:
    words = sorted({mark for mark in marks if mark}, key=len, reverse=True)[:50]
    return re.compile("|".join(map(re.escape, words)), re.IGNORECASE) if words else None


def _marked(text: str, pattern: re.Pattern[str] | None) -> str:
    return "".join(_marked_parts(text, pattern)) if pattern else shown(text)


def _marked_parts(text: str, pattern: re.Pattern[str]) -> Iterator[str]:
    end = 0
    for match in pattern.finditer(text):
        yield shown(text[end : match.start()])
        yield f"<mark>{shown(match.group())}</mark>"
        end = match.end()
    yield shown(text[end:])


def shown(text: str) -> str:
    """Escape, and make what can't be seen visible."""
    return INVISIBLE.sub(
        lambda match: f'<span class="invisible">U+{ord(match.group()):04X}</span>',
        escape(text),
    )

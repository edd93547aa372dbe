"""Regular expressions that people type: matched in linear time, and what they cannot do without.

RE2 never goes back, so no pattern can hang; one that would take too much memory is refused.
"""

import re
from dataclasses import dataclass
from typing import Any

import re2

LONGEST = 500
MEMORY = 4_000_000  # bytes that a pattern may take when it is compiled
FEWEST_CHARACTERS = 3  # that an index of trigrams can look for
_OPTIONAL = re.compile(r"[*?]|\{0?,|\{0\}")
_REPEATED = re.compile(r"[+*?]\??|\{\d*,?\d*\}\??")
_ESCAPE = re.compile(r"\\.")
_CLASSES = frozenset("dDwWsSbBAzntrfva")


class PatternRefused(Exception):
    """A regular expression can't be searched for; the message says why."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled expression, and text that every match has in it, without regard to case."""

    compiled: Any
    literals: tuple[str, ...]


def compile_pattern(text: str) -> Pattern:
    """Return a pattern; one that is all lower-case finds any case, as people expect."""
    if not text:
        raise PatternRefused("Type a regular expression first.")
    if len(text) > LONGEST:
        raise PatternRefused(f"A regular expression may have {LONGEST} characters at most.")
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    said = _ESCAPE.sub("", text)
    options.case_sensitive = said != said.lower()
    try:
        compiled = re2.compile(text, options)
    except re2.error as error:
        raise PatternRefused(f"This pattern can't be searched for: {_said(error)}.") from error
    return Pattern(compiled, literals_of(text))


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else ""
    told = said.decode(errors="replace") if isinstance(said, bytes) else str(said)
    return told.rstrip(".")[:200] or "it is malformed"


def literals_of(text: str) -> tuple[str, ...]:
    """Return runs of characters that are in everything that an expression matches.

    It errs on the side of fewer: inside groups, and where there are alternatives, nothing is sure.
    """
    runs: list[str] = [""]
    at = 0
    while at < len(text):
        piece, literal = _piece(text, at)
        if piece == "|":
            return ()
        at += len(piece)
        repeat = _REPEATED.match(text, at)
        if repeat and literal and _OPTIONAL.match(text, at):
            literal = ""
        runs[-1] += literal
        if repeat or not literal:
            runs.append("")
        at = repeat.end() if repeat else at
    return tuple(dict.fromkeys(run for run in runs if len(run) >= FEWEST_CHARACTERS))


def _piece(text: str, at: int) -> tuple[str, str]:
    """Return what stands at a place as one unit, and the character that it stands for, if sure."""
    character = text[at]
    if character == "\\":
        escaped = text[at + 1 : at + 2]
        if escaped.isalnum() and escaped not in _CLASSES:
            return text[at:], ""  # of a length that is not worth knowing: nothing after it is sure
        return text[at : at + 2], "" if escaped.isalnum() else escaped
    if character == "[":
        return text[at : _end_of_class(text, at)], ""
    if character == "(":
        return text[at : _end_of_group(text, at)], ""
    return character, "" if character in ".^$" else character


def _end_of_class(text: str, at: int) -> int:
    end = at + 1
    end += text[end : end + 1] == "^"
    end += text[end : end + 1] == "]"
    while end < len(text) and text[end] != "]":
        named = re.match(r"\[:\^?\w+:\]", text[end:])
        end += named.end() if named else 1 + (text[end] == "\\")
    return min(end + 1, len(text))


def _end_of_group(text: str, at: int) -> int:
    depth, end = 0, at
    while end < len(text):
        character = text[end]
        if character == "\\":
            end += 2
            continue
        if character == "[":
            end = _end_of_class(text, end)
            continue
        depth += (character == "(") - (character == ")")
        end += 1
        if depth == 0:
            break
    return min(end, len(text))

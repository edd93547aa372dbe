"""Choosing what to show of a passage: the sentences and the lines that a question is about.

Everything that is given back stands in the passage word for word, so that it can be quoted.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from knowledge.words import terms_of

LINES_OF_CODE = 14
LINES_OF_SIGNATURE = 8
CONTEXT = 1  # lines beside one that matters
LONGEST_SENTENCE = 320
SHORTEST_SENTENCE = 20
PROSE = {"markdown", "rst", "text", "notebook", ""}
ELLIPSIS = "…"

SENTENCE = re.compile(
    r"(?<=[.!?])(?<!e\.g\.)(?<!i\.e\.)(?<!etc\.)(?<!vs\.)\s+(?=[A-Z`\"'(*])|:?\n\s*\n|\n(?=\s*(?:[-*#|>+]|\d+\.)\s)"
    r"|\n(?=\s*\.\. |\s*:\w+)"
)
COMMENT = re.compile(r"^\s*(?:#(?!\[)|//[/!]?|/\*+|\*+/?|--)\s?")
DEFINITION = re.compile(
    r"^\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub"
    r"(?:\([a-z]+\))?|unsafe|extern|declare|override|virtual|inline)\s+)*"
    r"(?:def|class|function\*?|func|fn|interface|type|struct|enum|trait|impl|module|const|let|var)"
    r"\s+(?:\([^)]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)"
)
DECORATOR = re.compile(r"^\s*@")
QUOTES = ('"""', "'''")
# What looks like prose and tells nothing: underlines, tables, directives, images, badges.
NOISE = re.compile(r"^(?:[=\-~^*_#`|+:\s.]+|\|.*|\.\. .*|:\w+:.*|!?\[!?\[.*|<[^>]+>.*|import .*)$")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question's words, the rarer among the passages the heavier."""

    weights: Mapping[str, float]

    @classmethod
    def of(cls, question: str, texts: Sequence[str]) -> "Wanted":
        asked = set(terms_of(question))
        counts = Counter(term for text in texts for term in asked & set(terms_of(text)))
        return cls({term: math.log1p(len(texts) / (counts[term] or 1)) for term in asked})

    def gain(self, text: str) -> float:
        return sum(self.weights[term] for term in self.weights.keys() & set(terms_of(text)))


@dataclass(frozen=True, slots=True)
class Definition:
    """Where a thing is defined in a text: lines counted from 0, the end not included."""

    name: str
    first: int  # with decorators
    signature: int
    end: int


def sentences_of(text: str) -> list[str]:
    """Return the sentences of prose that can be quoted on one line, in order."""
    flat = " ".join(text.split())
    found = (_on_one_line(part) for part in SENTENCE.split(_without_code(text)))
    return [
        sentence
        for sentence in dict.fromkeys(found)
        if SHORTEST_SENTENCE < len(sentence) <= LONGEST_SENTENCE
        and sentence in flat
        and not NOISE.match(sentence)
        and can_be_quoted(sentence)
    ]


def can_be_quoted(sentence: str) -> bool:
    """Whether a sentence stays what it is between our quotation marks, in Markdown."""
    return (
        sentence.count("`") % 2 == 0
        and not re.search(r"[“”]|\[\d{1,3}(?:\s*[,–-]\s*\d+)*\]", sentence)
        and sentence.count("**") % 2 == 0
    )


def best_sentences(sentences: Sequence[str], wanted: Wanted, count: int) -> list[str]:
    """Return the sentences that say most of the question, each adding something, in order."""
    chosen: list[int] = []
    left = dict(wanted.weights)
    while len(chosen) < count:
        rest = [i for i in range(len(sentences)) if i not in chosen]
        gains = {i: Wanted(left).gain(sentences[i]) for i in rest}
        best = max(rest, key=lambda i: (gains[i], -i), default=None)
        if best is None or (gains[best] <= 0 and chosen):
            break
        chosen.append(best)
        # What is said once counts little the second time.
        said = set(terms_of(sentences[best]))
        left = {term: w * (0.2 if term in said else 1) for term, w in left.items()}
    return [sentences[i] for i in sorted(chosen)]


def definitions_in(text: str) -> list[Definition]:
    """Return what a code passage defines, each up to the next."""
    rows = text.split("\n")
    starts = [(n, match["name"]) for n, row in enumerate(rows) if (match := _defined(row))]
    found = []
    for place, (row, name) in enumerate(starts):
        first = row
        while first and DECORATOR.match(rows[first - 1]):
            first -= 1
        indent = _indent(rows[row])
        later = [n for n, _ in starts[place + 1 :] if _indent(rows[n]) <= indent]
        end = _without_lead_in(rows, later[0]) if later else len(rows)
        found.append(Definition(name, first, row, end))
    return found


def definition_for(question: str, name: str, text: str, wanted: Wanted) -> Definition | None:
    """Return the definition that a question is about: the one it names, else the nearest one."""
    found = definitions_in(text)
    asked = {word.lower() for word in re.findall(r"\w+", question)}
    rows = text.split("\n")

    def merit(one: Definition) -> tuple[bool, float, int]:
        is_named = one.name.lower() in asked and (len(one.name) > 3 or one.name == name)
        body = "\n".join(rows[one.first : one.end])
        # Of two that say as much, the smaller one says it more plainly.
        return is_named, wanted.gain(body) - 0.02 * (one.end - one.first), -one.first

    return max(found, key=merit, default=None)


def explanation_of(text: str, definition: Definition | None) -> list[str]:
    """Return the sentences that code says about itself: its docstring, or the comment above it."""
    rows = text.split("\n")
    if definition is None:
        return sentences_of("\n".join(_comments(rows)))
    inside = docstring_rows(rows, definition)
    if inside:
        told = "\n".join(rows[inside[0] : inside[-1] + 1]).strip()
        return sentences_of(told.lstrip("rRuUbB").strip("\"'").strip())
    above = list(_comments_above(rows, definition.first))
    return sentences_of("\n".join(above))


def docstring_rows(rows: Sequence[str], definition: Definition) -> list[int]:
    """Return the rows of a Python docstring, if there is one."""
    start = signature_end(rows, definition)
    if start >= len(rows) or not rows[start].strip().lstrip("rRuUbB").startswith(QUOTES):
        return []
    quote = next(q for q in QUOTES if q in rows[start])
    closes = start if rows[start].count(quote) > 1 else None
    for row in range(start + 1, definition.end):
        if closes is not None:
            break
        closes = row if quote in rows[row] else None
    return list(range(start, (closes if closes is not None else definition.end - 1) + 1))


def signature_end(rows: Sequence[str], definition: Definition) -> int:
    """Return the row after a signature, which may go over several."""
    depth = 0
    last = min(definition.end, definition.signature + LINES_OF_SIGNATURE)
    for row in range(definition.signature, last):
        depth += sum(rows[row].count(c) for c in "([") - sum(rows[row].count(c) for c in ")]")
        if depth <= 0:
            return row + 1
    return last


def lines_of_definition(text: str, definition: Definition, wanted: Wanted) -> str:
    """Return a definition: its signature, and of its body what matters, without its docstring."""
    rows = text.split("\n")
    head = range(definition.first, signature_end(rows, definition))
    told = set(docstring_rows(rows, definition))
    body = [n for n in range(head.stop, definition.end) if n not in told]
    matter = _that_matter(rows, body, wanted, LINES_OF_CODE - len(head))
    return _elided(rows, [*head, *matter], definition.end)


def lines_that_matter(text: str, wanted: Wanted) -> str:
    rows = text.split("\n")
    return _elided(rows, _that_matter(rows, range(len(rows)), wanted, LINES_OF_CODE), len(rows))


def mentions_of(name: str, text: str) -> list[tuple[int, str, str]]:
    """Return the rows that use a name, with what they say and the definition that they are in."""
    rows = text.split("\n")
    pattern = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    defined = definitions_in(text)
    found = []
    for n, row in enumerate(rows):
        match = _defined(row)
        if pattern.search(row) and not (match and match["name"] == name):
            around = [one.name for one in defined if one.signature < n < one.end]
            found.append((n, row.strip(), around[-1] if around else ""))
    return found


def _that_matter(rows: Sequence[str], among: Iterable[int], wanted: Wanted, room: int) -> list[int]:
    """Return the rows that share most with the question, and those right beside them."""
    body = list(among)
    if len(body) <= room:
        return body
    gains = {n: wanted.gain(rows[n]) for n in body}
    telling = [n for n in body if gains[n] > 0]
    if not telling:
        return body[:room]
    kept: set[int] = set()
    for n in sorted(telling, key=lambda n: (-gains[n], n)):
        near = {m for m in range(n - CONTEXT, n + CONTEXT + 1) if m in gains and rows[m].strip()}
        if len(kept | near) <= room:
            kept |= near
    return sorted(kept)


def _elided(rows: Sequence[str], kept: Sequence[int], end: int) -> str:
    """Return rows with a line that says so wherever some are left out."""
    shown: list[str] = []
    for place, n in enumerate(kept):
        before = kept[place - 1] if place else n - 1
        if any(row.strip() for row in rows[before + 1 : n]):
            shown.append(" " * _indent(rows[n]) + ELLIPSIS)
        shown.append(rows[n])
    while shown and not shown[-1].strip():
        shown.pop()
    if kept and any(row.strip() for row in rows[kept[-1] + 1 : end]):
        shown.append(" " * _indent(rows[kept[-1]]) + ELLIPSIS)
    return "\n".join(shown)


def _on_one_line(text: str) -> str:
    return " ".join(re.sub(r"^\s*(?:[#>*|+-]+|\d+\.)\s+", "", text).split())


def _without_code(text: str) -> str:
    """Return prose with its blocks of code cut out, so that no sentence runs into one."""
    return re.sub(r"^\s*(`{3,}|~{3,}).*?(?:^\s*\1|\Z)", "\n\n", text, flags=re.M | re.S)


def _defined(row: str) -> re.Match[str] | None:
    return DEFINITION.match(row)


def _indent(row: str) -> int:
    return len(row) - len(row.lstrip())


def _without_lead_in(rows: Sequence[str], row: int) -> int:
    """Return where what belongs to the next definition begins: its decorators and comments."""
    while row and (DECORATOR.match(rows[row - 1]) or COMMENT.match(rows[row - 1])):
        row -= 1
    return row


def _comments(rows: Sequence[str]) -> Iterator[str]:
    for row in rows:
        if COMMENT.match(row) and not row.lstrip().startswith(("#!", "#include", "#define")):
            yield COMMENT.sub("", row).removesuffix("*/").rstrip()


def _comments_above(rows: Sequence[str], first: int) -> Iterator[str]:
    start = first
    while start and COMMENT.match(rows[start - 1]):
        start -= 1
    yield from _comments(rows[start:first])

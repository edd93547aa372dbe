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
    r"|\n(?=\s*\.\. |\s*:(?:param|type|returns?|rtype|raises?|arg\w*|key\w*|meta)\b)"
    r"|\n\s*[=~^\-\"'*+#]{3,}\s*(?:\n|$)"
)
COMMENT = re.compile(r"^\s*(?:#:?(?!\[)|//[/!]?|/\*+|\*+/?|--)\s?")
# Behind such a line of prose comes an example, as far as it is indented.
BEFORE_EXAMPLE = re.compile(r"::\s*$|^\s*\.\. ")
DEFINITION = re.compile(
    r"^\s*(?:(?:export|default|public|private|protected|internal|static|final|abstract|async|pub"
    r"(?:\([a-z]+\))?|unsafe|extern|declare|override|virtual|inline)\s+)*"
    r"(?:def|class|function\*?|func|fn|interface|type|struct|enum|trait|impl|module|const|let|var)"
    r"\s+(?:\([^)]*\)\s*)?(?P<name>[A-Za-z_$][\w$]*)"
)
DECORATOR = re.compile(r"^\s*@")
PREPROCESSOR = ("#!", "#include", "#define", "#if", "#endif")
QUOTES = ('"""', "'''")
# What looks like prose and tells nothing: underlines, tables, directives, images, badges.
NOISE = re.compile(
    r"^(?:[=\-~^*_#`|+:\s.]+|\|.*|\.\. .*|:\w.*|``.*|!?\[!?\[.*|<[^>]+>.*|@\w+.*|>>>.*"
    r"|(?:import|from|with|return|const|let|var|await) .*[:;()]\s*(?:\.\.\.)?)$"
)
IN_TABLE = re.compile(r"\s*\|")
SIGNS_OF_CODE = re.compile(r"[={}()\[\];<>]")
# A heading or a menu, where a page was taken as text: no sentence runs on behind it.
SHORT_ROW = re.compile(r"^(?=.{1,48}$)(.*[^\s,;–-])\n(?=\s*[A-Z0-9“\"])", re.MULTILINE)
ENDED = re.compile(r"[.!?:)`*\"”…]$")
UNENDED_SHARE = 0.6  # of what a sentence counts that does not end as one: a heading, a fragment


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

    def gain_of_sentence(self, sentence: str) -> float:
        return self.gain(sentence) * (1 if ENDED.search(sentence) else UNENDED_SHARE)


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
    parts = (part for part in SENTENCE.split(_without_code(text)) if not IN_TABLE.match(part))
    found = map(_on_one_line, parts)
    return [
        sentence
        for sentence in dict.fromkeys(found)
        if SHORTEST_SENTENCE < len(sentence) <= LONGEST_SENTENCE
        and sentence in flat
        and not NOISE.match(sentence)
        and len(SIGNS_OF_CODE.findall(sentence)) <= 2 + len(sentence.split()) // 6
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
        gains = {i: Wanted(left).gain_of_sentence(sentences[i]) for i in rest}
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
    quoted = _rows_in_strings(rows)
    starts = [
        (n, match["name"])
        for n, row in enumerate(rows)
        if n not in quoted and (match := _defined(row))
    ]
    found: list[Definition] = []
    for place, (row, name) in enumerate(starts):
        if any(one.signature < row < one.end and not _holds(rows[one.signature]) for one in found):
            continue  # a function within a function is part of it
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
        body = "\n".join(rows[_without_lead_in(rows, one.first) : one.end])
        # Of two that say as much, the smaller one says it more plainly.
        return is_named, wanted.gain(body) - 0.02 * (one.end - one.first), -one.first

    return max(found, key=merit, default=None)


def explanation_of(text: str, definition: Definition | None) -> list[str]:
    """Return the sentences that code says about itself: its docstring, or the comment above it."""
    flat = " ".join(text.split())
    return [sentence for sentence in _told_by(text, definition) if sentence in flat]


def _told_by(text: str, definition: Definition | None) -> list[str]:
    rows = text.split("\n")
    if definition is None:
        about_all = _sentences_of_rows(rows, _docstring_at(rows, 0, len(rows)))
        return [*about_all, *sentences_of("\n".join(_comments(rows)))]
    if inside := docstring_rows(rows, definition):
        return _sentences_of_rows(rows, inside)
    above = list(_comments_above(rows, definition.first))
    return sentences_of("\n".join(above))


def docstring_rows(rows: Sequence[str], definition: Definition) -> list[int]:
    """Return the rows of a Python docstring, if there is one."""
    return _docstring_at(rows, signature_end(rows, definition), definition.end)


def _sentences_of_rows(rows: Sequence[str], inside: Sequence[int]) -> list[str]:
    told = "\n".join(rows[n] for n in inside).strip()
    return sentences_of(told.lstrip("rRuUbB").strip("\"'").strip())


def _docstring_at(rows: Sequence[str], start: int, end: int) -> list[int]:
    if start >= len(rows) or not rows[start].strip().lstrip("rRuUbB").startswith(QUOTES):
        return []
    quote = next(q for q in QUOTES if q in rows[start])
    closes = start if rows[start].count(quote) > 1 else None
    for row in range(start + 1, end):
        if closes is not None:
            break
        closes = row if quote in rows[row] else None
    return list(range(start, (closes if closes is not None else end - 1) + 1))


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
    """Return the rows that use a name, with what they say and the definition that they are in.

    Where any of them calls it, those that only mention it are left out.
    """
    rows = text.split("\n")
    pattern = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    # A method as an interface declares it.
    declared = re.compile(rf"^\s*(?:async\s+)?{re.escape(name)}\s*[<(].*\)\s*:\s*[^=]+[;{{]$")
    defined = definitions_in(text)
    quoted = _rows_in_strings(rows)
    found = []
    for n, row in enumerate(rows):
        match = _defined(row)
        is_said = n in quoted or COMMENT.match(row) or declared.match(row)
        if pattern.search(row) and not is_said and not (match and match["name"] == name):
            around = [one.name for one in defined if one.signature < n < one.end]
            found.append((n, row.strip(), around[-1] if around else ""))
    calls = [one for one in found if re.search(rf"(?<![\w$]){re.escape(name)}\s*\(", one[1])]
    return calls or found


def telling_row(text: str, wanted: Wanted) -> str:
    """Return the one row of code that says most of a question."""
    rows = [row.strip() for row in text.split("\n")]
    code = [row for row in rows if re.search(r"\w{3}", row) and not COMMENT.match(row)]
    return max(code, key=wanted.gain, default="")


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
    kept = [n for n in kept if rows[n].strip() or n - 1 in kept]
    while kept and not rows[kept[-1]].strip():
        kept.pop()
    for place, n in enumerate(kept):
        before = kept[place - 1] if place else n - 1
        if any(row.strip() for row in rows[before + 1 : n]):
            shown.append(" " * _indent(rows[n]) + ELLIPSIS)
        shown.append(rows[n])
    if kept and any(row.strip() for row in rows[kept[-1] + 1 : end]):
        shown.append(" " * _indent(rows[kept[-1]]) + ELLIPSIS)
    return "\n".join(shown)


def _on_one_line(text: str) -> str:
    return " ".join(re.sub(r"^\s*(?:[#>*|+-]+|\d+\.)\s+", "", text).split())


def _without_code(text: str) -> str:
    """Return prose with its blocks of code cut out, so that no sentence runs into one."""
    text = re.sub(r"^\s*(`{3,}|~{3,}).*?(?:^\s*\1|\Z)", "\n\n", text, flags=re.M | re.S)
    kept: list[str] = []
    example_below: int | None = None
    for row in text.split("\n"):
        if example_below is not None and (not row.strip() or _indent(row) > example_below):
            kept.append("")
            continue
        example_below = _indent(row) if BEFORE_EXAMPLE.search(row) else None
        kept.append(row)
    return SHORT_ROW.sub(r"\1\n\n", "\n".join(kept))


def _rows_in_strings(rows: Sequence[str]) -> set[int]:
    """Return the rows within strings of three quotes, where an example defines nothing."""
    inside: set[int] = set()
    quote = ""
    for n, row in enumerate(rows):
        if quote:
            inside.add(n)
            quote = "" if quote in row else quote
        elif opened := next((q for q in QUOTES if row.count(q) % 2), ""):
            quote = opened
    return inside


def _holds(row: str) -> bool:
    """Whether a definition is one that has others of its own: a class and its like."""
    return (
        re.search(r"\b(?:class|interface|impl|trait|module|struct|type|const)\b", row) is not None
    )


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
    """Yield what comments say, with an empty line wherever code stands between."""
    for row in rows:
        is_comment = COMMENT.match(row) and not row.lstrip().startswith(PREPROCESSOR)
        yield COMMENT.sub("", row).removesuffix("*/").rstrip() if is_comment else ""


def _comments_above(rows: Sequence[str], first: int) -> Iterator[str]:
    start = first
    while start and COMMENT.match(rows[start - 1]):
        start -= 1
    yield from _comments(rows[start:first])

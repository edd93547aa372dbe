"""What a short question goes on about: “and who calls it?” asks about the question before.

A question that stands on its own stays as it is. One that leans on what was said before gets the
subject of that: in place of its pronoun, or after it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge.words import STOP_WORDS, WORD

LONGEST_SUBJECT = 6  # words
OWN_WORDS = 2  # so many make a question that says itself what it is about
NAMES_CARRIED = 2
QUOTED = re.compile(r"`([^`\n]{1,80})`|“([^”\n]{1,80})”|\"([^\"\n]{1,80})\"")
NAME = re.compile(
    r"\b(?:[A-Za-z_]\w*(?:\.\w+)+|[A-Za-z]\w*_\w*|_\w+|[a-z]\w*[A-Z]\w*"
    r"|[A-Z]+[a-z]\w*[A-Z]\w*|[A-Z]{2,}[a-z]{2,}\w*)"
    r"(?:\(\))?"
)
LEAD = re.compile(r"^\s*(?:and|but|so|also|then|ok(?:ay)?|now|what about|how about)\b", re.I)
# “That” and its like point back before a verb only behind words that can't be what they say
# something of: not in “functions that return”.
POINTS_BACK = re.compile(
    r"\b(?P<its>its|their)\b|\b(?P<it>it|they|them)\b(?!['’])"
    r"|\b(?P<this>this|that|these|those)\b(?=\s*(?:[?.!,;]|$))"
    r"|(?:^|\b(?:does|do|did|is|are|was|of|about|for|to|with|calls?|uses?|and|has|where|what)\s+)"
    r"(?P<that>this|that|these|those)\b(?=\s+(?:is|are|was|does|do|happens?|works?|raises?"
    r"|returns?|fails?|function|method|class|file|module|thing|one|error|option|call|test|code)\b)",
    re.I,
)
# Words that ask something of a subject and name none.
_GENERIC = """
again another anywhere argument arguments bug call called caller callers calls case cases change
changed code default defined definition detail details differ difference different document
documented documentation done else error errors example examples exactly explain fail fails file
files fix function functions give happen happens implementation implemented import imported imports
instead last like line lines list mean means method methods module new next option options order
other parameter parameters please point purpose raise raised raises reason result return returned
returns same show shown simple source sources tell test tested testing tests thing things type
types usage value values version way work works write written wrong
"""
GENERIC = frozenset(_GENERIC.split())
USES = re.compile(
    r"\b(?:who|what|which\s+\w+|where)\b[^?]*?\b(?:calls?|uses?|used|called|invoked?|invokes"
    r"|referenced|imports?|imported|depends?\s+on)\b"
    r"|\b(?:callers?|usages?|uses)\s+of\b",
    re.I,
)
# “How is it used?” asks for the how, not for the places.
ASKS_HOW = re.compile(r"^\W*(?:and\s+)?(?:how|why|when|can|should)\b", re.I)


@dataclass(frozen=True, slots=True)
class Turn:
    """A question that was answered: what was searched for, and the symbol that led its answer."""

    sought: str
    symbol: str = ""


@dataclass(frozen=True, slots=True)
class Sought:
    """What to search for, and what the question was taken to be about."""

    text: str
    names: tuple[str, ...] = ()
    asks_for_uses: bool = False
    is_carried: bool = False


def understand(question: str, before: Sequence[Turn]) -> Sought:
    """Return what to search for; the turns before, the latest last, say what “it” is."""
    names = names_in(question)
    if not before or not leans_on_what_was_said(question):
        return Sought(question, names, asks_for_uses=asks_for_uses(question))
    subject, carried = _subject(before)
    if not subject:
        return Sought(question, names, asks_for_uses=asks_for_uses(question))
    return Sought(
        _with_subject(question, subject),
        (*names, *carried)[: NAMES_CARRIED + len(names)],
        asks_for_uses=asks_for_uses(question),
        is_carried=True,
    )


def leans_on_what_was_said(question: str) -> bool:
    """Whether a question says too little by itself."""
    if names_in(question):
        return False
    own = _own_words(question)
    pointer = POINTS_BACK.search(question)
    if pointer is not None:
        # What was named in the same sentence before is what “it” stands for.
        return len(_own_words(question[: pointer.start(pointer.lastgroup or 0)])) < OWN_WORDS
    return not own or (len(own) < OWN_WORDS and LEAD.match(question) is not None)


def asks_for_uses(question: str) -> bool:
    """Whether somebody wants the places that use a thing, not the thing."""
    return ASKS_HOW.match(question) is None and USES.search(question) is not None


def names_in(text: str) -> tuple[str, ...]:
    """Return what is quoted or looks like a name in code, each once, in order."""
    quoted = [next(filter(None, match)) for match in QUOTED.findall(text)]
    found = [*quoted, *(match[0] for match in NAME.finditer(QUOTED.sub(" ", text)))]
    return tuple(dict.fromkeys(name.removesuffix("()") for name in found))


def _words(text: str) -> list[str]:
    lower = (word.lower() for word in WORD.findall(LEAD.sub(" ", text)))
    return [word for word in lower if word not in STOP_WORDS]


def _own_words(text: str) -> list[str]:
    return [word for word in _words(text) if word not in GENERIC]


def _subject(before: Sequence[Turn]) -> tuple[str, tuple[str, ...]]:
    """Return the words that the latest turn was about, and the names among them."""
    latest = before[-1]
    names = names_in(latest.sought)[:NAMES_CARRIED]
    if names:
        return " ".join(names), names
    words = list(dict.fromkeys(_words(latest.sought)))[:LONGEST_SUBJECT]
    if not _own_words(latest.sought):
        words = []
    symbol = latest.symbol.rpartition(".")[2]
    if symbol and symbol not in words:
        return " ".join([*words, symbol]), (symbol,)
    return " ".join(words), ()


def _with_subject(question: str, subject: str) -> str:
    """Put the subject where the question points at it, else behind it."""
    rest = " ".join(LEAD.sub("", question, count=1).split()) or question
    pointer = POINTS_BACK.search(rest)
    if pointer is None:
        return f"{rest.rstrip(' ?!.')} of {subject}?" if rest.strip(" ?!.") else subject
    start, end = pointer.span(pointer.lastgroup or 0)
    return " ".join(f"{rest[:start]}{subject}{rest[end:]}".split())

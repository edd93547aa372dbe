"""Documents that still tell of what a change has removed, renamed or set to another value."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from knowledge.languages import kind_of
from projects.commits import Mention
from reviews.changes import Change, ChangedFile
from reviews.observations import Observation
from reviews.rule_files import PARSERS

SHOWN = 3
MOST_WORDS = 40
NOTE_LINES = 30  # round a line that are looked at for what they tell of

_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9]+(?:-[a-z0-9]+)*(?![\w-])")
_MADE_OPTION = re.compile(r"--[\"']?\s*(?:[{$+]|%s)")
_SETTING = re.compile(r"(?<![\w$])[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)+(?![\w$])")
_ROUTE = re.compile(r"[\"'`](/[a-z][\w\-/{}:<>.]{3,80})[\"'`]")
_DISTINCT = re.compile(r"[a-z][A-Z]|_[A-Za-z]|[A-Z][a-z]+[A-Z]")
_VALUE = re.compile(
    r"(?<![\w$.])([A-Za-z_][\w]*)\s*(?::[^=\n]{1,60})?(?:=|:=|:)\s*"
    r"(?:[\w.]+\()?(-?\d[\d_]*(?:\.\d+)?|True|False|true|false|[\"'][\w./:-]{1,60}[\"'])"
)
_NUMBER = re.compile(r"-?\d[\d_]*(?:\.\d+)?")
# What tells of the past may name what is gone: whole documents, and notes in others.
_PAST = re.compile(
    r"(?:^|/)(?:changelog|changes|history|news|releas|upgrad|migrat|decisions|adr)", re.IGNORECASE
)
_PAST_NOTE = re.compile(
    r"\b(?:version(?:added|changed|removed)|deprecated)::|\bno longer\b|\bformerly\b"
    r"|\b(?:was|were|been)\s+(?:removed|renamed|replaced|deprecated)\b"
    r"|^[^\w\n]*(?:Removed|Renamed|Added|Deprecated)\b|\b(?:new|changed|added) in \w*\s?v?\d",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Gone:
    """A word that the code no longer has, and the line of the change that says so."""

    word: str
    line: int
    what: str


def stale_documents(change: Change) -> Iterator[Observation]:
    """Yield what the documents of the tree still say that is no longer so."""
    for file in change.product():
        yield from _still_named(change, file)
        yield from _other_values(change, file)


def _still_named(change: Change, file: ChangedFile) -> Iterator[Observation]:
    gone = list(_gone(file))[:MOST_WORDS]
    if not gone:
        return
    mentions = change.tree.mentions({one.word for one in gone})
    told: set[int] = set()
    for one in gone:
        of_it = [mention for mention in mentions if _names(mention.text, one.word)]
        if any(not _is_document(mention) for mention in of_it):
            continue  # the code still knows it
        named = [mention for mention in of_it if not _tells_of_past(change, mention)]
        if named and one.line not in told:
            told.add(one.line)
            yield _observation(
                file, one.line, named, f"{one.what} is gone, and the documents still name it."
            )


def _names(text: str, word: str) -> bool:
    return re.search(rf"(?<![\w$-]){re.escape(word)}(?![\w$-])", text) is not None


def _is_document(mention: Mention) -> bool:
    return kind_of(mention.path) == "docs"


def _tells_of_past(change: Change, mention: Mention) -> bool:
    if _PAST.search(mention.path):
        return True
    note = _note_round(change.tree.lines(mention.path), mention.line - 1)
    return _PAST_NOTE.search(note) is not None


def _note_round(lines: list[str], at: int) -> str:
    """Return the paragraph of a line, with the line that it is indented below."""
    if not 0 <= at < len(lines):
        return ""
    first = last = at
    while first > max(0, at - NOTE_LINES) and lines[first - 1].strip():
        first -= 1
    while last + 1 < min(len(lines), at + NOTE_LINES) and lines[last + 1].strip():
        last += 1
    depth = _depth(lines[first])
    before = reversed(lines[max(0, first - NOTE_LINES) : first])
    above = (line for line in before if line.strip() and _depth(line) < depth)
    return "\n".join([next(above, "") if depth else "", *lines[first : last + 1]])


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip())


def _gone(file: ChangedFile) -> Iterator[Gone]:
    for word, old_line, what in _gone_words(file):
        if (line := file.diff.added_where(old_line)) is not None:
            yield Gone(word, line, what)


def _gone_words(file: ChangedFile) -> Iterator[tuple[str, int, str]]:
    """Yield words that the file no longer has, with the line that had them."""
    kept = {outline.own_name for outline in file.inspection.after}
    for outline in file.inspection.before:
        name = outline.own_name
        if outline.is_public and name not in kept and _DISTINCT.search(name):
            yield name, outline.head_line, f"“{name}”"
    for name, line in _gone_parameters(file):
        yield name, line, f"The parameter “{name}”"
    makes_options = _MADE_OPTION.search(file.after) is not None
    for number, text in file.removed.items():
        options = [] if makes_options else _OPTION.findall(text)
        for word in [*options, *_SETTING.findall(text), *_ROUTE.findall(text)]:
            if word not in file.after:
                yield word, number, f"“{word}”"


def _gone_parameters(file: ChangedFile) -> Iterator[tuple[str, int]]:
    for earlier, now in file.pairs():
        names = {one.name for one in now.parameters}
        for parameter in earlier.parameters if earlier.is_public else ():
            is_gone = parameter.name not in names and parameter.name not in file.after
            if is_gone and _DISTINCT.search(parameter.name):
                yield parameter.name, earlier.head_line


def _other_values(change: Change, file: ChangedFile) -> Iterator[Observation]:
    """Yield names whose value changed while documents still give the old one."""
    changed = list(_new_values(file))[:MOST_WORDS] if file.language in PARSERS else []
    if not changed:
        return
    mentions = [
        mention
        for mention in change.tree.mentions({name for name, _, _, _ in changed})
        if _is_document(mention) and not _tells_of_past(change, mention)
    ]
    for name, old, new, line in changed:
        still = [
            mention
            for mention in mentions
            if _names(mention.text, name)
            and _names(mention.text, old)
            and not _names(mention.text, new)
        ]
        if still:
            claim = f"{name} is {new} now, and the documents still say {old}."
            yield _observation(file, line, still, claim)


def _new_values(file: ChangedFile) -> Iterator[tuple[str, str, str, int]]:
    for hunk in file.diff.hunks:
        removed = {name: value for _, text in hunk.removed() for name, value in _values(text)}
        for line, text in hunk.added():
            for name, new in _values(text):
                old = removed.get(name, new)
                is_telling = _DISTINCT.search(name) or _NUMBER.fullmatch(old)
                if old != new and len(name) > 4 and is_telling:
                    yield name, old, new, line


def _values(text: str) -> list[tuple[str, str]]:
    return [(name, value.strip("\"'")) for name, value in _VALUE.findall(text)]


def _observation(file: ChangedFile, line: int, mentions: list[Mention], claim: str) -> Observation:
    shown = [f"{one.path}:{one.line}: {one.text.strip()[:120]}" for one in mentions[:SHOWN]]
    more = f"\nand {len(mentions) - SHOWN} more" if len(mentions) > SHOWN else ""
    return Observation(
        rule="nightowl/stale-docs",
        severity="warning",
        category="convention",
        path=file.path,
        start_line=line,
        end_line=line,
        claim=claim,
        quote=file.lines()[line - 1],
        evidence="Not changed with it:\n" + "\n".join(shown) + more,
        reference=mentions[0].path,
        confidence=0.75,
        left=tuple(sorted({one.path for one in mentions})[:20]),
    )

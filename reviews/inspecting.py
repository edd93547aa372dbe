"""What can be said of one file by itself, before and after a change; needs no Django.

What a rule finds after the change and found before as well is not new, wherever it stands now.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import lizard

from knowledge.syntax_trees import Unparsable, refuse_bombs
from reviews.observations import Observation
from reviews.outlines import Outline, Parameter, outline_of
from reviews.rule_files import PARSERS, Rule
from reviews.tree_rules import Place, find_places

LONGEST_QUOTE = 6  # lines
COMPLEX = 15  # ways through a function above which it is hard to follow
LONG = 120  # lines
LARGEST = 400_000  # characters
# What the tool that counts ways through functions calls our languages.
_COUNTED = frozenset(
    {
        *("python", "javascript", "typescript", "tsx", "go", "java", "ruby", "rust", "c", "cpp"),
        *("csharp", "php", "kotlin"),
    }
)
_SUPPRESSED = re.compile(
    r"\b(?:noqa|nosec|nolint|NOLINT|NOSONAR|eslint-disable|tslint:disable|type:\s*ignore"
    r"|pylint:\s*disable|biome-ignore|rubocop:disable|phpcs:ignore)\b|@ts-(?:ignore|expect-error)\b"
    r"|@SuppressWarnings|#\[allow\("
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A file before and after a change, and the numbers of its lines that were added."""

    path: str
    language: str
    layer: str
    before: str
    after: str
    added: frozenset[int]


@dataclass(slots=True)
class Inspection:
    """What was found in a file, and what it defines, before and after."""

    observations: list[Observation] = field(default_factory=list)
    before: list[Outline] = field(default_factory=list)
    after: list[Outline] = field(default_factory=list)
    failed: str = ""


def inspect(asked: Asked, rules: Iterable[Rule]) -> Inspection:
    """Return what is new in a file by our rules, and what it defines."""
    if max(len(asked.before), len(asked.after)) > LARGEST:
        return Inspection(failed="it is too large")
    found = Inspection(
        before=outline_of(asked.before, asked.language),
        after=outline_of(asked.after, asked.language),
    )
    found.observations += _by_rules(asked, list(rules))
    if asked.layer != "test":
        found.observations += unread_parameters(asked, found.before, found.after)
        found.observations += _grown(asked)
    return found


def _by_rules(asked: Asked, rules: list[Rule]) -> Iterator[Observation]:
    wanted = [rule for rule in rules if asked.layer not in rule.skip]
    if asked.language not in PARSERS or not asked.added:
        return
    try:
        refuse_bombs(asked.after.encode(errors="replace"))
    except Unparsable:
        return
    places = list(find_places(asked.after, asked.language, wanted))
    if not places:
        return
    there = {place.rule for place in places}
    known = Counter(_key(place) for place in find_places(asked.before, asked.language, there))
    lines = asked.after.split("\n")
    for place in new_ones(places, known, asked.added):
        yield _observation(asked.path, place, lines)


def new_ones(
    places: list[Place], known: "Counter[tuple[str, str]]", added: Collection[int]
) -> Iterator[Place]:
    """Yield the places on added lines that were not there before, wherever they stood."""
    rest = Counter(known)
    old = [place for place in places if not _is_on(place, added)]
    rest.subtract(_key(place) for place in old)
    for place in places:
        if not _is_on(place, added):
            continue
        if rest[_key(place)] > 0:
            rest[_key(place)] -= 1
        else:
            yield place


def _is_on(place: Place, added: Collection[int]) -> bool:
    return any(line in added for line in range(place.start_line, place.end_line + 1))


def _key(place: Place) -> tuple[str, str]:
    return place.rule.name, " ".join(place.text.split())


def _observation(path: str, place: Place, lines: list[str]) -> Observation:
    rule = place.rule
    end = min(place.end_line, place.start_line + LONGEST_QUOTE - 1)
    return Observation(
        rule=rule.name,
        severity=place.shape.severity or rule.severity,
        category=rule.category,
        path=path,
        start_line=place.start_line,
        end_line=place.end_line,
        claim=place.shape.claim or rule.claim,
        quote="\n".join(lines[place.start_line - 1 : end]),
        evidence=rule.why,
        reference=rule.reference,
        confidence=place.shape.confidence or rule.confidence,
        patch=place.fixed,
        is_suppressed=is_suppressed(lines, place.start_line, place.end_line),
    )


def is_suppressed(lines: list[str], start: int, end: int) -> bool:
    """Whether a comment on the lines, or on the one above, tells a linter to be quiet."""
    return any(_SUPPRESSED.search(line) for line in lines[max(0, start - 2) : min(end, start + 6)])


def unread_parameters(
    asked: Asked, before: list[Outline], after: list[Outline]
) -> Iterator[Observation]:
    """Yield parameters that the change adds to functions that do not read them."""
    known = {outline.name: outline for outline in before}
    lines = asked.after.split("\n")
    for outline in after:
        if not outline.is_callable or outline.is_stub or outline.is_decorated:
            continue
        earlier = known.get(outline.name)
        for parameter in _unread(outline, earlier):
            line = _line_of(parameter.name, outline, lines)
            if line not in asked.added:
                continue
            yield Observation(
                rule="nightowl/unused-parameter",
                severity="warning" if earlier and not outline.has_bases else "info",
                category="pattern",
                path=asked.path,
                start_line=line,
                end_line=line,
                claim=f"{outline.own_name} takes “{parameter.name}” and never reads it.",
                quote=lines[line - 1],
                evidence=("Who calls it believes that the value matters. Use it, or leave it out."),
                reference="pylint unused-argument (W0613)",
                confidence=0.85 if earlier else 0.6,
                is_suppressed=is_suppressed(lines, line, line),
            )


def _unread(outline: Outline, earlier: Outline | None) -> Iterator[Parameter]:
    old = {parameter.name for parameter in earlier.parameters} if earlier else set()
    for parameter in outline.parameters:
        name = parameter.name
        is_meant = not name or name.startswith("_") or name in {"self", "cls", "this"}
        if not (is_meant or parameter.is_variadic or name in old or name in outline.words):
            yield parameter


def _line_of(name: str, outline: Outline, lines: list[str]) -> int:
    word = re.compile(rf"(?<![\w$]){re.escape(name)}(?![\w$])")
    for number in range(outline.head_line, min(outline.end_line, len(lines)) + 1):
        if word.search(lines[number - 1].partition("(")[2] or lines[number - 1]):
            return number
    return outline.head_line


def _grown(asked: Asked) -> Iterator[Observation]:
    """Yield functions that the change made hard to follow."""
    if asked.language not in _COUNTED:
        return
    before = {name: ways for name, ways, _, _ in _functions(asked.path, asked.before)}
    lines = asked.after.split("\n")
    for name, ways, start, end in _functions(asked.path, asked.after):
        was = before.get(name, 0)
        touched = any(line in asked.added for line in range(start, end + 1))
        if not touched or ways <= COMPLEX or ways <= max(was, COMPLEX) + (2 if was else 0):
            continue
        line = next(line for line in range(start, end + 1) if line in asked.added)
        grew = f", {was} before" if was else ""
        yield Observation(
            rule="lizard/complexity",
            severity="info",
            category="pattern",
            path=asked.path,
            start_line=line,
            end_line=line,
            claim=f"There are {ways} ways through {name} now{grew}.",
            quote=lines[line - 1],
            evidence=f"Above {COMPLEX}, tests miss some of them. Take a part out and name it.",
            reference="McCabe's cyclomatic complexity",
            confidence=0.9,
        )


def _functions(path: str, text: str) -> list[tuple[str, int, int, int]]:
    if not text:
        return []
    counted = lizard.analyze_file.analyze_source_code(path, text)
    return [
        (one.name, one.cyclomatic_complexity, one.start_line, one.end_line)
        for one in counted.function_list
    ]


def packed(found: Inspection) -> dict[str, Any]:
    return {
        "observations": [one.as_dict() for one in found.observations],
        "before": [one.as_dict() for one in found.before],
        "after": [one.as_dict() for one in found.after],
        "failed": found.failed,
    }


def unpacked(said: Mapping[str, Any]) -> Inspection:
    return Inspection(
        [Observation(**{**one, "left": tuple(one["left"])}) for one in said["observations"]],
        [Outline.from_dict(one) for one in said["before"]],
        [Outline.from_dict(one) for one in said["after"]],
        said["failed"],
    )

"""The checks of our own that are written as rules over syntax trees: one small file for each.

A file says what is wrong, in which languages and how it looks there, with examples that must be
found and examples that must not: those are its test. `docs/reviews.md` describes the form.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from reviews.observations import Category, Severity

FOLDER = Path(__file__).parent / "rules"
# Languages by our names, and what ast-grep calls them.
PARSERS = {
    "python": "python",
    "javascript": "javascript",
    "typescript": "typescript",
    "tsx": "tsx",
    "go": "go",
    "java": "java",
    "ruby": "ruby",
    "rust": "rust",
    "c": "c",
    "cpp": "cpp",
    "csharp": "csharp",
    "php": "php",
    "shell": "bash",
    "kotlin": "kotlin",
}
_KEYS = {
    *("match", "constraints", "utils", "at", "unless", "good", "bad", "claim", "fix"),
    *("severity", "confidence", "when"),
}
_ABOUT = {"id", "category", "severity", "confidence", "claim", "why", "reference", "skip"}


class RuleBroken(Exception):
    """A rule can't be read; the message says which and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """How something looks in one language, as ast-grep's rules say it."""

    language: str
    config: Mapping[str, Any]  # rule, constraints, utils
    when: re.Pattern[str] | None = None  # what a text must hold to be looked through at all
    at: str = ""  # the meta-variable that holds the lines to show; empty: all that matched
    # Regular expressions: where the function around it has one of them, nothing is wrong. A
    # meta-variable in one stands for what it matched.
    unless: tuple[str, ...] = ()
    claim: str = ""  # in place of the rule's own, as the next two
    severity: Severity | None = None
    confidence: float | None = None
    fix: str = ""  # what would stand there instead, with meta-variables
    good: tuple[str, ...] = ()
    bad: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """Something that should not be, in every language that it is described for."""

    id: str
    category: Category
    severity: Severity
    confidence: float
    claim: str
    why: str
    reference: str
    skip: frozenset[str] = frozenset()  # layers where it is usual: "test", "example", …
    shapes: Mapping[str, tuple[Shape, ...]] = field(default_factory=dict)  # by language
    by: str = "nightowl"

    @property
    def name(self) -> str:
        return f"{self.by}/{self.id}"


@cache
def rules() -> tuple[Rule, ...]:
    """Return all the rules that come with Nightowl, in the order of their names."""
    return tuple(read_rule(path.read_text()) for path in sorted(FOLDER.glob("*.yml")))


def read_rule(text: str, *, by: str = "nightowl") -> Rule:
    """Return a rule as its file describes it, and whose it is; raises `RuleBroken`."""
    try:
        said = yaml.load(text, Loader=yaml.CSafeLoader)  # in C: these are read at every start
    except yaml.YAMLError as error:
        raise RuleBroken(f"not valid YAML: {error}") from error
    if not isinstance(said, dict) or not _ABOUT - {"skip"} <= said.keys():
        raise RuleBroken(f"needs {', '.join(sorted(_ABOUT - {'skip'}))} and languages")
    name = str(said["id"])
    if unknown := said.keys() - _ABOUT - {"languages"}:
        raise RuleBroken(f"{name}: unknown {', '.join(sorted(unknown))}")
    if said["category"] not in get_args(Category) or said["severity"] not in get_args(Severity):
        raise RuleBroken(f"{name}: unknown category or severity")
    return Rule(
        id=name,
        category=said["category"],
        severity=said["severity"],
        confidence=float(said["confidence"]),
        claim=str(said["claim"]).strip(),
        why=" ".join(str(said["why"]).split()),
        reference=str(said["reference"]),
        skip=frozenset(said.get("skip") or ()),
        shapes=_shapes(name, said.get("languages") or {}),
        by=by,
    )


def _shapes(name: str, languages: Mapping[str, Any]) -> dict[str, tuple[Shape, ...]]:
    shapes: dict[str, list[Shape]] = {}
    for spelled, described in languages.items():
        several = described if isinstance(described, list) else [described]
        for language in str(spelled).split():
            if language not in PARSERS:
                raise RuleBroken(f"{name}: there is no parser for {language}")
            shapes.setdefault(language, []).extend(_shape(name, language, one) for one in several)
    if not shapes:
        raise RuleBroken(f"{name}: describes no language")
    return {language: tuple(found) for language, found in shapes.items()}


def _pattern(name: str, text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise RuleBroken(f"{name}: when is no regular expression: {error}") from error


def _severity(name: str, said: Any) -> Severity | None:
    if said is not None and said not in get_args(Severity):
        raise RuleBroken(f"{name}: unknown severity")
    return cast(Severity | None, said)


def _shape(name: str, language: str, said: Mapping[str, Any]) -> Shape:
    if unknown := said.keys() - _KEYS:
        raise RuleBroken(f"{name}: unknown {', '.join(sorted(unknown))} in {language}")
    if "match" not in said:
        raise RuleBroken(f"{name}: needs match in {language}")
    config = {"rule": said["match"]}
    config |= {key: said[key] for key in ("constraints", "utils") if said.get(key)}
    return Shape(
        language=language,
        config=config,
        when=_pattern(name, said["when"]) if said.get("when") else None,
        at=str(said.get("at", "")).lstrip("$"),
        unless=tuple(said.get("unless") or ()),
        claim=str(said.get("claim", "")).strip(),
        severity=_severity(name, said.get("severity")),
        confidence=said.get("confidence"),
        fix=str(said.get("fix", "")),
        good=tuple(said.get("good") or ()),
        bad=tuple(said.get("bad") or ()),
    )

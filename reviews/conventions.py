"""How far a change keeps to what a team has agreed on: the share of applicable rules, by module.

A rule applies to a module where one of its changed files is in a language or at a path that the
rule speaks of. It is passed where the change adds no violation; what was violated before does not
count.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from projects.patterns import lenient_spec
from reviews.changes import Change, ChangedFile
from reviews.models import Finding, Standard
from reviews.rule_files import rules

DEEPEST_MODULE = 2  # folders


@dataclass(slots=True)
class ModuleScore:
    module: str
    applicable: int = 0
    passed: int = 0
    violations: list[dict[str, Any]] = field(default_factory=list)


def module_of(path: str) -> str:
    """Return the part of a repository that a file belongs to: its first folders."""
    return "/".join(PurePosixPath(path).parts[:-1][:DEEPEST_MODULE]) or "."


def scores_of_modules(
    change: Change, findings: Iterable[Finding], standards: Iterable[Standard]
) -> list[ModuleScore]:
    """Return the score of each module that a change touched and a rule speaks of."""
    modules: dict[str, list[ChangedFile]] = {}
    for file in change.files:
        if file.added and file.after:
            modules.setdefault(module_of(file.path), []).append(file)
    found = list(findings)
    checked = [one for one in standards if one.check_kind]
    scores = [_score(module, files, found, checked) for module, files in sorted(modules.items())]
    return [score for score in scores if score.applicable]


def _score(
    module: str, files: list[ChangedFile], findings: list[Finding], standards: list[Standard]
) -> ModuleScore:
    score = ModuleScore(module)
    paths = {file.path for file in files}
    for name, title in _applicable(files, standards):
        broken = [one for one in findings if one.rule == name and one.path in paths]
        score.applicable += 1
        score.passed += not broken
        if broken:
            score.violations.append(
                {
                    "rule": name,
                    "title": title,
                    "count": len(broken),
                    "findings": [str(one.pk) for one in broken[:10]],
                }
            )
    return score


def _applicable(files: list[ChangedFile], standards: list[Standard]) -> Iterator[tuple[str, str]]:
    """Yield the rules that speak of some of these files: the team's, and our own of conventions."""
    for standard in standards:
        spec = lenient_spec(standard.files)
        if any(spec is None or spec.match_file(file.path) for file in files):
            yield standard.rule, standard.title
    for rule in rules():
        if rule.category in {"convention", "pattern"} and any(
            file.language in rule.shapes and file.layer not in rule.skip for file in files
        ):
            yield rule.name, rule.claim

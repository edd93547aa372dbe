"""What a team has agreed on: read from its default branch, or written here, and how it is checked.

Standards are read from the branch as it stood before the commits under review, and the checks of a
project come from our database alone: no change can speak for itself.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import UUID

import re2
import yaml
from django.db import transaction

from knowledge.front_matter import body_of, front_matter
from knowledge.headings import markdown_headings
from knowledge.redaction import redact
from projects.commits import CommitTree
from projects.models import Source
from projects.patterns import lenient_spec
from reviews.changes import Change, ChangedFile
from reviews.models import Standard
from reviews.observations import Observation
from reviews.rule_files import RuleBroken, read_rule
from reviews.tools import Report, Version, run_ruff

MOST_FILES = 60  # of standards in a repository
MOST_STANDARDS = 300
TOLD = 12  # to a model
LONGEST_TOLD = 220  # characters of one
LONGEST_RULE = 8_000
FEWEST_WORDS = 4  # of a section that says something
_AGREED = re.compile(
    r"(?:^|/)(?:AGENTS|CLAUDE|CONVENTIONS|STYLE|STYLEGUIDE|CODING_STANDARDS|GUIDELINES)\.md$"
    r"|(?:^|/)(?:standards?|conventions?|guidelines|style-?guides?)/[^/]+\.(?:md|markdown|rst|txt)$"
    r"|^\.github/copilot-instructions\.md$|^\.cursorrules$",
    re.IGNORECASE,
)
_CODES = re.compile(r"[A-Z]{1,6}\d{0,4}(?:[\s,]+[A-Z]{1,6}\d{0,4})*")

Check = Callable[[Change], Iterable[Observation]]


class StandardRefused(Exception):
    """A standard can't be checked as it says; the message says why."""


def enabled_of(project_id: UUID) -> list[Standard]:
    """Return the standards of a project that are in force."""
    mine = Standard.objects.filter(project=project_id, is_enabled=True)
    return list(mine.order_by("origin", "title", "pk")[:MOST_STANDARDS])


def told_to_models(project_id: UUID) -> list[str]:
    """Return standards in a line each, for a model to hold a change against."""
    return [
        f"{one.title}: {' '.join(one.text.split())}"[:LONGEST_TOLD]
        for one in enabled_of(project_id)[:TOLD]
    ]


def read_standards(source: Source, commit: str) -> int:
    """Bring the standards of a repository in line with a commit of it; return how many."""
    tree = CommitTree(source.mirror, commit)
    paths = sorted(path for path in tree.paths() if _AGREED.search(path))[:MOST_FILES]
    found = [one for path in paths for one in _standards_in(path, tree.read(path) or "")]
    with transaction.atomic():
        known = {
            (one.path, one.anchor): one
            for one in Standard.objects.select_for_update().filter(source=source)
        }
        for one in found[:MOST_STANDARDS]:
            kept = known.pop((one.path, one.anchor), None)
            _keep(kept or one, one, source)
        Standard.objects.filter(pk__in=[one.pk for one in known.values()]).delete()
    return len(found)


def _keep(kept: Standard, read: Standard, source: Source) -> None:
    """What a person set of a standard, its check and whether it is in force, stays."""
    kept.project_id, kept.source = source.project_id, source
    kept.title, kept.text = read.title, read.text
    kept.category, kept.tags = read.category, read.tags
    kept.save()


def _standards_in(path: str, text: str) -> Iterator[Standard]:
    """Yield a standard for each section of a document that says something."""
    metadata, _ = front_matter(text)
    folder = path.split("/")[-2] if "/" in path else ""
    shown, _ = redact(body_of(text))
    for title, anchor, said in _sections(shown):
        if len(said.split()) < FEWEST_WORDS:
            continue
        yield Standard(
            origin=Standard.Origin.REPOSITORY,
            path=path,
            anchor=anchor[:512],
            title=(title or str(metadata.get("title", "")) or path)[:255],
            category=str(metadata.get("category", folder))[:100],
            tags=metadata.get("tags", []),
            text=said[:4_000],
        )


def _sections(text: str) -> Iterator[tuple[str, str, str]]:
    """Yield the title, the anchor and the text of each section, up to the next heading."""
    rows = text.split("\n")
    headings = markdown_headings(text)
    starts = [heading.row for heading in headings] + [len(rows)]
    if text[: len("\n".join(rows[: starts[0]]))].strip():
        yield "", "", "\n".join(rows[: starts[0]]).strip()
    for heading, end in zip(headings, starts[1:], strict=True):
        yield heading.title, heading.anchor, "\n".join(rows[heading.row + 1 : end]).strip()


def check_standard(standard: Standard) -> None:
    """Raise `StandardRefused` where a standard's check could not be run."""
    rule = standard.check_rule.strip()
    if len(rule) > LONGEST_RULE:
        raise StandardRefused(f"A rule has at most {LONGEST_RULE:,} characters.")
    if standard.check_kind == Standard.Check.PATTERN:
        try:
            re2.compile(rule)
        except re2.error as error:
            raise StandardRefused(f"This is not a regular expression: {error}") from error
    elif standard.check_kind == Standard.Check.TOOL and not _CODES.fullmatch(rule):
        raise StandardRefused("Give codes of ruff, such as: D103, ANN")
    elif standard.check_kind == Standard.Check.TREE:
        try:
            read_rule(_as_rule(standard))
        except (RuleBroken, ValueError, TypeError, AttributeError) as error:
            raise StandardRefused(f"This is not a rule: {error}") from error


def tree_rules(standards: Iterable[Standard]) -> list[str]:
    """Return the rules over syntax trees among standards, for the process that inspects files."""
    found = []
    for standard in standards:
        if standard.check_kind == Standard.Check.TREE:
            try:
                check_standard(standard)
            except StandardRefused:
                continue
            found.append(_as_rule(standard))
    return found


def _as_rule(standard: Standard) -> str:
    """Return a standard's rule as a file of ours would say it: only its languages are its own."""
    try:
        languages = yaml.safe_load(standard.check_rule)
    except yaml.YAMLError as error:
        raise RuleBroken("not valid YAML") from error
    about = {
        "id": str(standard.pk),
        "category": "convention",
        "severity": str(standard.severity),
        "confidence": 0.9,
        "claim": f"This is not as agreed: {standard.title.rstrip('.')}.",
        "why": standard.text[:500] or standard.title,
        "reference": standard.path or standard.title,
        "languages": languages,
    }
    return yaml.safe_dump(about, allow_unicode=True)


def checks_of(standards: Sequence[Standard]) -> list[Check]:
    """Return the checks of standards that look at lines or ask ruff."""
    kinds = {Standard.Check.PATTERN: _by_pattern, Standard.Check.TOOL: _by_tool}
    found: list[Check] = []
    for standard in standards:
        make = kinds.get(Standard.Check(standard.check_kind))
        if make is not None:
            found.append(make(standard))
    return found


def _by_pattern(standard: Standard) -> Check:
    def check(change: Change) -> Iterator[Observation]:
        pattern = re2.compile(standard.check_rule.strip())
        for file in _files(change, standard):
            known = set(file.before.split("\n"))
            for number, text in sorted(file.added.items()):
                if text not in known and pattern.search(text[:2_000]):
                    yield _violation(standard, file, number, number)

    return check


def _by_tool(standard: Standard) -> Check:
    def check(change: Change) -> Iterator[Observation]:
        python = [file for file in _files(change, standard) if file.language == "python"]
        versions = [Version(file.path, file.after) for file in python]
        files = {file.path: file for file in python}
        for report in run_ruff(versions, _CODES.findall(standard.check_rule)):
            file = files[report.path]
            if _is_new(report, file):
                yield _violation(
                    standard, file, report.start_line, report.end_line, f"{report.message}."
                )

    return check


def _is_new(report: Report, file: ChangedFile) -> bool:
    return any(report.start_line <= line <= report.end_line for line in file.added)


def _files(change: Change, standard: Standard) -> Iterator[ChangedFile]:
    spec = lenient_spec(standard.files)
    for file in change.files:
        if file.added and (spec is None or spec.match_file(file.path)):
            yield file


def _violation(
    standard: Standard, file: ChangedFile, start: int, end: int, said: str = ""
) -> Observation:
    return Observation(
        rule=standard.rule,
        severity="warning" if standard.severity == Standard.Severity.WARNING else "info",
        category="convention",
        path=file.path,
        start_line=start,
        end_line=end,
        claim=f"This is not as agreed: {standard.title.rstrip('.')}."[:480],
        evidence=said or " ".join(standard.text.split())[:500],
        reference=standard.path or standard.title,
        confidence=0.9,
    )

"""Examining a commit without a model: its files are read and everything that checks is asked.

Nothing of the reviewed tree decides what is looked for: the tools run without its configuration,
and the rules are ours or those of the project in our database.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from knowledge.languages import language_of, layer_of, looks_generated, skip_reason
from knowledge.redaction import redact
from projects.commits import CommitTree
from projects.companions import Companions
from projects.diffs import Diff, FileDiff, Step, diff_of
from reviews.callers import stale_callers
from reviews.changes import Change, ChangedFile
from reviews.documents import stale_documents
from reviews.habits import missing_companions, missing_tests
from reviews.inspecting import Asked, is_suppressed
from reviews.inspectors import Inspector
from reviews.merging import merge
from reviews.observations import Observation
from reviews.secrets import secrets_in
from reviews.tools import Report, Version, rule_of, run_tools
from reviews.verifying import Verified, quoted_from, verify

MOST_FILES = 150  # that are looked into; of a larger change, the smallest ones
LARGEST_TEXT = 400_000  # characters
ACROSS: tuple[Callable[[Change], Iterable[Observation]], ...] = (
    stale_callers,
    stale_documents,
    missing_tests,
    missing_companions,
    secrets_in,
)
_SECRET_VALUE = re.compile(r"([=:]\s*)\S.*")


@dataclass(slots=True)
class Examined:
    """What was found in a commit, and how: seconds of each step, files left out, what failed."""

    change: Change
    diff: Diff
    findings: list[Verified] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    left_out: dict[str, str] = field(default_factory=dict)  # reasons by path
    notes: list[str] = field(default_factory=list)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        began_at = monotonic()
        try:
            yield
        finally:
            self.seconds[step] += monotonic() - began_at


def examine(
    mirror: Path,
    step: Step,
    companions: Companions,
    inspector: Inspector,
    *,
    folder: str = "",
    more: Sequence[Callable[[Change], Iterable[Observation]]] = (),
) -> Examined:
    """Return what can be said of a commit against its first parent, below a folder if one is named.

    `more` are checks of the project beside ours.
    """
    diff = diff_of(mirror, step.sha, step.parent)
    if folder:
        below = f"{folder.strip('/')}/"
        diff.files = [file for file in diff.files if file.path.startswith(below)]
    tree = CommitTree(mirror, step.sha)
    paths = {path for file in diff.files for path in (file.path, file.old_path)}
    change = Change(step, [], tree, companions, frozenset(paths))
    examined = Examined(change, diff)
    with examined.timed("read"):
        change.files = _read(examined)
    observations: list[Observation] = []
    with examined.timed("tools"):
        observations += _by_tools(examined)
    with examined.timed("checks"):
        observations += _by_rules(examined, inspector)
        for check in (*ACROSS, *more):
            observations += check(change)
        observations = [_less_of_shared(one, change) for one in observations]
    with examined.timed("verify"):
        examined.findings = merge(judged(change, observations))
    if diff.left_out:
        examined.notes.append(f"{diff.left_out:,} more files were too many to look at.")
    return examined


def judged(change: Change, observations: Iterable[Observation]) -> Iterator[Verified]:
    """Yield observations as they may be shown: verified, quoted with secrets masked."""
    files = {file.path: (file, shown_lines(file)) for file in change.files}
    for observation in observations:
        if observation.path not in files:
            continue
        file, lines = files[observation.path]
        quote = quoted_from(lines, observation.start_line, observation.end_line)
        if observation.rule.startswith("model"):
            quote = observation.quote
        yield verify(replace(observation, quote=quote), lines, file.added)


def shown_lines(file: ChangedFile) -> list[str]:
    """Return the lines of a file as people and models may see them."""
    return without_secrets(file.path, file.after)


def without_secrets(path: str, text: str) -> list[str]:
    """Return the lines of a text with its secrets masked; a secret may take several lines."""
    if skip_reason(path) == "secret file":
        return [_SECRET_VALUE.sub(r"\1****", line) for line in text.split("\n")]
    return redact(text)[0].split("\n")


def _read(examined: Examined) -> list[ChangedFile]:
    """Read the changed files that are worth it, before and after."""
    tree = examined.change.tree
    wanted = []
    for file in examined.diff.files:
        if reason := _reason_to_skip(file):
            examined.left_out[file.path] = reason
        else:
            wanted.append(file)
    if len(wanted) > MOST_FILES:
        wanted.sort(key=lambda file: (sum(len(hunk.lines) for hunk in file.hunks), file.path))
        for file in wanted[MOST_FILES:]:
            examined.left_out[file.path] = "the change is too large"
        wanted = wanted[:MOST_FILES]
    shas = {sha for file in wanted for sha in (file.old_sha, file.new_sha) if sha.strip("0")}
    texts = tree.read_all(sorted(shas))
    read = []
    for file in wanted:
        after = texts.get(file.new_sha, "")
        if file.new_sha.strip("0") and file.new_sha not in texts:
            examined.left_out[file.path] = "too large, or no text"
            continue
        if len(after) > LARGEST_TEXT or looks_generated(after):
            examined.left_out[file.path] = "generated or too large"
            continue
        read.append(
            ChangedFile(
                file,
                language_of(file.path),
                layer_of(file.path),
                texts.get(file.old_sha, "") if file.status != "added" else "",
                after,
                added=file.added_lines(),
                removed=file.removed_lines(),
            )
        )
    return read


def _reason_to_skip(file: FileDiff) -> str:
    if file.is_binary:
        return "binary"
    reason = skip_reason(file.path)
    return "" if reason == "secret file" else reason


def _by_rules(examined: Examined, inspector: Inspector) -> Iterator[Observation]:
    moved = _moved_lines(examined.change.files)
    for file in examined.change.files:
        file.inspection = inspector.ask(
            Asked(
                file.path,
                file.language,
                file.layer,
                file.before,
                file.after,
                frozenset(file.added),
            )
        )
        if file.inspection.failed:
            examined.left_out[file.path] = file.inspection.failed
        for observation in file.inspection.observations:
            if not _is_moved(observation, file, moved):
                yield observation
        if skip_reason(file.path) == "secret file" and file.diff.status == "added":
            yield _secret_file(file)


def _less_of_shared(observation: Observation, change: Change) -> Observation:
    """Return a parameter that nobody reads as a remark where others of that name take it too."""
    if observation.rule != "nightowl/unused-parameter" or observation.severity == "info":
        return observation
    name = observation.claim.partition(" ")[0]
    defines = re.compile(rf"\b(?:def|func|function)\s+(?:\([^)]*\)\s*)?{re.escape(name)}\b")
    others = [
        mention
        for mention in change.tree.mentions([name])
        if mention.path != observation.path and defines.search(mention.text)
    ]
    return replace(observation, severity="info", confidence=0.5) if others else observation


def _moved_lines(files: Iterable[ChangedFile]) -> Counter[str]:
    return Counter(text.strip() for file in files for text in file.removed.values() if text.strip())


def _is_moved(observation: Observation, file: ChangedFile, moved: Counter[str]) -> bool:
    """Whether the lines were taken from elsewhere as they were: who moves code did not write it."""
    lines = [
        text.strip()
        for number, text in file.added.items()
        if observation.start_line <= number <= observation.end_line and text.strip()
    ]
    return bool(lines) and all(moved[line] for line in lines)


def _secret_file(file: ChangedFile) -> Observation:
    line = min(file.added, default=1)
    return Observation(
        rule="nightowl/secret-file",
        # Tests need certificates and keys that protect nothing.
        severity="info" if file.layer == "test" else "warning",
        category="security",
        path=file.path,
        start_line=line,
        end_line=line,
        claim="A file that usually holds secrets was committed.",
        evidence="Take it out, ignore it, and revoke what stood in it: the history keeps it.",
        reference="CWE-540, Inclusion of Sensitive Information in Source Code",
        confidence=0.8,
    )


def _by_tools(examined: Examined) -> Iterator[Observation]:
    python = [file for file in examined.change.files if file.language == "python" and file.after]
    reports = run_tools(
        [Version(file.path, file.before) for file in python if file.before],
        [Version(file.path, file.after) for file in python],
    )
    examined.notes += reports.failed
    files = {file.path: file for file in python}
    moved = _moved_lines(examined.change.files)
    known = Counter(_key(report, files, is_new=False) for report in reports.before)
    for report in reports.after:
        key = _key(report, files, is_new=True)
        if known[key] > 0:
            known[key] -= 1
            continue
        observation = _observed(report, files[report.path])
        if observation and not _is_moved(observation, files[report.path], moved):
            yield observation


def _key(report: Report, files: dict[str, ChangedFile], *, is_new: bool) -> tuple[str, ...]:
    """Tell a report from others of its file by the words of its line: numbers move."""
    file = files[report.path]
    lines = (file.after if is_new else file.before).split("\n")
    line = lines[report.start_line - 1] if report.start_line <= len(lines) else ""
    return report.tool, report.code, report.path, " ".join(line.split())


def _observed(report: Report, file: ChangedFile) -> Observation | None:
    rule = rule_of(report.code)
    if rule is None or not any(report.start_line <= line <= report.end_line for line in file.added):
        return None
    is_test = file.layer in {"test", "example", "documentation"}
    if is_test and (rule.category == "security" or report.code in {"S113", "B018", "F811"}):
        return None
    lines = file.lines()
    return Observation(
        rule=f"{report.tool}/{report.code}",
        severity="info" if _is_meant(report, lines) else rule.severity,
        category=rule.category,
        path=report.path,
        start_line=report.start_line,
        end_line=report.end_line,
        claim=rule.claim or f"{report.message.rstrip('.')}.",
        evidence="" if rule.category == "security" else report.message,
        reference=report.address or f"{report.tool} {report.code}",
        confidence=rule.confidence,
        is_suppressed=is_suppressed(lines, report.start_line, report.end_line),
    )


def _is_meant(report: Report, lines: list[str]) -> bool:
    """Whether it is usually meant so: a fixed command, or a module that hands a name on."""
    if report.code == "PLW0127":
        return not lines[report.start_line - 1][:1].isspace()
    return report.is_slight and report.code in {"S602", "S605"}

"""Keeping what was found in a commit: once, whoever dies over it, and what it fixed with it."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction
from django.utils import timezone

from knowledge.models import Blob, DocumentVersion
from knowledge.redaction import redact
from projects.diffs import FileDiff, Step
from projects.models import Commit, Source, Task
from reviews.changes import Change, ChangedFile
from reviews.conventions import scores_of_modules
from reviews.examining import Examined, shown_lines
from reviews.fingerprints import fingerprints, symbol_at
from reviews.merging import shown
from reviews.models import ConventionScore, Finding, Mute, Review, Standard, TestSuggestion
from reviews.scoring import Counted, scores_of
from reviews.suggesting import Suggested
from reviews.verifying import Verified, stands_there

LONGEST_HUNK = 40  # lines
AROUND = 6  # lines of a hunk before and after a finding


def keep_commit(source: Source, step: Step) -> Commit:
    """Return the row of a commit, as it says of itself, with secrets masked."""
    message, _ = redact(step.message)
    commit, _ = Commit.objects.get_or_create(
        project_id=source.project_id,
        sha=step.sha,
        defaults={
            "message": message.replace("\0", " "),
            "author": step.author,
            "email": step.email,
            "branch": source.branch or source.forge.get("branch", ""),
            "committed_at": step.committed_at,
        },
    )
    return commit


def keep_review(
    review: Review,
    examined: Examined,
    suggestions: Iterable[Suggested],
    standards: Iterable[Standard],
) -> int:
    """Store a review with what belongs to it; return how many findings are new.

    Runs inside a transaction that holds the job's lease.
    """
    kept = Review.objects.select_for_update().get(pk=review.pk)
    if kept.status != Review.Status.PENDING:
        return 0
    change, now = examined.change, timezone.now()
    Commit.objects.filter(pk=review.commit_id).update(
        files_changed=len(examined.diff.files) + examined.diff.left_out,
        additions=examined.diff.additions,
        deletions=examined.diff.deletions,
        task_id=review.commit.task_id or _task_named(review),
    )
    mark_fixed(review, change)
    findings = _new_findings(review, examined)
    Finding.objects.bulk_create(findings, ignore_conflicts=True)
    made = list(Finding.objects.filter(review=review))
    _keep_texts(review, change, {one.path for one in made})
    _keep_suggestions(review, suggestions)
    _keep_scores(review, change, made, standards)
    _conclude(review, examined, made, now)
    return len(made)


def _task_named(review: Review) -> Any:
    """Return the task that the commit's message names by its id, if there is one."""
    for word in review.commit.message.replace(",", " ").split():
        if len(word) == 36 and word.count("-") == 4:
            found = Task.objects.filter(project=review.project_id, pk=word).first()
            if found is not None:
                return found.pk
    return None


def _new_findings(review: Review, examined: Examined) -> list[Finding]:
    change = examined.change
    files = {file.path: file for file in change.files}
    muted = set(
        Mute.objects.filter(project=review.project_id, lifted_at=None).values_list(
            "rule", flat=True
        )
    )
    named = [
        (
            one.observation,
            symbol_at(files[one.observation.path].inspection.after, one.observation.start_line),
        )
        for one in examined.findings
    ]
    visible = shown(examined.findings)
    return [
        _finding(
            review,
            one,
            files[one.observation.path],
            fingerprint,
            is_shown=number in visible,
            is_muted=one.observation.rule in muted and one.observation.category != "security",
        )
        for number, (one, fingerprint) in enumerate(
            zip(examined.findings, fingerprints(named), strict=True)
        )
    ]


def _finding(
    review: Review,
    one: Verified,
    file: ChangedFile,
    fingerprint: str,
    *,
    is_shown: bool,
    is_muted: bool,
) -> Finding:
    said = one.observation
    return Finding(
        project_id=review.project_id,
        source_id=review.source_id,
        review=review,
        severity=said.severity,
        category=said.category,
        rule=said.rule[:120],
        path=said.path,
        current_path=said.path,
        start_line=max(1, said.start_line),
        end_line=max(1, said.start_line, said.end_line),
        left=list(said.left),
        claim=_plain(said.claim)[:500],
        quote=_plain(said.quote),
        evidence=_plain(said.evidence)[:4_000],
        reference=_plain(said.reference)[:500],
        confidence=min(1.0, max(0.0, said.confidence)),
        patch=_plain(said.patch)[:4_000],
        hunk=_hunk(file, said.start_line, said.end_line),
        is_verified=one.is_verified,
        doubt=one.doubt,
        is_shown=is_shown,
        is_muted=is_muted,
        model_name=said.model_name,
        prompt_version=said.prompt_version,
        fingerprint=fingerprint,
    )


def _plain(text: str) -> str:
    shown_text, _ = redact(text.replace("\0", " "))
    return shown_text


def _hunk(file: ChangedFile, start: int, end: int) -> list[dict[str, Any]]:
    """Return the lines of the change round a finding: their signs, numbers and texts."""
    lines = shown_lines(file)
    for hunk in file.diff.hunks:
        rows: list[dict[str, Any]] = []
        number, at = hunk.new_start, []
        for line in hunk.lines:
            sign, text = line[:1], line[1:]
            if sign != "-":
                text = lines[number - 1] if number <= len(lines) else text
                if start <= number <= end:
                    at.append(len(rows))
            else:
                text, _ = redact(text)
            rows.append(
                {
                    "sign": sign,
                    "line": number if sign != "-" else None,
                    "text": text.replace("\0", " ")[:400],
                    "is_lit": sign != "-" and start <= number <= end,
                }
            )
            number += sign != "-"
        if at:
            first = max(0, at[0] - AROUND)
            return rows[first : min(at[-1] + AROUND + 1, first + LONGEST_HUNK)]
    return []


def mark_fixed(review: Review, change: Change) -> int:
    """Mark what earlier commits left and this one put right; return how many those were."""
    waiting = Finding.objects.filter(
        source=review.source_id, state__in=Finding.SEEN_STATES
    ).exclude(review=review)
    touched = {path: file for file in change.files for path in _paths_of(file.diff)}
    gone = change.paths - {file.path for file in change.files}
    fixed = 0
    for finding in waiting.select_for_update():
        file = touched.get(finding.current_path)
        if _is_fixed(finding, file, gone, change):
            finding.state, finding.fixed_in = Finding.State.FIXED, review.commit
            fixed += 1
        elif file is not None and file.path != finding.current_path:
            finding.current_path = file.path
        else:
            continue
        finding.save(update_fields=["state", "fixed_in", "current_path", "updated_at"])
    return fixed


def _paths_of(diff: FileDiff) -> set[str]:
    return {diff.old_path, diff.path} if diff.status == "renamed" else {diff.path}


def _is_fixed(
    finding: Finding, file: ChangedFile | None, gone: frozenset[str], change: Change
) -> bool:
    if set(finding.left) & change.paths:
        return True
    if finding.rule == "nightowl/untested-change":
        return _is_tested(finding, change)
    if file is None:
        # Deleted, not only left out of what was read.
        return finding.current_path in gone and finding.current_path not in change.tree.paths()
    return not stands_there(finding.quote, shown_lines(file))


def _is_tested(finding: Finding, change: Change) -> bool:
    name = finding.claim.split(" ", 1)[0]
    return any(file.layer == "test" and name in file.after for file in change.files)


def _keep_texts(review: Review, change: Change, paths: set[str]) -> None:
    """Keep the files that findings are in as they stood, so that their lines open for ever."""
    sha, source = review.commit.sha, review.source_id
    known = DocumentVersion.objects.filter(source=source, commit=sha, path__in=paths)
    there = set(known.values_list("path", flat=True))
    versions, texts = [], {}
    for file in change.files:
        if file.path in paths - there:
            text = "\n".join(shown_lines(file)).replace("\0", " ")
            blob = sha256(text.encode("utf-8", "replace")).hexdigest()
            texts[blob] = Blob(sha=blob, text=text)
            versions.append(
                DocumentVersion(
                    source_id=source,
                    path=file.path,
                    commit=sha,
                    blob_id=blob,
                    language=file.language,
                )
            )
    Blob.objects.bulk_create(texts.values(), ignore_conflicts=True)
    DocumentVersion.objects.bulk_create(versions, ignore_conflicts=True)
    # A review may look back: what it keeps must not pass for newer than what syncs have stored.
    moment = review.commit.committed_at or review.created_at
    DocumentVersion.objects.filter(
        source=source, commit=sha, path__in=[version.path for version in versions]
    ).update(created_at=moment)


def _keep_suggestions(review: Review, suggestions: Iterable[Suggested]) -> None:
    TestSuggestion.objects.bulk_create(
        [
            TestSuggestion(
                project_id=review.project_id,
                review=review,
                target_file=one.target_file,
                test_file=one.test_file,
                test_type=one.test_type,
                framework=one.framework,
                confidence=one.confidence,
                language=one.language,
                symbol=one.symbol[:512],
                start_line=one.start_line,
                end_line=one.end_line,
                code=_plain(one.code),
                reason=one.reason[:500],
            )
            for one in suggestions
        ],
        ignore_conflicts=True,
    )


def _keep_scores(
    review: Review, change: Change, findings: list[Finding], standards: Iterable[Standard]
) -> None:
    ConventionScore.objects.bulk_create(
        [
            ConventionScore(
                project_id=review.project_id,
                review=review,
                module=one.module[:512],
                date=(review.commit.committed_at or timezone.now()).date(),
                applicable=one.applicable,
                passed=one.passed,
                score=one.passed / one.applicable,
                violations=one.violations,
            )
            for one in scores_of_modules(change, findings, standards)
        ],
        ignore_conflicts=True,
    )


def _conclude(review: Review, examined: Examined, findings: list[Finding], now: datetime) -> None:
    review.summary = summary_of(examined, findings)
    review.changed_paths = [file.path for file in examined.change.files][:300]
    review.left_out = dict(sorted(examined.left_out.items())[:100])
    review.notes = examined.notes[:20]
    review.seconds = round(sum(examined.seconds.values()), 3)
    review.reviewed_at = now
    rescore(review, findings)
    review.save()


def rescore(review: Review, findings: Iterable[Finding]) -> None:
    """Compute a review's scores and status anew from its findings; the caller saves."""
    scores = scores_of(
        Counted(
            one.claim,
            one.severity,
            one.category,
            one.confidence,
            one.state == Finding.State.DISMISSED or one.is_muted,
        )
        for one in findings
    )
    review.quality_score, review.security_score = scores.quality, scores.security
    review.status, review.score_inputs = scores.status, scores.inputs


def summary_of(examined: Examined, findings: list[Finding]) -> str:
    """Return what a commit did and what was found in it, in two sentences."""
    diff = examined.diff
    files = len(diff.files) + diff.left_out
    did = f"{files:,} file{'s' * (files != 1)}, +{diff.additions:,} −{diff.deletions:,}."
    counts = Counter(one.severity for one in findings)
    remarks = "remark" if counts["info"] == 1 else "remarks"
    words = {"critical": "critical", "warning": "worth a look", "info": remarks}
    found = [f"{counts[severity]} {word}" for severity, word in words.items() if counts[severity]]
    return f"{did} {'Found: ' + ', '.join(found) + '.' if found else 'Nothing to say.'}"


@transaction.atomic
def rescore_review(review_id: Any) -> None:
    """Bring a review in line with what people decided about its findings."""
    review = Review.objects.select_for_update().get(pk=review_id)
    if review.status != Review.Status.PENDING:
        rescore(review, list(Finding.objects.filter(review=review)))
        review.save(
            update_fields=[
                *("quality_score", "security_score", "status", "score_inputs", "updated_at"),
            ]
        )

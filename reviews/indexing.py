"""Making what a night found searchable: each finding a text of its own in its collection.

The texts are uploads of a source that the product keeps for itself, read by the next sync like any
others: search and chat find them under the same rules of who may see what.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from knowledge.gaps import OPEN_STATES
from knowledge.models import KnowledgeGap, Upload
from knowledge.uploads import git_sha_of
from projects.jobs import enqueue
from projects.models import Source
from projects.sourcing import own_source
from reviews.models import ConventionScore, Finding, NightlyRun, Review, Standard, TestSuggestion
from reviews.planning import NAME


@dataclass(frozen=True, slots=True)
class Text:
    """A text for the index, and what it is about; its first folder is its collection."""

    path: str
    title: str
    content: str
    metadata: dict[str, Any] = field(default_factory=dict)


def index_reviews(run: NightlyRun) -> int:
    """Store the texts of a run and have them read; return how many.

    Runs inside a transaction.
    """
    source = own_source(run.project, Source.Kind.REVIEWS, NAME, by=run.project.owner)
    texts = list(_texts(run))
    Upload.objects.bulk_create(
        [_upload(source, text) for text in texts],
        update_conflicts=True,
        unique_fields=["source", "path"],
        update_fields=["content", "git_sha", "size", "title", "metadata", "updated_at"],
    )
    _forget_closed_gaps(run, source)
    enqueue(source, requested_by=run.requested_by)
    return len(texts)


def _upload(source: Source, text: Text) -> Upload:
    content = text.content.encode("utf-8", "replace")
    return Upload(
        source=source,
        path=text.path[:1024],
        content=content,
        git_sha=git_sha_of(content),
        size=len(content),
        title=text.title[:512],
        metadata=text.metadata,
    )


def _forget_closed_gaps(run: NightlyRun, source: Source) -> None:
    gaps = KnowledgeGap.objects.filter(project=run.project_id, state__in=OPEN_STATES)
    open_paths = {_gap_path(gap) for gap in gaps}
    kept = Upload.objects.filter(source=source, path__startswith="knowledge-gaps/")
    kept.exclude(path__in=open_paths).delete()


def _texts(run: NightlyRun) -> Iterator[Text]:
    reviews = Review.objects.filter(run=run).exclude(status=Review.Status.PENDING)
    for review in reviews.select_related("commit").order_by("position", "pk"):
        yield _review_text(review)
        for finding in review.findings.filter(is_muted=False).order_by("start_line", "pk"):
            yield _finding_text(review, finding)
        for suggestion in review.test_suggestions.order_by("pk"):
            yield _suggestion_text(review, suggestion)
        for score in review.convention_scores.order_by("module"):
            yield _score_text(review, score)
    gaps = KnowledgeGap.objects.filter(project=run.project_id, state__in=OPEN_STATES)
    for gap in gaps.order_by("pk"):
        yield _gap_text(gap)
    written = Standard.objects.filter(
        project=run.project_id, origin=Standard.Origin.WRITTEN, is_enabled=True
    )
    for standard in written.order_by("pk"):
        yield _standard_text(standard)


def _when(review: Review) -> datetime:
    return review.commit.committed_at or review.created_at


def _folder(review: Review) -> str:
    return f"{_when(review):%Y-%m}/{review.commit.sha[:10]}"


def _about(review: Review) -> dict[str, Any]:
    return {
        "commitSha": review.commit.sha,
        "author": review.commit.author,
        "date": _when(review).isoformat(),
    }


def _opening(review: Review) -> str:
    kind = "merge" if review.is_merge else "commit"
    subject = review.commit.message.partition("\n")[0]
    return (
        f"{kind} {review.commit.sha[:10]} of {_when(review):%Y-%m-%d} by {review.commit.author}:"
        f" {subject}"
    )


def _review_text(review: Review) -> Text:
    lines = [
        f"# Review of {_opening(review)}",
        "",
        f"{review.get_status_display().replace('_', ' ').lower()}. {review.summary}",
        f"Quality {review.quality_score}, security {review.security_score}.",
        *(f"- {one.severity}: {one.claim} ({one.path})" for one in review.findings.told()),
    ]
    title = f"Review of {review.commit.sha[:10]}"
    path = f"reviews/{_folder(review)}/review.md"
    return Text(path, title, "\n".join(lines), _about(review))


def _finding_text(review: Review, finding: Finding) -> Text:
    lines = [
        f"# {finding.claim}",
        "",
        f"Finding of the nightly review, {finding.severity} {finding.category}, in {finding.path}"
        f" lines {finding.lines}, {_opening(review)}",
        "",
        finding.evidence,
        f"Rule: {finding.rule}. {finding.reference}",
        "",
        *(f"    {line}" for line in finding.quote.split("\n")),
    ]
    metadata = {
        "severity": finding.severity,
        "category": finding.category,
        "filePath": finding.path,
        **_about(review),
    }
    path = f"reviews/{_folder(review)}/{finding.fingerprint[:12]}.md"
    return Text(path, finding.claim, "\n".join(lines), metadata)


def _suggestion_text(review: Review, suggestion: TestSuggestion) -> Text:
    lines = [
        f"# Test for {suggestion.symbol}",
        "",
        f"A {suggestion.test_type} test with {suggestion.framework} for {suggestion.symbol} in"
        f" {suggestion.target_file}, suggested after {_opening(review)} {suggestion.reason}",
        "",
        f"```{suggestion.language}",
        suggestion.code,
        "```",
    ]
    metadata = {
        "targetFile": suggestion.target_file,
        "testType": suggestion.test_type,
        "framework": suggestion.framework,
        "confidence": suggestion.confidence,
        **_about(review),
    }
    path = f"test-suggestions/{_folder(review)}/{suggestion.pk}.md"
    return Text(path, f"Test for {suggestion.symbol}", "\n".join(lines), metadata)


def _score_text(review: Review, score: ConventionScore) -> Text:
    broken = [f"- {one['title']} ({one['count']})" for one in score.violations]
    lines = [
        f"# Conventions in {score.module}: {score.score:.2f}",
        "",
        f"{score.passed} of {score.applicable} rules kept in {_opening(review)}",
        *(["Not kept:", *broken] if broken else []),
    ]
    metadata = {
        "module": score.module,
        "score": score.score,
        "violations": [one["title"] for one in score.violations],
        **_about(review),
    }
    path = f"convention-scores/{_folder(review)}/{score.pk}.md"
    title = f"Conventions in {score.module}"
    return Text(path, title, "\n".join(lines), metadata)


def _gap_path(gap: KnowledgeGap) -> str:
    return f"knowledge-gaps/{gap.pk}.md"


def _gap_text(gap: KnowledgeGap) -> Text:
    asked = [f"- {sample['question']}" for sample in gap.samples]
    lines = [
        f"# {gap.reason}",
        "",
        f"Knowledge gap: {gap.get_kind_display()}. {gap.module}",
        *asked,
    ]
    metadata = {
        "module": gap.module,
        "reason": gap.reason,
        "lastUpdated": gap.last_updated.isoformat(),
    }
    return Text(_gap_path(gap), gap.reason, "\n".join(lines), metadata)


def _standard_text(standard: Standard) -> Text:
    metadata = {"category": standard.category, "tags": standard.tags}
    content = f"# {standard.title}\n\n{standard.text}"
    return Text(f"standards/{standard.pk}.md", standard.title, content, metadata)

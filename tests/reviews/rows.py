"""A row of everything that nights leave behind, for tests that ask about each of them."""

from collections.abc import Mapping
from types import SimpleNamespace

from django.utils import timezone

from projects.models import Commit, Source
from reviews.models import (
    ConventionScore,
    Delivery,
    Finding,
    ModelPass,
    Mute,
    NightlyPlan,
    NightlyRun,
    Review,
    Standard,
    TestSuggestion,
    Webhook,
)
from reviews.recording import rescore_review

# An error of the network is caught and nobody hears of it.
SENDING = '''"""Telling people what they owe."""


def remind(people, relay):
    """Write to everybody, and return to how many."""
    sent = 0
    for person in people:
        try:
            relay.send(person)
            sent += 1
        except OSError:
            continue
    return sent
'''
LINES = {"start_line": 1, "end_line": 2}
SUGGESTED: Mapping[str, object] = {
    "target_file": "owl.py",
    "test_file": "tests/test_owl.py",
    "symbol": "hunt",
    "framework": "pytest",
    "test_type": "unit",
    "language": "python",
    "confidence": 0.6,
    "code": "def test_hunt(): ...",
    "reason": "Nothing tests it",
    **LINES,
}


def night_of(source: Source) -> Finding:
    """Return what a finished night found in a commit of Cai's: an error that nobody hears of."""
    project, today = source.project, timezone.localdate()
    now = timezone.now()
    night = NightlyRun.objects.create(
        project=project, night=today, state="done", started_at=now, finished_at=now
    )
    sha = "d" * 40
    commit = Commit.objects.create(project=project, sha=sha, message="Send reminders", author="Cai")
    review = Review.objects.create(
        project=project,
        source=source,
        commit=commit,
        run=night,
        reviewer_version="1",
        status="COMMENTED",
        changed_paths=["sending.py"],
        reviewed_at=now,
    )
    lines = SENDING.splitlines()
    rows = enumerate(lines, start=1)
    hunk = [{"line": n, "sign": "+", "text": line, "is_lit": 11 <= n <= 12} for n, line in rows]
    finding = Finding.objects.create(
        project=project,
        source=source,
        review=review,
        severity="warning",
        category="bug",
        rule="nightowl/swallowed-error",
        path="sending.py",
        current_path="sending.py",
        start_line=11,
        end_line=12,
        confidence=0.7,
        claim="An error is caught here and nothing is done about it.",
        hunk=hunk,
        quote="\n".join(lines[10:12]),
        evidence="<script>alert(1)</script>",
        is_verified=True,
        is_shown=True,
        fingerprint="f" * 64,
    )
    rescore_review(review.pk)
    return Finding.objects.get(pk=finding.pk)


def review_rows(source: Source) -> SimpleNamespace:
    """Make a finished night of a project with one of each thing that it may bring."""
    finding = night_of(source)
    project, review, night = source.project, finding.review, finding.review.run
    webhook = Webhook.objects.create(project=project, url="https://hooks.example.org/a")
    ModelPass.objects.create(
        review=review, part="p" * 64, number=1, paths=["owl.py"], state="read", model_name="m"
    )
    Mute.objects.create(project=project, rule="nightowl/missing-test")
    NightlyPlan.objects.create(project=project)
    Delivery.objects.create(run=night, way="webhook", webhook=webhook)
    return SimpleNamespace(
        night=night,
        review=review,
        finding=finding,
        suggestion=TestSuggestion.objects.create(project=project, review=review, **SUGGESTED),
        standard=Standard.objects.create(project=project, title="No print", text="Log instead."),
        score=ConventionScore.objects.create(
            project=project,
            review=review,
            module="owl",
            date=night.night,
            applicable=2,
            passed=1,
            score=0.5,
        ),
    )

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


def review_rows(source: Source) -> SimpleNamespace:
    """Make a finished night of a project with one of each thing that it may bring."""
    project, today = source.project, timezone.localdate()
    night = NightlyRun.objects.create(project=project, night=today, state="done")
    sha = "d" * 40
    commit = Commit.objects.create(project=project, sha=sha, message="Hunt", author="A <a@b>")
    review = Review.objects.create(
        project=project,
        source=source,
        commit=commit,
        run=night,
        reviewer_version="1",
        status="COMMENTED",
        reviewed_at=timezone.now(),
    )
    finding = Finding.objects.create(
        project=project,
        source=source,
        review=review,
        severity="warning",
        **{"category": "bug", "rule": "nightowl/swallowed-error", "path": "owl.py", **LINES},
        current_path="owl.py",
        claim="<script>alert(1)</script>",
        confidence=0.7,
        is_verified=True,
        is_shown=True,
        fingerprint="f" * 64,
        quote="return 1",
    )
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
            date=today,
            applicable=2,
            passed=1,
            score=0.5,
        ),
    )

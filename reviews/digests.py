"""What a morning is told of a night: few things, what matters first, by whose files they are in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.db.models import Sum
from django.utils import timezone

from knowledge.models import Document, KnowledgeGap
from projects.models import Membership, Project
from providers.models import Call
from reviews.drift import Drift, week_before
from reviews.models import (
    Delivery,
    Finding,
    ModelPass,
    NightlyRun,
    Review,
    TestSuggestion,
    Webhook,
)
from reviews.observations import SEVERITIES
from reviews.planning import plan_of

SHOWN = 20
SUGGESTIONS = 5
GAPS = 8


@dataclass(slots=True)
class Owned:
    """What was found in files that one person changed last."""

    owner: str
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Digest:
    """One night for a reader."""

    run: NightlyRun
    reviews: list[Review] = field(default_factory=list)
    owned: list[Owned] = field(default_factory=list)
    shown: int = 0
    more: int = 0
    remarks: int = 0
    muted: int = 0
    fixed: list[Finding] = field(default_factory=list)
    suggestions: list[TestSuggestion] = field(default_factory=list)
    gaps: list[KnowledgeGap] = field(default_factory=list)
    drift: list[Drift] = field(default_factory=list)  # of the week before, once a week
    unread: int = 0  # replies of a model that could not be read
    tokens: int = 0
    cost: Decimal | None = None

    @property
    def findings(self) -> list[Finding]:
        return [finding for owned in self.owned for finding in owned.findings]

    @property
    def merges(self) -> int:
        return len(self.reviews)


def latest_run(project: Project) -> NightlyRun | None:
    """Return the last run of a project that ended with something to tell."""
    done = NightlyRun.objects.filter(project=project, state=NightlyRun.State.DONE)
    return done.order_by("-finished_at").first()


def digest_of(run: NightlyRun) -> Digest:
    """Return what a run has to tell."""
    digest = Digest(run)
    digest.reviews = list(
        Review.objects.filter(run=run).select_related("commit", "source").order_by("position", "pk")
    )
    found = Finding.objects.filter(review__run=run).select_related("review__commit", "source")
    told = sorted(found.told().exclude(state=Finding.State.DISMISSED), key=_order)
    digest.owned = _by_owner(told[:SHOWN])
    digest.shown = min(len(told), SHOWN)
    digest.more = len(told) - digest.shown
    digest.remarks = found.filter(is_shown=False, is_muted=False).count()
    digest.muted = found.filter(is_muted=True).count()
    commits = [review.commit_id for review in digest.reviews]
    digest.fixed = list(
        Finding.objects.filter(project=run.project_id, fixed_in__in=commits).order_by("path", "pk")
    )
    digest.suggestions = list(
        TestSuggestion.objects.filter(review__run=run, state=TestSuggestion.State.OPEN)
        .select_related("review__commit")
        .order_by("-confidence", "target_file", "pk")[:SUGGESTIONS]
    )
    if run.started_at is not None:
        digest.gaps = list(
            KnowledgeGap.objects.filter(
                project=run.project_id,
                created_at__gte=run.started_at,
                state=KnowledgeGap.State.CANDIDATE,
                kind__in=KnowledgeGap.SEEN_KINDS,
            ).order_by("-times", "pk")[:GAPS]
        )
    digest.drift = week_before(run)
    _add_cost(digest)
    return digest


def _add_cost(digest: Digest) -> None:
    ids = [review.pk for review in digest.reviews]
    calls = Call.objects.filter(origin_kind="review", origin_id__in=ids)
    sums = calls.aggregate(sent=Sum("tokens_in"), written=Sum("tokens_out"))
    digest.tokens = (sums["sent"] or 0) + (sums["written"] or 0)
    # One call of unknown cost makes the sum unknown: it is never told as less than it was.
    digest.cost = None if calls.filter(cost=None).exists() else calls.spent()
    passes = ModelPass.objects.filter(review__in=ids)
    digest.unread = passes.exclude(state=ModelPass.State.READ).count()


def _order(finding: Finding) -> tuple[int, float, str, int]:
    rank = SEVERITIES.index(finding.severity)
    return -rank, -finding.confidence, finding.path, finding.start_line


def _by_owner(findings: Iterable[Finding]) -> list[Owned]:
    """Group findings by who changed their files last, whoever has the weightiest first."""
    listed = list(findings)
    owners = {
        (row[0], row[1]): row[2]
        for row in Document.objects.filter(
            source__in={finding.source_id for finding in listed},
            path__in={finding.current_path for finding in listed},
        ).values_list("source_id", "path", "author")
    }
    grouped: dict[str, Owned] = {}
    for finding in listed:
        known = owners.get((finding.source_id, finding.current_path), "")
        owner = known or finding.review.commit.author or "nobody known"
        grouped.setdefault(owner, Owned(owner)).findings.append(finding)
    return list(grouped.values())


def tell(run: NightlyRun) -> int:
    """Put a run's digest on its way to whoever wants it; return how many those are.

    Runs inside a transaction.
    """
    has_news = Review.objects.filter(run=run).exists()
    if not has_news:
        return 0
    now = timezone.now()
    hooks = Webhook.objects.filter(project=run.project_id, is_enabled=True)
    deliveries = [
        Delivery(run=run, way=Delivery.Way.WEBHOOK, webhook=hook, due_at=now) for hook in hooks
    ]
    if plan_of(run.project).mails_digest:
        members = Membership.objects.filter(
            project=run.project_id, user__is_active=True, user__deleted_at=None
        ).exclude(user__email="")
        deliveries += [
            Delivery(run=run, way=Delivery.Way.MAIL, user_id=user, due_at=now)
            for user in members.values_list("user_id", flat=True)
        ]
    Delivery.objects.bulk_create(deliveries, ignore_conflicts=True)
    return len(deliveries)


def as_json(digest: Digest, address: str) -> dict[str, Any]:
    """Return a digest as webhooks and programs get it; `address` is where its page is."""
    run = digest.run
    return {
        "event": "nightly.digest",
        "project": {"id": str(run.project_id), "name": run.project.name},
        "run": str(run.pk),
        "night": run.night.isoformat(),
        "url": address,
        "commits": digest.merges,
        "findings": [
            {
                "id": str(one.pk),
                "severity": one.severity,
                "category": one.category,
                "rule": one.rule,
                "path": one.path,
                "start_line": one.start_line,
                "end_line": one.end_line,
                "claim": one.claim,
                "commit": one.review.commit.sha,
                "owner": owned.owner,
            }
            for owned in digest.owned
            for one in owned.findings
        ],
        "more_findings": digest.more,
        "remarks": digest.remarks,
        "fixed": len(digest.fixed),
        "test_suggestions": len(digest.suggestions),
        "drift": [
            {"rule": one.rule, "title": one.title, "week": one.count, "week_before": one.before}
            for one in digest.drift
        ],
        "tokens": digest.tokens,
        "cost": None if digest.cost is None else str(digest.cost),
    }

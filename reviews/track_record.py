"""How the reviewer was answered: what it said that people took up, put aside, or put right."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Q, QuerySet

from projects.models import Project
from reviews.models import Finding, ModelPass, Mute


@dataclass(frozen=True, slots=True)
class Answered:
    """Findings of a kind, and what became of them."""

    name: str
    total: int
    open: int
    accepted: int
    dismissed: int
    fixed: int
    is_muted: bool = False

    @property
    def share(self) -> float | None:
        """How many of those that were answered were taken up or put right; None before that."""
        answered = self.accepted + self.dismissed + self.fixed
        return (self.accepted + self.fixed) / answered if answered else None


@dataclass(slots=True)
class TrackRecord:
    whole: Answered
    by_category: list[Answered] = field(default_factory=list)
    by_rule: list[Answered] = field(default_factory=list)
    by_model: list[Answered] = field(default_factory=list)
    replies: int = 0  # of models
    unreadable: int = 0
    dropped: int = 0  # claims that named what is not there


def record_of(project: Project) -> TrackRecord:
    """Return how findings at warning and above were answered; remarks are not counted."""
    told = Finding.objects.filter(project=project).exclude(severity=Finding.Severity.INFO)
    muted = set(Mute.objects.filter(project=project, lifted_at=None).values_list("rule", flat=True))
    whole = _answered(told, ())
    passes = ModelPass.objects.filter(review__project=project)
    return TrackRecord(
        whole=whole[0] if whole else Answered("all", 0, 0, 0, 0, 0),
        by_category=_answered(told, ("category",)),
        by_rule=_answered(told, ("rule",), muted),
        by_model=_answered(told.exclude(model_name=""), ("model_name", "prompt_version")),
        replies=passes.count(),
        unreadable=passes.exclude(state=ModelPass.State.READ).count(),
        dropped=sum(passes.values_list("dropped", flat=True)),
    )


def _answered(
    findings: QuerySet[Finding], by: tuple[str, ...], muted: Iterable[str] = ()
) -> list[Answered]:
    counts = {state: Count("pk", filter=Q(state=state)) for state in Finding.State.values}
    if not by:
        sums = findings.aggregate(total=Count("pk"), **counts)
        return [_row("all", sums)] if sums["total"] else []
    rows = findings.order_by().values(*by).annotate(total=Count("pk"), **counts)
    found = []
    for row in rows.order_by("-total", *by):
        name = " · prompt ".join(str(row[key]) for key in by)
        found.append(_row(name, row, is_muted=name in muted))
    return found


def _row(name: str, counts: dict[str, int], *, is_muted: bool = False) -> Answered:
    return Answered(
        name,
        counts["total"],
        counts["open"],
        counts["accepted"],
        counts["dismissed"],
        counts["fixed"],
        is_muted,
    )

"""How far code keeps to what was agreed on, week by week: by rule and by module."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta

from django.db.models import Avg
from django.utils import timezone

from projects.models import Project
from reviews.models import ConventionScore, NightlyRun

WEEK = timedelta(days=7)
RULES = 8


@dataclass(frozen=True, slots=True)
class Drift:
    """How a rule was kept in a week, beside the week before."""

    title: str
    rule: str
    count: int
    before: int


@dataclass(frozen=True, slots=True)
class ModuleTrend:
    module: str
    score: float
    before: float | None
    points: list[float]
    merges: int


def drift_of(project: Project, until: date | None = None) -> list[Drift]:
    """Return the rules that were broken most in the last week, with the week before."""
    today = until or timezone.localdate()
    this_week, week_before = Counter[str](), Counter[str]()
    titles: dict[str, str] = {}
    days = (today - 2 * WEEK + timedelta(days=1), today)
    scores = ConventionScore.objects.filter(project=project, date__range=days)
    for day, violations in scores.values_list("date", "violations"):
        counts = this_week if day > today - WEEK else week_before
        for one in violations:
            counts[one["rule"]] += one["count"]
            titles[one["rule"]] = one["title"]
    return [
        Drift(titles[rule], rule, count, week_before[rule])
        for rule, count in this_week.most_common(RULES)
    ]


def trends_of(project: Project, until: date | None = None) -> list[ModuleTrend]:
    """Return the convention scores of the modules that changed lately, the lowest first."""
    today = until or timezone.localdate()
    rows = ConventionScore.objects.filter(project=project, date__gt=today - 4 * WEEK)
    by_module: dict[str, list[tuple[date, float]]] = {}
    for module, day, score in rows.order_by("date", "pk").values_list("module", "date", "score"):
        by_module.setdefault(module, []).append((day, score))
    trends = []
    for module, scores in by_module.items():
        recent = [score for day, score in scores if day > today - WEEK] or [scores[-1][1]]
        older = [score for day, score in scores if day <= today - WEEK]
        trends.append(
            ModuleTrend(
                module,
                sum(recent) / len(recent),
                sum(older) / len(older) if older else None,
                [score for _, score in scores][-20:],
                len(scores),
            )
        )
    return sorted(trends, key=lambda one: (one.score, one.module))


def mean_score(project: Project) -> float | None:
    """Return the mean of the convention scores of the last four weeks."""
    since = timezone.localdate() - 4 * WEEK
    rows = ConventionScore.objects.filter(project=project, date__gt=since)
    found: float | None = rows.aggregate(mean=Avg("score"))["mean"]
    return found


def week_before(run: NightlyRun) -> list[Drift]:
    """Return what drifted in the week that ended, for its report; nothing unless it is due.

    The first night of a week that ends is the one that reports.
    """
    monday = run.night - timedelta(days=run.night.weekday())
    earlier = NightlyRun.objects.filter(
        project=run.project_id,
        state=NightlyRun.State.DONE,
        night__gte=monday,
        created_at__lt=run.created_at,
    )
    return [] if earlier.exists() else drift_of(run.project, monday - timedelta(days=1))

"""Measuring each project's search on its golden questions: when asked, and every night."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from accounts.auditing import record
from accounts.models import User
from knowledge.golden_models import Evaluation, EvaluationQuerySet, GoldenQuestion
from knowledge.golden_questions import golden_of
from knowledge.measuring import CannotMeasure, measure
from knowledge.overviews import heads_of
from knowledge.verdicts import Marks, judge_runs
from projects.models import Project

logger = logging.getLogger(__name__)

# Who died over a measurement holds it no longer than this.
HELD_FOR = timedelta(minutes=30)
KEPT = 200  # finished runs of a project: more than half a year of nights
OUTCOMES_OF = 30  # of them keep every question; the others only their figures
NIGHT = timedelta(hours=4)  # from the hour on; what was down then is not measured by day
STEPS_BETWEEN_SAVES = 10
NO_QUESTIONS = "There are no golden questions to ask."

Outcomes = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """A question whose first right file moved between two runs; rank 0 is not found."""

    query: str
    before: int
    now: int


# --- Asking for a run ----------------------------------------------------------------------


def ask_for_evaluation(project: Project, *, by: User) -> Evaluation:
    """Have a project's search measured by the next free worker, unless a run waits."""
    evaluation = _opened(project, Evaluation.Trigger.PERSON, by)
    transaction.on_commit(_ring)
    return evaluation


def ask_for_tonight() -> int:
    """Have each project measured that keeps golden questions, once a night; return how many."""
    began_at = _night_began_at(timezone.now())
    if began_at is None:
        return 0
    nightly = Evaluation.objects.filter(trigger=Evaluation.Trigger.NIGHTLY)
    projects = (
        Project.objects.filter(pk__in=GoldenQuestion.objects.values("project"))
        .exclude(pk__in=nightly.filter(created_at__gte=began_at).values("project"))
        .order_by("created_at", "pk")
    )
    for project in projects:
        _opened(project, Evaluation.Trigger.NIGHTLY, None)
    return len(projects)


def _night_began_at(now: datetime) -> datetime | None:
    """Return when the night began that it is now; nothing by day."""
    if settings.GOLDEN_HOUR < 0:
        return None
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    for day in (midnight, midnight - timedelta(days=1)):
        began_at = day + timedelta(hours=settings.GOLDEN_HOUR)
        if began_at <= now < began_at + NIGHT:
            return began_at
    return None


def _opened(project: Project, trigger: Evaluation.Trigger, by: User | None) -> Evaluation:
    try:
        with transaction.atomic():
            return Evaluation.objects.create(project=project, trigger=trigger, user=by)
    except IntegrityError:
        return Evaluation.objects.get(project=project, finished_at=None)


def _ring() -> None:
    try:
        current_app.send_task("knowledge.tasks.tend_evaluations", retry=False, expires=55)
    except BrokerAway:
        logger.warning("The broker does not answer; the clock will see to the evaluation.")


# --- Running -------------------------------------------------------------------------------


def tend_evaluations() -> int:
    """Measure what was asked for, and return how many; safe to run twice at once."""
    ask_for_tonight()
    waiting = Evaluation.objects.filter(finished_at=None).select_related("project__owner")
    return sum(run_evaluation(evaluation) for evaluation in waiting.order_by("created_at", "pk"))


def run_evaluation(evaluation: Evaluation) -> bool:
    """Measure once, unless somebody else is at it."""
    claimed_at = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=claimed_at - HELD_FOR)
    mine = Evaluation.objects.filter(pk=evaluation.pk, finished_at=None)
    if not mine.filter(free).update(claimed_at=claimed_at):
        return False
    project = evaluation.project
    fields: dict[str, Any] = {"heads": heads_of(project)}
    try:
        fields |= _measured(project, mine)
    except CannotMeasure as reason:
        fields["error"] = str(reason)[:500]
    now = timezone.now()
    is_done = mine.filter(claimed_at=claimed_at).update(**fields, finished_at=now, updated_at=now)
    _forget_old(project)
    return bool(is_done)


def _measured(project: Project, mine: EvaluationQuerySet) -> dict[str, Any]:
    golden = golden_of(project)
    if not golden:
        raise CannotMeasure(NO_QUESTIONS)

    def step(done: int, total: int) -> None:
        if done % STEPS_BETWEEN_SAVES == 0 or done == total:
            mine.update(done=done, total=total)

    run = measure(project, golden, step=step)
    outcomes = [outcome.as_dict() for outcome in run.outcomes]
    fields: dict[str, Any] = {
        "figures": {
            "by_file": run.by_file.as_dict(),
            "by_chunk": run.by_chunk.as_dict(),
            "notes": run.notes,
        },
        "outcomes": outcomes,
        "seconds": run.seconds,
    }
    before = last_of(project)
    return fields | (_against(before, outcomes) if before and before.outcomes else {})


def _against(before: Evaluation, outcomes: Outcomes) -> dict[str, Any]:
    """Return what a run did against the one before it, on the questions of both."""
    pairs = _pairs(outcomes, before.outcomes)
    if not pairs:
        return {}
    verdict = judge_runs([_marks(this) for this, _ in pairs], [_marks(that) for _, that in pairs])
    return {
        "verdict": verdict.word.value,
        "comparison": {
            "against": str(before.pk),
            "questions": verdict.questions,
            "mrr": verdict.mrr.as_dict(),
            "ndcg_at_10": verdict.ndcg_at_10.as_dict(),
            "sentence": verdict.sentence,
        },
    }


def _marks(outcome: Mapping[str, Any]) -> Marks:
    return Marks(outcome["mrr"], outcome["ndcg_at_10"])


def _pairs(these: Outcomes, those: Outcomes) -> list[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    others = {outcome["id"]: outcome for outcome in those}
    return [(outcome, others[outcome["id"]]) for outcome in these if outcome["id"] in others]


def _forget_old(project: Project) -> None:
    finished = Evaluation.objects.filter(project=project, finished_at__isnull=False)
    newest = finished.order_by("-finished_at", "-pk").values("pk")
    finished.exclude(pk__in=newest[:KEPT]).delete()
    finished.exclude(pk__in=newest[:OUTCOMES_OF]).exclude(outcomes=[]).update(outcomes=[])


# --- Looking back --------------------------------------------------------------------------


def last_of(project: Project) -> Evaluation | None:
    return _newest_first(project).first()


def history_of(project: Project, count: int) -> list[Evaluation]:
    """Return the last finished runs, newest first, without their questions."""
    return list(_newest_first(project).defer("outcomes")[:count])


def open_of(project: Project) -> Evaluation | None:
    """Return the run that waits or is under way."""
    return Evaluation.objects.filter(project=project, finished_at=None).first()


def failed_last(project: Project) -> Evaluation | None:
    """Return the last run if nothing could be measured in it."""
    runs = Evaluation.objects.filter(project=project, finished_at__isnull=False)
    last = runs.order_by("-finished_at", "-pk").first()
    return last if last is not None and last.error else None


def worsened(project: Project) -> Evaluation | None:
    """Return the run that made search worse, until one makes it better or somebody dismisses it.

    The night after a fall finds as little as that one, and does as well: no reason to be calm.
    """
    told = _newest_first(project).exclude(verdict__in=["", Evaluation.Verdict.AS_WELL])
    last = told.first()
    if last is None or last.verdict != Evaluation.Verdict.WORSE or last.dismissed_at:
        return None
    return last


def dismiss(evaluation: Evaluation, *, by: User) -> None:
    """Say no more that a run was worse."""
    evaluation.dismissed_at = timezone.now()
    evaluation.save(update_fields=["dismissed_at", "updated_at"])
    record(by, "dismissed", evaluation)


def changes_between(now: Evaluation, before: Evaluation) -> tuple[list[Change], list[Change]]:
    """Return which questions came out better and which worse, those that changed most first."""
    changed = [
        (
            this["ndcg_at_10"] - that["ndcg_at_10"],
            Change(this["query"], that["first"], this["first"]),
        )
        for this, that in _pairs(now.outcomes, before.outcomes)
    ]
    changed.sort(key=lambda pair: -abs(pair[0]))
    better = [change for gain, change in changed if gain > 0]
    return better, [change for gain, change in changed if gain < 0]


def run_before(run: Evaluation, wanted: UUID | None = None) -> Evaluation | None:
    """Return the run to show beside another: the one that is wanted, else the one before it."""
    others = _newest_first(run.project).exclude(pk=run.pk).exclude(outcomes=[])
    if wanted is not None:
        return others.filter(pk=wanted).first()
    return others.filter(finished_at__lt=run.finished_at).first()


def _newest_first(project: Project) -> EvaluationQuerySet:
    return Evaluation.objects.finished().filter(project=project).order_by("-finished_at", "-pk")

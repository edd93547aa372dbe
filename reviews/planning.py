"""When a project's nights begin: by the clock of its zone, by a button, by a command."""

import logging
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.db import IntegrityError, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from accounts.models import User
from projects.jobs import enqueue, request_cancel
from projects.models import Job, Project, Source
from projects.sourcing import own_source
from reviews.models import NightlyPlan, NightlyRun

logger = logging.getLogger(__name__)

NAME = "Reviews"
# How long after its hour a night still begins, where nothing ran at that hour.
CATCH_UP = timedelta(hours=6)


class AlreadyRunning(Exception):
    """A project's nightly work is under way; two at once would do the same."""

    def __init__(self, run: NightlyRun) -> None:
        super().__init__("The review of this project is under way already.")
        self.run = run


def plan_of(project: Project) -> NightlyPlan:
    """Return when and how a project is reviewed, made with the usual values when first needed."""
    plan, _ = NightlyPlan.objects.get_or_create(project=project)
    return plan


def zones() -> list[str]:
    return sorted(available_timezones())


def zone_of(plan: NightlyPlan) -> ZoneInfo:
    try:
        return ZoneInfo(plan.zone)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def begins_at(plan: NightlyPlan, night: date) -> datetime:
    """Return when a night begins; an hour that a change of clocks skips is an hour later."""
    return datetime.combine(night, time(plan.hour), tzinfo=zone_of(plan)).astimezone(
        timezone.get_default_timezone()
    )


def next_night(plan: NightlyPlan, now: datetime) -> datetime:
    """Return when the next night begins."""
    today = now.astimezone(zone_of(plan)).date()
    first = begins_at(plan, today)
    return first if first > now else begins_at(plan, today + timedelta(days=1))


def night_due(plan: NightlyPlan, now: datetime) -> date | None:
    """Return the night that has begun and may still be worked on; nothing between nights."""
    local = now.astimezone(zone_of(plan)).date()
    for night in (local, local - timedelta(days=1)):
        began_at = begins_at(plan, night)
        if began_at <= now < began_at + CATCH_UP and plan.project.created_at < began_at:
            return night
    return None


def tend_nights(now: datetime | None = None) -> int:
    """Begin the nights whose hour has come, and return how many; safe to run twice at once."""
    moment = now or timezone.now()
    end_forsaken()
    sources = Source.objects.filter(project=OuterRef("pk")).exclude(head="")
    with_history = sources.exclude(kind__in=Source.GIVEN_KINDS)
    begun = 0
    for project in Project.objects.filter(Exists(with_history)).order_by("created_at", "pk"):
        plan = plan_of(project)
        night = night_due(plan, moment) if plan.is_enabled else None
        if night is not None and not _is_made(project, night):
            begun += _begin_by_clock(project, night)
    return begun


def _is_made(project: Project, night: date) -> bool:
    clock = NightlyRun.objects.filter(project=project, trigger=NightlyRun.Trigger.CLOCK)
    return clock.filter(night=night).exists()


def _begin_by_clock(project: Project, night: date) -> bool:
    try:
        begin_run(project, trigger=NightlyRun.Trigger.CLOCK, night=night)
    except AlreadyRunning:
        return False  # what runs now looks at the same commits; the next minute asks again
    return True


def begin_run(
    project: Project,
    *,
    trigger: NightlyRun.Trigger,
    by: User | None = None,
    since: str = "",
    night: date | None = None,
) -> NightlyRun:
    """Return a new run of a project's nightly work, on its way; raises `AlreadyRunning`."""
    day = night or timezone.now().astimezone(zone_of(plan_of(project))).date()
    try:
        with transaction.atomic():
            run = NightlyRun.objects.create(
                project=project, trigger=trigger, requested_by=by, since=since, night=day
            )
            source = own_source(project, Source.Kind.REVIEWS, NAME, by=by or project.owner)
            run.job = enqueue(source, Job.Kind.NIGHTLY, requested_by=by)
            run.save(update_fields=["job", "updated_at"])
    except IntegrityError as error:
        runs = NightlyRun.objects.filter(project=project, state__in=NightlyRun.OPEN_STATES)
        running = runs.first() or NightlyRun.objects.filter(project=project, night=day).first()
        if running is None:
            raise
        raise AlreadyRunning(running) from error
    return run


def cancel_run(run: NightlyRun) -> None:
    """End a run: at once where nobody is at it, else after the commit that is being reviewed."""
    if not run.is_open:
        return
    for job in Job.objects.open().filter(project=run.project_id, kind=Job.Kind.NIGHTLY):
        request_cancel(job)
    end_forsaken()


def end_forsaken() -> int:
    """End the runs whose job is no more: it was cancelled while it waited, or it kills workers."""
    working = Job.objects.open().filter(project=OuterRef("project"), kind=Job.Kind.NIGHTLY)
    forsaken = NightlyRun.objects.filter(~Exists(working), state__in=NightlyRun.OPEN_STATES)
    ended = 0
    for run in forsaken.select_related("job"):
        was_cancelled = run.job is not None and run.job.state == Job.State.CANCELLED
        state = NightlyRun.State.CANCELLED if was_cancelled else NightlyRun.State.FAILED
        error = "" if run.job is None or was_cancelled else run.job.error
        now = timezone.now()
        ended += NightlyRun.objects.filter(pk=run.pk, state=run.state).update(
            state=state, error=error[:500], finished_at=now, updated_at=now
        )
    return ended

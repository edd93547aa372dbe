"""Running background work from job rows: enqueue, claim in turn, run, finish or give back."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, InterfaceError, OperationalError, connection, transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerAway

from accounts.models import User
from projects import shutdown, turns
from projects.checkpoints import checkpoint
from projects.leases import JobCancelled, JobFailed, JobYielded, Lease, LeaseLost
from projects.models import Job, JobQuerySet, Source

logger = logging.getLogger(__name__)

RUNS_KEPT = 50  # of each source
DATABASE_GONE = (InterfaceError, OperationalError)
OUTAGE_PATIENCE = 300.0  # seconds; after it the lease has long run out, and others see to the job
BROKEN = JobFailed("Something broke here; the log of the worker has it.", retry=True)


def enqueue(
    source: Source, kind: Job.Kind = Job.Kind.SYNC, *, requested_by: User | None = None
) -> Job:
    """Return the open job of that kind, a new one if there is none, and ring the bell.

    One that runs already may have passed what it is asked to look at: it runs again afterwards.
    """
    try:
        with transaction.atomic():
            job = _asked_again(source, kind) or Job.objects.create(
                project_id=source.project_id, source=source, kind=kind, requested_by=requested_by
            )
    except IntegrityError:  # somebody else enqueued it between the look and the leap
        job = Job.objects.open().get(source=source, kind=kind)
    transaction.on_commit(ring_bell)
    return job


def _asked_again(source: Source, kind: Job.Kind) -> Job | None:
    """Make the open job of that kind due now; while it runs, that is later than its claim."""
    job = Job.objects.open().filter(source=source, kind=kind).select_for_update().first()
    now = timezone.now()
    if job and (job.state == Job.State.RUNNING or job.due_at > now):
        job.due_at = now
        job.save(update_fields=["due_at", "updated_at"])
    return job


def ring_bell() -> bool:
    """Say that work waits; return whether the broker took it."""
    try:
        current_app.send_task("projects.tasks.ring", retry=False, expires=30)
    except BrokerAway:
        logger.warning("The broker does not answer; the next sweep will find the job.")
        return False
    return True


def request_cancel(job: Job) -> None:
    """End a waiting job at once; ask the runner of a running one to stop."""
    now = timezone.now()
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED)
    if waiting.update(state=Job.State.CANCELLED, finished_at=now, updated_at=now):
        if job.kind == Job.Kind.SYNC:
            _tell_source(job, "")
    else:
        Job.objects.open().filter(pk=job.pk).update(cancel_requested=True, updated_at=now)


def runner_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 10_000}"


def claim(job_pk: UUID | None = None) -> Job | None:
    """Return a job that is now ours to run, the one whose turn it is, or nothing."""
    while True:
        with transaction.atomic():
            job = _next_in_turn(job_pk)
            if job is None or not _is_ended(job):
                return job and _taken(job)


def _next_in_turn(job_pk: UUID | None) -> Job | None:
    jobs = Job.objects.claimable()
    if job_pk is not None:
        jobs = jobs.filter(pk=job_pk)
    free = jobs.select_for_update(skip_locked=True, of=("self",))
    for turn in turns.turns_of(jobs):
        theirs = free.filter(project=turn.project_id, kind=turn.kind)
        job = theirs.select_related("source", "project").order_by("due_at", "pk").first()
        if job is not None:
            return job
    return None


def _is_ended(job: Job) -> bool:
    """Whether the job must not run again: a person ended it, or it kills whoever runs it."""
    if job.cancel_requested:
        _settle(job, Job.State.CANCELLED, "")
    elif job.attempts >= Job.MAX_ATTEMPTS:
        last = f" Its last stage was: {job.stage}." if job.stage else ""
        _settle(job, Job.State.FAILED, f"Gave up after {job.attempts} attempts.{last}")
    else:
        return False
    return True


def _taken(job: Job) -> Job:
    now = timezone.now()
    job.state = Job.State.RUNNING
    job.lease_owner = runner_name()
    job.lease_until = now + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    job.fence += 1
    job.attempts += 1
    job.claimed_at = job.started_at = now
    job.stage, job.done, job.total = "starting", 0, 0
    job.save()
    return job


def run_next(job_pk: UUID | None = None) -> bool:
    """Run one job that waits, if any; say whether there was one."""
    job = None if shutdown.is_ending() else claim(job_pk)
    if job is None:
        return False
    checkpoint("job.claimed")
    with Lease(job) as lease:
        _run(lease)
    checkpoint("job.settled")
    return True


def run_all() -> int:
    """Run what waits until nothing does; return how many times something ran."""
    count = 0
    while run_next():
        count += 1
    return count


def _run(lease: Lease) -> None:
    try:
        _end_as_it_ends(lease)
    except DATABASE_GONE:
        if _is_gone():
            logger.warning("%s lost the database; given back once that answers.", lease.job.pk)
            _give_back_after_outage(lease.job)
        else:
            logger.exception("%s broke.", lease.job)
            _fail(lease.job, BROKEN)


def _end_as_it_ends(lease: Lease) -> None:
    job = lease.job
    try:
        _runner(settings.JOB_RUNNERS[job.kind])(lease)
    except LeaseLost:
        logger.warning("%s was taken over by another runner.", job)
    except (JobYielded, JobCancelled) as stop:
        # Work that could only be broken off was not told why.
        if isinstance(stop, JobYielded) or lease.is_yielding:
            _give_back(job, stop.seconds if isinstance(stop, JobYielded) else 0)
        else:
            _settle(job, Job.State.CANCELLED, "")
    except JobFailed as failure:
        _fail(job, failure)
    except DATABASE_GONE:
        raise
    except Exception:  # the outer edge: what we did not foresee is a bug report
        logger.exception("%s broke.", job)
        _fail(job, BROKEN)
    else:
        _settle(job, Job.State.DONE, "")


@cache
def _runner(path: str) -> Callable[[Lease], None]:
    runner: Callable[[Lease], None] = import_string(path)
    return runner


def _is_gone() -> bool:
    """Whether an error of the database came of the connection, not of what was asked."""
    return connection.connection is None or not connection.is_usable()


def _give_back(job: Job, seconds: float) -> None:
    """Let the job wait for its next turn as if it had not been tried."""
    now = timezone.now()
    _held(job).update(
        state=Job.State.QUEUED,
        due_at=now + timedelta(seconds=seconds),
        claimed_at=now,
        attempts=0,
        error="",
        lease_until=None,
        fence=F("fence") + 1,
        updated_at=now,
    )
    if not seconds:
        ring_bell()


def _give_back_after_outage(job: Job) -> None:
    given_up_at = time.monotonic() + OUTAGE_PATIENCE
    while time.monotonic() < given_up_at and not shutdown.is_ending():
        connection.close()
        try:
            _held(job).update(
                state=Job.State.QUEUED,
                due_at=timezone.now() + timedelta(seconds=2),
                attempts=Greatest(F("attempts") - 1, Value(0)),
                lease_until=None,
                fence=F("fence") + 1,
            )
        except DATABASE_GONE:
            time.sleep(0.5)
        else:
            return


def _held(job: Job) -> JobQuerySet:
    return Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING)


def _settle(job: Job, state: Job.State, error: str) -> None:
    mine = Job.objects.filter(pk=job.pk, fence=job.fence, state__in=Job.OPEN_STATES)
    if not mine.exists():
        return
    # Before the job, so that who dies in between leaves a job that somebody takes over.
    if job.kind == Job.Kind.SYNC and state != Job.State.DONE:
        _tell_source(job, error)
    now = timezone.now()
    # In one, so that what was asked meanwhile is not lost with who dies here.
    with transaction.atomic():
        ended = mine.update(
            state=state, error=error, finished_at=now, updated_at=now, lease_until=None
        )
        asked_again = Job.objects.filter(pk=job.pk, due_at__gt=F("claimed_at"))
        if ended and state != Job.State.CANCELLED and asked_again.exists():
            enqueue(job.source, Job.Kind(job.kind), requested_by=job.requested_by)
        checkpoint("job.settling")
    _forget_old_runs(job)


def _forget_old_runs(job: Job) -> None:
    runs = Job.objects.filter(source=job.source_id).exclude(state__in=Job.OPEN_STATES)
    old = runs.order_by("-created_at", "pk").values_list("pk", flat=True)[RUNS_KEPT:]
    Job.objects.filter(pk__in=list(old)).delete()


def _fail(job: Job, failure: JobFailed) -> None:
    # What it stored since its claim set the attempts of the row to 0.
    attempts = _held(job).values_list("attempts", flat=True).first() or 0
    if not (failure.retry and attempts < Job.MAX_ATTEMPTS):
        _settle(job, Job.State.FAILED, failure.message)
        return
    wait = timedelta(seconds=5 * 4 ** max(attempts - 1, 0))
    _held(job).update(
        state=Job.State.QUEUED,
        due_at=timezone.now() + wait,
        error=failure.message,
        lease_until=None,
        fence=F("fence") + 1,
    )


def _tell_source(job: Job, error: str) -> None:
    """What was indexed stays: the source keeps its head and says what went wrong."""
    sources = Source.objects.filter(pk=job.source_id)
    if error:
        sources.update(state=Source.State.FAILED, error=error, updated_at=timezone.now())
        return
    fate = Source.State.READY if job.source.head else Source.State.NEW
    sources.filter(state=Source.State.SYNCING).update(state=fate, updated_at=timezone.now())

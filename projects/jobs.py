"""Running background work from job rows: enqueue, claim under a lease, renew, finish."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from functools import cache
from time import monotonic
from typing import Self
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError

from accounts.models import User
from projects.models import Job, Source, WorkerBeat

logger = logging.getLogger(__name__)


class JobFailed(Exception):
    """The work can't be done; the message says why, in a sentence for the source's page."""

    def __init__(self, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.retry = retry


class JobCancelled(Exception):
    """A person asked for the job to end."""


class LeaseLost(Exception):
    """Another runner holds the job now; this one must write nothing more."""


def enqueue(
    source: Source, kind: Job.Kind = Job.Kind.SYNC, *, requested_by: User | None = None
) -> Job:
    """Return the open job of that kind, a new one if there is none, and ring the bell."""
    open_jobs = Job.objects.open().filter(source=source, kind=kind)
    job = open_jobs.first()
    if job is None:
        try:
            with transaction.atomic():
                job = Job.objects.create(
                    project_id=source.project_id,
                    source=source,
                    kind=kind,
                    requested_by=requested_by,
                )
        except IntegrityError:  # somebody else enqueued it between the look and the leap
            job = open_jobs.get()
    transaction.on_commit(ring_bell)
    return job


def ring_bell() -> None:
    try:
        current_app.send_task("projects.tasks.ring", retry=False)
    except OperationalError:
        logger.warning("The broker does not answer; the next sweep will find the job.")


def request_cancel(job: Job) -> None:
    """End a waiting job at once; ask the runner of a running one to stop."""
    now = timezone.now()
    waiting = Job.objects.filter(pk=job.pk, state=Job.State.QUEUED)
    if not waiting.update(state=Job.State.CANCELLED, finished_at=now, updated_at=now):
        Job.objects.open().filter(pk=job.pk).update(cancel_requested=True, updated_at=now)


def runner_name() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{threading.get_ident() % 10_000}"


def beat(name: str) -> None:
    WorkerBeat.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})
    WorkerBeat.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()


class Lease:
    """The right to run a job: renewed from a thread of its own, checked before each write."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._ended = threading.Event()
        self._lost = False
        self._cancelled = False
        self._shown_at = 0.0
        self._thread = threading.Thread(target=self._renew_for_ever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _renew_for_ever(self) -> None:
        # Closed at the end: a thread has a connection of its own.
        with closing(connection):
            while not self._ended.wait(settings.JOB_LEASE_SECONDS / 4):
                self._renew()

    def _renew(self) -> None:
        until = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
        mine = Job.objects.filter(pk=self.job.pk, fence=self.job.fence, state=Job.State.RUNNING)
        if not mine.update(lease_until=until):
            self._lost = True
            self._ended.set()
            return
        self._cancelled = bool(mine.values_list("cancel_requested", flat=True).first())
        beat(self.job.lease_owner)

    def is_cancelled(self) -> bool:
        """Whether to stop: for code that can't raise where it waits."""
        return self._cancelled or self._lost

    def check(self) -> None:
        """Raise when the work must end here."""
        if self._lost:
            raise LeaseLost
        if self._cancelled:
            raise JobCancelled

    def hold(self) -> None:
        """Inside a transaction: make sure that what follows is written only by the holder."""
        self.check()
        held = Job.objects.select_for_update().filter(pk=self.job.pk, fence=self.job.fence)
        job = held.first()
        if job is None or job.state != Job.State.RUNNING:
            raise LeaseLost
        if job.cancel_requested:
            raise JobCancelled

    def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Show how far the work is, at most four times a second within a stage."""
        self.check()
        now = monotonic()
        if stage == self.job.stage and done < total and now - self._shown_at < 0.25:
            return
        self._shown_at = now
        if stage != self.job.stage:
            self.job.started_at = timezone.now()
        self.job.stage, self.job.done, self.job.total = stage, done, total
        Job.objects.filter(pk=self.job.pk, fence=self.job.fence).update(
            stage=stage,
            done=done,
            total=total,
            started_at=self.job.started_at,
            updated_at=timezone.now(),
        )


@transaction.atomic
def claim(job_pk: UUID | None = None) -> Job | None:
    """Return a job that is now ours to run, the longest waiting first, or nothing."""
    jobs = Job.objects.claimable().select_for_update(skip_locked=True, of=("self",))
    if job_pk is not None:
        jobs = jobs.filter(pk=job_pk)
    job = jobs.select_related("source", "project").order_by("due_at", "pk").first()
    if job is None:
        return None
    if job.attempts >= Job.MAX_ATTEMPTS:
        _settle(job, Job.State.FAILED, f"Gave up after {job.attempts} attempts.")
        return claim(job_pk)
    now = timezone.now()
    job.state = Job.State.RUNNING
    job.lease_owner = runner_name()
    job.lease_until = now + timedelta(seconds=settings.JOB_LEASE_SECONDS)
    job.fence += 1
    job.attempts += 1
    job.started_at = now
    job.stage = "starting"
    job.save()
    return job


def run_next(job_pk: UUID | None = None) -> bool:
    """Run one job that waits, if any; say whether there was one."""
    job = claim(job_pk)
    if job is None:
        return False
    beat(job.lease_owner)
    with Lease(job) as lease:
        try:
            _runner(settings.JOB_RUNNERS[job.kind])(lease)
        except LeaseLost:
            logger.warning("%s was taken over by another runner.", job)
        except JobCancelled:
            _settle(job, Job.State.CANCELLED, "")
        except JobFailed as failure:
            _fail(job, failure)
        except Exception:  # the outer edge: what we did not foresee is a bug report
            logger.exception("%s broke.", job)
            _fail(job, JobFailed("Something broke here; the log of the worker has it.", retry=True))
        else:
            _settle(job, Job.State.DONE, "")
    return True


@cache
def _runner(path: str) -> Callable[[Lease], None]:
    runner: Callable[[Lease], None] = import_string(path)
    return runner


def _settle(job: Job, state: Job.State, error: str) -> None:
    now = timezone.now()
    Job.objects.filter(pk=job.pk, fence=job.fence, state__in=Job.OPEN_STATES).update(
        state=state, error=error, finished_at=now, updated_at=now, lease_until=None
    )
    if job.kind == Job.Kind.SYNC and state != Job.State.DONE:
        _tell_source(job, error)


def _fail(job: Job, failure: JobFailed) -> None:
    if not (failure.retry and job.attempts < Job.MAX_ATTEMPTS):
        _settle(job, Job.State.FAILED, failure.message)
        return
    wait = timedelta(seconds=5 * 4 ** (job.attempts - 1))
    Job.objects.filter(pk=job.pk, fence=job.fence, state=Job.State.RUNNING).update(
        state=Job.State.QUEUED,
        due_at=timezone.now() + wait,
        error=failure.message,
        lease_until=None,
        fence=F("fence") + 1,
    )


def _tell_source(job: Job, error: str) -> None:
    """What was indexed stays: the source keeps its head and says what went wrong."""
    if error:
        fate = Source.State.FAILED
    else:
        fate = Source.State.READY if job.source.head else Source.State.NEW
    Source.objects.filter(pk=job.source_id).update(
        state=fate, error=error, updated_at=timezone.now()
    )

"""The right to run a job: held for seconds, renewed meanwhile, given up when others' turn comes."""

import logging
import threading
from datetime import timedelta
from time import monotonic
from typing import Self

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from projects import shutdown, turns
from projects.models import Job

logger = logging.getLogger(__name__)

LOOK_EVERY = 1.0  # seconds between two looks at whose turn it is
SHOW_EVERY = 0.25


class JobFailed(Exception):
    """The work can't be done; the message says why, in a sentence for the source's page."""

    def __init__(self, message: str, *, retry: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.retry = retry


class JobCancelled(Exception):
    """A person asked for the job to end."""


class JobYielded(Exception):
    """Other work goes first, or the worker ends: the job goes back to the queue as it is."""

    def __init__(self, seconds: float = 0) -> None:
        super().__init__()
        self.seconds = seconds  # before it is looked at again


class LeaseLost(Exception):
    """Another runner holds the job now; this one must write nothing more."""


class Lease:
    """The right to run a job: renewed from a thread of its own, checked before each write."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self._ended = threading.Event()
        self._lost = False
        self._cancelled = False
        self._began = self._looked_at = monotonic()
        self._shown_at = 0.0
        self._thread = threading.Thread(target=self._renew_for_ever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _renew_for_ever(self) -> None:
        while not self._ended.wait(settings.JOB_LEASE_SECONDS / 4):
            try:
                self._renew()
            except (InterfaceError, OperationalError) as error:
                # The fence still keeps two runners apart, so the work may go on meanwhile.
                logger.warning("The lease of %s was not renewed: %s", self.job.pk, error)
            finally:
                # A thread has a connection of its own; a new one for each turn outlives outages.
                connection.close()

    def _renew(self) -> None:
        until = timezone.now() + timedelta(seconds=settings.JOB_LEASE_SECONDS)
        mine = Job.objects.filter(pk=self.job.pk, fence=self.job.fence, state=Job.State.RUNNING)
        if not mine.update(lease_until=until):
            self._lost = True
            self._ended.set()
            return
        self._cancelled = bool(mine.values_list("cancel_requested", flat=True).first())

    @property
    def is_yielding(self) -> bool:
        """Whether the work stops for the worker's sake and for nothing else."""
        return shutdown.is_ending() and not (self._cancelled or self._lost)

    def is_cancelled(self) -> bool:
        """Whether to stop: for code that can't raise where it waits."""
        return self._cancelled or self._lost or shutdown.is_ending()

    def check(self) -> None:
        """Raise when the work must end here."""
        if self._lost:
            raise LeaseLost
        if self._cancelled:
            raise JobCancelled
        if shutdown.is_ending():
            raise JobYielded

    def make_way(self) -> None:
        """Between two stored batches: raise when the work of others goes first now."""
        self.check()
        now = monotonic()
        if now - self._looked_at < min(LOOK_EVERY, settings.JOB_SLICE_SECONDS):
            return
        self._looked_at = now
        if self.job.kind != Job.Kind.SYNC and turns.words_wait():
            raise JobYielded
        had_its_turn = now - self._began >= settings.JOB_SLICE_SECONDS
        if had_its_turn and turns.is_due_before(self.job):
            raise JobYielded

    def hold(self) -> None:
        """Inside a transaction: make sure that what follows is written only by the holder."""
        self.check()
        held = Job.objects.select_for_update().filter(pk=self.job.pk, fence=self.job.fence)
        job = held.first()
        if job is None or job.state != Job.State.RUNNING:
            raise LeaseLost
        if job.cancel_requested:
            raise JobCancelled
        if job.attempts:
            # Counted are the claims that store nothing; this one does, if the transaction ends.
            held.update(attempts=0)

    def progress(self, stage: str, done: int = 0, total: int = 0) -> None:
        """Show how far the work is, at most four times a second within a stage."""
        self.check()
        now = monotonic()
        if stage == self.job.stage and done < total and now - self._shown_at < SHOW_EVERY:
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

"""Waiting, at a terminal, until a source is indexed."""

from collections.abc import Callable
from threading import Event
from time import monotonic

from projects.jobs import run_next
from projects.models import Job, Source, WorkerBeat

PATIENCE = 5.0  # seconds that a live worker has to take a job before it is run here
LOOK_EVERY = 0.2


def wait_until_indexed(source: Source, *, tell: Callable[[str], object]) -> Job | None:
    """Return when no work on the source is open; the job that failed, if the last one did.

    Where no worker is alive the work is done here.
    """
    started, told = monotonic(), ""
    while True:
        job = source.jobs.open().order_by("created_at").first()
        if job is None:
            last = source.jobs.order_by("-created_at").first()
            return last if last and last.state == Job.State.FAILED else None
        told = _tell(job, told, tell)
        nobody = not WorkerBeat.somebody_is_alive() or monotonic() - started > PATIENCE
        if not (job.state == Job.State.QUEUED and nobody and run_next(job.pk)):
            Event().wait(LOOK_EVERY)


def _tell(job: Job, told: str, tell: Callable[[str], object]) -> str:
    line = f"{job.kind}: {job.stage or job.get_state_display().lower()}"
    if line != told:
        tell(line)
    return line

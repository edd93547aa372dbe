"""What a search takes while a worker indexes as fast as it can, beside one on a quiet machine."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from django.conf import settings

from accounts.models import User
from bench import corpora
from bench.load import address_of
from bench.measuring import show
from bench.timing import HEAD, p95_of, row, times_of
from projects import jobs
from projects.models import Job, Project, Source

GOAL = "2.5 × p95"
PATIENCE = 120


def show_meanwhile(
    database: str,
    place: Path,
    owner: User,
    ask: Callable[[str], object],
    questions: Sequence[str],
) -> None:
    """Search in a database to spoil before and while Django's tree is indexed into it."""
    rows = [(*HEAD[:-1], "p95 over quiet", "goal")]
    quiet = times_of(ask, questions)
    rows.append((*row("nothing else runs", quiet)[:-1], "", ""))
    project = Project.objects.create(name="bench-meanwhile", owner=owner)
    repository = str(corpora.tree(place))
    for name in ("first", "second"):  # so that there is enough to read for all the questions
        source = Source.objects.create(
            project=project, name=name, path=repository, path_is_trusted=True
        )
        jobs.enqueue(source)
    worker = subprocess.Popen(
        [sys.executable, "manage.py", "run_jobs"],
        cwd=settings.BASE_DIR,
        env={**os.environ, "DATABASE_URL": address_of(database)},
        stdout=subprocess.DEVNULL,
    )
    try:
        for kind, label in (
            (Job.Kind.SYNC, "while a tree is read and stored"),
            (Job.Kind.EMBED, "while its vectors are made"),
        ):
            _wait_until_running(project, kind)
            spent = times_of(ask, questions)
            assert _running(project, kind), f"The {kind} ended before the searches did."
            beside = f"{p95_of(spent) / p95_of(quiet):.1f}"
            rows.append((*row(label, spent)[:-1], beside, GOAL))
    finally:
        worker.terminate()
        worker.wait(PATIENCE)
    show("Searching while a worker indexes", rows)


def _running(project: Project, kind: Job.Kind) -> bool:
    return Job.objects.filter(project=project, kind=kind, state=Job.State.RUNNING).exists()


def _wait_until_running(project: Project, kind: Job.Kind) -> None:
    until = time.monotonic() + PATIENCE
    while not _running(project, kind):
        if time.monotonic() > until:
            raise SystemExit(f"No {kind} began.")
        time.sleep(0.1)

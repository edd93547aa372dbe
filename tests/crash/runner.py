"""A nursery: a process that is ready to run jobs, and gives birth to runners when told to.

It also is the Celery application of the tests' workers.
"""

import json
import os
import sys
import tempfile
import time
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.JOB_LEASE_SECONDS = float(os.environ.get("TEST_LEASE_SECONDS", "20"))
settings.EMBEDDERS = {**settings.EMBEDDERS, "HashedWords": "tests.hashed_embedder.HashedWords"}
settings.EMBEDDING_ADAPTER = "HashedWords"
django.setup()

from config.celery import app  # noqa: E402
from knowledge import syncing  # noqa: E402
from projects import jobs, workers  # noqa: E402
from projects.models import Job  # noqa: E402

__all__ = ["app"]
syncing.BATCH_FILES = 100  # several borders between batches, on which to die
workers.OWN_RUNNER = [sys.executable, "-m", "tests.crash.runner", "run"]


def nurse() -> None:
    """For each line that orders a runner, let one begin and say its number."""
    reading, writing = os.pipe()
    for line in sys.stdin:
        midwife = os.fork()
        if midwife == 0:
            runner = os.fork()
            if runner == 0:
                run_as_told(**json.loads(line))
                return
            os.write(writing, runner.to_bytes(8))
            os._exit(0)
        os.waitpid(midwife, 0)  # from now on the runner is a child of the tests
        sys.stdout.write(f"{int.from_bytes(os.read(reading, 8))}\n")
        sys.stdout.flush()


def run_as_told(*, folder: str, lease: float, crash_at: str) -> None:
    os.setsid()
    os.environ["CRASH_AT"] = crash_at
    tempfile.tempdir = f"{folder}/tmp"
    settings.JOB_LEASE_SECONDS = lease
    settings.MIRRORS_DIR = Path(folder) / "mirrors"
    settings.SOURCE_ROOTS = [Path(folder)]
    run()


def run() -> None:
    """Do what is there to do, until no job is open."""
    while Job.objects.open().exists():
        jobs.run_all()
        time.sleep(0.05)


if __name__ == "__main__":
    run() if sys.argv[1:] == ["run"] else nurse()

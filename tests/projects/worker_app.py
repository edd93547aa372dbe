"""A real worker whose jobs are simple: each batch of work is a row, written once."""

import os
import signal
import sys
import time

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
settings.JOB_LEASE_SECONDS = float(os.environ.get("TEST_LEASE_SECONDS", "20"))
django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import transaction  # noqa: E402

from config.celery import app  # noqa: E402
from projects import workers  # noqa: E402
from projects.models import Task  # noqa: E402

__all__ = ["app"]
MODULE = "tests.projects.worker_app"
settings.JOB_RUNNERS = dict.fromkeys(("sync", "embed"), f"{MODULE}.work")
workers.OWN_RUNNER = [sys.executable, "-m", MODULE]


def work(lease) -> None:
    """Write as many rows as the source's description says, ten a second."""
    source = lease.job.source
    total = int(source.description)
    done = Task.objects.filter(project=source.project_id).count()
    for number in range(done, total):
        lease.progress("working", number, total)
        time.sleep(0.1)
        if source.name == "poison":
            os.kill(os.getpid(), signal.SIGKILL)
        with transaction.atomic():
            lease.hold()
            Task.objects.create(project=source.project, title=str(number), prompt=str(os.getpid()))
        lease.make_way()


if __name__ == "__main__":
    call_command("run_jobs")

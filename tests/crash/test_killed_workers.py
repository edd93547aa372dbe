"""A runner that is killed at any moment loses nothing and doubles nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.utils import timezone

from knowledge import words
from knowledge.models import Chunk, Document, TermCount, Vector
from projects import jobs
from projects.models import Job, Source
from tests.projects.repositories import Repository

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
RUNNER = """
import django
django.setup()
from django.conf import settings
settings.EMBEDDER = "tests.hashed_embedder.HashedWords"
from projects import jobs
print("ready", flush=True)
while jobs.run_next():
    pass
"""
FILES = {
    f"src/module_{n}.py": "".join(
        f"def function_{n}_{k}(value):\n    return value + {n * k}\n\n" for k in range(12)
    )
    for n in range(240)
}


@pytest.fixture
def source(project, tmp_path: Path) -> Source:
    repository = Repository(tmp_path / "repository", bare=True)
    repository.commit(FILES)
    return Source.objects.create(project=project, name="code", path=str(repository.path))


@pytest.fixture
def start_runner(settings) -> Callable[[], "subprocess.Popen[str]"]:
    """Start a process that runs the jobs of this test's database, as a worker would."""
    database = connection.settings_dict
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": urlsplit(os.environ["DATABASE_URL"])
        ._replace(path=f"/{database['NAME']}")
        .geturl(),
        "SOURCE_ROOTS": str(settings.SOURCE_ROOTS[0]),
    }

    def start() -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-c", RUNNER],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    return start


def expire_leases() -> None:
    Job.objects.filter(state=Job.State.RUNNING).update(
        lease_until=timezone.now() - timedelta(seconds=1), attempts=0
    )


def check_nothing_lost_or_doubled(source: Source) -> None:
    source.refresh_from_db()
    assert source.state == Source.State.READY
    paths = list(Document.objects.filter(source=source).values_list("path", flat=True))
    assert sorted(paths) == sorted(FILES)
    cut = Chunk.objects.filter(document__source=source)
    places = list(cut.values_list("document_id", "chunk_index"))
    assert len(places) == len(set(places)) > 0
    assert Vector.objects.filter(chunk__in=cut).count() == len(places)
    counted = TermCount.objects.get(project=source.project, term=words.EVERY_CHUNK).chunks
    assert counted == len(places)
    assert not Job.objects.open().exists()


@pytest.mark.parametrize("seconds", [0.05, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0, 2.5])
def test_a_runner_killed_after_any_time_is_taken_over(source, start_runner, seconds):
    jobs.enqueue(source)
    victim = start_runner()
    assert victim.stdout
    assert victim.stdout.readline() == "ready\n"
    time.sleep(seconds)
    os.killpg(victim.pid, signal.SIGKILL)
    victim.wait()
    victim.stdout.close()
    expire_leases()
    heir = start_runner()
    assert heir.stdout
    assert heir.wait(120) == 0
    heir.stdout.close()
    check_nothing_lost_or_doubled(source)


def test_two_runners_at_once_do_the_work_once(source, start_runner):
    jobs.enqueue(source)
    runners = [start_runner(), start_runner()]
    for runner in runners:
        assert runner.wait(120) == 0
        assert runner.stdout
        runner.stdout.close()
    while jobs.run_next():
        pass
    check_nothing_lost_or_doubled(source)
    assert Job.objects.filter(kind=Job.Kind.SYNC).get().attempts == 1

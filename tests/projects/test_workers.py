"""What a worker does by itself; test_worker_deaths.py tries it with real ones."""

import os
import signal
import sys
import time
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.utils import timezone

from config.celery import app
from projects import jobs, shutdown, workers
from projects.models import Job, WorkerBeat
from projects.workers import Sweeper


@pytest.fixture(autouse=True)
def no_shutdown():
    yield
    shutdown.start_anew()


@pytest.fixture
def broker_away(monkeypatch):
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app.amqp, "_producer_pool", None)


@pytest.fixture
def started(monkeypatch, tmp_path) -> Path:
    """The file that a process beside the pool would write, when one is started."""
    trace = tmp_path / "started"
    script = f"open({str(trace)!r}, 'a').write('x'); import time; time.sleep(30)"
    monkeypatch.setattr(workers, "OWN_RUNNER", [sys.executable, "-c", script])
    return trace


@pytest.fixture
def sweeper():
    made = Sweeper(runners=2)
    yield made
    if made._own_runner:
        made._own_runner.kill()
        made._own_runner.wait()


def has_started(trace: Path) -> bool:
    for _ in range(50):
        if trace.exists():
            return True
        time.sleep(0.1)
    return False


def test_a_sweep_is_a_sign_of_life(db, sweeper):
    sweeper.sweep()
    assert WorkerBeat.somebody_is_alive()


def test_a_bell_without_a_broker_takes_no_time(db, broker_away):
    before = time.monotonic()
    assert not jobs.ring_bell()
    assert time.monotonic() - before < 1


def test_without_a_broker_work_is_run_beside_the_pool_once(source, sweeper, broker_away, started):
    jobs.enqueue(source)
    sweeper.sweep()
    assert has_started(started)
    sweeper.sweep()
    time.sleep(0.5)
    assert started.read_text() == "x"


def test_with_a_broker_the_pool_has_its_chance_first(source, sweeper, started):
    jobs.enqueue(source)
    sweeper.sweep()
    assert sweeper._own_runner is None
    sweeper.sweep()
    assert has_started(started)


def test_a_full_pool_is_not_helped(source, sweeper, broker_away):
    soon = timezone.now() + timedelta(seconds=20)
    for kind in Job.Kind.values:
        Job.objects.create(
            project=source.project,
            source=source,
            kind=kind,
            state="running",
            lease_until=soon,
            lease_owner=jobs.runner_name(),
        )
    other = type(source).objects.create(project=source.project, name="other", kind="upload")
    jobs.enqueue(other)
    sweeper.sweep()
    sweeper.sweep()
    assert sweeper._own_runner is None


def test_the_end_of_a_worker_ends_what_it_started(source, sweeper, broker_away, started):
    jobs.enqueue(source)
    sweeper.start()
    sweeper.ready.set()
    assert sweeper.name_of_worker.endswith(f":{os.getpid()}")
    shutdown.end_worker()
    sweeper.join(5)
    sweeper.sweep()
    assert has_started(started)
    sweeper.end()
    assert sweeper._own_runner.returncode == -signal.SIGTERM
    assert not WorkerBeat.objects.filter(name=sweeper.name_of_worker).exists()


def test_signals_are_heeded_only_while_asked(db):
    before = signal.getsignal(signal.SIGTERM)
    with shutdown.heeded(signal.SIGTERM):
        os.kill(os.getpid(), signal.SIGTERM)
        assert shutdown.is_ending()
    assert signal.getsignal(signal.SIGTERM) == before
    assert shutdown.is_process_ending()
    shutdown.start_anew()
    assert not shutdown.is_ending()


def note(lease) -> None:
    lease.progress("noting", 1, 1)


def test_a_command_runs_what_waits(source, settings):
    settings.JOB_RUNNERS = dict.fromkeys(("sync", "embed"), f"{__name__}.note")
    jobs.enqueue(source)
    jobs.enqueue(source, Job.Kind.EMBED)
    said = StringIO()
    call_command("run_jobs", stdout=said)
    assert said.getvalue() == "Ran 2 jobs.\n"
    assert set(Job.objects.values_list("state", flat=True)) == {"done"}

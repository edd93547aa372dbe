from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import transaction
from django.utils import timezone

from config.celery import app
from projects import jobs
from projects.leases import JobCancelled, JobFailed, Lease, LeaseLost
from projects.models import Job, Source, WorkerBeat
from projects.workers import beat


@pytest.fixture
def runs(settings):
    """Let `runs.act(lease)` stand for the work of a sync."""
    settings.JOB_RUNNERS = {"sync": f"{__name__}.act", "embed": f"{__name__}.act"}
    script.act = lambda lease: None
    return script


script = SimpleNamespace()


def act(lease) -> None:
    script.act(lease)


def expire(job) -> None:
    Job.objects.filter(pk=job.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_a_source_has_one_open_job_of_a_kind(source):
    first = jobs.enqueue(source)
    assert jobs.enqueue(source) == first
    assert jobs.enqueue(source, Job.Kind.EMBED) != first


def test_a_job_runs_once_and_is_done(source, runs):
    job = jobs.enqueue(source)
    seen = []
    runs.act = lambda lease: seen.append(lease.job.pk)
    assert jobs.run_next()
    assert not jobs.run_next()
    job.refresh_from_db()
    assert seen == [job.pk]
    assert job.state == Job.State.DONE
    assert job.finished_at
    assert jobs.enqueue(source) != job


def test_a_job_that_is_held_is_not_given_out_again(source):
    jobs.enqueue(source)
    assert jobs.claim()
    assert jobs.claim() is None


def test_a_job_of_a_dead_runner_is_taken_over_and_the_dead_writes_nothing(source):
    jobs.enqueue(source)
    dead = Lease(jobs.claim())
    expire(dead.job)
    heir = Lease(jobs.claim())
    assert heir.job == dead.job
    assert heir.job.fence == dead.job.fence + 1
    heir.hold()
    with pytest.raises(LeaseLost):
        dead.hold()
    dead.progress("reading", 5, 10)
    heir.job.refresh_from_db()
    assert heir.job.stage == "starting"


def test_a_job_that_always_kills_its_runner_is_given_up(source):
    job = jobs.enqueue(source)
    for _ in range(Job.MAX_ATTEMPTS):
        assert jobs.claim()
        expire(job)
    Job.objects.update(stage="reading")
    assert jobs.claim() is None
    job.refresh_from_db()
    assert job.state == Job.State.FAILED
    source.refresh_from_db()
    assert job.error == "Gave up after 3 attempts. Its last stage was: reading."
    assert source.error == job.error


def test_a_job_that_stores_something_each_time_survives_any_number_of_deaths(source):
    job = jobs.enqueue(source)
    for _ in range(Job.MAX_ATTEMPTS * 3):
        with transaction.atomic():
            Lease(jobs.claim()).hold()
        expire(job)
    assert jobs.claim() == job


def test_what_was_not_kept_is_no_progress(source):
    job = jobs.enqueue(source)
    for _ in range(Job.MAX_ATTEMPTS):
        lease = Lease(jobs.claim())
        with suppress(ZeroDivisionError), transaction.atomic():
            lease.hold()
            raise ZeroDivisionError
        expire(job)
    assert jobs.claim() is None
    job.refresh_from_db()
    assert job.state == Job.State.FAILED


def test_a_failure_says_why_on_the_source_and_keeps_what_was_indexed(source, runs):
    Source.objects.filter(pk=source.pk).update(head="a" * 40)
    job = jobs.enqueue(source)

    def fail(lease):
        raise JobFailed("The repository is gone.")

    runs.act = fail
    jobs.run_next()
    job.refresh_from_db()
    source.refresh_from_db()
    assert (job.state, job.error) == (Job.State.FAILED, "The repository is gone.")
    assert (source.state, source.error) == (Source.State.FAILED, "The repository is gone.")
    assert source.head == "a" * 40


def test_what_may_pass_is_tried_again_later(source, runs):
    job = jobs.enqueue(source)

    def fail(lease):
        raise JobFailed("The server did not answer.", retry=True)

    runs.act = fail
    jobs.run_next()
    job.refresh_from_db()
    assert job.state == Job.State.QUEUED
    assert job.due_at > timezone.now()
    assert not jobs.run_next()
    for _ in range(2):
        Job.objects.filter(pk=job.pk).update(due_at=timezone.now())
        assert jobs.run_next()
    job.refresh_from_db()
    assert (job.state, job.error) == (Job.State.FAILED, "The server did not answer.")


def test_an_unforeseen_error_ends_in_a_sentence_and_a_log(source, runs, caplog):
    job = jobs.enqueue(source)

    def break_(lease):
        raise ZeroDivisionError("secret detail")

    runs.act = break_
    jobs.run_next()
    job.refresh_from_db()
    assert "the log of the worker" in job.error
    assert "secret detail" not in job.error
    assert "ZeroDivisionError" in caplog.text


def test_a_waiting_job_is_cancelled_at_once(source):
    job = jobs.enqueue(source)
    jobs.request_cancel(job)
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_a_running_job_is_asked_to_stop(source, runs):
    job = jobs.enqueue(source)

    def cancel_while_running(lease):
        jobs.request_cancel(lease.job)
        with pytest.raises(JobCancelled):
            lease.hold()
        raise JobCancelled

    runs.act = cancel_while_running
    jobs.run_next()
    job.refresh_from_db()
    source.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert (source.state, source.error) == (Source.State.NEW, "")


def test_a_job_whose_runner_died_before_it_could_stop_ends_all_the_same(source):
    job = jobs.enqueue(source)
    jobs.claim()
    jobs.request_cancel(job)
    expire(job)
    assert jobs.claim() is None
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_what_is_asked_for_while_a_job_runs_is_looked_at_afterwards(source, runs):
    job = jobs.enqueue(source)
    runs.act = lambda lease: jobs.enqueue(source)
    assert jobs.run_next()
    again = Job.objects.open().get()
    assert again != job
    runs.act = lambda lease: None
    assert jobs.run_next()
    assert not Job.objects.open().exists()


def test_a_person_need_not_wait_for_the_next_try(source):
    job = jobs.enqueue(source)
    Job.objects.update(due_at=timezone.now() + timedelta(hours=1))
    assert jobs.enqueue(source) == job
    assert jobs.claim() == job


def test_a_source_keeps_its_last_runs_and_no_more(source, runs, settings):
    for _ in range(jobs.RUNS_KEPT + 3):
        jobs.enqueue(source)
        jobs.run_next()
    assert Job.objects.count() == jobs.RUNS_KEPT
    last = Job.objects.order_by("created_at").last()
    assert (last.state, Job.objects.open().count()) == (Job.State.DONE, 0)


def test_progress_tells_stage_share_and_remaining_time(source):
    jobs.enqueue(source)
    lease = Lease(jobs.claim())
    lease.progress("reading", 0, 200)
    job = Job.objects.get()
    assert (job.stage, job.percent, job.remaining) == ("reading", 0, None)
    Job.objects.update(started_at=timezone.now() - timedelta(seconds=10), done=50)
    job = Job.objects.get()
    assert job.percent == 25
    assert 29 < job.remaining.total_seconds() < 32


@pytest.mark.django_db(transaction=True)
def test_a_lease_is_renewed_while_the_work_goes_on(source, settings, runs):
    settings.JOB_LEASE_SECONDS = 0.4
    jobs.enqueue(source)
    held = []

    def work(lease):
        before = Job.objects.get().lease_until
        for _ in range(100):
            lease.check()
            if Job.objects.get().lease_until > before + timedelta(seconds=0.2):
                break
            lease._ended.wait(0.05)
        held.append(Job.objects.get().lease_until > before)

    runs.act = work
    jobs.run_next()
    assert held == [True]


@pytest.mark.django_db(transaction=True)
def test_a_runner_learns_of_a_cancellation_between_its_steps(source, settings, runs):
    settings.JOB_LEASE_SECONDS = 0.2
    job = jobs.enqueue(source)

    def work(lease):
        jobs.request_cancel(lease.job)
        for _ in range(200):
            lease.check()
            lease._ended.wait(0.05)

    runs.act = work
    jobs.run_next()
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED


def test_without_a_broker_the_job_row_is_enough(
    source, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:1/0")
    monkeypatch.setattr(app.amqp, "_producer_pool", None)
    with django_capture_on_commit_callbacks(execute=True):
        job = jobs.enqueue(source)
    assert Job.objects.get().pk == job.pk


def test_a_worker_that_was_silent_for_long_is_not_alive(db):
    beat("w")
    assert WorkerBeat.somebody_is_alive()
    WorkerBeat.objects.update(seen_at=timezone.now() - timedelta(minutes=2))
    assert not WorkerBeat.somebody_is_alive()

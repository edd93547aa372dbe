"""Looking at remote repositories: when, how often, what follows, and what must not."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.utils import timezone

from config.celery import app
from projects import polling, remotes, tasks
from projects.models import Job, Project, Source
from projects.polling import claim, poll, polling_of, wait_until_next, watch_kept
from tests.projects import git_servers
from tests.projects.git_servers import Server, serving
from tests.projects.looks import jobs_of, look_again, push
from tests.projects.repositories import Repository, plain_folder

POLLER = "import django; django.setup(); from projects.polling import poll; poll()"


def wait_of(source: Source) -> timedelta:
    return source.next_poll_at - timezone.now()


# --- When ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "failures", "expected"),
    [
        (10, 0, timedelta(minutes=10)),
        (10, 1, timedelta(minutes=20)),
        (10, 3, timedelta(minutes=80)),
        (10, 8, timedelta(days=1)),
        (10, 32_000, timedelta(days=1)),
        (4320, 0, timedelta(days=3)),
        (4320, 5, timedelta(days=3)),
    ],
)
def test_the_wait_doubles_with_each_failure_and_is_never_twice_the_same(
    minutes: int, failures: int, expected: timedelta
) -> None:
    waits = [wait_until_next(minutes, failures) for _ in range(200)]

    assert all(0.9 * expected <= wait <= 1.1 * expected for wait in waits)
    assert len(set(waits)) > 100
    assert max(waits) - min(waits) > 0.1 * expected


def test_a_source_is_due_when_its_time_has_come_and_not_before(nest: Source) -> None:
    assert claim() == [nest]
    nest.refresh_from_db()
    assert timedelta(minutes=8.9) <= wait_of(nest) <= timedelta(minutes=11)
    assert claim() == []

    Source.objects.update(next_poll_at=timezone.now() - timedelta(seconds=1))
    assert claim() == [nest]


@pytest.mark.parametrize(
    ("everywhere", "own", "is_due"),
    [(10, None, True), (0, None, False), (10, 0, False), (0, 5, True), (60, 5, True)],
)
def test_the_source_decides_and_else_the_installation(
    nest: Source, settings, everywhere: int, own: int | None, is_due: bool
) -> None:
    settings.POLL_MINUTES = everywhere
    Source.objects.update(poll_minutes=own)
    nest.refresh_from_db()

    assert bool(claim()) == is_due
    assert bool(polling_of(nest).minutes) == is_due


def test_what_people_gave_and_what_is_being_synced_is_not_polled(
    nest: Source, project: Project
) -> None:
    Source.objects.create(project=project, name="papers", kind=Source.Kind.UPLOAD)
    job = Job.objects.create(project=project, source=nest, kind=Job.Kind.SYNC)
    assert claim() == []

    Job.objects.filter(pk=job.pk).update(kind=Job.Kind.EMBED)
    assert claim() == [nest]


def test_a_few_are_claimed_at_a_time_and_fewer_of_one_host(project: Project, server) -> None:
    for host in ("127.0.0.1", "127.0.0.2", "127.0.0.3"):
        for number in range(6):
            url = f"http://{host}:1080/owl/{number}"
            Source.objects.create(project=project, name=url, url=url)

    hosts = [source.url.split("/")[2] for source in claim()]
    assert len(hosts) == polling.AT_ONCE
    assert max(map(hosts.count, hosts)) <= polling.AT_ONCE_PER_HOST

    down = {"127.0.0.1:1080", "127.0.0.2:1080"}
    assert {source.url.split("/")[2] for source in claim(avoided=down)} == {"127.0.0.3:1080"}


def test_the_clock_rings_a_task_that_looks(nest: Source) -> None:
    assert app.conf.beat_schedule["poll"]["task"] == tasks.poll.name

    tasks.poll.apply().get()

    nest.refresh_from_db()
    assert nest.forge["head"] == nest.head


def test_it_is_known_how_all_stands(nest: Source, project: Project) -> None:
    Source.objects.create(project=project, name="papers", kind=Source.Kind.UPLOAD)
    Source.objects.create(project=project, name="never", path="/x", poll_minutes=0)
    assert watch_kept() == polling.Watched(1, 0, None)

    nest = look_again(nest)
    assert watch_kept() == polling.Watched(1, 0, nest.next_poll_at)
    Source.objects.update(poll_failures=1, next_poll_at=timezone.now())
    assert watch_kept() == polling.Watched(1, 1, None)


@pytest.mark.django_db(transaction=True)
def test_a_poller_killed_between_the_claim_and_the_look_only_delays_the_next(
    nest: Source, server: Server
) -> None:
    address = urlsplit(os.environ["DATABASE_URL"])
    own = address._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": own,
        "CRASH_AT": "poll.claimed:1",
    }
    command = [sys.executable, "-c", POLLER]
    victim = subprocess.run(command, cwd=django_settings.BASE_DIR, env=environment, check=False)

    assert victim.returncode == -signal.SIGKILL
    assert server.requests == []
    nest.refresh_from_db()
    assert wait_of(nest) > timedelta(minutes=8)
    assert poll() == 0
    assert look_again(nest).forge["head"] == nest.head


@pytest.mark.django_db(transaction=True)
def test_two_pollers_at_once_ask_once(nest: Source, server: Server) -> None:
    together, looked = threading.Barrier(2), []

    def run() -> None:
        try:
            together.wait()
            looked.append(poll())
        finally:
            connection.close()

    for _ in range(3):
        Source.objects.update(next_poll_at=None)
        server.requests.clear()
        looked.clear()
        pollers = [threading.Thread(target=run) for _ in range(2)]
        for poller in pollers:
            poller.start()
        for poller in pollers:
            poller.join()
        assert sorted(looked) == [0, 1]
        assert len([path for path, _ in server.requests if "info/refs" in path]) == 1


# --- What follows --------------------------------------------------------------------------


def test_no_change_is_no_work(nest: Source) -> None:
    nest = look_again(nest)

    assert jobs_of(nest) == 0
    assert (nest.poll_failures, nest.state) == (0, Source.State.READY)
    watched = polling_of(nest)
    assert (watched.minutes, watched.default_branch, watched.quota) == (10, "main", None)
    assert watched.last_at > timezone.now() - timedelta(seconds=20)
    assert watched.next_at == nest.next_poll_at


def test_a_change_is_one_sync(nest: Source, repository: Repository) -> None:
    push(repository)

    look_again(nest)
    Source.objects.update(next_poll_at=None)
    assert poll() == 0  # it is being synced

    job = Job.objects.get()
    assert (job.source, job.kind, job.state) == (nest, Job.Kind.SYNC, Job.State.QUEUED)


def test_a_rewritten_branch_and_a_new_default_branch_are_changes(
    nest: Source, repository: Repository
) -> None:
    nest = look_again(nest)
    repository.git("update-ref", "refs/heads/trunk", repository.head())
    repository.git("symbolic-ref", "HEAD", "refs/heads/trunk")

    nest = look_again(nest)

    assert (jobs_of(nest), nest.forge["branch"]) == (1, "trunk")
    Job.objects.all().delete()
    look_again(nest)
    assert jobs_of(nest) == 0
    repository.commit({"other": "x"}, branch="trunk", message="From scratch")
    look_again(nest)
    assert jobs_of(nest) == 1


def test_only_the_named_branch_counts(nest: Source, repository: Repository) -> None:
    old = repository.head()
    repository.git("update-ref", "refs/heads/stable", old)
    Source.objects.update(branch="stable")
    push(repository)

    nest = look_again(nest)

    assert (jobs_of(nest), nest.forge["head"]) == (0, old)


def test_a_checkout_of_this_machine_is_looked_at_too(source: Source, tmp_path: Path) -> None:
    repository = Repository(tmp_path / "here")
    repository.commit({"a": "1"})
    Source.objects.update(path=str(repository.path), head=repository.head(), state="ready")
    assert jobs_of(look_again(source)) == 0

    repository.commit({"a": "2"})
    assert jobs_of(look_again(source)) == 1


def test_a_plain_folder_is_not_compared_and_says_so(source: Source, tmp_path: Path) -> None:
    Source.objects.update(path=str(plain_folder(tmp_path / "plain", {"a": "1"})), head="a" * 40)

    source = look_again(source)

    assert (jobs_of(source), source.poll_failures) == (0, 0)
    assert "is not compared" in polling_of(source).note


def test_a_source_that_moved_to_another_branch_meanwhile_is_left_alone(
    nest: Source, repository: Repository
) -> None:
    push(repository)
    [asked] = claim()
    seen = remotes.look(asked, {})
    Source.objects.update(branch="stable")

    assert not polling._record(asked, seen)
    nest.refresh_from_db()
    assert nest.forge == {}


def test_a_source_that_was_deleted_meanwhile_is_no_error(nest: Source) -> None:
    [asked] = claim()
    seen = remotes.look(asked, {})
    nest.delete()

    assert not polling._record(asked, seen)


def test_a_failed_sync_is_tried_again_less_and_less_often(
    nest: Source, repository: Repository
) -> None:
    push(repository)
    for failures in range(3):
        nest = look_again(nest)
        assert (jobs_of(nest), nest.poll_failures) == (1, failures)
        assert wait_of(nest) > timedelta(minutes=8.9 * 2**failures)
        Job.objects.all().delete()
        Source.objects.update(state=Source.State.FAILED)

    push(repository, "three\n")
    nest = look_again(nest)
    assert (jobs_of(nest), nest.poll_failures) == (1, 0)


def test_a_question_is_not_asked_twice_about_the_same_commit(
    nest: Source, repository: Repository
) -> None:
    push(repository)
    look_again(nest)
    Job.objects.all().delete()
    asked = {**Source.objects.get().forge, "asked_at": repository.head()}
    Source.objects.update(state=Source.State.ASKS, forge=asked)

    assert jobs_of(look_again(nest)) == 0
    Source.objects.update(state=Source.State.READY)  # somebody said no
    assert jobs_of(look_again(nest)) == 0
    push(repository, "three\n")
    assert jobs_of(look_again(nest)) == 1


# --- When it fails -------------------------------------------------------------------------


def test_failures_are_said_wait_longer_and_touch_nothing_that_is_indexed(
    nest: Source, repository: Repository
) -> None:
    head, gone = nest.head, repository.path.with_name("gone.git")
    repository.path.rename(gone)
    for failures in (1, 2, 3):
        nest = look_again(nest)
        assert nest.poll_failures == failures
        assert wait_of(nest) > timedelta(minutes=8.9 * 2**failures)
        assert "no repository at this address" in polling_of(nest).trouble
    assert (nest.state, nest.head, nest.error, jobs_of(nest)) == ("ready", head, "", 0)

    gone.rename(repository.path)
    nest = look_again(nest)
    assert (nest.poll_failures, polling_of(nest).trouble) == (0, "")
    assert wait_of(nest) < timedelta(minutes=11)


def test_an_address_that_may_no_longer_be_used_is_not_asked(
    nest: Source, server: Server, settings
) -> None:
    settings.ALLOWED_PRIVATE_HOSTS = []

    nest = look_again(nest)

    assert server.requests == []
    assert (nest.poll_failures, jobs_of(nest)) == (1, 0)
    assert nest.forge["poll_error"]


def test_a_dead_host_delays_nobody_and_is_asked_little(
    nest: Source, repository: Repository, project: Project, monkeypatch
) -> None:
    monkeypatch.setattr(remotes, "GIT_SECONDS", 2.0)
    push(repository)
    with serving(git_servers.stay_silent) as dead:
        for number in range(20):
            url = f"http://127.0.0.1:{dead.server_port}/owl/{number}"
            Source.objects.create(project=project, name=url, url=url)
        Source.objects.filter(pk=nest.pk).update(next_poll_at=timezone.now())  # the last in line
        started = time.monotonic()
        assert poll() == polling.AT_ONCE_PER_HOST + 1
        assert time.monotonic() - started < 8

    assert jobs_of(nest) == 1
    assert Source.objects.filter(poll_failures=1).count() == polling.AT_ONCE_PER_HOST
    assert Source.objects.filter(next_poll_at=None).count() == 20 - polling.AT_ONCE_PER_HOST


def test_a_healthy_host_is_recorded_while_a_dead_one_keeps_silent(
    nest: Source, repository: Repository, project: Project
) -> None:
    push(repository)
    with serving(git_servers.stay_silent) as dead:
        url = f"http://127.0.0.1:{dead.server_port}/owl/dead"
        Source.objects.create(project=project, name="dead", url=url)
        seen = polling._look_at_all(claim())
        started = time.monotonic()
        first, _ = next(seen)
        assert (first, time.monotonic() - started < 5) == (nest, True)
    assert [source.name for source, _ in seen] == ["dead"]


def test_hundreds_of_thousands_of_branches_hurt_nobody(
    nest: Source, repository: Repository
) -> None:
    head = repository.head()
    lines = [f"{head} refs/heads/b{number:06}" for number in range(100_000)]
    lines += [f"{head} refs/heads/main"]
    lines += [f"{head} refs/pull/{number:06}/head" for number in range(100_000)]
    packed = repository.path / "packed-refs"
    packed.write_text("# pack-refs with: peeled fully-peeled sorted \n" + "\n".join(lines) + "\n")
    for branch in ("", "main"):
        Source.objects.update(branch=branch)
        nest = look_again(nest)
        assert (nest.forge["poll_error"], nest.forge["head"]) == ("", head)

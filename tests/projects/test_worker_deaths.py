"""Real workers, brokers and databases die, and the work goes on."""

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from supervisor.home import Home
from supervisor.output import Output
from supervisor.postgres import Postgres
from supervisor.stopping import StopSwitch, wait_regardless
from supervisor.valkey import Valkey
from tests.supervisor.conftest import remove_home, short_folder, supervisor_environment

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
AGAIN_WITHIN = 60.0


@dataclass
class Stores:
    """A database and a broker of these tests' own, which may be killed."""

    postgres: Postgres
    valkey: Valkey
    environment: dict[str, str]

    def sql(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        with psycopg.connect(self.postgres.url, autocommit=True) as connection:
            cursor = connection.execute(statement, values)
            return cursor.fetchall() if cursor.description else []

    def job(self, column: str = "state") -> Any:
        return self.sql(f"SELECT {column} FROM projects_job ORDER BY created_at DESC")[0][0]

    def batches(self) -> list[int]:
        return sorted(int(row[0]) for row in self.sql("SELECT title FROM projects_task"))

    def queue(self, batches: int, name: str = "code") -> None:
        """Leave a job in the table without ringing for it."""
        self.sql("TRUNCATE projects_project CASCADE")
        self.sql("DELETE FROM projects_workerbeat")
        self.sql(
            "WITH p AS (INSERT INTO projects_project (id, created_at, updated_at, name,"
            "  description, repository_url, default_branch, owner_id)"
            " SELECT gen_random_uuid(), now(), now(), 'p', '', '', 'main', id FROM accounts_user"
            " RETURNING id),"
            " s AS (INSERT INTO projects_source (id, created_at, updated_at, name, description,"
            "  kind, url, path, path_is_trusted, folder_path, branch, include, exclude,"
            "  collection, head, head_subject, state, error, question, may_shrink,"
            "  poll_failures, forge, project_id)"
            " SELECT gen_random_uuid(), now(), now(), %s, %s, 'code', '', '/x', false, '', '', '',"
            "  '', '', '', '', 'new', '', '', false, 0, '{}', id FROM p RETURNING id, project_id)"
            " INSERT INTO projects_job (id, created_at, updated_at, kind, state, due_at, attempts,"
            "  lease_owner, fence, cancel_requested, stage, done, total, detail, error,"
            "  project_id, source_id)"
            " SELECT gen_random_uuid(), now(), now(), 'sync', 'queued', now(), 0, '', 0, false,"
            "  '', 0, 0, '{}', '', project_id, id FROM s",
            name,
            str(batches),
        )

    def wait(self, condition: Callable[[], object], seconds: float = AGAIN_WITHIN) -> None:
        def holds() -> bool:
            with suppress(psycopg.OperationalError):
                return bool(condition())
            return False

        assert wait_regardless(holds, seconds), self.sql(
            "SELECT state, stage, attempts, done, total, error, lease_until, now()"
            " FROM projects_job"
        )


@pytest.fixture(scope="module")
def module_stores() -> Iterator[Stores]:
    with short_folder() as folder:
        home = Home(folder / "home")
        home.prepare()
        output = Output(io.StringIO())
        postgres, valkey = Postgres(home, output, throw_away=True), Valkey(home, output)
        try:
            postgres.start(StopSwitch())
            valkey.start(StopSwitch())
            environment = supervisor_environment(
                home.path, DATABASE_URL=postgres.url, REDIS_URL=valkey.url, TEST_LEASE_SECONDS="8"
            )
            for command in ("migrate", "createsuperuser"):
                _manage(environment, command, "--no-input")
            yield Stores(postgres, valkey, environment)
        finally:
            for child in (valkey.child, postgres.child):
                child.ask_to_stop()
                child.finish()
            remove_home(home.path)


def _manage(environment: dict[str, str], *arguments: str) -> None:
    person = {
        "DJANGO_SUPERUSER_USERNAME": "alice",
        "DJANGO_SUPERUSER_PASSWORD": "correct horse battery",
        "DJANGO_SUPERUSER_EMAIL": "",
    }
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**environment, **person},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def stores(module_stores: Stores) -> Iterator[Stores]:
    yield module_stores
    for store in (module_stores.postgres, module_stores.valkey):
        if store.child.has_ended() or not store.answers():
            start_again(store)


def start_again(store: Postgres | Valkey) -> None:
    store.child.clear()
    if isinstance(store, Postgres):
        store.launch()
    else:
        store.start(StopSwitch())
    assert wait_regardless(store.answers, 30)


def kill(store: Postgres | Valkey) -> None:
    assert store.child.process
    os.killpg(store.child.process.pid, signal.SIGKILL)
    store.child.process.wait()


@dataclass
class Worker:
    process: "subprocess.Popen[bytes]"
    log: Path

    def pool(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in listed.read_text().split()]


@pytest.fixture
def start_worker(stores: Stores, tmp_path: Path) -> Iterator[Callable[..., Worker]]:
    started: list[Worker] = []

    def start() -> Worker:
        command = [sys.executable, "-m", "celery", "-A", "tests.projects.worker_app", "--quiet"]
        command += ["worker", "--concurrency", "2", "--loglevel", "WARNING"]
        log = tmp_path / f"worker-{len(started)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=stores.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        started.append(Worker(process, log))
        return started[-1]

    yield start
    for worker in started:
        with suppress(ProcessLookupError):
            os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()
        sys.stdout.write(worker.log.read_text())  # shown where the test fails


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def done_once(stores: Stores, batches: int) -> Callable[[], bool]:
    return lambda: stores.job() == "done" and stores.batches() == list(range(batches))


def some_are_done(stores: Stores) -> Callable[[], bool]:
    return lambda: len(stores.batches()) > 5


def test_a_worker_finds_what_nobody_rang_for(stores, start_worker):
    stores.queue(batches=3)
    start_worker()
    stores.wait(done_once(stores, 3), 30)
    assert stores.sql("SELECT count(*) FROM projects_workerbeat")[0][0] == 1


def test_the_job_of_a_killed_worker_goes_on_in_another(stores, start_worker):
    stores.queue(batches=40)
    victim = start_worker()
    stores.wait(some_are_done(stores))
    os.kill(victim.process.pid, signal.SIGKILL)
    victim.process.wait()
    before = len(stores.batches())
    assert 5 < before < 40
    start_worker()
    with at_most(AGAIN_WITHIN):
        stores.wait(done_once(stores, 40))


def test_the_job_of_a_killed_pool_process_goes_on_in_the_same_worker(stores, start_worker):
    stores.queue(batches=40)
    start_worker()
    stores.wait(some_are_done(stores))
    runner = int(stores.job("lease_owner").split(":")[1])
    os.kill(runner, signal.SIGKILL)
    stores.wait(done_once(stores, 40))


def test_a_job_that_kills_whoever_runs_it_is_given_up(stores, start_worker):
    stores.queue(batches=3, name="poison")
    worker = start_worker()
    stores.wait(lambda: stores.job() == "failed", 90)
    assert stores.job("error") == "Gave up after 3 attempts. Its last stage was: working."
    assert worker.process.poll() is None


def test_work_goes_on_without_a_broker_and_hears_the_bell_again_after_it(stores, start_worker):
    stores.queue(batches=40)
    worker = start_worker()
    stores.wait(some_are_done(stores))
    kill(stores.valkey)
    stores.wait(done_once(stores, 40))
    stores.queue(batches=4)
    stores.wait(done_once(stores, 4))
    assert worker.process.poll() is None
    start_again(stores.valkey)
    stores.queue(batches=4)
    stores.wait(done_once(stores, 4))
    assert worker.process.poll() is None


def test_a_worker_that_never_reached_a_broker_works(stores, start_worker):
    kill(stores.valkey)
    stores.queue(batches=4)
    worker = start_worker()
    stores.wait(done_once(stores, 4))
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_database_that_restarts_costs_a_job_nothing(stores, start_worker, number):
    stores.queue(batches=80)
    worker = start_worker()
    for _ in range(4):
        before = len(stores.batches())
        stores.wait(lambda before=before: len(stores.batches()) > before + 3)
        if number == signal.SIGKILL:
            kill(stores.postgres)
        else:
            stores.postgres.child.ask_to_stop()
            assert wait_regardless(stores.postgres.child.has_ended, 30)
        time.sleep(1)
        start_again(stores.postgres)
    stores.wait(done_once(stores, 80))
    assert stores.job("error") == ""
    assert worker.process.poll() is None


@pytest.mark.parametrize("whole_group", [False, True])
def test_a_busy_worker_ends_at_the_next_batch(stores, start_worker, whole_group):
    stores.queue(batches=100)
    worker = start_worker()
    stores.wait(some_are_done(stores))
    with at_most(6):
        if whole_group:
            os.killpg(worker.process.pid, signal.SIGTERM)
        else:
            worker.process.send_signal(signal.SIGTERM)
        assert worker.process.wait() == 0
    assert (stores.job(), stores.job("attempts")) == ("queued", 0)
    assert stores.sql("SELECT count(*) FROM projects_workerbeat")[0][0] == 0
    stores.sql("UPDATE projects_source SET description = %s", str(len(stores.batches()) + 3))
    start_worker()
    stores.wait(lambda: stores.job() == "done", 30)


def test_a_runner_beside_the_pool_ends_with_its_worker(stores, start_worker):
    kill(stores.valkey)
    stores.queue(batches=300)
    worker = start_worker()
    stores.wait(some_are_done(stores))
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert (stores.job(), stores.job("attempts")) == ("queued", 0)


def test_a_pool_process_that_is_told_to_end_leaves_the_worker_alive(stores, start_worker):
    stores.queue(batches=60)
    worker = start_worker()
    stores.wait(some_are_done(stores))
    runner = int(stores.job("lease_owner").split(":")[1])
    os.kill(runner, signal.SIGTERM)
    stores.wait(done_once(stores, 60))
    others = {row[0] for row in stores.sql("SELECT DISTINCT prompt FROM projects_task")}
    assert len(others) == 2
    assert worker.process.poll() is None

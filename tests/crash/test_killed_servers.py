"""PostgreSQL, Valkey, a whole worker or its readers are killed in the middle of a sync."""

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import InterfaceError, OperationalError, connection

from accounts.models import User
from knowledge.models import Document, EmbeddingSpace, Vector
from projects import jobs
from projects.models import Job, Project, Source, WorkerBeat
from supervisor.home import Home
from supervisor.output import Output
from supervisor.postgres import NAME, Postgres
from supervisor.stopping import StopSwitch, wait_regardless
from supervisor.valkey import Valkey
from tests.crash.conftest import (
    AGAIN_WITHIN,
    ROOT,
    Case,
    Files,
    Index,
    check_ended_well,
    index_of,
    module,
    wait_for,
)
from tests.projects.repositories import Repository
from tests.supervisor.conftest import remove_home, short_folder, supervisor_environment

pytestmark = pytest.mark.slow

MANY: Files = {f"src/part_{n}.py": module(n) for n in range(1500)}


@dataclass
class Servers:
    """A database and a broker of these tests' own, which may be killed."""

    postgres: Postgres
    valkey: Valkey
    folder: Path

    def kill(self, server: Postgres | Valkey) -> None:
        connection.close()
        assert server.child.process
        os.kill(server.child.process.pid, signal.SIGKILL)
        server.child.process.wait()

    def start_again(self, server: Postgres | Valkey) -> None:
        server.child.clear()
        if isinstance(server, Postgres):
            server.launch()
        else:
            server.start(StopSwitch())
        assert wait_regardless(server.answers, 30)


@pytest.fixture(scope="module")
def module_servers(django_db_blocker) -> Iterator[Servers]:
    with short_folder() as folder:
        home = Home(folder / "home")
        home.prepare()
        output = Output(io.StringIO())
        postgres, valkey = Postgres(home, output), Valkey(home, output)
        usual = dict(connection.settings_dict)
        try:
            postgres.start(StopSwitch())
            valkey.start(StopSwitch())
            own = {"NAME": NAME, "USER": NAME, "HOST": str(postgres.place.socket_folder)}
            with django_db_blocker.unblock():
                connection.close()
                connection.settings_dict.update(own)
                call_command("migrate", verbosity=0)
                User.objects.create_user("owner", "password")
                yield Servers(postgres, valkey, home.path)
                connection.close()
                connection.settings_dict.update(usual)
        finally:
            for child in (valkey.child, postgres.child):
                child.ask_to_stop()
                child.finish()
            remove_home(home.path)


@pytest.fixture
def servers(module_servers: Servers, settings) -> Iterator[Servers]:
    settings.MIRRORS_DIR = module_servers.folder / "mirrors"
    settings.SOURCE_ROOTS = [module_servers.folder]
    yield module_servers
    for server in (module_servers.postgres, module_servers.valkey):
        if server.child.has_ended() or not server.answers():
            module_servers.start_again(server)
    for model in (Project, EmbeddingSpace, WorkerBeat):
        model.objects.all().delete()
    shutil.rmtree(settings.MIRRORS_DIR, ignore_errors=True)


@pytest.fixture
def case(servers: Servers) -> Case:
    """A source of many files that was never synced."""
    path = servers.folder / "repository"
    repository = Repository(path, bare=True)
    if not (path / "refs/heads/main").exists():
        repository.commit(MANY)
    project = Project.objects.create(name="code", owner=User.objects.get())
    return Case(Source.objects.create(project=project, name="code", path=str(path)), repository)


_golden: list[Index] = []


@pytest.fixture
def golden(servers: Servers, case: Case) -> Index:
    """The index when nobody dies; always the same, so made once."""
    if not _golden:
        owner, path = case.source.project.owner, case.source.path
        elsewhere = Project.objects.create(name="undisturbed", owner=owner)
        source = Source.objects.create(project=elsewhere, name="code", path=path)
        Case(source, case.repository).sync()
        _golden.append(index_of(source))
        shutil.rmtree(source.mirror.parent)
        elsewhere.delete()
        EmbeddingSpace.objects.all().delete()
    return _golden[0]


@dataclass
class Worker:
    process: "subprocess.Popen[bytes]"

    def children(self) -> list[int]:
        """Return its processes, and those that they started."""
        found = [self.process.pid]
        for pid in found:
            with suppress(OSError):
                listed = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/children")]
                found += [int(child) for child in " ".join(listed).split()]
        return found[1:]

    def readers(self) -> list[int]:
        return [pid for pid in self.children() if b"knowledge.reader" in command_of(pid)]


def command_of(pid: int) -> bytes:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


@pytest.fixture
def start_worker(servers: Servers) -> Iterator[Callable[[], Worker]]:
    """Start workers as they ship, but for an embedder that is instant."""
    started: list[Worker] = []

    def start() -> Worker:
        command = ["-m", "celery", "-A", "tests.crash.runner", "--quiet", "worker"]
        process = subprocess.Popen(
            [sys.executable, *command, "--concurrency", "2", "--loglevel", "WARNING"],
            cwd=ROOT,
            env=supervisor_environment(
                servers.folder,
                DATABASE_URL=servers.postgres.url,
                REDIS_URL=servers.valkey.url,
                SOURCE_ROOTS=str(servers.folder),
            ),
            start_new_session=True,
        )
        started.append(Worker(process))
        return started[-1]

    yield start
    for worker in started:
        with suppress(ProcessLookupError):
            os.killpg(worker.process.pid, signal.SIGKILL)
        worker.process.wait()


def when(condition: Callable[[], object]) -> None:
    """Wait until something holds, also over times when the database is away."""

    def holds() -> object:
        try:
            return condition()
        except (InterfaceError, OperationalError):
            connection.close()
            return False

    wait_for(holds, AGAIN_WITHIN)


def is_half_read() -> bool:
    return 200 <= Document.objects.count() < len(MANY)


def is_half_embedded() -> bool:
    return 0 < Vector.objects.count() < len(MANY)


def all_is_done() -> bool:
    embeds = Job.objects.filter(kind=Job.Kind.EMBED, state=Job.State.DONE)
    return embeds.exists() and not Job.objects.open().exists()


@pytest.mark.parametrize("moment", [is_half_read, is_half_embedded])
def test_a_database_that_is_killed_costs_nothing(moment, case, golden, servers, start_worker):
    worker = start_worker()
    jobs.enqueue(case.source)
    when(moment)
    servers.kill(servers.postgres)
    time.sleep(1)
    servers.start_again(servers.postgres)
    when(all_is_done)
    check_ended_well(case, golden, servers.folder / "mirrors")
    assert worker.process.poll() is None


def test_a_broker_that_is_killed_costs_nothing(case, golden, servers, start_worker):
    start_worker()
    jobs.enqueue(case.source)
    when(is_half_read)
    servers.kill(servers.valkey)
    when(all_is_done)
    check_ended_well(case, golden, servers.folder / "mirrors")


def test_a_worker_that_is_killed_with_all_its_processes_is_followed(
    case, golden, servers, start_worker
):
    worker = start_worker()
    jobs.enqueue(case.source)
    when(is_half_read)
    processes = worker.children()
    assert worker.readers()
    os.killpg(worker.process.pid, signal.SIGKILL)
    worker.process.wait()
    wait_for(lambda: not any(map(command_of, processes)), 10)
    start_worker()
    when(all_is_done)
    check_ended_well(case, golden, servers.folder / "mirrors")


def test_readers_that_are_killed_leave_no_trace_in_the_index(case, golden, servers, start_worker):
    worker = start_worker()
    jobs.enqueue(case.source)
    when(is_half_read)
    for reader in worker.readers():
        os.kill(reader, signal.SIGKILL)
    when(all_is_done)
    check_ended_well(case, golden, servers.folder / "mirrors")

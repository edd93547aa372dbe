"""A source that has come from one commit half the way to the next, and runners to kill there."""

import ctypes
import json
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
from urllib.parse import urlsplit

import pytest
from django.db import connection

from accounts.models import User
from knowledge.models import EmbeddedText, EmbeddingSpace
from projects import jobs
from projects.models import Job, Project, Source
from tests.knowledge.exactness import Rows, check_filled, check_same, check_sound, contents
from tests.projects.repositories import Repository

ROOT = Path(__file__).resolve().parents[2]
AGAIN_WITHIN = 60.0
PR_SET_CHILD_SUBREAPER = 36

Files = dict[str, bytes | str]


def module(n: int, version: int = 0) -> str:
    parts = [
        f"def step_{n}_{k}(value):\n    return value + {n * k + version}\n\n\n" for k in range(6)
    ]
    return "".join(parts)


def first_files() -> Files:
    files: Files = {f"src/part_{n}.py": module(n) for n in range(240)}
    files |= {f"docs/rule_{n}.md": f"# Rule {n}\n\nNames say what things are.\n" for n in range(20)}
    return files | {"logo.png": b"\x89PNG\r\n\x1a\n" + bytes(99), ".env": "KEY=1\n"}


def second_files() -> Files:
    """Some changed, some added, some renamed, some gone: more than one batch to read."""
    files = first_files()
    for n in range(150):
        files[f"src/part_{n}.py"] = module(n, version=1)
    for n in range(150, 180):
        files[f"lib/part_{n}.py"] = files.pop(f"src/part_{n}.py")
    for n in range(180, 210):
        del files[f"src/part_{n}.py"]
    files |= {f"src/new_{n}.py": module(1000 + n) for n in range(80)}
    return files | {"empty.py": "", "deploy.pem": "secret\n"}


@dataclass(frozen=True)
class Index:
    """What a source holds once all is done, with how many texts were ever embedded for it."""

    rows: dict[str, Rows]
    embedded: int


def index_of(source: Source) -> Index:
    return Index(contents(source), EmbeddedText.objects.count())


@dataclass
class Case:
    """A source, indexed at its first commit; a second one waits to be synced."""

    source: Source
    repository: Repository

    def sync(self) -> None:
        jobs.enqueue(self.source)
        jobs.run_all()

    def commit(self, files: Files) -> None:
        self.repository.commit(files, parents=[self.repository.head()])


@dataclass
class Runner:
    """A process without parents of its own: it is ours to wait for."""

    pid: int
    code: int | None = None

    def wait(self, seconds: float = AGAIN_WITHIN) -> int:
        """Return how it ended: minus the signal that killed it."""
        wait_for(self.has_ended, seconds)
        assert self.code is not None
        return self.code

    def has_ended(self) -> bool:
        if self.code is None:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if ended else None
        return self.code is not None

    def die(self) -> None:
        if not self.has_ended():
            os.killpg(self.pid, signal.SIGKILL)
            self.wait()


def make_case(project: Project, path: Path) -> Case:
    repository = Repository(path, bare=True)
    repository.commit(first_files())
    source = Source.objects.create(project=project, name="code", path=str(path))
    return Case(source, repository)


_golden: list[Index] = []


@pytest.fixture
def golden(alice: User, tmp_path: Path) -> Index:
    """The index after both commits, when nobody dies; always the same, so made once."""
    if not _golden:
        elsewhere = Project.objects.create(name="undisturbed", owner=alice)
        undisturbed = make_case(elsewhere, tmp_path / "undisturbed")
        undisturbed.sync()
        undisturbed.commit(second_files())
        undisturbed.sync()
        _golden.append(index_of(undisturbed.source))
        shutil.rmtree(undisturbed.source.mirror.parent)
        elsewhere.delete()
        EmbeddingSpace.objects.all().delete()
    return _golden[0]


@pytest.fixture
def case(project: Project, golden: Index, tmp_path: Path) -> Case:
    made = make_case(project, tmp_path / "repository")
    made.sync()
    made.commit(second_files())
    return made


def environment_of_test() -> dict[str, str]:
    """Return the environment of a process that works on the database of this test."""
    database = urlsplit(os.environ["DATABASE_URL"])
    name = connection.settings_dict["NAME"]
    return {**os.environ, "DATABASE_URL": database._replace(path=f"/{name}").geturl()}


@pytest.fixture(scope="module")
def nursery(django_db_setup: None) -> Iterator["subprocess.Popen[str]"]:
    """A process that has loaded the product and forks runners: loading it takes seconds.

    Whatever loses its parent meanwhile becomes a child of ours.
    """
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.runner"],
        cwd=ROOT,
        env=environment_of_test(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()
    libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@pytest.fixture
def start_runner(
    nursery: "subprocess.Popen[str]", tmp_path: Path
) -> Iterator[Callable[..., Runner]]:
    """Start processes that run the jobs of this test's database until none is open."""
    started: list[Runner] = []
    (tmp_path / "tmp").mkdir()

    def start(lease: float = 1.5, crash_at: str = "") -> Runner:
        assert nursery.stdin
        assert nursery.stdout
        orders = {"folder": str(tmp_path), "lease": lease, "crash_at": crash_at}
        nursery.stdin.write(json.dumps(orders) + "\n")
        nursery.stdin.flush()
        started.append(Runner(int(nursery.stdout.readline())))
        return started[-1]

    yield start
    for runner in started:
        runner.die()


@pytest.fixture
def orphans(nursery: "subprocess.Popen[str]") -> Callable[[], list[str]]:
    """Say which processes outlived the runner that started them."""
    before = set(_children())

    def find() -> list[str]:
        found = []
        for pid in set(_children()) - before:
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                if not command:  # it has ended and waits for somebody to notice
                    os.waitpid(pid, os.WNOHANG)
                elif b"tests.crash.runner" not in command:
                    found.append(command.replace(b"\0", b" ").decode())
        return found

    return find


def _children() -> list[int]:
    lists = Path("/proc/self/task").glob("*/children")
    return [int(pid) for listed in lists for pid in listed.read_text().split()]


def check_ended_well(case: Case, golden: Index, mirrors: Path) -> None:
    """Nothing lost, nothing doubled, nobody holds anything, nothing lies about."""
    source = case.source
    source.refresh_from_db()
    assert (source.state, source.head) == (Source.State.READY, case.repository.head())
    check_same(contents(source), golden.rows, of="after the crash")
    check_sound(source)
    check_filled(source)
    assert EmbeddedText.objects.count() == golden.embedded
    assert not Job.objects.open().exists()
    assert not Job.objects.exclude(lease_until=None).exists()
    assert not Job.objects.filter(attempts__gt=Job.MAX_ATTEMPTS).exists()
    assert not Job.objects.filter(state=Job.State.FAILED).values_list("error")
    names = sorted(path.name for path in mirrors.iterdir())
    assert names == sorted([source.mirror.name, f".{source.mirror.name}.lock"])


def wait_for(condition: Callable[[], object], seconds: float = AGAIN_WITHIN) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, list(
            Job.objects.values("kind", "state", "stage", "attempts", "done", "error", "lease_until")
        )
        time.sleep(0.05)

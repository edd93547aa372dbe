"""Homes that are thrown away, and the stores that run in them."""

import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from supervisor.home import Home
from supervisor.output import Output
from supervisor.postgres import Postgres
from supervisor.stopping import StopSwitch
from supervisor.valkey import Valkey

ROOT = Path(__file__).resolve().parent.parent.parent
OURS = ("DATABASE_URL", "REDIS_URL", "PUBLIC_URL", "HOST", "PORT")
FOREIGN = {"DJANGO_SETTINGS_MODULE", "SECRET_KEY"}
MEMORY = Path("/dev/shm")
ROOM = 2_000_000_000
NOBODY = 65534


def remove_home(path: Path) -> None:
    """Remove a home with the data that root's PostgreSQL may keep elsewhere."""
    link = path / "postgres"
    if link.is_symlink():
        shutil.rmtree(link.resolve(), ignore_errors=True)
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A short folder that every user can enter, unlike tmp_path.

    It is in memory where there is room: every home waits for the disk many times.
    """
    roomy = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM
    folder = Path(tempfile.mkdtemp(prefix="owl-", dir=MEMORY if roomy else None))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    with short_folder() as folder:
        yield folder


@pytest.fixture
def home(open_folder: Path) -> Iterator[Home]:
    made = Home(open_folder / "home")
    made.prepare()
    yield made
    remove_home(made.path)


@pytest.fixture
def output() -> Output:
    return Output(io.StringIO())


@pytest.fixture
def said(output: Output) -> Callable[[], str]:
    """Everything that was said on the output so far."""
    stream = output._stream
    assert isinstance(stream, io.StringIO)
    return stream.getvalue


@contextmanager
def running_postgres(home: Home, output: Output, *, throw_away: bool = False) -> Iterator[Postgres]:
    postgres = Postgres(home, output, throw_away=throw_away)
    try:
        postgres.start(StopSwitch())
        yield postgres
    finally:
        postgres.child.ask_to_stop()
        postgres.child.finish()


@contextmanager
def running_valkey(home: Home, output: Output) -> Iterator[Valkey]:
    valkey = Valkey(home, output)
    try:
        valkey.start(StopSwitch())
        yield valkey
    finally:
        valkey.child.ask_to_stop()
        valkey.child.finish()


def supervisor_environment(home: Path, **more: str) -> dict[str, str]:
    """The environment of a start that knows nothing of the stores these tests run beside."""
    ours = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    return {
        **ours,
        **dict.fromkeys(OURS, ""),
        "PYTHONPATH": str(ROOT),
        "NIGHTOWL_HOME": str(home),
        **more,
    }


def run_supervisor(
    home: Path, *arguments: str, **environment: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "supervisor", *arguments],
        cwd=ROOT,
        env=supervisor_environment(home, **environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture
def start() -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start processes in sessions of their own; what is left of them ends with the test."""
    started: list[subprocess.Popen[str]] = []

    def popen(*command: str, **options: object) -> subprocess.Popen[str]:
        process: subprocess.Popen[str] = subprocess.Popen(
            command, start_new_session=True, text=True, **options
        )
        started.append(process)
        return process

    yield popen
    for process in started:
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()


@contextmanager
def without_root() -> Iterator[None]:
    """Act as a user who owns nothing, when the tests themselves run as root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)

"""One command with PostgreSQL and Valkey beside it, and nothing left afterwards."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.home import Home
from supervisor.identity import pids_working_in
from supervisor.stopping import wait_regardless
from tests.supervisor.conftest import ROOT, run_supervisor, supervisor_environment

Start = Callable[..., subprocess.Popen[str]]
CHECK = """
import os, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    print(connection.execute("SHOW fsync").fetchone()[0])
print(redis.Redis.from_url(os.environ["REDIS_URL"]).ping())
"""
SLEEPER = "import time; print('ready', flush=True); time.sleep(60)"


def nothing_runs_in(home: Home) -> bool:
    return pids_working_in((home.path / "postgres" / "data").resolve(), "postgres") == []


@pytest.fixture
def hold(home: Home, start: Start) -> Callable[..., subprocess.Popen[str]]:
    """Start a supervisor that stays, and return when its stores are there."""

    def held(*arguments: str) -> subprocess.Popen[str]:
        process = start(
            *(sys.executable, "-m", "supervisor", *arguments),
            cwd=ROOT,
            env=supervisor_environment(home.path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout
        while "ready" not in (line := process.stdout.readline()):
            assert line, "it ended before it was ready"
        return process

    return held


def test_the_command_reaches_both_stores(home: Home) -> None:
    done = run_supervisor(home.path, "exec", "--", sys.executable, "-c", CHECK)

    assert done.stdout.split() == ["on", "True"], done.stderr
    assert nothing_runs_in(home)


def test_a_throw_away_home_is_fast(home: Home) -> None:
    done = run_supervisor(home.path, "exec", "--fast", "--", sys.executable, "-c", CHECK)

    assert done.stdout.split() == ["off", "True"], done.stderr


@pytest.mark.parametrize(("command", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)])
def test_its_exit_code_is_ours(command: str, code: int, home: Home) -> None:
    assert run_supervisor(home.path, "exec", "--", "sh", "-c", command).returncode == code


def test_the_environment_names_the_home_and_the_file_says_the_same(home: Home) -> None:
    script = 'echo "$NIGHTOWL_HOME"; echo "DATABASE_URL=$DATABASE_URL"; echo "REDIS_URL=$REDIS_URL"'

    printed = run_supervisor(home.path, "exec", "--", "sh", "-c", script).stdout.splitlines()

    assert printed[0] == str(home.path)
    assert printed[1:] == home.environment_file.read_text().splitlines()
    assert home.environment_file.stat().st_mode & 0o777 == 0o600


def test_stores_that_the_environment_names_are_used_instead(home: Home) -> None:
    urls = {"DATABASE_URL": "postgresql://there/db", "REDIS_URL": "redis://there"}

    done = run_supervisor(
        home.path, "exec", "--", "sh", "-c", 'echo "$DATABASE_URL $REDIS_URL"', **urls
    )

    assert done.stdout == "postgresql://there/db redis://there\n"
    assert not (home.path / "postgres").exists()
    assert not (home.path / "valkey").exists()


def test_a_command_that_does_not_exist_is_a_sentence(home: Home) -> None:
    done = run_supervisor(home.path, "exec", "--", "no-such-command")

    assert (done.returncode, done.stderr) == (
        1,
        "no-such-command cannot be run: No such file or directory.\n",
    )
    assert nothing_runs_in(home)


def test_without_a_command_it_asks_for_one(home: Home) -> None:
    done = run_supervisor(home.path, "exec")

    assert done.returncode == 2
    assert "which command?" in done.stderr


def test_two_commands_in_one_home_are_refused(hold: Start, home: Home) -> None:
    first = hold("exec", "--", "sh", "-c", "echo ready; sleep 60")

    second = run_supervisor(home.path, "exec", "--", "true")

    assert second.returncode == 1
    assert f"Another command (pid {first.pid}) is using {home.path}" in second.stderr


def test_a_command_joins_the_stores_that_run_already(hold: Start, home: Home) -> None:
    keeper = hold("services")

    done = run_supervisor(home.path, "exec", "--", sys.executable, "-c", CHECK)

    assert done.stdout.split() == ["on", "True"], done.stderr
    assert keeper.poll() is None
    assert not nothing_runs_in(home)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_the_stores(number: signal.Signals, hold: Start, home: Home) -> None:
    keeper = hold("services")

    keeper.send_signal(number)

    assert keeper.wait(20) == 0
    assert nothing_runs_in(home)


def test_a_signal_reaches_the_command_first(hold: Start, home: Home, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    script = f"trap 'echo told > {witness}; exit 3' TERM; echo ready; sleep 60 & wait"
    keeper = hold("exec", "--", "sh", "-c", script)

    keeper.send_signal(signal.SIGTERM)

    assert keeper.wait(20) == 3
    assert witness.read_text() == "told\n"
    assert nothing_runs_in(home)


def test_ctrl_c_in_a_terminal_ends_everything(hold: Start, home: Home) -> None:
    keeper = hold("exec", "--", sys.executable, "-c", SLEEPER)

    os.killpg(keeper.pid, signal.SIGINT)

    assert keeper.wait(20) == 130
    assert nothing_runs_in(home)


def test_a_killed_supervisor_is_no_obstacle_to_the_next(hold: Start, home: Home) -> None:
    keeper = hold("services")
    keeper.kill()
    keeper.wait(5)
    assert not nothing_runs_in(home)

    done = run_supervisor(home.path, "exec", "--", sys.executable, "-c", CHECK)

    assert done.stdout.split() == ["on", "True"], done.stderr
    assert wait_regardless(lambda: nothing_runs_in(home), 5)

"""The whole of it: started in order, kept alive, told apart, stopped in order."""

import os
import signal
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from supervisor.reaching import is_healthy
from supervisor.stopping import wait_regardless
from tests.supervisor.conftest import a_free_port, remove_home, run_supervisor, short_folder
from tests.supervisor.toy import Toy


@pytest.fixture
def toy(open_folder: Path) -> Iterator[Toy]:
    made = Toy(open_folder / "product", open_folder / "home", a_free_port())
    yield made
    remove_home(made.home)


@pytest.fixture(scope="module")
def started() -> Iterator[Toy]:
    """One that keeps running, for tests that only look."""
    with short_folder() as folder:
        toy = Toy(folder / "product", folder / "home", a_free_port())
        with toy.running():
            yield toy
        remove_home(toy.home)


def page(toy: Toy, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{toy.port}{path}", timeout=5) as response:
        text: str = response.read().decode()
        return text


def test_the_first_start_ends_at_an_address_a_user_and_a_password(started: Toy) -> None:
    assert page(started, "/healthz") == "/healthz"
    assert f"Nightowl is ready at {started.address}" in started.printed
    assert "user: admin" in started.printed
    assert started.printed.count("a-password-of-the-day") == 1
    assert f"NIGHTOWL_HOME={started.home} .venv/bin/python manage.py" in started.printed
    assert sorted(started.commands()) == ["collectstatic", "first_start", "migrate"]


def test_ctrl_c_stops_every_part_and_that_is_no_failure(toy: Toy) -> None:
    with toy.running() as process:
        children = toy.children()
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0

    assert [name for name, child in children.items() if child.session_members()] == []
    assert list((toy.home / "run").glob("*.process")) == []
    assert "Stopping, as SIGINT asks" in toy.printed
    assert "nightowl | Stopped" in toy.printed


def test_a_signal_during_the_start_stops_what_there_is(toy: Toy) -> None:
    process = toy.start()
    toy.read_until(process, "Starting in")
    assert wait_regardless(lambda: toy.home.joinpath("run/postgres.process").exists(), 30)
    postgres = toy.child("postgres")

    process.send_signal(signal.SIGINT)
    printed, _ = process.communicate(timeout=60)

    assert process.returncode == 0, printed
    assert not postgres.is_alive()
    assert "Stopped" in printed


def test_every_part_that_is_killed_is_started_again(toy: Toy) -> None:
    with toy.running() as process:
        killed = toy.children()
        for name, child in killed.items():
            child.send(signal.SIGKILL)
            toy.read_until(process, f"{name} was killed by SIGKILL; starting it again in 1 s")

        assert wait_regardless(
            lambda: all(toy.child(name) != child for name, child in killed.items()), 15
        )
        assert wait_regardless(lambda: is_healthy(toy.configuration), 15)
        assert all(child.is_alive() for child in toy.children().values())


def test_a_killed_supervisor_leaves_nothing_that_stops_the_next_start(toy: Toy) -> None:
    process = toy.start()
    toy.read_until(process, "Ctrl-C stops everything")
    left = toy.children()
    process.kill()
    process.communicate(timeout=10)
    assert all(child.is_alive() for child in left.values())

    with toy.running():
        assert not any(child.is_alive() for child in left.values())
        assert page(toy, "/again") == "/again"

    assert "Ended what an earlier start had left running" in toy.printed
    assert "password: a" not in toy.printed


def test_two_starts_say_so(started: Toy) -> None:
    holder = (started.home / "run" / "lock").read_text().split()[0]

    assert started.refused(PORT="1") == (
        f"Nightowl is already running here (pid {holder}) at {started.address}\n"
    )


def test_a_taken_port_is_one_sentence_and_starts_nothing(toy: Toy) -> None:
    with socket.create_server(("127.0.0.1", toy.port)):
        refusal = toy.refused()

    assert refusal.startswith(f"127.0.0.1:{toy.port} is taken by another program")
    assert refusal.count("\n") == 1
    assert not (toy.home / "postgres" / "data").exists()


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        ({"HOST": "no.such.host.invalid"}, "HOST is 'no.such.host.invalid', which is no address"),
        ({"HOST": "192.0.2.1"}, "Nightowl cannot listen on 192.0.2.1"),
        ({"PORT": "web"}, "PORT is 'web'; it must be a number"),
    ],
)
def test_an_address_that_cannot_be_is_one_sentence(
    environment: dict[str, str], sentence: str, toy: Toy
) -> None:
    refusal = toy.refused(**environment)

    assert sentence in refusal
    assert refusal.count("\n") == 1


@pytest.mark.parametrize("step", ["migrate", "first_start"])
def test_a_step_that_fails_is_explained_and_everything_stops(step: str, toy: Toy) -> None:
    toy.break_at(step)

    printed = toy.refused()

    assert "this is why it broke" in printed
    assert f"`manage.py {step}` failed" in printed
    assert list((toy.home / "run").glob("*.process")) == []


def test_a_web_process_that_cannot_start_is_explained(toy: Toy) -> None:
    toy.break_at("web")

    printed = toy.refused()

    assert "web      | RuntimeError: this is why it broke" in printed
    assert "The web process did not start" in printed


def test_a_command_beside_it_uses_its_stores(started: Toy) -> None:
    done = run_supervisor(started.home, "exec", "--", "sh", "-c", 'echo "$DATABASE_URL"')

    socket_folder = started.home / "postgres" / "socket"
    assert done.stdout == f"postgresql://nightowl@/nightowl?host={socket_folder}\n"


def test_the_health_of_the_web_process_can_be_asked_for(started: Toy, tmp_path: Path) -> None:
    here = run_supervisor(tmp_path, "healthy", PORT=str(started.port))
    nowhere = run_supervisor(tmp_path, "healthy", PORT=str(a_free_port()))

    assert (here.returncode, nowhere.returncode) == (0, 1)


def test_children_do_not_hold_the_lock(started: Toy) -> None:
    lock = os.path.realpath(started.home / "run" / "lock")
    for child in started.children().values():
        folder = f"/proc/{child.pid}/fd"
        open_files = {os.path.realpath(f"{folder}/{name}") for name in os.listdir(folder)}
        assert lock not in open_files

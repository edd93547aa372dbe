"""A process is known by its number and its start, and only that one is ended."""

import os
import signal
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from supervisor.identity import Identity, pids_working_in
from supervisor.processes import end_leftover
from supervisor.stopping import wait_regardless

Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def sleeper(start: Start) -> Identity:
    identity = Identity.of(start("sleep", "60").pid)
    assert identity
    return identity


def test_a_process_is_alive_until_it_ends(sleeper: Identity) -> None:
    assert sleeper.is_alive()

    sleeper.send(signal.SIGKILL)

    assert wait_regardless(lambda: not sleeper.is_alive(), 5)


def test_a_record_gives_the_same_process_back(sleeper: Identity, tmp_path: Path) -> None:
    sleeper.save(tmp_path / "web.process")

    assert Identity.load(tmp_path / "web.process") == sleeper


@pytest.mark.parametrize("text", ["", "12", "twelve 1 b", "12 1 b more", "\x00\xff"])
def test_a_damaged_record_is_no_process(text: str, tmp_path: Path) -> None:
    (tmp_path / "web.process").write_text(text, encoding="latin-1")

    assert Identity.load(tmp_path / "web.process") is None


def test_a_leftover_is_ended_with_all_that_it_started(start: Start, tmp_path: Path) -> None:
    parent = start("sh", "-c", "sleep 60 & sleep 60 & echo ready; wait", stdout=subprocess.PIPE)
    assert parent.stdout
    parent.stdout.readline()
    identity = Identity.of(parent.pid)
    assert identity
    identity.save(tmp_path / "worker.process")
    assert len(identity.session_members()) == 3

    assert end_leftover(tmp_path / "worker.process")

    assert identity.session_members() == []
    assert not (tmp_path / "worker.process").exists()


def test_children_whose_parent_was_killed_are_ended_too(start: Start, tmp_path: Path) -> None:
    parent = start("sh", "-c", "sleep 60 & echo $!; wait", stdout=subprocess.PIPE)
    assert parent.stdout
    child = Identity.of(int(parent.stdout.readline()))
    identity = Identity.of(parent.pid)
    assert child
    assert identity
    identity.save(tmp_path / "worker.process")
    parent.kill()
    parent.wait()

    assert end_leftover(tmp_path / "worker.process")

    assert not child.is_alive()


@pytest.mark.parametrize("difference", [{"started": "1"}, {"boot": "another"}])
def test_another_process_with_the_same_number_is_left_alone(
    difference: dict[str, str], sleeper: Identity, tmp_path: Path
) -> None:
    replace(sleeper, **difference).save(tmp_path / "web.process")

    assert not end_leftover(tmp_path / "web.process")

    assert sleeper.is_alive()
    assert not (tmp_path / "web.process").exists()


def test_a_leftover_that_ignores_the_wish_is_killed(start: Start, tmp_path: Path) -> None:
    stubborn = start("sh", "-c", "trap '' TERM; echo 1; sleep 60", stdout=subprocess.PIPE)
    assert stubborn.stdout
    stubborn.stdout.readline()
    identity = Identity.of(stubborn.pid)
    assert identity
    identity.save(tmp_path / "web.process")

    assert end_leftover(tmp_path / "web.process", limit=0.2)

    assert not identity.is_alive()


def test_no_record_means_no_leftover(tmp_path: Path) -> None:
    assert not end_leftover(tmp_path / "web.process")


def test_processes_are_found_by_program_and_folder(start: Start, tmp_path: Path) -> None:
    here = start("sleep", "60", cwd=tmp_path)
    start("sleep", "60", cwd="/")

    assert wait_regardless(lambda: pids_working_in(tmp_path, "sleep") == [here.pid], 5)
    assert pids_working_in(tmp_path, "postgres") == []


def test_we_are_ourselves() -> None:
    ourselves = Identity.of(os.getpid())

    assert ourselves is not None
    assert ourselves.is_alive()

"""Children are started apart, asked to stop, and killed when they do not."""

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from supervisor.identity import Identity
from supervisor.keeping import Keeper
from supervisor.output import Output
from supervisor.processes import Child, Program, stop_together
from supervisor.refusals import CannotStart, StopRequested
from supervisor.stopping import StopSwitch, wait_regardless

Said = Callable[[], str]
Make = Callable[..., Child]
STUBBORN = (
    "import signal,time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
)


@pytest.fixture
def make(tmp_path: Path, output: Output) -> Make:
    def made(*command: str, limit: float = 5, quiet: bool = False) -> Child:
        program = Program("web", command, {}, tmp_path, stop_limit=limit, quiet=quiet)
        return Child(program, tmp_path, output)

    return made


def keeper_of(child: Child, output: Output) -> Keeper:
    return Keeper(child, child.start, output)


def test_a_child_leads_a_session_of_its_own_and_is_on_record(make: Make) -> None:
    child = make("sleep", "60")
    child.start()

    assert child.identity
    assert child.identity.session_members() == [child.identity.pid]
    assert Identity.load(child.record) == child.identity

    stop_together([child])
    assert child.has_ended()
    assert not child.record.exists()


def test_a_child_that_does_not_stop_is_killed_with_all_that_it_started(
    make: Make, said: Said
) -> None:
    child = make("sh", "-c", f'sleep 60 & {sys.executable} -c "{STUBBORN}"; true', limit=0.3)
    child.start()
    assert child.relay
    assert wait_regardless(lambda: bool(child.relay and child.relay.last_lines), 5)
    identity = child.identity
    assert identity

    stop_together([child])

    assert wait_regardless(lambda: identity.session_members() == [], 5)


def test_a_slow_child_is_named_before_it_is_killed(make: Make, said: Said) -> None:
    child = make(sys.executable, "-c", STUBBORN, limit=0.3)
    child.start()
    assert wait_regardless(lambda: bool(child.relay and child.relay.last_lines), 5)

    stop_together([child])

    assert child.ending() == "was killed by SIGKILL"
    assert "web was still busy after 0 s; ending it" in said()


def test_several_children_stop_at_the_same_time(make: Make) -> None:
    slow = 'trap "sleep 0.5; exit" TERM; echo 1; sleep 60 & wait'
    children = [make("sh", "-c", slow) for _ in range(4)]
    for child in children:
        child.start()
        assert wait_regardless(lambda c=child: bool(c.relay.last_lines), 5)
    before = time.monotonic()

    stop_together(children)

    assert time.monotonic() - before < 1.5


def test_stopping_what_never_started_is_nothing(make: Make) -> None:
    stop_together([make("sleep", "60")])


def test_a_program_that_is_missing_is_a_sentence(make: Make) -> None:
    with pytest.raises(CannotStart, match="web cannot be started"):
        make("no-such-program").start()


@pytest.mark.parametrize(
    ("command", "words"),
    [("exit 3", "ended with exit code 3"), ("kill -9 $$", "was killed by SIGKILL")],
)
def test_an_end_is_told_in_words(command: str, words: str, make: Make) -> None:
    child = make("sh", "-c", command)
    child.start()
    wait_regardless(child.has_ended, 5)

    assert child.ending() == words


def test_a_dead_child_is_started_again_after_a_growing_pause(
    make: Make, output: Output, said: Said
) -> None:
    child = make("false")
    child.start()
    keeper = keeper_of(child, output)
    now = child.started_at
    pauses = []
    for _ in range(7):
        wait_regardless(child.has_ended, 5)
        keeper.look_after(now)
        pauses.append(keeper.pause)
        now += keeper.pause
        keeper.look_after(now)
        child.started_at = now

    assert pauses == [1, 2, 4, 8, 16, 30, 30]
    assert "web ended with exit code 1; starting it again in 1 s" in said()
    child.clear()


def test_a_child_that_lived_long_is_started_again_soon(make: Make, output: Output) -> None:
    child = make("false")
    child.start()
    keeper = keeper_of(child, output)
    keeper.pause = 30
    wait_regardless(child.has_ended, 5)

    keeper.look_after(child.started_at + 61)

    assert keeper.pause == 1


def test_a_restart_that_fails_is_tried_again(make: Make, output: Output, said: Said) -> None:
    child = make("no-such-program")
    keeper = keeper_of(child, output)
    keeper.start_again_at = 5.0

    keeper.look_after(6.0)

    assert keeper.start_again_at > 6.0
    assert "cannot start" in said()


def test_a_living_child_is_left_alone(make: Make, output: Output) -> None:
    child = make("sleep", "60")
    child.start()
    keeper = keeper_of(child, output)

    keeper.look_after(time.monotonic())

    assert keeper.start_again_at is None
    stop_together([child])


def test_what_a_quiet_child_said_is_told_when_it_dies(
    make: Make, output: Output, said: Said
) -> None:
    child = make("sh", "-c", "echo because of this; exit 1", quiet=True)
    child.start()
    wait_regardless(child.has_ended, 5)

    keeper_of(child, output).look_after(time.monotonic())

    assert "web      | because of this" in said()


def test_a_wait_ends_with_its_condition_its_limit_or_a_signal() -> None:
    switch = StopSwitch()
    assert switch.wait(lambda: True, 0)
    assert not switch.wait(lambda: False, 0.05)

    switch.pressed_by = signal.SIGINT

    with pytest.raises(StopRequested):
        switch.wait(lambda: False, 60)
    assert not wait_regardless(lambda: False, 0.05)

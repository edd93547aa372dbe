"""Running one command with the stores beside it: for tests and for scripts."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from supervisor.configuration import Configuration, read_env_file
from supervisor.home import Home, HomeLock
from supervisor.output import Output
from supervisor.refusals import CannotStart, StopRequested
from supervisor.stopping import StopSwitch, wait_regardless
from supervisor.stores import Stores

EXEC = "exec"
SERVICES = "services"
PATIENCE = 15.0


def execute(
    configuration: Configuration, command: list[str], output: Output, *, throw_away: bool = False
) -> int:
    """The exit code of the command, after the stores that were started for it have stopped."""
    home = _prepared_home(configuration)
    switch = StopSwitch()
    switch.listen()
    with HomeLock(home) as lock:
        holder = lock.take(EXEC, "")
        if holder and holder.purpose == EXEC:
            raise CannotStart(
                f"Another command (pid {holder.pid}) is using {home.path}:"
                " wait for it, or set NIGHTOWL_HOME to another folder."
            )
        if holder:
            return _run(command, home, read_env_file(home.environment_file), switch)
        stores = Stores(configuration, home, output, throw_away=throw_away)
        with _started(stores, switch):
            return _run(command, home, stores.environment(), switch)


def serve(configuration: Configuration, output: Output) -> int:
    """Keep the stores running for other terminals, until someone stops them."""
    home = _prepared_home(configuration)
    switch = StopSwitch()
    switch.listen()
    with HomeLock(home) as lock:
        if holder := lock.take(SERVICES, ""):
            raise CannotStart(f"{home.path} is in use already (pid {holder.pid}).")
        stores = Stores(configuration, home, output)
        with _started(stores, switch), suppress(StopRequested):
            output.say(f"PostgreSQL and Valkey are ready; see {home.environment_file}")
            switch.wait(lambda: False, float("inf"))
    return 0


def _prepared_home(configuration: Configuration) -> Home:
    home = Home(configuration.home)
    home.prepare()
    return home


@contextmanager
def _started(stores: Stores, switch: StopSwitch) -> Iterator[None]:
    stores.end_leftovers()
    try:
        stores.start(switch)
        yield
    finally:
        stores.stop()


def _run(command: list[str], home: Home, stores: dict[str, str], switch: StopSwitch) -> int:
    environment = {**os.environ, **stores, "NIGHTOWL_HOME": str(home.path)}
    try:
        process = subprocess.Popen(command, env=environment)
    except OSError as error:
        raise CannotStart(f"{command[0]} cannot be run: {error.strerror}.") from error
    try:
        switch.wait(lambda: process.poll() is not None, float("inf"))
    except StopRequested:
        _end(process, switch.pressed_by or signal.SIGTERM)
    code = process.wait()
    return code if code >= 0 else 128 - code


def _end(process: subprocess.Popen[bytes], asked_by: signal.Signals) -> None:
    """Pass the wish on; Ctrl-C in a terminal has reached the command already."""
    for number in (asked_by, signal.SIGTERM, signal.SIGKILL):
        if number != signal.SIGINT:
            with suppress(ProcessLookupError):
                process.send_signal(number)
        if wait_regardless(lambda: process.poll() is not None, PATIENCE):
            return

"""Everything under one roof: stores, web, worker and beat, until someone stops it."""

import sys
import time
from collections.abc import Sequence

from supervisor.configuration import Configuration, inherited_environment
from supervisor.home import Home, HomeLock
from supervisor.keeping import Keeper, look_after_all
from supervisor.output import Output
from supervisor.processes import Child, Program, end_leftover, stop_together
from supervisor.reaching import is_healthy, refuse_taken_port
from supervisor.refusals import CannotStart, StopRequested
from supervisor.stopping import StopSwitch
from supervisor.stores import Stores

PURPOSE = "run"
WEB_LIMIT = 120.0
GLANCE = 0.2
RULE = "-" * 72


def run(configuration: Configuration, output: Output) -> int:
    """Run until Ctrl-C or SIGTERM; the exit code is 0 when someone stopped it."""
    home = Home(configuration.home)
    home.prepare()
    with HomeLock(home) as lock:
        holder = lock.take(PURPOSE, configuration.address)
        if holder and holder.purpose == PURPOSE:
            raise CannotStart(
                f"Nightowl is already running here (pid {holder.pid}) at {holder.address}"
            )
        if holder:
            raise CannotStart(f"Another command (pid {holder.pid}) is using {home.path}.")
        return Installation(configuration, home, output).run()


class Installation:
    """One home with its stores and its three programs."""

    def __init__(self, configuration: Configuration, home: Home, output: Output) -> None:
        self.configuration = configuration
        self.home = home
        self.output = output
        self.switch = StopSwitch()
        self.stores = Stores(configuration, home, output)
        self.environment = {
            **inherited_environment(),
            **self.stores.environment(),
            "NIGHTOWL_HOME": str(home.path),
            "HOST": configuration.host,
            "PORT": str(configuration.port),
            "PUBLIC_URL": configuration.address,
            # PostgreSQL has its own user when root starts us; the rest runs as who we are.
            "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
        }
        self.web = self._child("web", self._web_command())
        self.steps: list[Child] = []
        celery = ("-m", "celery", "--app", "config", "--quiet")
        self.worker = self._child(
            "worker", [*celery, "worker", "--concurrency", "2", "--loglevel", "WARNING"]
        )
        schedule = str(home.run / "beat-schedule")
        self.beat = self._child(
            "beat", [*celery, "beat", "--schedule", schedule, "--pidfile=", "--loglevel", "WARNING"]
        )

    def run(self) -> int:
        self.switch.listen()
        self._end_leftovers()
        refuse_taken_port(self.configuration.host, self.configuration.port)
        try:
            self._start()
            self._keep()
        except StopRequested:
            self.output.say("Stopping")
        finally:
            self._stop()
        self.output.say("Stopped")
        return 0

    def _end_leftovers(self) -> None:
        stores = {child.record for child in self.stores.children()}
        programs = sorted(set(self.home.run.glob("*.process")) - stores, reverse=True)
        ended = [end_leftover(record) for record in programs]
        if self.stores.end_leftovers() or any(ended):
            self.output.say("Ended what an earlier start had left running")

    def _start(self) -> None:
        self.output.say(f"Starting in {self.home.path}")
        collecting = self._begin("collectstatic", "--no-input")
        self.stores.start(self.switch)
        self._complete(self._begin("migrate", "--no-input"))
        self._complete(collecting)
        first_start = self._complete(self._begin("first_start"))
        for child in (self.web, self.worker, self.beat):
            child.start()
        self._wait_for_web()
        self._welcome(_account_lines(first_start))

    def _begin(self, *arguments: str) -> Child:
        """Start a management command; it is stopped with everything else if need be."""
        child = self._child(arguments[0], ["manage.py", *arguments], quiet=True)
        self.steps.append(child)
        child.start()
        return child

    def _complete(self, child: Child) -> list[str]:
        """What a management command printed, once it has succeeded."""
        self.switch.wait(child.has_ended, float("inf"))
        self.steps.remove(child)
        child.clear()
        if child.exit_code:
            child.explain()
            name = child.program.name
            raise CannotStart(f"`manage.py {name}` failed: its own words are above.")
        return list(child.relay.last_lines) if child.relay else []

    def _wait_for_web(self) -> None:
        answered = self.switch.wait(
            lambda: self.web.has_ended() or is_healthy(self.configuration), WEB_LIMIT
        )
        if not answered or self.web.has_ended():
            raise CannotStart("The web process did not start: its own words are above.")

    def _welcome(self, account: Sequence[str]) -> None:
        elsewhere = self.home.path != self.configuration.root / "var"
        hint = f"NIGHTOWL_HOME={self.home.path} " if elsewhere else ""
        hint += ".venv/bin/python manage.py changepassword USER"
        lines = [f"Nightowl is ready at {self.configuration.address}", *account]
        if account:
            lines.append("The password is not shown again.")
        lines += [f"To set another password: {hint}", "Ctrl-C stops everything."]
        self.output.write("\n".join(["", RULE, *(f"  {line}" for line in lines), RULE, ""]))

    def _keep(self) -> None:
        keepers = [Keeper(c, c.start, self.output) for c in (self.web, self.worker, self.beat)]
        if self.stores.valkey:
            valkey = self.stores.valkey.child
            keepers.append(Keeper(valkey, valkey.start, self.output))
        if self.stores.postgres:
            postgres = self.stores.postgres
            keepers.append(Keeper(postgres.child, postgres.launch, self.output))
        while not self.switch.pressed_by:
            look_after_all(keepers)
            time.sleep(GLANCE)
        self.output.say(f"Stopping, as {self.switch.pressed_by.name} asks")

    def _stop(self) -> None:
        stop_together([self.web, *self.steps])
        stop_together([self.worker, self.beat])
        self.stores.stop()

    def _web_command(self) -> list[str]:
        host = f"[{self.configuration.host}]" if ":" in self.configuration.host else None
        bind = f"{host or self.configuration.host}:{self.configuration.port}"
        return [
            *("-m", "gunicorn", "config.asgi:application"),
            *("--worker-class", "config.workers.Worker", "--workers", "2"),
            *("--bind", bind, "--graceful-timeout", "5"),
            *("--no-control-socket", "--log-level", "warning"),
        ]

    def _child(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        quiet: bool = False,
    ) -> Child:
        program = Program(
            name=name,
            command=[sys.executable, *arguments],
            environment=self.environment,
            folder=self.configuration.root,
            quiet=quiet,
        )
        return Child(program, self.home.run, self.output)


def _account_lines(printed: Sequence[str]) -> list[str]:
    return [line for line in printed if line.startswith(("user:", "password:"))]

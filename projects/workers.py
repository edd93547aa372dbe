"""What a worker does beside its tasks: shows that it lives, finds unheard work, ends well."""

import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import Any
from uuid import UUID

from celery.signals import (
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutdown,
    worker_shutting_down,
)
from django.conf import settings
from django.db import connection
from django.utils import timezone

from projects import shutdown
from projects.jobs import ring_bell, run_all
from projects.models import Job, WorkerBeat

logger = logging.getLogger(__name__)

SWEEP_EVERY = 10.0
GLANCE = 0.2
READY_WITHIN = 5.0  # the pool has forked by then, also where no broker answers
MOST_WATCHED = 100
OWN_RUNNER = [sys.executable, str(settings.BASE_DIR / "manage.py"), "run_jobs"]
OWN_RUNNER_LIMIT = 5.0


def beat(name: str) -> None:
    WorkerBeat.objects.update_or_create(name=name, defaults={"seen_at": timezone.now()})
    WorkerBeat.objects.filter(seen_at__lt=timezone.now() - timedelta(days=1)).delete()


class Sweeper(threading.Thread):
    """Looks at the table of jobs every few seconds, whether or not a broker is there.

    It lives in the worker's main process. Work that nobody hears of is run by a process of its
    own: a thread here would stand in the way of the pool.
    """

    def __init__(self, runners: int) -> None:
        super().__init__(name="sweeper", daemon=True)
        self.name_of_worker = f"{socket.gethostname()}:{os.getpid()}"
        self.ready = threading.Event()
        self._runners = runners
        self._waited_before: set[tuple[UUID, int]] = set()
        self._own_runner: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        self.ready.wait(READY_WITHIN)
        while not shutdown.is_ending():
            try:
                self.sweep()
            except Exception:  # the outer edge: without it a worker would go deaf
                logger.exception("The sweep failed; the next one follows.")
            finally:
                connection.close()
            self._rest()

    def sweep(self) -> None:
        """Show a sign of life; have waiting work run, by the pool if it hears."""
        beat(self.name_of_worker)
        rows = Job.objects.claimable().order_by("due_at").values_list("pk", "fence")
        waiting = set(rows[:MOST_WATCHED])
        rang_in_vain = bool(waiting & self._waited_before)
        self._waited_before = waiting
        if not waiting:
            return
        is_heard = ring_bell() and not rang_in_vain
        if not is_heard and self._has_room():
            self._run_here()

    def end(self) -> None:
        """End the process that was started here, and the sign of life."""
        if self._own_runner and self._own_runner.poll() is None:
            self._own_runner.send_signal(signal.SIGTERM)
            try:
                self._own_runner.wait(OWN_RUNNER_LIMIT)
            except subprocess.TimeoutExpired:
                self._own_runner.kill()
        self.join(GLANCE * 5)
        WorkerBeat.objects.filter(name=self.name_of_worker).delete()

    def _rest(self) -> None:
        until = time.monotonic() + SWEEP_EVERY
        while time.monotonic() < until and not shutdown.is_ending():
            time.sleep(GLANCE)

    def _has_room(self) -> bool:
        held = Job.objects.filter(
            state=Job.State.RUNNING,
            lease_until__gt=timezone.now(),
            lease_owner__startswith=f"{socket.gethostname()}:",
        )
        return held.count() < self._runners

    def _run_here(self) -> None:
        if self._own_runner is None or self._own_runner.poll() is not None:
            logger.warning("Nobody hears the bell; the work that waits is run beside the pool.")
            self._own_runner = subprocess.Popen(OWN_RUNNER, stdin=subprocess.DEVNULL)


_sweepers: list[Sweeper] = []
_pool: list[int] = []


def run_what_waits() -> None:
    """Run jobs until none waits; told to end meanwhile, put the one at hand away first.

    A process of the pool listens only while it is busy: its pool sets the signals otherwise, and
    tells single processes to end without the worker.
    """
    if os.getpid() not in _pool:
        run_all()
        return
    with shutdown.heeded(signal.SIGTERM):
        run_all()
    if shutdown.is_process_ending():
        os.kill(os.getpid(), signal.SIGTERM)


def begin(sender: Any, **_: Any) -> None:
    shutdown.start_anew()
    _sweepers.append(Sweeper(sender.concurrency or 1))
    _sweepers[-1].start()


def sweep_at_once(**_: Any) -> None:
    for sweeper in _sweepers:
        sweeper.ready.set()


def enter_pool(**_: Any) -> None:
    _pool.append(os.getpid())


def let_jobs_end(**_: Any) -> None:
    shutdown.end_worker()


def end(**_: Any) -> None:
    while _sweepers:
        _sweepers.pop().end()


worker_init.connect(begin)
worker_ready.connect(sweep_at_once)
worker_process_init.connect(enter_pool)
worker_shutting_down.connect(let_jobs_end)
worker_shutdown.connect(end)

"""Searches and answers over HTTP, from web processes as they are really started."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Barrier
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import numpy as np
from django.core.management import call_command

from accounts.models import ApiKey, User
from bench.measuring import show
from knowledge.methods import Mode
from projects.models import Project

CLIENTS = 8
AT_ONCE = 200
BEYOND = 900  # more than both processes let wait
CALLERS = 9  # who ask for those
PATIENCE = 60
NAMES = ("Session", "get", "url_for", "QuerySet", "connection")
PATTERNS = ("def get", r"raise \w+Error", "connection", r"self\._\w+ = None", "TODO")


@dataclass(slots=True)
class Door:
    """The web processes on their port, and the keys of those who ask them."""

    port: int
    keys: list[str] = field(default_factory=list)

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def send(
        self,
        client: http.client.HTTPConnection,
        address: str,
        caller: int = 0,
        given: dict[str, Any] | None = None,
    ) -> http.client.HTTPResponse:
        headers = {"Authorization": f"Bearer {self.keys[caller]}"}
        if given is None:
            client.request("GET", address, headers=headers)
        else:
            headers["Content-Type"] = "application/json"
            client.request("POST", address, json.dumps(given), headers)
        return client.getresponse()


@contextmanager
def serving(database: str, owner: User) -> Iterator[Door]:
    """Run two web processes on a database, as the supervisor does."""
    call_command("collectstatic", interactive=False, verbosity=0)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        door = Door(int(probe.getsockname()[1]))
    door.keys = [
        ApiKey.issue(user=owner, name=f"bench {time.time()} {n}", scopes=["read", "ask"])[1]
        for n in range(CALLERS)
    ]
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "config.asgi:application"),
            *("--worker-class", "config.workers.Worker", "--workers", "2"),
            *("--bind", f"127.0.0.1:{door.port}"),
            *("--graceful-timeout", "5", "--no-control-socket", "--log-level", "error"),
        ],
        env={**os.environ, "DATABASE_URL": address_of(database), "LOG_LEVEL": "CRITICAL"},
    )
    try:
        _wait_for(door)
        yield door
    finally:
        server.terminate()
        server.wait(PATIENCE)


def address_of(database: str) -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{database}"))


def _wait_for(door: Door) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            client = door.connect()
            client.request("GET", "/healthz")
            if client.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The web processes did not start.")


def show_load(door: Door, made: Sequence[Project], questions: Sequence[str]) -> None:
    """Eight clients that ask and ask, then many at once, then more than may wait."""
    searches = [_address(questions[n % len(questions)], made[0]) for n in range(BEYOND)]
    _burst(door, searches[:CLIENTS], callers=1)
    rate = _rate_of(door, _mixed(made, questions))
    rows = [("what", "searches/s", "p50 s", "p95 s", "most", "answers", "without Retry-After")]
    rows.append((f"{CLIENTS} clients, mixed", f"{rate:.0f}", "", "", "", "", ""))
    for count, callers in ((AT_ONCE, 1), (BEYOND, CALLERS)):
        started = time.perf_counter()
        found = _burst(door, searches[:count], callers)
        took = time.perf_counter() - started
        spent = [one.seconds for one in found if one.status == 200] or [0.0]
        p50, p95 = np.percentile(spent, [50, 95])
        told = Counter(one.status for one in found)
        answers = ", ".join(f"{times} × {status}" for status, times in sorted(told.items()))
        silent = sum(one.status != 200 and not one.retry_after for one in found)
        times = (f"{len(spent) / took:.0f}", f"{p50:.2f}", f"{p95:.2f}", f"{max(spent):.2f}")
        rows.append((f"{count} at once, of {callers}", *times, answers, str(silent)))
    show("Over HTTP, two web processes", rows)


@dataclass(frozen=True, slots=True)
class Answered:
    seconds: float
    status: int
    retry_after: str


def _burst(door: Door, addresses: Sequence[str], callers: int) -> list[Answered]:
    together = Barrier(len(addresses))

    def one(number: int) -> Answered:
        client = door.connect()
        together.wait()
        started = time.perf_counter()
        answer = door.send(client, addresses[number], number % callers)
        json.loads(answer.read())
        client.close()
        seconds = time.perf_counter() - started
        return Answered(seconds, answer.status, answer.headers["Retry-After"] or "")

    with ThreadPoolExecutor(len(addresses)) as pool:
        return list(pool.map(one, range(len(addresses))))


def _mixed(made: Sequence[Project], questions: Sequence[str]) -> list[str]:
    """Return searches as they come: mostly questions, in projects of all sizes."""
    addresses = []
    for number, question in enumerate(list(questions) * 4):
        project = made[number % min(len(made), CLIENTS)]
        match number % 10:
            case 7:
                addresses.append(_address(NAMES[number % 5], project, mode=Mode.SYMBOL))
            case 8:
                addresses.append(_address(PATTERNS[number % 5], project, mode=Mode.REGEX))
            case 9:
                addresses.append(_address(question, project, language="python"))
            case _:
                addresses.append(_address(question, project))
    return addresses


def _rate_of(door: Door, addresses: Sequence[str]) -> float:
    def some(first: int) -> None:
        client = door.connect()
        for address in addresses[first::CLIENTS]:
            answer = door.send(client, address, first)
            answer.read()
            assert answer.status == 200, answer.status
        client.close()

    started = time.perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(some, range(CLIENTS)))
    return len(addresses) / (time.perf_counter() - started)


def _address(question: str, project: Project, **more: str) -> str:
    return f"/api/v1/search?{urlencode({'q': question, 'project': str(project.pk), **more})}"

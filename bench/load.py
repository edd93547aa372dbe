"""Two hundred searches at once over HTTP, against web processes as they are really started."""

import http.client
import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib.parse import urlencode, urlsplit, urlunsplit

import numpy as np

from accounts.models import ApiKey, User
from accounts.viewers import Viewer
from bench.measuring import show
from knowledge.query_syntax import read_query
from knowledge.retrieval import Results, search
from projects.models import Project

AT_ONCE = 200
BEYOND = 900  # more than both processes let wait
PATIENCE = 60


def search_as_typed(viewer: Viewer, project: Project, text: str) -> Results:
    query = read_query(text)
    return search(
        viewer, query.words, project_ids=[project.pk], filters=query.filters, mode=query.mode
    )


def show_load(database: str, owner: User, project: Project, questions: Sequence[str]) -> None:
    key = ApiKey.issue(user=owner, name=f"bench {time.time()}", scopes=["read"])[1]
    port = _free_port()
    server = subprocess.Popen(
        [
            *(sys.executable, "-m", "gunicorn", "config.asgi:application"),
            *("--worker-class", "asgi", "--bind", f"127.0.0.1:{port}", "--workers", "2"),
            *("--graceful-timeout", "5", "--no-control-socket", "--log-level", "error"),
        ],
        env={**os.environ, "DATABASE_URL": _address_of(database), "PORT": str(port)},
    )
    try:
        _wait_for(port)
        rows = [("at once", "p50 s", "p95 s", "answers")]
        _burst(port, key, project, questions, 8)
        for count in (AT_ONCE, BEYOND):
            spent, answers = _burst(port, key, project, questions, count)
            p50, p95 = np.percentile(spent, [50, 95])
            told = ", ".join(f"{times} × {code}" for code, times in sorted(answers.items()))
            rows.append((str(count), f"{p50:.2f}", f"{p95:.2f}", told))
        show("Searches at once over HTTP, two web processes", rows)
    finally:
        server.terminate()
        server.wait(PATIENCE)


def _burst(
    port: int, key: str, project: Project, questions: Sequence[str], count: int
) -> tuple[list[float], Counter[int]]:
    together = Barrier(count)

    def one(number: int) -> tuple[float, int]:
        asked = urlencode({"q": questions[number % len(questions)], "project": str(project.pk)})
        client = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        together.wait()
        started = time.perf_counter()
        client.request("GET", f"/api/v1/search?{asked}", headers={"Authorization": f"Bearer {key}"})
        answer = client.getresponse()
        json.loads(answer.read())
        client.close()
        return time.perf_counter() - started, answer.status

    with ThreadPoolExecutor(count) as pool:
        found = list(pool.map(one, range(count)))
    answered = [seconds for seconds, status in found if status == 200]
    return answered or [0.0], Counter(status for _, status in found)


def _address_of(database: str) -> str:
    parts = urlsplit(os.environ["DATABASE_URL"])
    return urlunsplit(parts._replace(path=f"/{database}"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
            client.request("GET", "/healthz")
            if client.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The web processes did not start.")

"""Web processes as they start: their pool, and an event loop that leaves others their share."""

import asyncio
import os
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from config.workers import SharingLoop

BURST = 40


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=BURST) as listening:
        listening.setblocking(False)
        yield listening


def taken_in_a_round(loop: asyncio.AbstractEventLoop, listener: socket.socket) -> Counter[int]:
    """Return how many of a burst of connections a loop takes in each of its rounds."""
    waiting = [socket.create_connection(listener.getsockname()) for _ in range(BURST)]
    taken: Counter[int] = Counter()
    rounds, all_taken = 0, asyncio.Event()

    def count_rounds() -> None:
        nonlocal rounds
        rounds += 1
        loop.call_soon(count_rounds)

    class Guest(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            taken[rounds] += 1
            transport.close()
            if taken.total() == BURST:
                all_taken.set()

    async def serve() -> None:
        server = await loop.create_server(Guest, sock=listener)
        count_rounds()
        async with asyncio.timeout(10):
            await all_taken.wait()
        server.close()

    try:
        loop.run_until_complete(serve())
    finally:
        loop.close()
        for one in waiting:
            one.close()
    return taken


def test_connections_are_taken_one_after_the_other(listener: socket.socket) -> None:
    assert max(taken_in_a_round(SharingLoop(), listener).values()) <= 2


def test_the_usual_loop_takes_a_burst_at_once(listener: socket.socket) -> None:
    assert max(taken_in_a_round(asyncio.SelectorEventLoop(), listener).values()) > BURST / 2


def test_a_burst_still_finds_room_to_wait(listener: socket.socket) -> None:
    loop = SharingLoop()
    server = loop.run_until_complete(loop.create_server(asyncio.Protocol, sock=listener))
    waiting = [socket.create_connection(listener.getsockname(), timeout=2) for _ in range(300)]

    assert len(waiting) == 300
    for one in waiting:
        one.close()
    server.close()
    loop.close()


TELL = "; from django.db import connection; print('pool' in connection.settings_dict['OPTIONS'])"


@pytest.mark.parametrize(("module", "told"), [("config.asgi", "True"), ("config.celery", "False")])
def test_web_processes_alone_keep_their_connections_in_a_pool(module: str, told: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_POOL"}
    done = subprocess.run(
        [sys.executable, "-c", f"import {module}{TELL}"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == told

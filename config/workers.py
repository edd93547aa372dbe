"""The web process as gunicorn starts it: an event loop that leaves others their share."""

import asyncio
import socket
from typing import Any

from gunicorn.workers.gasgi import ASGIWorker

WAITING = 2048  # connections that the kernel keeps until somebody takes them


class SharingLoop(asyncio.SelectorEventLoop):
    """Takes one connection at a time.

    The usual loop takes a hundred at once: of two processes on one socket, the one that wakes first
    would have most of a burst, and the other nothing to do.
    """

    async def create_server(self, *args: Any, **options: Any) -> asyncio.Server:
        taken: socket.socket = options["sock"]
        server = await super().create_server(*args, **{**options, "backlog": 1})
        taken.listen(WAITING)  # the number above narrowed that, too
        return server


class Worker(ASGIWorker):  # type: ignore[misc]
    def _setup_event_loop(self) -> None:
        self.loop = SharingLoop()
        asyncio.set_event_loop(self.loop)

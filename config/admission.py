"""How many requests are worked on at once; the others wait their turn, and not for ever.

A request that waits here holds neither a thread nor a connection of the database. Under ASGI each
synchronous view has a thread of its own: without this, two hundred searches at once would share
twenty connections and two cores, and most would end with an error after ten seconds.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from asgiref.sync import iscoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.loader import render_to_string
from django.utils.decorators import sync_and_async_middleware

Answer = HttpResponseBase | Awaitable[HttpResponseBase]

SEARCHES = re.compile(r"/api/v1/(?:search|documents/similar)/?|/projects/[^/]+/search/(?:why/)?")
# Whoever waits for a whole answer has given the connection back and would block a lane for long.
UNBOUNDED = re.compile(r"/healthz|/static/.*|/api/v1/conversations/[^/]+/ask/?")
RETRY_AFTER = 2  # seconds
BUSY = "Too much is asked at once. Nothing was done; try again in a few seconds."


class Full(Exception):
    """The queue is as long as it may be, or a turn did not come in time."""


@dataclass(slots=True)
class Lane:
    """Some requests at once, a bounded number behind them, each for a bounded time."""

    at_once: int
    most_waiting: int
    seconds: float
    waiting: int = 0
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.at_once)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn and hold it; raises `Full`."""
        await self._wait()
        try:
            yield
        finally:
            self._turns.release()

    async def _wait(self) -> None:
        if self._turns.locked() and self.waiting >= self.most_waiting:
            raise Full
        self.waiting += 1
        try:
            async with asyncio.timeout(self.seconds):
                await self._turns.acquire()
        except TimeoutError as error:
            raise Full from error
        finally:
            self.waiting -= 1


@dataclass(frozen=True, slots=True)
class Lanes:
    """Searches have a lane of their own, so that pages are quick while many search."""

    searches: Lane
    others: Lane

    @classmethod
    def as_set(cls) -> "Lanes":
        return cls(
            Lane(settings.SEARCHES_AT_ONCE, settings.SEARCHES_WAITING, settings.TURN_SECONDS),
            Lane(settings.REQUESTS_AT_ONCE, settings.REQUESTS_WAITING, settings.TURN_SECONDS),
        )

    def of(self, path: str) -> Lane:
        return self.searches if SEARCHES.fullmatch(path) else self.others


# A semaphore belongs to the event loop that it is awaited in.
_lanes: "WeakKeyDictionary[asyncio.AbstractEventLoop, Lanes]" = WeakKeyDictionary()


def lanes_here() -> Lanes:
    loop = asyncio.get_running_loop()
    if loop not in _lanes:
        _lanes[loop] = Lanes.as_set()
    return _lanes[loop]


@sync_and_async_middleware
def admit(get_response: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], Answer]:
    """Let requests in one after the other. A stream counts until it begins, not while it runs."""
    if not iscoroutinefunction(get_response):
        return get_response  # without an event loop the server's threads are the bound

    async def in_turn(request: HttpRequest) -> HttpResponseBase:
        answer: HttpResponseBase
        try:
            if UNBOUNDED.fullmatch(request.path):
                answer = await get_response(request)
            else:
                async with lanes_here().of(request.path).turn():
                    answer = await get_response(request)
        except Full:
            answer = _busy(request)
        return answer

    return in_turn


def _busy(request: HttpRequest) -> HttpResponse:
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"error": {"code": "busy", "message": BUSY}}, status=503)
    else:
        response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response

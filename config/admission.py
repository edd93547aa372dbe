"""How many requests are worked on at once; the others wait their turn, and not for ever.

This stands before Django, where a request that waits holds neither a thread nor a connection of
the database. Each request that Django takes has a thread of its own: without this, two hundred
searches at once would share twenty connections and two cores, and most would end with an error.
"""

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any, cast

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import HttpRequest, HttpResponseBase, parse_cookie
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from config.busy import busy

Scope = dict[str, Any]
Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SEARCHES = re.compile(r"/api/v1/(?:search|documents/similar)/?|/projects/[^/]+/search/(?:why/)?")
# Whoever asks a model over the API waits for all of its answer, which can take minutes; who tests
# one waits for its reply.
ANSWERS = re.compile(r"/api/v1/conversations/[^/]+/ask/?|(?:/api/v1)?/providers/[^/]+/test/?")
UNBOUNDED = re.compile(r"/healthz|/readyz|/static/.*")
SHARE_OF_ONE = 0.8  # of a queue, at most, is taken by one caller
TOO_MUCH = "You ask for too much at once. Wait for some answers, then ask for more."
TOO_MUCH_FROM_ALL = "Too much is asked at once. Nothing was done; try again in a few seconds."


class Refused(Exception):
    """There is no turn to have."""

    status = 503
    code = "busy"
    sentence = TOO_MUCH_FROM_ALL


class RefusedToOne(Refused):
    """One caller waits for so much already that others would find no place."""

    status = 429
    code = "too_many_requests"
    sentence = TOO_MUCH


@dataclass(slots=True)
class Lane:
    """Some requests at once, a bounded number behind them, each for a bounded time.

    Turns go round among those who ask, so that one who asks much is not in the way of the others.
    It belongs to one event loop, in which nothing happens between two awaits.
    """

    at_once: int
    most_waiting: int
    seconds: float
    working: int = 0
    waiting: int = 0
    _queues: "OrderedDict[str, deque[asyncio.Future[bool]]]" = field(default_factory=OrderedDict)

    async def take(self, caller: str) -> None:
        """Wait for a turn, which `free` gives back; raises `Refused`."""
        if self.working < self.at_once:
            self.working += 1
            return
        if self.waiting >= self.most_waiting:
            raise Refused
        queue = self._queues.setdefault(caller, deque())
        if len(queue) >= self.most_waiting * SHARE_OF_ONE:
            raise RefusedToOne
        await self._wait_in(queue, caller)

    async def _wait_in(self, queue: "deque[asyncio.Future[bool]]", caller: str) -> None:
        loop = asyncio.get_running_loop()
        turn: asyncio.Future[bool] = loop.create_future()
        queue.append(turn)
        self.waiting += 1
        timer = loop.call_later(self.seconds, _settle, turn, False)
        try:
            if not await turn:
                raise Refused
        except asyncio.CancelledError:
            # Its turn may have come in the moment in which it was given up.
            if not turn.cancelled() and turn.result():
                self.free()
            raise
        finally:
            timer.cancel()
            self.waiting -= 1
            with suppress(ValueError):
                queue.remove(turn)
            if not queue and self._queues.get(caller) is queue:
                del self._queues[caller]

    def free(self) -> None:
        """Give a turn back: to the caller who has waited longest for one."""
        while self._queues:
            caller, queue = self._queues.popitem(last=False)
            turn = queue.popleft()
            if queue:
                self._queues[caller] = queue
            if not turn.done():
                turn.set_result(True)
                return
        self.working -= 1


def _settle(turn: "asyncio.Future[bool]", outcome: bool) -> None:
    if not turn.done():
        turn.set_result(outcome)


class Admission:
    """An ASGI application that lets requests into another one, each kind in a lane of its own.

    Searches have their own, so that pages are quick while many search. A request counts until its
    answer begins: a stream that is read for minutes is in nobody's way.
    """

    def __init__(self, application: Application) -> None:
        self.application = application
        seconds = settings.TURN_SECONDS
        self.searches = Lane(settings.SEARCHES_AT_ONCE, settings.SEARCHES_WAITING, seconds)
        self.answers = Lane(settings.ANSWERS_AT_ONCE, settings.ANSWERS_WAITING, seconds)
        self.others = Lane(settings.REQUESTS_AT_ONCE, settings.REQUESTS_WAITING, seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        lane = self._lane_of(scope)
        if lane is None:
            await self.application(scope, receive, send)
            return
        try:
            await lane.take(caller_of(scope))
        except Refused as refusal:
            await _send_whole(_refusal(scope, refusal), send)
            return
        await self._answer(scope, receive, send, lane)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, lane: Lane) -> None:
        has_turn = True

        async def send_on(message: Message) -> None:
            nonlocal has_turn
            if has_turn and message["type"] == "http.response.start":
                has_turn = False
                lane.free()
            await send(message)

        try:
            await self.application(scope, receive, send_on)
        finally:
            if has_turn:
                lane.free()

    def _lane_of(self, scope: Scope) -> Lane | None:
        if scope["type"] != "http" or UNBOUNDED.fullmatch(scope["path"]):
            return None
        if SEARCHES.fullmatch(scope["path"]):
            return self.searches
        return self.answers if ANSWERS.fullmatch(scope["path"]) else self.others


def caller_of(scope: Scope) -> str:
    """Return what tells callers apart: what they say they are, or else where they are.

    Nobody has checked it yet. It decides whose turn is next and nothing else.
    """
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    cookies = parse_cookie(headers.get(b"cookie", ""))
    client = scope.get("client") or ("",)
    return (
        headers.get(b"authorization")
        or cookies.get(settings.SESSION_COOKIE_NAME)
        or f"at {client[0]}"
    )


def _refusal(scope: Scope, refusal: Refused) -> HttpResponseBase:
    """Return what a refused request is told, with the headers that every answer has."""

    def tell(request: HttpRequest) -> HttpResponseBase:
        return busy(request, refusal.status, refusal.code, refusal.sentence)

    dressed = SecurityMiddleware(XFrameOptionsMiddleware(CSPMiddleware(tell)))
    return cast(HttpResponseBase, dressed(ASGIRequest(scope, BytesIO())))


async def _send_whole(response: HttpResponseBase, send: Send) -> None:
    headers = [(n.encode("ascii"), v.encode("latin-1")) for n, v in response.items()]
    await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
    await send({"type": "http.response.body", "body": b"".join(response)})

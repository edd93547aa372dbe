"""Too many requests at once: they wait their turn, and beyond the queue they are told so."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from functools import wraps

import pytest
from asgiref.sync import async_to_sync
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.test import RequestFactory

from config.admission import Full, Lane, admit, lanes_here


def in_a_loop(test: Callable[[], Awaitable[None]]) -> Callable[[], None]:
    @wraps(test)
    def run() -> None:
        async_to_sync(test)()

    return run


class Kitchen:
    """Answers requests when it is told to, and notes how many it had in hand."""

    def __init__(self) -> None:
        self.in_hand = 0
        self.most = 0
        self.may_answer = asyncio.Event()

    async def cook(self, request: HttpRequest) -> HttpResponseBase:
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        try:
            await self.may_answer.wait()
            return HttpResponse("done")
        finally:
            self.in_hand -= 1


@pytest.fixture(autouse=True)
def small_lanes(settings) -> None:
    settings.SEARCHES_AT_ONCE = 2
    settings.SEARCHES_WAITING = 3
    settings.REQUESTS_AT_ONCE = 4
    settings.REQUESTS_WAITING = 3
    settings.TURN_SECONDS = 30


def get(path: str) -> HttpRequest:
    return RequestFactory().get(path)


async def answers(door, kitchen: Kitchen, paths: list[str]) -> list[HttpResponseBase]:
    tasks = [asyncio.create_task(door(get(path))) for path in paths]
    for _ in range(20):  # until each has gone as far as it can
        await asyncio.sleep(0)
    kitchen.may_answer.set()
    return await asyncio.gather(*tasks)


@in_a_loop
async def test_a_few_searches_run_a_few_wait_and_the_rest_is_told_to_come_back() -> None:
    kitchen = Kitchen()

    found = await answers(admit(kitchen.cook), kitchen, ["/api/v1/search"] * 8)

    assert [answer.status_code for answer in found] == [200] * 5 + [503] * 3
    assert kitchen.most == 2
    refused = found[-1]
    assert refused["Retry-After"] == "2"
    assert json.loads(refused.content)["error"]["code"] == "busy"


@in_a_loop
async def test_pages_have_their_own_lane_and_a_page_that_says_so() -> None:
    kitchen = Kitchen()
    paths = ["/projects/1/search/"] * 6 + ["/projects/1/"] * 4

    found = await answers(admit(kitchen.cook), kitchen, paths)

    assert [answer.status_code for answer in found] == [200] * 5 + [503] + [200] * 4
    assert kitchen.most == 6
    assert "Too busy for a moment" in found[5].content.decode()


@in_a_loop
async def test_health_and_slow_answers_stand_in_no_queue() -> None:
    kitchen = Kitchen()

    free = ["/healthz", "/api/v1/conversations/1/ask"]

    found = await answers(admit(kitchen.cook), kitchen, ["/projects/1/"] * 8 + free)

    assert [answer.status_code for answer in found] == [200] * 7 + [503, 200, 200]


@in_a_loop
async def test_a_turn_that_does_not_come_in_time_is_given_up() -> None:
    lane = Lane(at_once=1, most_waiting=5, seconds=0.01)

    async with lane.turn():
        with pytest.raises(Full):
            async with lane.turn():
                pytest.fail("There was no turn to have.")
    async with lane.turn():
        assert lane.waiting == 0


@in_a_loop
async def test_a_request_that_breaks_or_goes_away_gives_its_turn_back() -> None:
    async def broken(request: HttpRequest) -> HttpResponseBase:
        raise RuntimeError

    door = admit(broken)
    for _ in range(5):
        with pytest.raises(RuntimeError):
            await door(get("/api/v1/search"))
    kitchen = Kitchen()
    waiting = [asyncio.create_task(admit(kitchen.cook)(get("/api/v1/search"))) for _ in range(4)]
    await asyncio.sleep(0.01)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert lanes_here().searches.waiting == 0
    kitchen.may_answer.set()
    assert (await admit(kitchen.cook)(get("/api/v1/search"))).status_code == 200


def test_without_an_event_loop_the_servers_threads_are_the_bound(client_for, db) -> None:
    assert client_for(None).get("/healthz").status_code == 200

"""Too many requests at once: they wait their turn, and beyond the queue they are told so."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from asgiref.sync import async_to_sync

from config.admission import Admission, Lane, Refused, RefusedToOne, caller_of

Sent = list[dict[str, Any]]


def in_a_loop(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **kwargs: Any) -> None:
        async_to_sync(test)(*args, **kwargs)

    return run


class Kitchen:
    """An application that answers when it is told to, and notes how many it had in hand."""

    def __init__(self) -> None:
        self.in_hand = 0
        self.most = 0
        self.served: list[str] = []
        self.may_answer = asyncio.Event()
        self.may_end = asyncio.Event()
        self.may_end.set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.in_hand += 1
        self.most = max(self.most, self.in_hand)
        try:
            await self.may_answer.wait()
            self.served.append(caller_of(scope))
        finally:
            self.in_hand -= 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.may_end.wait()
        await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture(autouse=True)
def small_lanes(settings) -> Iterator[None]:
    settings.SEARCHES_AT_ONCE = 2
    settings.SEARCHES_WAITING = 10
    settings.ANSWERS_AT_ONCE = 1
    settings.ANSWERS_WAITING = 0
    settings.REQUESTS_AT_ONCE = 4
    settings.REQUESTS_WAITING = 10
    settings.TURN_SECONDS = 30
    return


def request(path: str, key: str = "", cookie: str = "", accept: str = "") -> dict[str, Any]:
    given = {b"authorization": key, b"cookie": cookie, b"host": "localhost", b"accept": accept}
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "client": ("192.0.2.1", 4711),
        "headers": [(name, value.encode()) for name, value in given.items() if value],
    }


async def ask(door: Admission, scope: dict[str, Any]) -> Sent:
    sent: Sent = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await door(scope, receive, send)
    return sent


def begin(door: Admission, *scopes: dict[str, Any]) -> "list[asyncio.Task[Sent]]":
    return [asyncio.create_task(ask(door, scope)) for scope in scopes]


async def settled() -> None:
    """Let every task go as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def statuses(answers: list[Sent]) -> list[int]:
    return [answer[0]["status"] for answer in answers]


def headers_of(answer: Sent) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in answer[0]["headers"]}


SEARCH = "/api/v1/search"


@in_a_loop
async def test_a_few_searches_run_a_few_wait_and_the_rest_is_told_to_come_back() -> None:
    kitchen = Kitchen()
    door = Admission(kitchen)

    tasks = begin(door, *(request(SEARCH, key=f"key {n}") for n in range(15)))
    await settled()
    kitchen.may_answer.set()
    answers = await asyncio.gather(*tasks)

    assert statuses(answers) == [200] * 12 + [503] * 3
    assert kitchen.most == 2
    refused = answers[-1]
    assert headers_of(refused)["Retry-After"] == "15"
    assert headers_of(refused)["X-Content-Type-Options"] == "nosniff"
    assert json.loads(refused[1]["body"])["error"]["code"] == "busy"


@in_a_loop
async def test_one_caller_does_not_fill_the_queue_alone() -> None:
    kitchen = Kitchen()
    door = Admission(kitchen)

    tasks = begin(door, *[request(SEARCH, key="hers")] * 11, request(SEARCH, key="his"))
    await settled()
    kitchen.may_answer.set()
    answers = await asyncio.gather(*tasks)

    assert statuses(answers) == [200] * 10 + [429] + [200]
    assert headers_of(answers[10])["Retry-After"] == "15"
    assert json.loads(answers[10][1]["body"])["error"]["code"] == "too_many_requests"


@in_a_loop
async def test_turns_go_round_among_those_who_wait() -> None:
    kitchen = Kitchen()
    door = Admission(kitchen)
    kitchen.may_answer.set()
    kitchen.may_end.clear()
    held = Lane(at_once=1, most_waiting=10, seconds=30)
    door.searches = held
    await held.take("somebody")

    tasks = begin(door, *[request(SEARCH, key="many")] * 4, request(SEARCH, key="one"))
    await settled()
    held.free()
    await settled()
    kitchen.may_end.set()
    await asyncio.gather(*tasks)

    assert kitchen.served == ["many", "one", "many", "many", "many"]


@in_a_loop
async def test_pages_have_a_lane_of_their_own_and_a_page_that_says_so() -> None:
    kitchen = Kitchen()
    door = Admission(kitchen)
    session = "nightowl-session"

    searches = [request("/projects/1/search/", cookie=f"{session}={n}") for n in range(13)]
    tasks = begin(door, *searches, *[request("/projects/1/")] * 4)
    await settled()
    assert kitchen.in_hand == 6
    kitchen.may_answer.set()
    answers = await asyncio.gather(*tasks)

    assert statuses(answers) == [200] * 12 + [503] + [200] * 4
    assert "Too busy for a moment" in answers[12][1]["body"].decode()
    assert "default-src 'none'" in headers_of(answers[12])["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path",
    ["/api/v1/conversations/1/ask", "/api/v1/providers/1/test", "/providers/1/test/"],
)
@in_a_loop
async def test_whoever_waits_for_a_whole_answer_is_in_no_other_ones_way(path: str) -> None:
    kitchen = Kitchen()
    door = Admission(kitchen)

    tasks = begin(door, *[request(path)] * 2, request("/projects/1/"))
    await settled()
    kitchen.may_answer.set()

    assert statuses(await asyncio.gather(*tasks)) == [200, 503, 200]


@in_a_loop
async def test_health_and_files_stand_in_no_queue() -> None:
    kitchen = Kitchen()
    door = Admission(kitchen)

    begun = begin(door, *[request("/healthz"), request("/static/app.css")] * 20)
    await settled()

    assert kitchen.in_hand == 40
    kitchen.may_answer.set()
    await asyncio.gather(*begun)


@in_a_loop
async def test_a_stream_counts_until_it_begins() -> None:
    kitchen = Kitchen()
    door = Admission(kitchen)
    kitchen.may_answer.set()
    kitchen.may_end.clear()

    begun = begin(door, *[request("/messages/1/stream/")] * 10)
    await settled()

    assert len(kitchen.served) == 10
    assert door.others.working == 0
    kitchen.may_end.set()
    await asyncio.gather(*begun)


@in_a_loop
async def test_a_turn_that_does_not_come_in_time_is_given_up() -> None:
    lane = Lane(at_once=1, most_waiting=5, seconds=0.01)

    await lane.take("her")
    with pytest.raises(Refused):
        await lane.take("him")
    assert lane.waiting == 0
    lane.free()
    await lane.take("him")
    assert lane.working == 1


@in_a_loop
async def test_a_request_that_breaks_gives_its_turn_back() -> None:
    async def broken(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError

    door = Admission(broken)
    for _ in range(5):
        with pytest.raises(RuntimeError):
            await ask(door, request(SEARCH))

    assert door.searches.working == 0


@in_a_loop
async def test_those_who_go_away_leave_the_queue_and_give_back_a_turn_that_came_just_then() -> None:
    lane = Lane(at_once=1, most_waiting=5, seconds=30)
    await lane.take("her")
    waiting = [asyncio.create_task(lane.take("him")) for _ in range(3)]
    await settled()

    waiting[0].cancel()
    await settled()
    assert lane.waiting == 2
    lane.free()  # to the second, who leaves before hearing of it
    waiting[1].cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert waiting[2].exception() is None
    assert (lane.working, lane.waiting) == (1, 0)
    lane.free()
    assert lane.working == 0


@in_a_loop
async def test_a_full_share_is_refused_to_one_and_open_to_others() -> None:
    lane = Lane(at_once=0, most_waiting=5, seconds=30)
    waiting = [asyncio.create_task(lane.take("her")) for _ in range(4)]
    await settled()

    with pytest.raises(RefusedToOne):
        await lane.take("her")
    his = asyncio.create_task(lane.take("him"))
    await settled()
    with pytest.raises(Refused) as refusal:
        await lane.take("them")
    assert refusal.value.status == 503

    for task in (*waiting, his):
        task.cancel()
    await asyncio.gather(*waiting, his, return_exceptions=True)
    assert lane.waiting == 0


def test_callers_are_told_apart_by_key_then_session_then_place() -> None:
    assert caller_of(request("/", key="Bearer a", cookie="nightowl-session=b")) == "Bearer a"
    assert caller_of(request("/", cookie="x=1; nightowl-session=b")) == "b"
    assert caller_of(request("/")) == "at 192.0.2.1"
    assert caller_of({**request("/"), "client": None}) == "at "

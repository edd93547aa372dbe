"""A hundred answers at once, over HTTP, from a model of fifty pieces a second."""

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from django.conf import settings
from django.db import connection
from django.test import Client

from accounts.models import ApiKey, User
from bench.load import Door
from bench.measuring import show
from bench.talker import PIECES_A_SECOND
from conversations.models import Conversation, Message
from conversations.watching import UNWATCHED
from projects.models import Project
from providers.models import Provider

AT_ONCE = 100
OVER = 10.0  # seconds in which they begin
PIECES = 15 * PIECES_A_SECOND
PEOPLE = 25
LONGEST = 4_000_000  # bytes of a line
PAGE_EVERY = 0.1  # seconds
SAMPLE_EVERY = 0.1
LONG_IDLE = 0.5  # seconds within a transaction that count as waiting in one
QUESTION = "How is a session opened and its cookies kept? This is stream {tag} of {pieces} pieces."


@dataclass(frozen=True, slots=True)
class Begun:
    """A conversation, and the number of the person whose it is."""

    number: int
    conversation: str


@dataclass(slots=True)
class Heard:
    """What one reader heard of one answer."""

    tag: int
    message: str = ""
    sent: float = 0.0
    first_byte: float = 0.0
    first_word: float = 0.0
    text: str = ""
    last_seen: str = ""
    state: str = ""
    has_words: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(slots=True)
class Talker:
    """The stub's process, and what it told of calls that are over."""

    process: "subprocess.Popen[str]"
    port: int
    calls: dict[int, dict[str, float]] = field(default_factory=dict)

    def listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            call = json.loads(line)
            self.calls[call["tag"]] = call

    def wait_for(self, tags: Sequence[int], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.calls.keys() >= set(tags) and time.monotonic() < until:
            time.sleep(0.05)


@contextmanager
def talking() -> Iterator[Talker]:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.talker"], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    talker = Talker(process, int(process.stdout.readline()))
    threading.Thread(target=talker.listen, daemon=True).start()
    try:
        yield talker
    finally:
        process.terminate()
        process.wait(10)


def show_streams(door: Door, project: Project) -> None:
    """Show what a hundred answers at once take, and that stopping and leaving end the calls."""
    with talking() as talker:
        Provider.objects.create(
            provider_name=Provider.Name.OPENAI,
            model_name="talker",
            is_default=True,
            api_config={"base_url": f"http://127.0.0.1:{talker.port}/v1"},
        )
        bench = _Bench(door, project, talker, _people(project))
        bench.warm()
        bench.show_whole("begun over 10 s", OVER)
        bench.show_whole("begun at once", 0.0)
        bench.show_ends()


def _people(project: Project) -> list[str]:
    """Return the keys of some people who see the project."""
    keys = []
    for number in range(PEOPLE):
        user = User.objects.create(username=f"reader-{time.time()}-{number}")
        project.memberships.create(user=user, role="viewer")
        name = f"bench {number}"
        keys.append(ApiKey.issue(user=user, name=name, scopes=["read", "ask"])[1])
    return keys


class _Bench:
    def __init__(self, door: Door, project: Project, talker: Talker, keys: list[str]) -> None:
        self.door = door
        self.project = project
        self.talker = talker
        self.keys = keys
        self.tags = 0

    def warm(self) -> None:
        asyncio.run(self._all(_read_whole, 8, 1.0, pieces=20))

    def show_whole(self, label: str, over: float) -> None:
        beside = _Beside(self.door, self.project)
        with beside.running():
            heard = asyncio.run(self._all(_read_whole, AT_ONCE, over))
        self.talker.wait_for([one.tag for one in heard], 5)
        whole = " ".join(str(number) for number in range(PIECES))
        dropped = sum(one.text.strip() != whole or one.state != "complete" for one in heard)
        shares = [self._share(one) for one in heard if one.first_word]
        first = [(one.first_byte - one.sent) * 1000 for one in heard]
        p50, p95 = np.percentile(shares, [50, 95])
        rows = [("what", "measured", "goal")]
        goal = "≤ 180" if over else "≤ 400"
        rows.append(("answers dropped, doubled or out of order", f"{dropped} of {AT_ONCE}", "0"))
        rows.append(("first byte, p95 ms", f"{np.percentile(first, 95):.0f}", ""))
        rows.append(("first word, our share, p50 ms", f"{p50:.0f}", ""))
        rows.append(("first word, our share, p95 ms", f"{p95:.0f}", goal))
        rows += beside.rows()
        show(f"{AT_ONCE} answers {label}, {PIECES_A_SECOND} pieces a second each", rows)

    def show_ends(self) -> None:
        rows = [("what", "of", "p50 s", "most s", "goal")]
        for label, read, goal, wait in (
            ("a stop ends the model's call", _read_and_stop, 1.0, 5.0),
            ("nobody reads: the call ends", _read_and_leave, UNWATCHED + 2.0, UNWATCHED + 10.0),
        ):
            heard = asyncio.run(self._all(read, AT_ONCE, OVER, pieces=50 * PIECES_A_SECOND))
            self.talker.wait_for([one.tag for one in heard], wait)
            took = [self.talker.calls[one.tag]["over"] - one.sent for one in heard]
            within = sum(seconds <= goal for seconds in took)
            numbers = (f"{np.median(took):.2f}", f"{max(took):.2f}")
            rows.append((label, f"{within} of {len(heard)}", *numbers, f"≤ {goal:.0f}"))
            rows.append(self._row_of_states(heard))
        heard = asyncio.run(self._all(_read_in_parts, AT_ONCE, OVER))
        whole = " ".join(str(number) for number in range(PIECES))
        once = sum(one.text.strip() == whole for one in heard)
        rows.append(("cut off and resumed: each piece once", f"{once} of {len(heard)}", "", "", ""))
        heard = asyncio.run(self._all(_read_twice, AT_ONCE // 2, OVER))
        once = sum(one.text.strip() == whole + " | " + whole for one in heard)
        rows.append(("a second reader: each piece once", f"{once} of {len(heard)}", "", "", ""))
        show(f"{AT_ONCE} answers, ended and followed", rows)

    def _row_of_states(self, heard: "list[Heard]") -> tuple[str, ...]:
        time.sleep(1.0)
        rows = Message.objects.filter(pk__in=[one.message for one in heard])
        states = sorted(set(rows.values_list("state", flat=True)))
        kept = sum(bool(text.strip()) for text in rows.values_list("content", flat=True))
        return (f"— {', '.join(states)}, with text", f"{kept} of {len(heard)}", "", "", "")

    def _share(self, one: Heard) -> float:
        """Return milliseconds to the first word without what the model took."""
        call = self.talker.calls[one.tag]
        return (one.first_word - one.sent - (call["first"] - call["asked"])) * 1000

    async def _all(
        self,
        read: "Callable[[_Bench, Heard, Begun, str], Awaitable[Heard]]",
        count: int,
        over: float,
        pieces: int = PIECES,
    ) -> list[Heard]:
        begun = [await self._begin(number) for number in range(count)]
        start = time.monotonic() + 0.2

        async def one(number: int) -> Heard:
            await asyncio.sleep(start + over * number / count - time.monotonic())
            self.tags += 1
            heard = Heard(self.tags)
            body = {"question": QUESTION.format(tag=heard.tag, pieces=pieces), "stream": True}
            return await read(self, heard, begun[number], json.dumps(body))

        return await asyncio.gather(*(one(number) for number in range(count)))

    async def _begin(self, number: int) -> Begun:
        given = json.dumps({"project": str(self.project.pk)})
        lines = self.lines("POST", "/api/v1/conversations", number, given)
        body = "".join([line async for line in lines])
        conversation = json.loads(body[body.index("{") : body.rindex("}") + 1])
        return Begun(number, conversation["id"])

    async def lines(
        self, method: str, path: str, number: int, body: str = "", last_seen: str = ""
    ) -> AsyncIterator[str]:
        """Yield the lines of an answer as they come; leaving the loop cuts the connection."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.door.port, limit=LONGEST)
        head = [f"{method} {path} HTTP/1.0", "Host: 127.0.0.1", "Connection: close"]
        head += [f"Authorization: Bearer {self.keys[number % len(self.keys)]}"]
        head += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
        head += [f"Last-Event-ID: {last_seen}"] if last_seen else []
        writer.write(("\r\n".join(head) + "\r\n\r\n" + body).encode())
        try:
            while line := await reader.readline():
                yield line.decode()
        finally:
            writer.close()

    async def events(self, *request: Any, heard: Heard) -> AsyncIterator[tuple[str, Any]]:
        name = ""
        async for line in self.lines(*request):
            heard.first_byte = heard.first_byte or time.monotonic()
            kind, _, value = line.strip().partition(": ")
            if kind == "event":
                name = value
            elif kind == "id":
                heard.last_seen = value
            elif kind == "data" and name:
                yield name, json.loads(value)

    async def ask(self, heard: Heard, begun: Begun, body: str) -> AsyncIterator[tuple[str, Any]]:
        """Ask, and yield the events of the answer; `heard` knows when and which message."""
        heard.sent = time.monotonic()
        path = f"/api/v1/conversations/{begun.conversation}/ask"
        async for name, data in self.events("POST", path, begun.number, body, heard=heard):
            if name == "message":
                heard.message = data["id"]
            if name == "token":
                heard.first_word = heard.first_word or time.monotonic()
                heard.has_words.set()
                heard.text += data
            if name == "done":
                heard.state = data
            yield name, data


async def _read_whole(bench: _Bench, heard: Heard, begun: Begun, body: str) -> Heard:
    async for _ in bench.ask(heard, begun, body):
        pass
    return heard


async def _read_and_stop(bench: _Bench, heard: Heard, begun: Begun, body: str) -> Heard:
    """Read for two seconds, then stop; `sent` becomes the time of the stop."""
    asking = asyncio.create_task(_read_whole(bench, heard, begun, body))
    await heard.has_words.wait()
    await asyncio.sleep(2)
    stopped = time.monotonic()
    stop = bench.lines("POST", f"/api/v1/messages/{heard.message}/stop", begun.number)
    assert [line async for line in stop]
    await asking
    heard.sent = stopped
    return heard


async def _read_and_leave(bench: _Bench, heard: Heard, begun: Begun, body: str) -> Heard:
    """Read for two seconds, then hang up; `sent` becomes the time of that."""
    asking = asyncio.create_task(_read_whole(bench, heard, begun, body))
    await heard.has_words.wait()
    await asyncio.sleep(2)
    await _hang_up(asking)
    heard.sent = time.monotonic()
    return heard


async def _read_in_parts(bench: _Bench, heard: Heard, begun: Begun, body: str) -> Heard:
    """Hang up twice, and go on each time from the event that was heard last."""
    await _hang_up_later(bench, heard, begun, body)
    number = begun.number
    for pause, seconds in ((1.0, 3.0), (4.0, 60.0)):
        await asyncio.sleep(pause)
        going_on = asyncio.create_task(_follow(bench, heard, number))
        await asyncio.wait({going_on}, timeout=seconds)
        await _hang_up(going_on)
    return heard


async def _read_twice(bench: _Bench, heard: Heard, begun: Begun, body: str) -> Heard:
    """Have a second reader come after three seconds, who hears all of it."""
    asking = asyncio.create_task(_read_whole(bench, heard, begun, body))
    await heard.has_words.wait()
    await asyncio.sleep(3)
    other = Heard(heard.tag, heard.message)
    await asyncio.gather(asking, _follow(bench, other, begun.number))
    heard.text = f"{heard.text.strip()} | {other.text.strip()}"
    return heard


async def _follow(bench: _Bench, heard: Heard, number: int) -> None:
    path = f"/api/v1/messages/{heard.message}/stream"
    async for name, data in bench.events("GET", path, number, "", heard.last_seen, heard=heard):
        if name == "token":
            heard.text += data


async def _hang_up_later(bench: _Bench, heard: Heard, begun: Begun, body: str) -> None:
    asking = asyncio.create_task(_read_whole(bench, heard, begun, body))
    await heard.has_words.wait()
    await asyncio.sleep(2)
    await _hang_up(asking)


async def _hang_up(task: "asyncio.Task[Any]") -> None:
    task.cancel()
    await asyncio.wait({task})


class _Beside:
    """Pages that others open meanwhile, and what the database is up to."""

    def __init__(self, door: Door, project: Project) -> None:
        self.door = door
        self.pages = [f"/projects/{project.pk}/", f"/projects/{project.pk}/conversations/", "/"]
        if last := Conversation.objects.filter(user=project.owner).first():
            self.pages.append(last.get_absolute_url())
        browser = Client()
        browser.force_login(project.owner)
        name = settings.SESSION_COOKIE_NAME
        self.cookie = f"{name}={browser.cookies[name].value}"
        self.database = connection.settings_dict["NAME"]
        self.spent: list[float] = []
        self.failed = 0
        self.most_connections = self.waiting = 0
        self.over = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=act) for act in (self._browse, self._sample)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self.over.set()
            for thread in threads:
                thread.join()

    def _browse(self) -> None:
        client = self.door.connect()
        number = 0
        while not self.over.wait(PAGE_EVERY):
            started = time.perf_counter()
            client.request(
                "GET", self.pages[number % len(self.pages)], headers={"Cookie": self.cookie}
            )
            answer = client.getresponse()
            answer.read()
            self.spent.append((time.perf_counter() - started) * 1000)
            self.failed += answer.status != 200
            number += 1
        client.close()

    def _sample(self) -> None:
        with connection.cursor() as cursor:
            while not self.over.wait(SAMPLE_EVERY):
                cursor.execute(
                    "SELECT count(*), count(*) FILTER (WHERE state LIKE 'idle in%%'"
                    " AND state_change < clock_timestamp() - make_interval(secs => %s))"
                    " FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'",
                    [LONG_IDLE, self.database],
                )
                connections, waiting = cursor.fetchone()
                self.most_connections = max(self.most_connections, connections)
                self.waiting = max(self.waiting, waiting)
        connection.close()

    def rows(self) -> list[tuple[str, str, str]]:
        p95 = np.percentile(self.spent, 95)
        seen = f"{p95:.0f} ({len(self.spent)} pages, {self.failed} failed)"
        return [
            ("pages meanwhile, p95 ms", seen, "≤ 250"),
            ("connections at once, at most", str(self.most_connections), "≤ 40"),
            ("idle within a transaction", str(self.waiting), "0"),
        ]

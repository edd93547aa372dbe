"""An answer that nobody reads any more ends, and keeps what was written."""

import asyncio
from contextlib import suppress
from time import monotonic, sleep

import pytest
from asgiref.sync import async_to_sync
from django.db import connection

from conversations import asking, streaming, watching
from conversations.models import Message
from conversations.streaming import follow, start_writing

pytestmark = pytest.mark.django_db(transaction=True)

LEFT_AFTER = 1.0  # seconds, in place of thirty


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(watching, "UNWATCHED", LEFT_AFTER)
    monkeypatch.setattr(watching, "SAID_EVERY", 0.1)


@pytest.fixture
def answer(indexed, conversation, model, server):
    server.pieces, server.delay = ["word "] * 400, 0.02  # eight seconds of it
    return asking.ask(conversation, "how does the cache evict?")


async def read(message_id, seconds: float) -> str:
    """Read along for a while, then leave."""
    heard = ""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            async for event in follow(message_id, ""):
                heard += event
    return heard


async def write(message_id, *readers: float) -> float:
    """Write with readers who leave after so many seconds; return how long the writer was at it."""
    began_at = monotonic()
    start_writing(message_id)
    await asyncio.gather(*(read(message_id, seconds) for seconds in readers))
    await asyncio.gather(*streaming._writers)
    return monotonic() - began_at


@pytest.mark.parametrize("readers", [(), (2.0,), (0.5, 2.5)])
def test_without_readers_the_call_ends_and_the_text_is_kept(answer, server, readers):
    took = async_to_sync(write)(answer.pk, *readers)

    last_seen = max(readers, default=0)
    assert last_seen + LEFT_AFTER <= took <= last_seen + LEFT_AFTER + 2
    answer.refresh_from_db()
    assert answer.state == Message.State.INTERRUPTED
    assert answer.error == watching.UNWATCHED_NOTE
    assert (1 if readers else 0) <= answer.content.count("word") < 390
    until = monotonic() + 2  # the server notices with what it sends next
    while server.disconnects == 0 and monotonic() < until:
        sleep(0.02)
    assert server.disconnects == 1


def test_who_reads_hears_the_whole_answer(answer, server, monkeypatch):
    monkeypatch.setattr(watching, "UNWATCHED", 2.5)  # a busy machine may keep a reader for a second
    server.pieces = ["word "] * 200

    async def all_of_it() -> str:
        start_writing(answer.pk)
        heard = await read(answer.pk, 60)
        await asyncio.gather(*streaming._writers)
        return heard

    heard = async_to_sync(all_of_it)()
    answer.refresh_from_db()
    assert answer.state == Message.State.COMPLETE
    told = [line for line in heard.splitlines() if line.startswith('data: "')]
    assert "".join(told).count("word") == 200
    assert server.disconnects == 0


def test_a_page_that_loads_itself_again_is_a_reader(answer, client_for, alice):
    async def is_kept() -> bool:
        async with streaming._connected() as store:
            return (await watching.Watch(store, answer.pk).look()).is_read

    assert not async_to_sync(is_kept)()
    page = client_for(alice).get(f"/conversations/{answer.conversation_id}/")
    assert page.status_code == 200
    assert async_to_sync(is_kept)()


def test_the_page_is_there_without_a_memory_for_readers(answer, client_for, alice, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    page = client_for(alice).get(f"/conversations/{answer.conversation_id}/")
    assert page.status_code == 200


def test_a_stream_keeps_no_connection_while_it_is_read(answer):
    kept: list[bool] = []

    async def events():
        kept.append(connection.connection is not None)
        yield ": one\n\n"

    connection.ensure_connection()
    with pytest.warns(Warning, match="consume asynchronous iterators"):
        assert list(streaming.event_response(events())) == [b": one\n\n"]
    assert kept == [False]
    assert connection.connection is None

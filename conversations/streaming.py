"""Carrying an answer from the process that writes it to everybody who reads along.

The writer puts events into a stream in Redis; readers follow from any event on, in any process,
so that a reload or a second tab continues where it was. The database has the text as well.
"""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import redis.asyncio as redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.http import StreamingHttpResponse
from django.template.loader import render_to_string

from conversations import asking
from conversations.afterwards import tidy
from conversations.answering import write_answer
from conversations.connections import in_database, release_connections
from conversations.events import Ended, Found, Piece, Status
from conversations.exporting import answer_markdown
from conversations.freshness import mark_stale
from conversations.models import Message
from conversations.passages import Passage
from conversations.watching import Watch
from knowledge.rendering import render_markdown

logger = logging.getLogger(__name__)

KEPT_FOR = 3600  # seconds that an ended stream can still be followed
WAIT_MS = 1_000
PASSAGES_WAIT = 0.4  # seconds at most, for a first word
EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")
HEARTBEAT = ": still here\n\n"
_writers: set["asyncio.Task[None]"] = set()


def start_writing(message_id: UUID) -> None:
    """Answer in the background of this event loop, unless somebody does already."""
    writer = asyncio.get_running_loop().create_task(_write(message_id))
    _writers.add(writer)  # the loop itself keeps only a weak reference
    writer.add_done_callback(_ended)


def _ended(writer: "asyncio.Task[None]") -> None:
    _writers.discard(writer)
    if not writer.cancelled() and (error := writer.exception()):
        logger.error("What follows an answer broke.", exc_info=error)


async def _write(message_id: UUID) -> None:
    message = await in_database(asking.take)(message_id)
    if message is None:
        return
    async with _connected() as store:
        stream, watch = Stream(store, _key(message_id)), Watch(store, message_id)
        try:
            await watch.say()  # whoever asked is on the way
            await stream.add([("status", "Reading the question")])
            await stream.keep()  # also where this process dies
            await _carry(message, stream, watch)
        except Exception:  # the task's outer edge: nobody above would hear of it
            logger.exception("The answer %s broke.", message_id)
            error = "Something broke while this was answered. Please ask again."
            await in_database(_settle_broken)(message, error)
            await stream.add([("failed", error), ("done", None)])
            return
        finally:
            await stream.keep()
    await tidy(message_id)


async def _carry(message: Message, stream: "Stream", watch: Watch) -> None:
    """Write an answer and add what readers should see of it to the stream."""
    has_words = asyncio.Event()
    async with asyncio.TaskGroup() as beside:
        showing: asyncio.Task[None] | None = None
        async for event in write_answer(message, watch=watch):
            match event:
                case Status(text):
                    await stream.add([("status", text)])
                case Found(passages):
                    showing = beside.create_task(_show(passages, message, stream, has_words))
                case Piece(text):
                    await stream.add([("token", text)])
                    has_words.set()
                case Ended():
                    has_words.set()
                    if showing is not None:
                        await showing
                    await stream.add(await in_database(_ending_of)(message.pk))


async def _show(
    passages: list[Passage], message: Message, stream: "Stream", has_words: asyncio.Event
) -> None:
    """Show the passages, which takes a while to colour: the first word does not wait for it."""
    with suppress(TimeoutError):
        async with asyncio.timeout(PASSAGES_WAIT):
            await has_words.wait()
    message.sources = [passage.as_dict() for passage in passages]
    html = await in_database(sources_html)(message)
    await stream.add([("sources", {"html": html})])


@dataclass(frozen=True, slots=True)
class Stream:
    """The events of one answer, in Redis, for an hour."""

    store: "redis.Redis"
    key: str

    async def add(self, events: Sequence[tuple[str, Any]]) -> None:
        for name, data in events:
            await self.store.xadd(self.key, {"event": name, "data": json.dumps(data)})

    async def keep(self) -> None:
        """Let what is there now go in an hour."""
        await self.store.expire(self.key, KEPT_FOR)


def _settle_broken(message: Message, error: str) -> None:
    kept = Message.objects.values_list("content", flat=True).get(pk=message.pk)
    asking.settle(message, Message.State.FAILED, kept, error=error)


def _ending_of(message_id: UUID) -> list[tuple[str, Any]]:
    return ending(Message.objects.get(pk=message_id))


def ending(message: Message) -> list[tuple[str, Any]]:
    """Return the events that bring a reader to the end of an answer at once."""
    mark_stale([message])
    answer = {
        "html": answer_html(message),
        "markdown": answer_markdown(message),
        "note": message.note,
        "sought": message.sought,
        "sent": render_to_string("conversations/_sent.html", {"sent": message.sent}),
    }
    events: list[tuple[str, Any]] = [
        ("sources", {"html": sources_html(message)}),
        ("answer", {**answer, "is_unanswered": message.is_unanswered}),
    ]
    if message.error:
        events.append(("failed", message.error))
    return [*events, ("done", message.state)]


def answer_html(message: Message) -> str:
    links = {source["number"]: source["url"] for source in message.sources or []}
    return render_markdown(message.content, citations=links)


def sources_html(message: Message) -> str:
    shown = {"sources": message.sources or [], "indexed": message.freshness}
    return render_to_string("conversations/_sources.html", shown)


def event_response(events: AsyncIterator[str]) -> StreamingHttpResponse:
    """Return server-sent events as they come, past every buffer on the way."""
    response = StreamingHttpResponse(_without_connection(events), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


async def _without_connection(events: AsyncIterator[str]) -> AsyncIterator[str]:
    # The request's own, which would be kept until the last event: in the request's own thread.
    await sync_to_async(release_connections)()
    async for event in events:
        yield event


async def follow(message_id: UUID, last_seen: str) -> AsyncIterator[str]:
    """Yield server-sent events of an answer from the one after `last_seen` to its end."""
    async with _connected() as store:
        seen = last_seen if EVENT_ID.fullmatch(last_seen) else "0-0"
        watch, reader = Watch(store, message_id), asyncio.current_task()
        while True:
            if reader is not None and reader.cancelling():
                # The client of Redis sometimes keeps to itself that the reader left.
                raise asyncio.CancelledError
            await watch.say()
            found: Any = await store.xread({_key(message_id): seen}, block=WAIT_MS, count=100)
            for seen, fields in found[0][1] if found else ():
                name = fields["event"]
                yield _framed(name, fields["data"], seen)
                if name == "done":
                    return
            if not found:
                yield HEARTBEAT
                for name, data in await in_database(_ending_if_over)(message_id):
                    yield _framed(name, json.dumps(data), "")
                    if name == "done":
                        return


def _ending_if_over(message_id: UUID) -> list[tuple[str, Any]]:
    """Return the end of an answer that is over, or whose writer died: its stream is silent."""
    message = Message.objects.filter(pk=message_id).first()
    if message is None:
        return [("failed", "This conversation was deleted."), ("done", "failed")]
    if message.is_streaming and not asking.interrupt_if_abandoned(message):
        return []
    return _ending_of(message_id)


def _framed(name: str, data: str, seen: str) -> str:
    head = f"id: {seen}\n" if seen else ""
    return f"{head}event: {name}\ndata: {data}\n\n"


def _connected() -> "redis.Redis":
    # One connection for each stream: a client belongs to one event loop.
    client: redis.Redis = redis.from_url(settings.REDIS_URL, decode_responses=True)
    return client


def _key(message_id: UUID) -> str:
    return f"answer:{message_id}"

"""Answers for programs: whole, once they are written, or event by event."""

import json
from collections.abc import AsyncIterator
from uuid import UUID

from asgiref.sync import async_to_sync

from conversations import asking
from conversations.answering import write_answer
from conversations.connections import release_connections
from conversations.models import Message
from conversations.streaming import follow, start_writing


def answer_now(message: Message) -> Message:
    """Write the answer to its end and return the message as it stays."""
    taken = asking.take(message.pk)
    if taken is not None:
        # The answer's own steps bring connections of their own; this one would only wait.
        release_connections()
        async_to_sync(_write_to_the_end)(taken)
    message.refresh_from_db()
    return message


async def _write_to_the_end(message: Message) -> None:
    async for _ in write_answer(message):
        pass


async def events_of(message_id: UUID) -> AsyncIterator[str]:
    """Yield server-sent events of an answer that is begun here, its id first."""
    yield f"event: message\ndata: {json.dumps({'id': str(message_id)})}\n\n"
    start_writing(message_id)
    async for event in follow(message_id, ""):
        yield event

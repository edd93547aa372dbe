"""Short calls of a model, for which nobody waits long and that may fail unnoticed."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from time import monotonic

from providers.chat import ChatMessage, ModelUnavailable, Schema, Usage, chat_model
from providers.models import Provider


@dataclass(slots=True)
class Reply:
    """What a model replied, what that took, and the error if it failed."""

    text: str = ""
    usage: Usage = field(default_factory=Usage)
    error: str = ""
    duration_ms: int = 0


async def reply_of(
    provider: Provider,
    messages: Sequence[ChatMessage],
    *,
    seconds: float,
    longest: int,
    schema: Schema | None = None,
) -> Reply:
    """Return what a model replies within some seconds; it is left when it goes on for too long."""
    reply, started = Reply(), monotonic()
    try:
        async with (
            asyncio.timeout(seconds),
            aclosing(
                chat_model(provider).stream(provider, messages, reply.usage, schema=schema)
            ) as stream,
        ):
            async for piece in stream:
                reply.text += piece
                if len(reply.text) > longest:
                    break
    except ModelUnavailable as failure:
        reply.error = str(failure)
    except TimeoutError:
        reply.error = "It took too long."
    reply.duration_ms = round((monotonic() - started) * 1000)
    return reply


def only_line(text: str) -> str:
    """Return the one line that a reply has; nothing where it has more."""
    lines = [line for line in text.replace("\0", "").splitlines() if line.strip()]
    return lines[0].strip() if len(lines) == 1 else ""

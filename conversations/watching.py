"""Whether anybody still reads an answer while it is written: its readers say so all the time.

A model's call costs money. Once nobody has read along for a while it ends, and what was written is
kept. A reload, a second tab or a lost connection within that time goes on as if nothing had been.
"""

from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings

UNWATCHED = 30  # seconds without a reader, after which an answer ends
SAID_EVERY = 1.0  # seconds, at most so often
STOP_KEPT = 60_000  # milliseconds
UNWATCHED_NOTE = (
    "Nobody was reading any more, so the answer ended here."
    " What was written is kept; ask again for a whole one."
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to know of an answer's readers."""

    is_read: bool
    is_stopped: bool


class Watch:
    """One reader of an answer, or its writer who looks for readers."""

    def __init__(self, store: "redis.asyncio.Redis", message_id: UUID) -> None:
        self._store = store
        self._id = message_id
        self._said_at = float("-inf")

    async def say(self) -> None:
        """Remember that somebody reads now."""
        now = monotonic()
        if now - self._said_at >= SAID_EVERY:
            self._said_at = now
            await self._store.set(_watched(self._id), 1, px=_kept())

    async def look(self) -> Seen:
        """Tell whether somebody reads, or did a moment ago, and whether one asked to stop."""
        watched, stopped = await self._store.mget(_watched(self._id), _stopped(self._id))
        return Seen(watched is not None, stopped is not None)


def say_once(message_id: UUID) -> None:
    """Remember a reader whose page loads itself again and again, without scripts."""
    _remember(_watched(message_id), _kept())


def ask_to_stop(message_id: UUID) -> None:
    """Have the writer of an answer see at once what its row says as well."""
    _remember(_stopped(message_id), STOP_KEPT)


def _remember(key: str, milliseconds: int) -> None:
    # What is asked for goes on where nothing can be remembered.
    with suppress(redis.RedisError), redis.from_url(settings.REDIS_URL) as store:
        store.set(key, 1, px=milliseconds)


def _kept() -> int:
    return round((UNWATCHED + SAID_EVERY) * 1000)


def _watched(message_id: UUID) -> str:
    return f"watched:{message_id}"


def _stopped(message_id: UUID) -> str:
    return f"stopped:{message_id}"

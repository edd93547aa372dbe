"""Whether anybody still reads an answer while it is written: its readers say so all the time.

A model's call costs money. Once nobody has read along for a while it ends, and what was written is
kept. A reload, a second tab or a lost connection within that time goes on as if nothing had been.
"""

from contextlib import suppress
from time import monotonic
from uuid import UUID

import redis
import redis.asyncio
from django.conf import settings

UNWATCHED = 30  # seconds without a reader, after which an answer ends
SAID_EVERY = 1.0  # seconds, at most so often
UNWATCHED_NOTE = (
    "Nobody was reading any more, so the answer ended here."
    " What was written is kept; ask again for a whole one."
)


class Watch:
    """One reader of an answer, or its writer who looks for readers."""

    def __init__(self, store: "redis.asyncio.Redis", message_id: UUID) -> None:
        self._store = store
        self._key = _key(message_id)
        self._said_at = float("-inf")

    async def say(self) -> None:
        """Remember that somebody reads now."""
        now = monotonic()
        if now - self._said_at >= SAID_EVERY:
            self._said_at = now
            await self._store.set(self._key, 1, px=_kept())

    async def is_kept(self) -> bool:
        """Whether somebody reads, or did a moment ago."""
        return bool(await self._store.exists(self._key))


def say_once(message_id: UUID) -> None:
    """Remember a reader whose page loads itself again and again, without scripts."""
    # The page is there to be read even where nothing can be remembered.
    with suppress(redis.RedisError), redis.from_url(settings.REDIS_URL) as store:
        store.set(_key(message_id), 1, px=_kept())


def _kept() -> int:
    return round((UNWATCHED + SAID_EVERY) * 1000)


def _key(message_id: UUID) -> str:
    return f"watched:{message_id}"

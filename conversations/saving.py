"""Keeping the texts of answers that are being written, those of one process together.

Each is kept more often than every second. A hundred of them one by one would be a hundred small
transactions a second; together they are one.
"""

import asyncio
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakKeyDictionary

from conversations.asking import save_progress
from conversations.connections import in_database

TOGETHER = 0.05  # seconds that the first of them waits for others


@dataclass(slots=True)
class Saver:
    """What is to be kept next, in one event loop."""

    texts: dict[UUID, str] = field(default_factory=dict)
    saving: "asyncio.Task[set[UUID]] | None" = None

    async def save(self, message_id: UUID, text: str) -> bool:
        """Keep the text of an answer; False when somebody asked for it to stop."""
        self.texts[message_id] = text
        if self.saving is None:
            self.saving = asyncio.create_task(self._save_together())
        # Shielded: who leaves must not take the others' texts along.
        return message_id in await asyncio.shield(self.saving)

    async def _save_together(self) -> set[UUID]:
        await asyncio.sleep(TOGETHER)
        texts, self.texts, self.saving = self.texts, {}, None
        going_on: set[UUID] = await in_database(save_progress)(texts)
        return going_on


_savers: "WeakKeyDictionary[asyncio.AbstractEventLoop, Saver]" = WeakKeyDictionary()


def saver() -> Saver:
    """Return the saver of this event loop."""
    return _savers.setdefault(asyncio.get_running_loop(), Saver())

"""Where a message stands among those that were written in its place."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message stands among those in its place, by their ids in the order they came."""

    ids: list[UUID]
    index: int

    @property
    def number(self) -> int:
        return self.index + 1

    @property
    def before(self) -> UUID | None:
        return self.ids[self.index - 1] if self.index else None

    @property
    def after(self) -> UUID | None:
        return self.ids[self.index + 1] if self.number < len(self.ids) else None

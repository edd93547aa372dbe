"""What a store of points outside PostgreSQL is told of a passage, and what it answers."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Protocol
from uuid import UUID

from django.conf import settings
from django.utils.module_loading import import_string

from providers.embedding import Vectors

LAYOUT_VERSION = 1
PREFIX = "nightowl"
# A text without a direction comes after what points the other way.
NO_DIRECTION = -2.0
GREATEST_VERSION = 2**63 - 1


PointId = UUID | int  # ours are the ids of passages; somebody else's may be numbers


class PointsUnavailable(Exception):
    """The store can't be used, now or at all; the message is a sentence."""


class PointsLost(PointsUnavailable):
    """The store is there and has not what it should: it has to be filled anew."""


class SpaceBusy(PointsUnavailable):
    """Another process is at the space's points."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is compared of a point: whose it is, and which text and vector it stands for."""

    id: PointId
    project_id: UUID
    version: int
    text: str  # the beginning of the hashes of body and header


@dataclass(frozen=True, slots=True)
class Point:
    """A passage in a space: its vector, and its words by the place of each in a sparse vector."""

    held: Held
    collection: str
    meaning: Vectors
    words: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Near:
    id: UUID
    version: int
    score: float


@dataclass(frozen=True, slots=True)
class Asked:
    """Which points may be found, and how many of them."""

    projects: Sequence[UUID]
    limit: int


@dataclass(frozen=True, slots=True)
class Layout:
    """How the points of a space are kept; another layout needs new collections."""

    dimensions: int
    is_quantized: bool = False

    def __str__(self) -> str:
        numbers = "int8" if self.is_quantized else "float"
        return f"{LAYOUT_VERSION}: {self.dimensions} {numbers}"


@dataclass(frozen=True, slots=True)
class Naming:
    """The names of a generation's collections, and of the aliases by which they are asked."""

    space_id: UUID
    generation: int

    def collection(self, kept: str) -> str:
        return f"{self.alias(kept)}--{self.generation}"

    def alias(self, kept: str) -> str:
        plain = re.sub(r"[^a-z0-9-]", "_", kept.lower()) or "other"
        return f"{PREFIX}--{plain}--{self.space_id.hex}"

    def owns(self, name: str) -> bool:
        """Whether a collection is of this generation."""
        return name.startswith(f"{PREFIX}--") and name.endswith(
            f"--{self.space_id.hex}--{self.generation}"
        )


def is_of_space(space_id: UUID, name: str) -> bool:
    """Whether a collection is of a space, of whatever generation."""
    return name.startswith(f"{PREFIX}--") and f"--{space_id.hex}--" in name


class PointStore(Protocol):
    """Collections of points. Every method raises PointsUnavailable."""

    def create(self, name: str, layout: Layout) -> None:
        """Make an empty collection, in place of one of that name."""

    def remove(self, name: str) -> None:
        """Forget a collection, if it is there."""

    def names(self) -> list[str]:
        """Return the names of all collections, whoever made them."""

    def aliases(self) -> dict[str, str]:
        """Return for each alias the collection that it stands for."""

    def point_aliases(self, wanted: Mapping[str, str], unwanted: Iterable[str]) -> None:
        """Let aliases stand for other collections from one moment on, and remove others."""

    def keep(self, name: str, points: Sequence[Point]) -> None:
        """Store points in place of those with their ids; they can be found when it returns."""

    def forget(self, name: str, ids: Sequence[PointId]) -> None:
        """Remove points, as far as they are there."""

    def nearest(self, names: Sequence[str], vector: Vectors, asked: Asked) -> list[Near]:
        """Return the points nearest by the cosine, of all the collections together."""

    def by_words(
        self, names: Sequence[str], words: Mapping[int, float], asked: Asked
    ) -> list[Near]:
        """Return the points with the rarest of the words, of each collection its best."""

    def held(self, name: str, ids: Sequence[UUID]) -> dict[PointId, Held]:
        """Return what is there of these points."""

    def all_held(self, name: str) -> Iterator[list[Held]]:
        """Yield all points of a collection, a page at a time."""


def point_store() -> PointStore:
    """Return the store at QDRANT_URL; without it there is none to ask."""
    return _connected(settings.QDRANT_URL, settings.QDRANT_API_KEY)


@cache
def _connected(address: str, key: str) -> PointStore:
    # By its name, because importing Qdrant's client takes a second of whoever never asks it.
    made: PointStore = import_string("knowledge.qdrant_points.QdrantPoints")(address, key)
    return made

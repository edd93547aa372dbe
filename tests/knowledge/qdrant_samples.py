"""Qdrant for tests: within the process, or behind a loopback server that can go wrong."""

from random import Random
from typing import Any
from uuid import UUID, uuid4

from qdrant_client import models

from knowledge import qdrant_vectors
from knowledge.breaker import Breaker
from knowledge.models import EmbeddingSpace, Replica, VectorChange
from knowledge.points import Naming
from knowledge.qdrant_vectors import serving
from tests.qdrant_server import QdrantServer

DICE = Random(11)


def use_qdrant(settings: Any, address: str, key: str = "") -> None:
    """Let searches ask Qdrant at an address, with nothing remembered of how it went before."""
    settings.QDRANT_URL, settings.QDRANT_API_KEY = address, key
    settings.VECTOR_STORE = "knowledge.qdrant_vectors.IN_QDRANT"
    qdrant_vectors.breaker = Breaker()


def collections_of(space: EmbeddingSpace) -> list[str]:
    """Return the names of the collections that answer for a space."""
    replica = serving(space)
    assert replica is not None
    naming = Naming(space.pk, replica.generation)
    return [naming.collection(kept) for kept in replica.collections]


def changes_of(space: EmbeddingSpace) -> set:
    return set(VectorChange.objects.filter(space_id=space.pk).values_list("chunk_id", flat=True))


def states_of(space: EmbeddingSpace) -> dict[int, str]:
    rows = Replica.objects.filter(space=space)
    return dict(rows.values_list("generation", "state"))


def points_in(server: QdrantServer, name: str) -> dict[UUID, dict[str, Any]]:
    """Return what a collection holds, behind the product's back."""
    with server.lock:
        found, _ = server.client.scroll(name, limit=100_000, with_payload=True)
    return {UUID(str(record.id)): dict(record.payload or {}) for record in found}


def spoil(server: QdrantServer, name: str, stranger: UUID) -> dict[str, list[UUID]]:
    """Remove 5% of a collection's points, add 5% of nobody's, give 1% another project."""
    there = sorted(points_in(server, name))
    DICE.shuffle(there)
    few, fewer = max(1, len(there) // 20), max(1, len(there) // 100)
    removed, stolen, copied = there[:few], there[few : few + fewer], there[-few:]
    with server.lock:
        server.client.delete(name, models.PointIdsList(points=[str(one) for one in removed]))
        server.client.set_payload(name, {"project": str(stranger)}, [str(one) for one in stolen])
        originals = server.client.retrieve(
            name, [str(one) for one in copied], with_payload=True, with_vectors=True
        )
        foreign = [uuid4() for _ in originals]
        server.client.upsert(
            name,
            [
                models.PointStruct(id=str(one), payload=original.payload, vector=original.vector)
                for one, original in zip(foreign, originals, strict=True)
            ],
        )
    return {"removed": removed, "stolen": stolen, "foreign": foreign}

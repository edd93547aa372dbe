"""Qdrant, with passages in it, for tests of what becomes of them."""

import pytest

from knowledge.models import EmbeddingSpace
from knowledge.replicating import bring_up_to_date
from knowledge.vectors import vector_store
from tests.knowledge.many_vectors import directions, make_space, put
from tests.knowledge.qdrant_samples import use_qdrant
from tests.qdrant_server import qdrant_server


@pytest.fixture
def qdrant(settings):
    """A Qdrant that searches ask, on loopback."""
    with qdrant_server() as started:
        use_qdrant(settings, started.url)
        yield started


@pytest.fixture
def filled(qdrant, make_chunks) -> EmbeddingSpace:
    """Return a space of 400 passages that Qdrant answers for."""
    space = make_space(16)
    put(vector_store(), space, make_chunks(400), directions(400, 16))
    assert bring_up_to_date(space)
    return space

"""Embedders, passages and spaces for tests of what becomes of them."""

from typing import Any

from knowledge.embedding import run_embed
from knowledge.models import EmbeddingSpace
from knowledge.spaces import active_space, declare
from projects.jobs import Lease, claim, enqueue
from projects.models import Job, Source
from providers.embedding import Reach
from tests.hashed_embedder import HashedWords, use_embedder
from tests.model_server import ModelServer


class OtherWords(HashedWords):
    """Another model: the same words stand elsewhere, among fewer dimensions."""

    model_name = "other-words"
    dimensions = 256


def know_other_words(settings: Any) -> Reach:
    """Let there be a second model, without making it the one that the environment names."""
    path = f"{OtherWords.__module__}.{OtherWords.__name__}"
    settings.EMBEDDERS = {**settings.EMBEDDERS, "OtherWords": path}
    return Reach("OtherWords", OtherWords.model_name)


def name_other_words(settings: Any) -> None:
    """Let the environment name the second model."""
    use_embedder(settings, OtherWords)


def reach_of_server(server: ModelServer, **fields: Any) -> Reach:
    return Reach("compatible", **{"model_name": "owl-1", "base_url": server.url, **fields})


def embed(source: Source) -> Job:
    """Run an embed job of a source as a worker would, errors and all."""
    Job.objects.filter(source=source, kind=Job.Kind.EMBED).delete()
    job = claim(enqueue(source, Job.Kind.EMBED).pk)
    assert job is not None
    with Lease(job) as lease:
        try:
            run_embed(lease)
        finally:
            Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    return job


def build_beside(source: Source, reach: Reach, **how: Any) -> EmbeddingSpace:
    """Declare a space and fill it."""
    space = declare(reach, **how)
    embed(source)
    space.refresh_from_db()
    return space


def state_of(space: EmbeddingSpace) -> str:
    space.refresh_from_db()
    return str(space.state)


def the_active() -> EmbeddingSpace:
    space = active_space()
    assert space is not None
    return space

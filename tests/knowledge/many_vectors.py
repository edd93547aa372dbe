"""Vectors by the dozen, for tests of where they are kept."""

from typing import Any
from uuid import uuid4

import numpy as np

from knowledge.models import Chunk, EmbeddingSpace
from knowledge.scopes import Filters, Scope
from knowledge.vectors import VectorStore
from projects.models import Project
from providers.embedding import normalised

DICE = np.random.default_rng(7)


def directions(count: int, dimensions: int) -> np.ndarray:
    return normalised(DICE.standard_normal((count, dimensions)).astype(np.float32))


def make_space(dimensions: int) -> EmbeddingSpace:
    return EmbeddingSpace.objects.create(
        model_name=f"m{dimensions}-{uuid4().hex[:4]}", dimensions=dimensions
    )


def put(store: VectorStore, space: EmbeddingSpace, chunks: list[Chunk], rows: np.ndarray) -> None:
    store.put(space, [(chunk.pk, chunk.project_id) for chunk in chunks], rows)


def whole(project: Project, **filters: Any) -> Scope:
    return Scope((project.pk,), Filters(**filters))

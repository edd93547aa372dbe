"""Turning texts into vectors: what every embedder offers."""

from collections.abc import Sequence
from functools import cache
from typing import Protocol

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string
from numpy.typing import NDArray

Vectors = NDArray[np.float32]


class EmbedderUnavailable(Exception):
    """The embedding model did not answer; trying again later may help."""


class Embedder(Protocol):
    """Makes vectors of unit length, so that an inner product is a cosine."""

    model_name: str
    # How much its vectors should count beside words (0-1), as measured.
    weight: float

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text: (texts, dimensions)."""

    def embed_question(self, text: str) -> Vectors:
        """Return the vector of a question: (dimensions,)."""


def embedder() -> Embedder:
    return _load(settings.EMBEDDER)


@cache  # by path, so that tests can override the setting
def _load(path: str) -> Embedder:
    made: Embedder = import_string(path)()
    return made


def normalised(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled

"""Turning texts into vectors: what every embedder offers, and how one is reached."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

import numpy as np
from django.conf import settings
from django.utils.module_loading import import_string
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
CHARACTERS_A_TOKEN = 4  # about, where nobody counts
KEY_VARIABLE = "EMBEDDING_API_KEY"


class EmbedderUnavailable(Exception):
    """The embedding model did not answer as it should; the message says why, without any secret."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How an embedder is reached, and what it may be asked at once."""

    adapter: str
    model_name: str
    base_url: str = ""
    # The name of an environment variable, never a key itself.
    key_variable: str = ""
    query_prefix: str = ""
    document_prefix: str = ""
    # What every vector must have; None while nobody knows.
    dimensions: int | None = None
    texts_at_once: int = 64
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None


@dataclass(slots=True)
class Effort:
    """What embedding some texts took, filled in while it runs."""

    tokens: int = 0
    # Places of texts that the model refuses at any length; their vectors are zero.
    left_out: set[int] = field(default_factory=set)
    # How to wait for a turn or for another try; it may raise to stop.
    pause: Callable[[float], None] = time.sleep


class Embedder(Protocol):
    """Makes vectors of unit length, so that an inner product is a cosine."""

    @property
    def weight(self) -> float:
        """How much its vectors should count beside words (0-1), as measured."""

    def embed(self, texts: Sequence[str], effort: Effort) -> Vectors:
        """Return one vector for each text: (texts, dimensions)."""

    def embed_question(self, text: str) -> Vectors:
        """Return the vector of a question: (dimensions,); never waits long."""


@dataclass(frozen=True, slots=True)
class Prefixed:
    """An embedder for a model that wants to be told what is a question and what a document."""

    inner: Embedder
    reach: Reach

    @property
    def weight(self) -> float:
        return self.inner.weight

    def embed(self, texts: Sequence[str], effort: Effort) -> Vectors:
        return self.inner.embed([self.reach.document_prefix + text for text in texts], effort)

    def embed_question(self, text: str) -> Vectors:
        return self.inner.embed_question(self.reach.query_prefix + text)


def embedder(reach: Reach) -> Embedder:
    """Return the embedder that is reached so, the same one each time."""
    path = settings.EMBEDDERS.get(reach.adapter)
    if path is None:
        raise EmbedderUnavailable(f"Nothing here speaks to models of the kind “{reach.adapter}”.")
    return _made(path, reach)


@lru_cache(maxsize=32)  # by path too, so that tests can override the setting
def _made(path: str, reach: Reach) -> Embedder:
    made: Embedder = import_string(path)(reach)
    if reach.query_prefix or reach.document_prefix:
        return Prefixed(made, reach)
    return made


def named_by_environment() -> Reach:
    """Return how the embedder is reached that the environment names, else the built-in one."""
    adapter = settings.EMBEDDING_ADAPTER
    if built_in := built_in_model(adapter):
        return Reach(adapter, built_in)
    return Reach(
        adapter,
        settings.EMBEDDING_MODEL,
        base_url=settings.EMBEDDING_BASE_URL,
        key_variable=KEY_VARIABLE,
        query_prefix=settings.EMBEDDING_QUERY_PREFIX,
        document_prefix=settings.EMBEDDING_DOCUMENT_PREFIX,
    )


def built_in_model(adapter: str) -> str:
    """Return the one model of an adapter that needs no server; nothing for the others."""
    path = settings.EMBEDDERS.get(adapter)
    return getattr(import_string(path), "model_name", "") if path else ""


def tokens_about(texts: Sequence[str]) -> int:
    return sum(len(text) // CHARACTERS_A_TOKEN + 1 for text in texts)


def normalised(vectors: Vectors) -> Vectors:
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(lengths, 1e-9)).astype(np.float32)
    return scaled

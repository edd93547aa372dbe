"""An embedder that is instant and exact, for tests that are not about the model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from knowledge.words import number_of, terms_of
from providers.embedding import Effort, Reach, Vectors, normalised


class HashedWords:
    """Texts with the same words have the same vector."""

    model_name = "hashed-words"
    weight = 0.4
    dimensions = 1024

    def __init__(self, reach: Reach | None = None) -> None:
        """Take nothing from `reach`, as every embedder that runs in the process."""

    def embed(self, texts: Sequence[str], effort: Effort | None = None) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms_of(text):
                vectors[row, number_of(term) % self.dimensions] += 1
        return normalised(vectors)

    def embed_question(self, text: str) -> Vectors:
        vector: Vectors = self.embed([text])[0]
        return vector


def use_embedder(settings: Any, kind: type) -> None:
    """Let a class of embedders be the built-in one, under the name of its class."""
    path = f"{kind.__module__}.{kind.__name__}"
    settings.EMBEDDERS = {**settings.EMBEDDERS, kind.__name__: path}
    settings.EMBEDDING_ADAPTER = kind.__name__

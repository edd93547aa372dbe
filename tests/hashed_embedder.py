"""An embedder that is instant and exact, for tests that are not about the model."""

from collections.abc import Sequence

import numpy as np

from knowledge.words import number_of, terms_of
from providers.embedding import Vectors, normalised


class HashedWords:
    """Texts with the same words have the same vector."""

    model_name = "hashed-words"
    weight = 0.4
    dimensions = 1024

    def embed(self, texts: Sequence[str]) -> Vectors:
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in enumerate(texts):
            for term in terms_of(text):
                vectors[row, number_of(term) % self.dimensions] += 1
        return normalised(vectors)

    def embed_question(self, text: str) -> Vectors:
        vector: Vectors = self.embed([text])[0]
        return vector

import time

import numpy as np
import pytest

from providers.embedding import Effort, Reach
from providers.minilm import MiniLM


@pytest.fixture(scope="module")
def model() -> MiniLM:
    return MiniLM(Reach("minilm", MiniLM.model_name))


def test_texts_of_one_meaning_are_near_whatever_their_words(model):
    login, signing_in, cooking = model.embed(
        ["How do I log in?", "authenticating a user", "a recipe for rice"], Effort()
    )
    assert login @ signing_in > 2 * (login @ cooking)


def test_vectors_have_unit_length_and_keep_their_order(model):
    texts = ["short", "a somewhat longer text " * 20, "", "mid length text here"]
    together = model.embed(texts, Effort())
    assert together.shape == (4, 384)
    assert np.allclose(np.linalg.norm(together, axis=1), 1, atol=1e-4)
    for text, vector in zip(texts, together, strict=True):
        assert model.embed([text], Effort())[0] @ vector > 0.98


def test_a_text_of_any_length_is_read_to_the_limit(model):
    assert model.embed(["word " * 50_000], Effort()).shape == (1, 384)


def test_a_question_is_one_vector(model):
    assert model.embed_question("why?").shape == (384,)


def test_the_weights_are_loaded_once_however_many_spaces_there_are(model):
    began = time.perf_counter()
    other = MiniLM(Reach("minilm", MiniLM.model_name, document_prefix="passage: "))
    assert np.allclose(other.embed_question("why?"), model.embed_question("why?"))
    assert time.perf_counter() - began < 0.5

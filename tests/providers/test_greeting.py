"""Saying hello to a model."""

from decimal import Decimal

import pytest

from providers.greeting import say_hello
from providers.models import Budget, Call, Provider
from tests.model_server import model_server


@pytest.fixture
def server():
    with model_server() as running:
        running.pieces = ["Hello ", "there."]
        yield running


@pytest.fixture
def owl(db, server) -> Provider:
    return Provider.objects.create(
        provider_name="openai", model_name="owl-1", api_config={"base_url": server.url}
    )


def test_a_model_that_answers_is_quoted_with_the_time_it_took(owl, server, admin):
    server.delay = 0.03
    greeting = say_hello(owl, by=admin)
    assert (greeting.worked, greeting.text, greeting.error) == (True, "Hello there.", "")
    assert 60 <= greeting.milliseconds < 10_000
    assert server.requests[0]["messages"] == [{"role": "user", "content": "Say hello."}]


def test_the_call_is_in_the_ledger_of_no_project(owl, admin):
    say_hello(owl, by=admin)
    call = Call.objects.get()
    assert (call.purpose, call.user, call.project_id) == ("test", admin, None)
    assert (call.origin_kind, call.origin_id) == ("provider", owl.pk)
    assert (call.tokens_in, call.tokens_out, call.error) == (100, 20, "")


def test_a_long_reply_is_left_and_cut_on_one_line_without_what_cannot_be_seen(owl, server, admin):
    server.pieces = ["Hello\u202e\n\n", *["owl " * 20] * 10]
    text = say_hello(owl, by=admin).text
    assert text.startswith("Hello owl owl")
    assert len(text) == 200


@pytest.mark.parametrize(
    ("mode", "sentence"),
    [
        ("bad key", "owl-1 refused the API key"),
        ("no model", "knows no model named owl-1"),
        ("broken", "answered with error 500"),
        ("dies", "broke off"),
    ],
)
def test_what_went_wrong_is_said_and_kept_without_the_words_of_the_server(
    owl, server, admin, monkeypatch, mode, sentence
):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    server.pieces = ["I ", "am ", "an ", "owl."]
    server.mode = mode
    greeting = say_hello(owl, by=admin)
    assert (greeting.worked, greeting.text) == (False, "")
    assert sentence in greeting.error
    assert "secret" not in greeting.error
    assert Call.objects.get().error == greeting.error


def test_nobody_waits_longer_than_the_time_that_is_set(owl, server, admin, monkeypatch):
    monkeypatch.setattr("providers.greeting.SECONDS", 0.2)
    server.delay = 2
    greeting = say_hello(owl, by=admin)
    assert (greeting.worked, greeting.error) == (False, "It took too long.")
    assert greeting.milliseconds < 1900


@pytest.mark.parametrize(
    ("kind", "config", "variable"),
    [
        ("openai", {}, "OPENAI_API_KEY"),
        ("openai", {"base_url": "https://api.openai.com/v1"}, "OPENAI_API_KEY"),
        ("google", {}, "GOOGLE_API_KEY"),
        ("openrouter", {}, "OPENROUTER_API_KEY"),
        ("ollama", {"api_key_variable": "BARN_KEY"}, "BARN_KEY"),
    ],
)
def test_a_key_that_is_missing_is_named_before_anything_is_sent(
    admin, monkeypatch, kind, config, variable
):
    monkeypatch.delenv(variable, raising=False)
    keyless = Provider.objects.create(provider_name=kind, model_name="m", api_config=config)
    greeting = say_hello(keyless, by=admin)
    assert greeting.error == f"{variable} is not set in the environment of the web process."
    assert not Call.objects.exists()


@pytest.mark.parametrize("kind", ["openai", "ollama", "litellm"])
def test_a_server_of_ones_own_is_asked_without_a_key(server, admin, monkeypatch, kind):
    for name in ("OPENAI_API_KEY", "LITELLM_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    local = Provider.objects.create(
        provider_name=kind, model_name="m", api_config={"base_url": server.url}
    )
    assert say_hello(local, by=admin).worked


def test_the_named_key_is_sent(owl, server, admin, monkeypatch):
    monkeypatch.setenv("BARN_KEY", "sk-barn")
    owl.api_config["api_key_variable"] = "BARN_KEY"
    assert say_hello(owl, by=admin).worked
    assert server.keys == ["Bearer sk-barn"]


def test_a_spent_budget_refuses_a_test_too(owl, server, admin):
    Budget.objects.create(limit_usd=Decimal(0))
    assert "is spent" in say_hello(owl, by=admin).error
    assert server.requests == []

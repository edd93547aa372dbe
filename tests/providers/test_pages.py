"""The pages about the models that answer."""

from datetime import timedelta
from decimal import Decimal
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from conversations.models import Conversation
from providers.models import Call, Provider
from providers.seeding import seed_providers
from tests.model_server import model_server

CLICKS = ["provider-test", "provider-default", "provider-disable", "provider-enable"]


@pytest.fixture
def alice(alice):
    """Is an admin here."""
    alice.role = alice.Role.ADMIN
    alice.save()
    return alice


@pytest.fixture
def browser(client_for, alice):
    return client_for(alice)


@pytest.fixture
def owl(db) -> Provider:
    return Provider.objects.create(
        provider_name="openai", model_name="owl-1", api_config={"base_url": "http://127.0.0.1:9/v1"}
    )


@pytest.fixture
def server():
    with model_server() as running:
        running.pieces = ["<b>Hello</b> ", "there."]
        yield running


def page(browser, name: str = "providers", *args) -> str:
    answer = browser.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def click(browser, name: str, provider: Provider, **said: str) -> str:
    answer = browser.post(reverse(name, args=[provider.pk]), said, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def form(**fields: str) -> dict[str, str]:
    return {"provider_name": "openai", "model_name": "owl-1", "is_enabled": "on", **fields}


def test_with_only_the_built_in_provider_the_page_says_what_a_model_adds(browser):
    seed_providers()
    text = page(browser)
    assert "Only the built-in provider answers" in text
    assert reverse("provider-new") in text
    assert "extractive" in text
    assert reverse(
        "provider-test", args=[Provider.objects.get(model_name="extractive").pk]
    ) not in (text)


def test_a_model_is_shown_with_its_key_variable_and_never_the_key(browser, owl, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    assert "OPENAI_API_KEY</code> <span" in page(browser)
    assert "not set" in page(browser)
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    for text in (page(browser), page(browser, "provider-edit", owl.pk)):
        assert "not set" not in text
        assert "very-secret" not in text


def test_calls_and_cost_are_those_of_the_last_thirty_days(browser, owl):
    names = {"purpose": "answer", "provider": owl, "provider_name": "openai", "model_name": "owl-1"}
    Call.objects.create(**names, cost=Decimal("0.25"))
    Call.objects.create(**names)
    old = Call.objects.create(**names, cost=Decimal(7))
    Call.objects.filter(pk=old.pk).update(created_at=timezone.now() - timedelta(days=31))
    text = page(browser)
    assert '<td class="number">2</td>' in text
    assert "$0.2500" in text
    assert "and 1 of unknown cost" in text


def test_an_added_model_keeps_only_what_was_said(browser, alice):
    said = form(
        base_url="https://llm.example.org/v1",
        api_key_variable="BARN_KEY",
        temperature="0.5",
        timeout="30",
        fallback_order="1",
    )
    answer = browser.post(reverse("provider-new"), said)
    made = Provider.objects.get(model_name="owl-1")
    assert (answer.status_code, answer.url) == (302, reverse("provider-edit", args=[made.pk]))
    assert made.api_config == {
        "base_url": "https://llm.example.org/v1",
        "api_key_variable": "BARN_KEY",
        "temperature": 0.5,
        "timeout": 30,
    }
    assert (made.fallback_order, made.is_enabled, made.is_default) == (1, True, False)
    entry = AuditEntry.objects.get(kind="provider", action="added")
    assert (entry.actor_id, entry.object_id) == (alice.pk, made.pk)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"model_name": ""}, "This field is required."),
        ({"provider_name": "offline"}, "Select a valid choice."),
        ({"base_url": "owl"}, "An address begins with"),
        ({"base_url": "ftp://owl.test/v1"}, "An address begins with"),
        ({"base_url": "http://me:secret@owl.test"}, "must not hold a name or a password"),
        ({"api_key_variable": "SECRET_KEY"}, "for nobody else"),
        ({"temperature": "2.1"}, "less than or equal to 2"),
        ({"temperature": "nan"}, "Enter a number."),
        ({"max_tokens": "0"}, "greater than or equal to 1"),
        ({"max_tokens": "1000001"}, "less than or equal to 1000000"),
        ({"timeout": "601"}, "less than or equal to 600"),
        ({"fallback_order": "0"}, "greater than or equal to 1"),
    ],
)
def test_what_is_refused_is_said_and_the_rest_stays_typed(browser, fields, sentence):
    said = form(model_name="barn-owl", max_tokens="99") | fields
    answer = browser.post(reverse("provider-new"), said)
    text = answer.content.decode()
    assert answer.status_code == 400
    assert sentence in text
    for name, value in said.items():
        if value and name not in {"provider_name", "is_enabled"}:
            assert f'value="{value}"' in text
    assert not Provider.objects.exists()


def test_a_key_in_place_of_its_variable_is_refused_and_not_shown_again(browser):
    answer = browser.post(reverse("provider-new"), form(api_key_variable="sk-live-123"))
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "never the key itself" in text
    assert "sk-live-123" not in text


def test_the_same_model_of_the_same_kind_is_there_once(browser, owl):
    answer = browser.post(reverse("provider-new"), form())
    assert answer.status_code == 400
    assert "This model is there already" in answer.content.decode()


def test_a_model_is_changed_from_its_page(browser, owl):
    text = page(browser, "provider-edit", owl.pk)
    assert 'value="http://127.0.0.1:9/v1"' in text
    assert 'placeholder="https://api.openai.com/v1"' in text
    answer = browser.post(
        reverse("provider-edit", args=[owl.pk]), form(model_name="owl-2", max_tokens="50")
    )
    assert answer.status_code == 302
    owl.refresh_from_db()
    assert (owl.model_name, owl.api_config) == ("owl-2", {"max_tokens": 50})
    assert AuditEntry.objects.filter(kind="provider", action="changed").count() == 1


def test_the_default_is_not_disabled_by_its_form(browser, owl):
    Provider.objects.update(is_default=True)
    said = form(model_name="owl-2") | {"is_enabled": ""}
    answer = browser.post(reverse("provider-edit", args=[owl.pk]), said)
    assert answer.status_code == 400
    text = answer.content.decode()
    assert "A disabled provider can&#x27;t be the default." in text
    assert 'value="owl-2"' in text
    assert "<h1>owl-1</h1>" in text
    assert Provider.objects.get().is_enabled


def test_a_test_shows_the_reply_escaped_and_returns_to_where_it_was_asked_for(browser, owl, server):
    Provider.objects.update(api_config={"base_url": server.url})
    address = reverse("provider-test", args=[owl.pk])
    assert browser.post(address).url == reverse("providers")
    assert browser.post(address, {"back": "edit"}).url == reverse("provider-edit", args=[owl.pk])
    text = page(browser)
    assert "owl-1 answered in " in text
    assert "&lt;b&gt;Hello&lt;/b&gt; there." in text
    assert "<b>Hello" not in text
    assert Call.objects.filter(purpose="test").count() == 2


def test_a_test_that_fails_says_why(browser, owl, monkeypatch):
    monkeypatch.delenv("BARN_KEY", raising=False)
    Provider.objects.update(api_config={"api_key_variable": "BARN_KEY"})
    text = click(browser, "provider-test", owl)
    assert "The test of owl-1 failed. BARN_KEY is not set" in text


def test_the_default_is_changed_disabled_and_enabled_by_clicks(browser, owl):
    seed_providers()
    assert "owl-1 answers from now on." in click(browser, "provider-default", owl)
    assert Provider.objects.get(is_default=True) == owl
    assert "owl-1 answers no more." in click(browser, "provider-disable", owl)
    owl.refresh_from_db()
    assert (owl.is_default, owl.is_enabled) == (False, False)
    assert "owl-1 may answer again." in click(browser, "provider-enable", owl, back="edit")
    owl.refresh_from_db()
    assert (owl.is_default, owl.is_enabled) == (False, True)
    actions = AuditEntry.objects.filter(object_id=owl.pk).order_by("created_at")
    assert [entry.action for entry in actions] == ["made the default", "disabled", "enabled"]


def test_a_deleted_model_leaves_conversations_and_the_ledger(browser, owl, alice, project):
    conversation = Conversation.objects.create(project=project, user=alice, provider=owl)
    conversation.add(None, {"role": "user", "content": "How do owls hunt?"})
    Call.objects.create(
        purpose="answer", provider=owl, provider_name="openai", model_name="owl-1", cost="0.25"
    )
    address = reverse("provider-delete", args=[owl.pk])
    assert "<strong>1</strong> call of this model" in page(browser, "provider-delete", owl.pk)
    assert browser.post(address, {"name": "owl"}).status_code == 400
    assert browser.post(address, {"name": "owl-1"}).url == reverse("providers")
    assert not Provider.objects.filter(pk=owl.pk).exists()
    conversation.refresh_from_db()
    assert (conversation.provider, conversation.messages.count()) == (None, 1)
    call = Call.objects.get()
    assert (call.provider, call.model_name, call.cost) == (None, "owl-1", Decimal("0.25"))


def test_the_built_in_provider_has_its_place_after_a_failure_and_stays(browser):
    seed_providers()
    built_in = Provider.objects.get(provider_name="offline")
    text = page(browser, "provider-edit", built_in.pk)
    assert reverse("provider-delete", args=[built_in.pk]) not in text
    assert 'name="base_url"' not in text
    address = reverse("provider-edit", args=[built_in.pk])
    assert browser.post(address, {"fallback_order": "3", "model_name": "x"}).status_code == 302
    assert "The built-in provider stays" in click(browser, "provider-disable", built_in)
    answer = browser.post(reverse("provider-delete", args=[built_in.pk]), {"name": "extractive"})
    assert answer.status_code == 400
    built_in.refresh_from_db()
    assert (built_in.model_name, built_in.fallback_order, built_in.is_enabled) == (
        *("extractive", 3, True),
    )


def test_what_the_environment_names_is_changed_there(browser, owl):
    Provider.objects.update(from_environment=True)
    text = page(browser, "provider-edit", owl.pk)
    assert "LLM_BASE_URL" in text
    assert "LLM_MODEL" in text
    assert 'name="model_name"' not in text
    answer = browser.post(reverse("provider-edit", args=[owl.pk]), form(model_name="x"))
    assert answer.status_code == 400
    assert "comes from the environment" in click(browser, "provider-disable", owl)
    answer = browser.post(reverse("provider-delete", args=[owl.pk]), {"name": "owl-1"})
    assert answer.status_code == 400
    owl.refresh_from_db()
    assert (owl.model_name, owl.is_enabled) == ("owl-1", True)
    assert "owl-1 answers from now on." in click(browser, "provider-default", owl)


@pytest.mark.parametrize("who", ["alice", "bob", None])
def test_the_pages_are_for_admins_alone(client_for, request, owl, who):
    client = client_for(request.getfixturevalue(who) if who else None)
    nothing = client.get("/settings/nothing/")
    for name in ("providers", "provider-new", "provider-edit", "provider-delete"):
        args = [] if name in {"providers", "provider-new"} else [owl.pk]
        answer = client.get(reverse(name, args=args))
        if who == "alice":
            assert answer.status_code == 200
            assert "unsafe" not in answer["Content-Security-Policy"]
        elif who:
            assert (answer.status_code, answer.content) == (404, nothing.content)
        else:
            assert (answer.status_code, answer.url[:13]) == (302, "/login/?next=")
    before = list(Provider.objects.values())
    for name in (*CLICKS, "provider-edit", "provider-delete"):
        address = reverse(name, args=[owl.pk])
        if who != "alice":
            assert client.post(address, form()).status_code == (404 if who else 302)
        elif name in CLICKS:
            assert client.get(address).status_code == 405
            assert client.post(reverse(name, args=[uuid4()])).status_code == 404
    assert list(Provider.objects.values()) == before
    assert not Call.objects.exists()


def test_who_is_no_admin_is_not_led_there(client_for, alice, bob):
    for address in ("/", reverse("account")):
        assert reverse("providers") in client_for(alice).get(address).content.decode()
        assert reverse("providers") not in client_for(bob).get(address).content.decode()


def test_ten_models_cost_as_many_queries_as_one(browser, owl, django_assert_max_num_queries):
    seed_providers()
    for number in range(10):
        Provider.objects.create(provider_name="ollama", model_name=f"m{number}")
    with django_assert_max_num_queries(6):
        page(browser)

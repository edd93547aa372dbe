"""Deciding who answers."""

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry, User
from providers.choosing import (
    ProviderRefused,
    delete_provider,
    disable,
    enable,
    make_default,
    save_provider,
)
from providers.models import Provider


@pytest.fixture
def owl(db: None) -> Provider:
    return Provider.objects.create(provider_name="openai", model_name="owl-1", is_default=True)


def test_there_is_one_default(owl: Provider, admin: User) -> None:
    save_provider(Provider(provider_name="ollama", model_name="new", is_default=True), by=admin)
    assert Provider.objects.get(is_default=True).model_name == "new"
    make_default(owl, by=admin)
    assert Provider.objects.get(is_default=True) == owl


def test_a_disabled_provider_is_enabled_to_be_the_default(admin: User) -> None:
    resting = Provider.objects.create(
        provider_name="ollama", model_name="resting", is_enabled=False
    )
    make_default(resting, by=admin)
    resting.refresh_from_db()
    assert (resting.is_default, resting.is_enabled) == (True, True)


def test_a_disabled_default_is_none(owl: Provider, admin: User) -> None:
    disable(owl, by=admin)
    owl.refresh_from_db()
    assert (owl.is_default, owl.is_enabled) == (False, False)
    owl.is_default = True
    with pytest.raises(ProviderRefused, match="can't be the default"):
        save_provider(owl, by=admin)


def test_a_refused_change_leaves_the_old_default(owl: Provider, admin: User) -> None:
    twin = Provider(provider_name="openai", model_name="owl-1", is_default=True)
    with pytest.raises(ValidationError):
        save_provider(twin, by=admin)
    assert Provider.objects.get(is_default=True) == owl


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"provider_name": "offline"}, "built-in provider stays"),
        ({"from_environment": True}, "comes from the environment"),
    ],
)
def test_some_providers_stay(
    fields: dict[str, object], sentence: str, owl: Provider, admin: User
) -> None:
    Provider.objects.update(**fields)
    owl.refresh_from_db()
    with pytest.raises(ProviderRefused, match=sentence):
        delete_provider(owl, by=admin)
    with pytest.raises(ProviderRefused, match=sentence):
        disable(owl, by=admin)
    assert Provider.objects.filter(is_enabled=True).exists()


def test_there_is_no_second_built_in_provider(owl: Provider, admin: User) -> None:
    owl.provider_name = "offline"
    for second in (owl, Provider(provider_name="offline", model_name="extractive-2")):
        with pytest.raises(ProviderRefused, match="there already"):
            save_provider(second, by=admin)


@pytest.mark.parametrize("order", [0, -1, 40_000])
def test_an_order_after_a_failure_begins_at_one(owl: Provider, admin: User, order: int) -> None:
    owl.fallback_order = order
    with pytest.raises(ValidationError):
        save_provider(owl, by=admin)


def test_each_decision_is_on_record(owl: Provider, admin: User) -> None:
    save_provider(owl, by=admin)
    disable(owl, by=admin)
    enable(owl, by=admin)
    make_default(owl, by=admin)
    delete_provider(owl, by=admin)
    entries = AuditEntry.objects.filter(kind="provider").order_by("created_at")
    assert [entry.action for entry in entries] == [
        *("changed", "disabled", "enabled", "made the default", "deleted"),
    ]

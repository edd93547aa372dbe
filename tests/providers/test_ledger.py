from decimal import Decimal
from uuid import uuid4

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError

from providers.chat import Usage, default_provider
from providers.ledger import OverBudget, check_budgets, cost_of, record_call
from providers.models import Budget, Call, Price, Provider, check_api_config
from providers.seeding import seed_providers


@pytest.fixture
def provider(db) -> Provider:
    return Provider.objects.create(provider_name="openai", model_name="m")


@pytest.fixture
def prices(provider) -> None:
    for kind, dollars in (("input", 2), ("output", 8), ("cached", 1)):
        Price.objects.create(
            provider_name="openai", model_name="m", token_kind=kind, usd_per_million=dollars
        )


def call(provider, alice, **fields) -> Call:
    usage = Usage(tokens_in=1_000_000, tokens_out=500_000, tokens_cached=200_000)
    fields = {"purpose": "answer", "user": alice, "project_id": uuid4(), "duration_ms": 5, **fields}
    return record_call(provider, usage, origin=("message", uuid4()), **fields)


def test_cost_follows_the_prices_of_each_kind_of_token(provider, prices, alice):
    assert call(provider, alice).cost == Decimal("0.8") * 2 + Decimal("0.2") + 4


def test_a_cost_that_is_not_known_stays_unknown(provider, alice):
    assert call(provider, alice).cost is None
    assert cost_of(provider, Usage()) is None


def test_the_newest_price_that_is_in_force_counts(provider, prices):
    Price.objects.create(
        provider_name="openai",
        model_name="m",
        token_kind="input",
        usd_per_million=100,
        valid_from="2999-01-01",
    )
    assert cost_of(provider, Usage(tokens_in=1_000_000, tokens_out=0)) == 2


def test_the_built_in_provider_costs_nothing(db):
    assert cost_of(default_provider(), Usage()) == 0


def test_a_spent_budget_refuses_the_next_call(provider, prices, alice, bob):
    project = uuid4()
    Budget.objects.create(user=alice, limit_usd=5)
    check_budgets(alice, project)
    call(provider, alice, project_id=project)
    with pytest.raises(OverBudget, match=r"\$5"):
        check_budgets(alice, project)
    check_budgets(bob, project)


def test_a_budget_of_a_project_counts_everybody_in_it(provider, prices, alice, bob):
    project = uuid4()
    Budget.objects.create(project_id=project, limit_usd=5)
    call(provider, alice, project_id=project)
    with pytest.raises(OverBudget):
        check_budgets(bob, project)
    check_budgets(bob, uuid4())


def test_there_is_one_default_provider(db):
    Provider.objects.create(provider_name="openai", model_name="a", is_default=True)
    with pytest.raises(IntegrityError):
        Provider.objects.create(provider_name="openai", model_name="b", is_default=True)


def test_a_provider_and_model_are_there_once(provider):
    with pytest.raises(IntegrityError):
        Provider.objects.create(provider_name="openai", model_name="m")


@pytest.mark.parametrize(
    "config",
    [
        [],
        "text",
        {"api_key": "sk-123"},
        {"temperature": "hot"},
        {"max_tokens": True},
        {"api_key_variable": "sk-abcdef"},
        {"api_key_variable": "SECRET_KEY"},
        {"api_key_variable": "GIT_TOKEN_GITHUB_COM_KEY"},
        {"base_url": 3},
        {"base_url": "llm.test/v1"},
        {"base_url": "http://me:secret@llm.test/v1"},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"max_tokens": 1_000_001},
        {"timeout": 0},
    ],
)
def test_a_configuration_with_a_key_or_a_wrong_value_is_refused(config):
    with pytest.raises(ValidationError):
        check_api_config(config)


def test_a_proper_configuration_is_taken():
    check_api_config({"base_url": "http://x/v1", "temperature": 0, "api_key_variable": "MY_KEY"})


def test_first_start_has_the_built_in_provider_and_a_disabled_example(db):
    seed_providers()
    seed_providers()
    assert default_provider().is_offline
    assert Provider.objects.filter(provider_name="ollama", is_enabled=False).count() == 1


def test_the_environment_names_the_default_until_an_admin_chooses(db, settings):
    settings.LLM_BASE_URL, settings.LLM_MODEL = "http://127.0.0.1:9/v1", "local"
    seed_providers()
    assert default_provider().model_name == "local"
    Provider.objects.filter(is_default=True).update(is_default=False)
    chosen = Provider.objects.create(provider_name="google", model_name="g", is_default=True)
    seed_providers()
    assert default_provider() == chosen


def test_what_the_environment_no_longer_names_is_disabled_but_kept(db, settings):
    settings.LLM_BASE_URL, settings.LLM_MODEL = "http://127.0.0.1:9/v1", "local"
    seed_providers()
    settings.LLM_BASE_URL = ""
    seed_providers()
    assert default_provider().is_offline
    assert not Provider.objects.get(model_name="local").is_enabled

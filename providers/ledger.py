"""Keeping what each call of a model took and cost, and refusing what is over budget."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from providers.chat import Usage
from providers.models import Budget, Call, Price, Provider

MOST_TOKENS = 2**31 - 1  # of one row


class OverBudget(Exception):
    """A budget is spent; the message says which."""


def check_budgets(user: User, project_id: UUID | None) -> None:
    """Raise when a budget that applies to the person and the project, if any, is spent."""
    budgets = Budget.objects.filter(
        Q(user=user) | Q(user=None), Q(project_id=project_id) | Q(project_id=None)
    )
    for budget in budgets:
        calls = Call.objects.filter(created_at__gte=_beginning(budget))
        if budget.user_id:
            calls = calls.filter(user=budget.user_id)
        if budget.project_id:
            calls = calls.filter(project_id=budget.project_id)
        if calls.spent() >= budget.limit_usd:
            raise OverBudget(f"The budget of {budget} is spent.")


def _beginning(budget: Budget) -> datetime:
    today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
    return today.replace(day=1) if budget.period == Budget.Period.MONTH else today


def record_call(
    provider: Provider,
    usage: Usage,
    *,
    purpose: str,
    user: User,
    project_id: UUID | None,
    origin: tuple[str, UUID],
    duration_ms: int,
    error: str = "",
) -> Call:
    return Call.objects.create(
        purpose=purpose,
        provider=provider,
        provider_name=provider.provider_name,
        model_name=provider.model_name,
        tokens_in=usage.tokens_in,
        tokens_out=usage.tokens_out,
        tokens_cached=usage.tokens_cached,
        cost=cost_of(provider, usage),
        duration_ms=duration_ms,
        error=error[:500],
        user=user,
        project_id=project_id,
        origin_kind=origin[0],
        origin_id=origin[1],
    )


def record_embedding(
    *,
    adapter: str,
    model_name: str,
    tokens: int,
    cost: Decimal | None,
    user: User | None,
    project_id: UUID,
    origin: tuple[str, UUID],
    duration_ms: int,
) -> Call:
    return Call.objects.create(
        purpose="embed",
        provider_name=adapter,
        model_name=model_name,
        tokens_in=min(tokens, MOST_TOKENS),
        tokens_out=0,
        cost=cost,
        duration_ms=duration_ms,
        user=user,
        project_id=project_id,
        origin_kind=origin[0],
        origin_id=origin[1],
    )


def cost_of(provider: Provider, usage: Usage) -> Decimal | None:
    """Return dollars by the prices of today; None when tokens or prices are not known."""
    if provider.is_offline:
        return Decimal(0)
    prices = _prices(provider)
    if usage.tokens_in is None or usage.tokens_out is None or len(prices) < 2:
        return None
    cached = usage.tokens_cached or 0
    rates = {**prices, Price.Kind.CACHED: prices.get(Price.Kind.CACHED, prices[Price.Kind.INPUT])}
    total = (
        (usage.tokens_in - cached) * rates[Price.Kind.INPUT]
        + cached * rates[Price.Kind.CACHED]
        + usage.tokens_out * rates[Price.Kind.OUTPUT]
    )
    return total / 1_000_000


def _prices(provider: Provider) -> Mapping[str, Decimal]:
    rows = Price.objects.filter(
        provider_name=provider.provider_name,
        model_name=provider.model_name,
        valid_from__lte=timezone.localdate(),
    ).order_by("valid_from")
    return {price.token_kind: price.usd_per_million for price in rows}

"""How each provider stands: who answers, whether its key is there, what it took lately."""

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import Count, F, Q, Sum
from django.utils import timezone

from providers.chat import default_provider
from providers.keys import KeyStanding, key_standing
from providers.models import Call, Provider

LATELY = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class ProviderStanding:
    provider: Provider
    key: KeyStanding
    answers_by_default: bool
    calls: int
    cost: Decimal | None  # None where no call has a known one
    calls_of_unknown_cost: int


def standings() -> list[ProviderStanding]:
    """Return all providers: the default, then those that may answer, then the others."""
    usual, taken = default_provider(), _taken_lately()
    providers = Provider.objects.order_by(
        *("-is_default", "-is_enabled", F("fallback_order").asc(nulls_last=True)),
        *("provider_name", "model_name", "pk"),
    )
    return [
        ProviderStanding(
            provider,
            key_standing(provider),
            answers_by_default=provider == usual,
            **taken.get(provider.pk, {"calls": 0, "cost": None, "calls_of_unknown_cost": 0}),
        )
        for provider in providers
    ]


def _taken_lately() -> dict[UUID, dict[str, Any]]:
    rows = (
        Call.objects.filter(created_at__gte=timezone.now() - LATELY, provider__isnull=False)
        .values("provider_id")
        .annotate(
            calls=Count("pk"),
            total=Sum("cost"),
            calls_of_unknown_cost=Count("pk", filter=Q(cost=None)),
        )
    )
    return {
        row["provider_id"]: {
            "calls": row["calls"],
            "cost": row["total"],
            "calls_of_unknown_cost": row["calls_of_unknown_cost"],
        }
        for row in rows
    }

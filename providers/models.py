"""Who answers, what it costs, and what was spent."""

from decimal import Decimal
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q, Sum
from django.utils import timezone

from accounts.models import Dated, User
from providers.server_rules import check_address, check_key_variable

CONFIG_KEYS: dict[str, type | tuple[type, ...]] = {
    "base_url": str,
    "temperature": (int, float),
    "max_tokens": int,
    "api_key_variable": str,
    "timeout": (int, float),
    "json_schema": bool,
}
CONFIG_BOUNDS = {"temperature": (0, 2), "max_tokens": (1, 1_000_000), "timeout": (1, 600)}
CONFIG_RULES = {"base_url": check_address, "api_key_variable": check_key_variable}


def check_api_config(config: object) -> None:
    """Refuse what an adapter would not read, and anything that looks like a key itself."""
    if not isinstance(config, dict):
        raise ValidationError("This must be an object such as {“base_url”: “http://…/v1”}.")
    for key, value in config.items():
        if key not in CONFIG_KEYS:
            known = ", ".join(sorted(CONFIG_KEYS))
            raise ValidationError(f"“{key}” is not a setting. Known are: {known}.")
        is_switch = CONFIG_KEYS[key] is bool
        if not isinstance(value, CONFIG_KEYS[key]) or isinstance(value, bool) != is_switch:
            raise ValidationError(f"“{key}” has a value of the wrong kind.")
        _check_value(key, value)


def _check_value(key: str, value: Any) -> None:
    if key in CONFIG_BOUNDS:
        least, most = CONFIG_BOUNDS[key]
        if not least <= value <= most:
            raise ValidationError(f"“{key}” is a number from {least} to {most:,}.")
    elif value and key in CONFIG_RULES:
        try:
            CONFIG_RULES[key](value)
        except ValidationError as error:
            raise ValidationError(f"“{key}”: {error.message}") from error


class ProviderQuerySet(models.QuerySet["Provider"]):
    def usable(self) -> Self:
        return self.filter(is_enabled=True)


class Provider(Dated):
    class Name(models.TextChoices):
        OFFLINE = "offline", "Built in, without a model"
        OPENAI = "openai", "OpenAI or compatible"
        GOOGLE = "google", "Google"
        OPENROUTER = "openrouter", "OpenRouter"
        LITELLM = "litellm", "LiteLLM"
        OLLAMA = "ollama", "Ollama"

    provider_name = models.CharField(max_length=50, choices=Name)
    model_name = models.CharField(max_length=255)
    is_default = models.BooleanField(default=False, db_index=True)
    is_enabled = models.BooleanField(default=True)
    fallback_order = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Who is asked first, 1 before 2, when another model fails before its first word."
        " Empty: never.",
    )
    # Rows written from the environment at start; people can't edit them.
    from_environment = models.BooleanField(default=False, editable=False)
    api_config = models.JSONField(default=dict, blank=True, validators=[check_api_config])

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_name", "model_name"], name="provider_and_model_are_unique"
            ),
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(is_default=True), name="one_default_provider"
            ),
            models.CheckConstraint(
                condition=Q(is_default=False) | Q(is_enabled=True),
                name="default_provider_is_enabled",
            ),
            models.CheckConstraint(
                condition=Q(fallback_order__gte=1), name="fallback_order_is_positive"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_provider_name_display()}: {self.model_name}"

    @property
    def is_offline(self) -> bool:
        return self.provider_name == self.Name.OFFLINE


class Price(Dated):
    """What a model's tokens cost from a day on."""

    class Kind(models.TextChoices):
        INPUT = "input"
        OUTPUT = "output"
        CACHED = "cached", "cached input"

    provider_name = models.CharField(max_length=50, choices=Provider.Name)
    model_name = models.CharField(max_length=255)
    token_kind = models.CharField(max_length=10, choices=Kind)
    usd_per_million = models.DecimalField(max_digits=12, decimal_places=6)
    valid_from = models.DateField(default=timezone.localdate)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider_name", "model_name", "token_kind", "valid_from"],
                name="one_price_a_day",
            ),
            models.CheckConstraint(
                condition=Q(usd_per_million__gte=0), name="price_is_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} {self.token_kind}: ${self.usd_per_million} a million"


class CallQuerySet(models.QuerySet["Call"]):
    def spent(self) -> Decimal:
        return self.aggregate(total=Sum("cost"))["total"] or Decimal(0)


class Call(Dated):
    """One call of a model: the ledger. An unknown cost stays unknown, it is not zero."""

    purpose = models.CharField(max_length=30)
    provider = models.ForeignKey(Provider, models.SET_NULL, null=True, related_name="calls")
    provider_name = models.CharField(max_length=50)
    model_name = models.CharField(max_length=255)
    tokens_in = models.PositiveIntegerField(null=True)
    tokens_out = models.PositiveIntegerField(null=True)
    tokens_cached = models.PositiveIntegerField(null=True)
    cost = models.DecimalField("cost in USD", max_digits=14, decimal_places=8, null=True)
    duration_ms = models.PositiveIntegerField(default=0)
    error = models.CharField(max_length=500, blank=True, default="")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    project_id = models.UUIDField(null=True, db_index=True)
    origin_kind = models.CharField(max_length=30, blank=True, default="")
    origin_id = models.UUIDField(null=True)

    objects = CallQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.purpose} by {self.model_name}"


class Budget(Dated):
    """How much may be spent on models in a period; a call over it is refused."""

    class Period(models.TextChoices):
        DAY = "day"
        MONTH = "month"

    user = models.ForeignKey(
        User, models.CASCADE, null=True, blank=True, related_name="budgets", help_text="Empty: all."
    )
    project_id = models.UUIDField(null=True, blank=True, help_text="Empty: all projects.")
    period = models.CharField(max_length=10, choices=Period, default=Period.MONTH)
    limit_usd = models.DecimalField(max_digits=10, decimal_places=2)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user", "project_id", "period"],
                nulls_distinct=False,
                name="one_budget_for_a_period",
            ),
            models.CheckConstraint(condition=Q(limit_usd__gte=0), name="budget_is_not_negative"),
        ]

    def __str__(self) -> str:
        return f"${self.limit_usd} a {self.period}"

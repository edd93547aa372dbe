"""Asking a model: what every provider offers, and which one answers."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from providers.models import Provider


class ModelUnavailable(Exception):
    """The model did not answer, or broke off; the message says why, without any secret."""


Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChatMessage:
    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(slots=True)
class Usage:
    """What a call took, filled in while it runs; unknown stays None."""

    tokens_in: int | None = None
    tokens_out: int | None = None
    tokens_cached: int | None = None
    # Why the model ended, as its server says: “stop”, “length” where the answer was cut.
    finish_reason: str = ""


class ChatModel(Protocol):
    def stream(
        self,
        provider: Provider,
        messages: Sequence[ChatMessage],
        usage: Usage,
        *,
        schema: Schema | None = None,
    ) -> AsyncGenerator[str, None]:
        """Yield the answer piece by piece, for a person who is waiting.

        `schema` is what the answer must be as JSON, for models that can be held to one; others
        answer as they like.
        """


def chat_model(provider: Provider) -> ChatModel:
    return _load(settings.CHAT_ADAPTERS[provider.provider_name])


@cache  # by path, so that tests can override the setting
def _load(path: str) -> ChatModel:
    made: ChatModel = import_string(path)()
    return made


def answering_order(named: Provider | None) -> list[Provider]:
    """Return who is asked, and who after that while each fails before its first word."""
    first = named if named is not None and named.is_enabled else default_provider()
    behind = Provider.objects.usable().filter(fallback_order__isnull=False).exclude(pk=first.pk)
    # What is built in does not fail.
    return [first] if first.is_offline else [first, *behind.order_by("fallback_order", "pk")]


def default_provider() -> Provider:
    """Return who answers when a conversation names nobody: the default, else the built-in one."""
    chosen = Provider.objects.usable().filter(is_default=True).first()
    if chosen is not None:
        return chosen
    built_in, _ = Provider.objects.get_or_create(
        provider_name=Provider.Name.OFFLINE, model_name="extractive"
    )
    return built_in

"""Deciding who answers: changes to providers that keep one default at most."""

from django.db import transaction

from accounts.auditing import record
from accounts.models import User
from providers.models import Provider

BUILT_IN_STAYS = "The built-in provider stays: it answers when no other does."


class ProviderRefused(Exception):
    """A provider can't be changed so; the message says why."""


@transaction.atomic
def save_provider(provider: Provider, *, by: User) -> None:
    """Keep a new or changed provider; a new default takes the place of the old one."""
    is_new = provider._state.adding
    if not is_new:
        _check_is_ours(provider)
    _check_built_in(provider)
    if provider.is_default:
        if not provider.is_enabled:
            raise ProviderRefused("A disabled provider can't be the default.")
        _clear_default(provider)
    provider.full_clean()
    provider.save()
    record(by, "added" if is_new else "changed", provider)


@transaction.atomic
def make_default(provider: Provider, *, by: User) -> None:
    """Have a provider answer wherever a conversation names none; enables it if needed."""
    _clear_default(provider)
    provider.is_default = provider.is_enabled = True
    provider.save(update_fields=["is_default", "is_enabled", "updated_at"])
    record(by, "made the default", provider)


@transaction.atomic
def disable(provider: Provider, *, by: User) -> None:
    """Let a provider answer no more; without a default the built-in one answers."""
    _check_is_ours(provider)
    if provider.is_offline:
        raise ProviderRefused(BUILT_IN_STAYS)
    provider.is_default = provider.is_enabled = False
    provider.save(update_fields=["is_default", "is_enabled", "updated_at"])
    record(by, "disabled", provider)


@transaction.atomic
def enable(provider: Provider, *, by: User) -> None:
    """Let a provider be chosen again."""
    provider.is_enabled = True
    provider.save(update_fields=["is_enabled", "updated_at"])
    record(by, "enabled", provider)


@transaction.atomic
def delete_provider(provider: Provider, *, by: User) -> None:
    """Remove a provider; conversations that named it follow the default from then on."""
    _check_is_ours(provider)
    if provider.is_offline:
        raise ProviderRefused(BUILT_IN_STAYS)
    record(by, "deleted", provider)
    provider.delete()


def _clear_default(other: Provider) -> None:
    Provider.objects.filter(is_default=True).exclude(pk=other.pk).update(is_default=False)


def _check_is_ours(provider: Provider) -> None:
    if provider.from_environment:
        raise ProviderRefused(
            "This provider comes from the environment: change LLM_BASE_URL and LLM_MODEL there."
        )


def _check_built_in(provider: Provider) -> None:
    before = Provider.objects.filter(pk=provider.pk).first()
    if before is not None and before.is_offline:
        if provider.model_name != before.model_name or not provider.is_offline:
            raise ProviderRefused("The built-in provider stays as it is.")
        if not provider.is_enabled:
            raise ProviderRefused(BUILT_IN_STAYS)
    elif provider.is_offline:
        raise ProviderRefused("The built-in provider is there already.")

"""The providers that are there from the start, and the one that the environment names."""

from django.conf import settings
from django.db import transaction

from providers.models import Provider


@transaction.atomic
def seed_providers() -> None:
    """Keep the built-in provider, Ollama as a disabled example, and what LLM_* name."""
    Provider.objects.get_or_create(
        provider_name=Provider.Name.OFFLINE, model_name="extractive", defaults={"api_config": {}}
    )
    Provider.objects.get_or_create(
        provider_name=Provider.Name.OLLAMA,
        model_name="llama2",
        defaults={
            "is_enabled": False,
            "api_config": {"base_url": "http://localhost:11434/v1", "temperature": 0.2},
        },
    )
    _follow_environment()
    if not Provider.objects.filter(is_default=True).exists():
        Provider.objects.filter(provider_name=Provider.Name.OFFLINE).update(is_default=True)


def _follow_environment() -> None:
    named = settings.LLM_BASE_URL and settings.LLM_MODEL
    before = Provider.objects.filter(from_environment=True)
    if named:
        before = before.exclude(provider_name=Provider.Name.OPENAI, model_name=settings.LLM_MODEL)
    # Kept, so that what it answered still names it.
    before.update(from_environment=False, is_enabled=False, is_default=False)
    if not named:
        return
    chosen = Provider.objects.filter(is_default=True).exclude(provider_name=Provider.Name.OFFLINE)
    is_default = not chosen.exclude(model_name=settings.LLM_MODEL).exists()
    if is_default:
        Provider.objects.filter(is_default=True).update(is_default=False)
    Provider.objects.update_or_create(
        provider_name=Provider.Name.OPENAI,
        model_name=settings.LLM_MODEL,
        defaults={
            "from_environment": True,
            "is_enabled": True,
            "is_default": is_default,
            "api_config": {"base_url": settings.LLM_BASE_URL},
        },
    )

"""Who answers, what it costs and what was spent, for admins."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import WrittenBySystem
from projects.admin import acting
from providers.choosing import ProviderRefused, delete_provider, disable, make_default
from providers.choosing import save_provider as keep_provider
from providers.forms import KINDS
from providers.greeting import say_hello
from providers.models import Budget, Call, Price, Provider

MOST_GREETED = 5  # at once: each may take its time, and somebody waits for the page


class ProviderForm(forms.ModelForm[Provider]):
    provider_name = forms.ChoiceField(choices=KINDS)

    class Meta:
        model = Provider
        fields = ("provider_name", "model_name", "fallback_order", "is_enabled", "api_config")
        help_texts = {
            "api_config": "base_url, temperature, max_tokens, timeout, json_schema, and"
            " api_key_variable: the name of the environment variable that holds the key, never the"
            " key itself."
        }


@admin.register(Provider)
class ProviderAdmin(admin.ModelAdmin[Provider]):
    form = ProviderForm
    list_display = (
        "model_name",
        "provider_name",
        "is_default",
        "is_enabled",
        "fallback_order",
        "from_environment",
    )
    list_filter = ("provider_name", "is_enabled")
    search_fields = ("model_name",)
    ordering = ("-is_default", "provider_name", "model_name")
    readonly_fields = ("is_default", "from_environment", "created_at", "updated_at")
    actions = ("use_as_default", "disable_selected", "greet")

    def has_change_permission(self, request: HttpRequest, obj: Provider | None = None) -> bool:
        is_fixed = obj is not None and (obj.from_environment or obj.is_offline)
        return super().has_change_permission(request, obj) and not is_fixed

    def has_delete_permission(self, request: HttpRequest, obj: Provider | None = None) -> bool:
        stays = obj is not None and (obj.from_environment or obj.is_offline)
        return super().has_delete_permission(request, obj) and not stays

    def save_model(self, request: HttpRequest, obj: Provider, form: Any, change: bool) -> None:
        obj.is_default = obj.is_default and obj.is_enabled
        keep_provider(obj, by=acting(request))

    def delete_model(self, request: HttpRequest, obj: Provider) -> None:
        delete_provider(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            try:
                delete_provider(provider, by=acting(request))
            except ProviderRefused as refusal:
                self.message_user(request, f"{provider}: {refusal}", messages.WARNING)

    @admin.action(description="Make the selected one the default")
    def use_as_default(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        chosen = list(queryset[:2])
        if len(chosen) != 1:
            self.message_user(request, "Select exactly one.", messages.ERROR)
            return
        make_default(chosen[0], by=acting(request))
        self.message_user(request, f"{chosen[0]} answers from now on.")

    @admin.action(description="Disable the selected ones")
    def disable_selected(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        for provider in queryset:
            try:
                disable(provider, by=acting(request))
            except ProviderRefused as refusal:
                self.message_user(request, f"{provider}: {refusal}", messages.WARNING)
            else:
                self.message_user(request, f"{provider} answers no more.")

    @admin.action(description="Say hello to the selected ones")
    def greet(self, request: HttpRequest, queryset: QuerySet[Provider]) -> None:
        chosen = list(queryset[: MOST_GREETED + 1])
        if len(chosen) > MOST_GREETED:
            self.message_user(request, f"Select {MOST_GREETED} at most.", messages.ERROR)
            return
        for provider in chosen:
            greeting = say_hello(provider, by=acting(request))
            level = messages.SUCCESS if greeting.worked else messages.ERROR
            self.message_user(request, f"{provider}: {greeting.sentence}", level)


@admin.register(Price)
class PriceAdmin(admin.ModelAdmin[Price]):
    list_display = ("model_name", "provider_name", "token_kind", "usd_per_million", "valid_from")
    list_filter = ("provider_name", "token_kind")
    search_fields = ("model_name",)
    ordering = ("provider_name", "model_name", "token_kind", "-valid_from")


@admin.register(Budget)
class BudgetAdmin(admin.ModelAdmin[Budget]):
    list_display = ("limit_usd", "period", "user", "project_id")
    list_filter = ("period",)
    list_select_related = ("user",)
    search_fields = ("user__username",)
    ordering = ("pk",)
    autocomplete_fields = ("user",)


@admin.register(Call)
class CallAdmin(WrittenBySystem):
    list_display = (
        "created_at",
        "purpose",
        "model_name",
        "user",
        "tokens_in",
        "tokens_out",
        "cost",
        "duration_ms",
        "error",
    )
    list_filter = ("purpose", "provider_name")
    list_select_related = ("user",)
    search_fields = ("model_name", "user__username", "error")
    date_hierarchy = "created_at"
    ordering = ("-created_at",)

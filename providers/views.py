"""Pages about the models that answer: which there are, which is asked first, and trying them."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.viewers import admin_of
from projects.forms import ConfirmForm
from providers import choosing
from providers.choosing import ProviderRefused
from providers.compatible import USUAL_ADDRESS, USUAL_KEY_VARIABLE
from providers.forms import KINDS, BuiltInForm, ProviderForm
from providers.greeting import say_hello
from providers.keys import key_standing
from providers.models import Provider
from providers.standing import standings

USUAL = [
    (label, USUAL_ADDRESS[Provider.Name(name)], USUAL_KEY_VARIABLE.get(Provider.Name(name), ""))
    for name, label in KINDS
]


@never_cache
@require_GET
def providers(request: HttpRequest) -> HttpResponse:
    """List who can answer, with how each stands."""
    admin_of(request)
    rows = standings()
    others = [row.provider for row in rows if not row.provider.is_offline]
    is_alone = not any(provider.is_enabled for provider in others)
    return render(request, "providers/providers.html", {"rows": rows, "is_alone": is_alone})


@require_http_methods(["GET", "POST"])
def provider_new(request: HttpRequest) -> HttpResponse:
    by = admin_of(request)
    form = ProviderForm(request.POST or None)
    if request.method == "POST" and _is_saved(form, by=by):
        messages.success(request, f"{form.instance.model_name} was added. Test whether it answers.")
        return redirect("provider-edit", form.instance.pk)
    page = {"form": form, "usual": USUAL}
    status = 400 if form.errors else 200
    return render(request, "providers/provider_new.html", page, status=status)


@never_cache
@require_http_methods(["GET", "POST"])
def provider_edit(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Change a provider; one that the environment names is only shown."""
    by = admin_of(request)
    provider = _found(provider_id)
    page: dict[str, object] = {"provider": provider, "key": key_standing(provider)}
    if provider.from_environment:
        status = 400 if request.method == "POST" else 200
        return render(request, "providers/provider_edit.html", page, status=status)
    form_of_its_kind = BuiltInForm if provider.is_offline else ProviderForm
    form = form_of_its_kind(request.POST or None, instance=_found(provider_id))
    if request.method == "POST" and _is_saved(form, by=by):
        messages.success(request, "Saved.")
        return redirect("providers")
    status = 400 if form.errors else 200
    return render(request, "providers/provider_edit.html", {**page, "form": form}, status=status)


def _is_saved(form: ProviderForm | BuiltInForm, *, by: User) -> bool:
    """Keep what a form says; what is refused is told on the form."""
    if not form.is_valid():
        return False
    try:
        choosing.save_provider(form.instance, by=by)
    except ProviderRefused as refusal:
        form.add_error(None, str(refusal))
    except ValidationError as error:
        form.add_error(None, error.messages)
    return not form.errors


@require_POST
def provider_test(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    """Say hello to a model and show what came of it."""
    by = admin_of(request)
    provider = _found(provider_id)
    greeting = say_hello(provider, by=by)
    if greeting.worked:
        messages.success(request, f"{provider.model_name} {greeting.sentence}")
    else:
        messages.error(request, f"The test of {provider.model_name} failed. {greeting.error}")
    return _back(request, provider)


@require_POST
def provider_default(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    return _decided(request, provider_id, choosing.make_default, "answers from now on.")


@require_POST
def provider_disable(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    return _decided(request, provider_id, choosing.disable, "answers no more.")


@require_POST
def provider_enable(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    return _decided(request, provider_id, choosing.enable, "may answer again.")


def _decided(
    request: HttpRequest, provider_id: UUID, decide: Callable[..., None], outcome: str
) -> HttpResponse:
    by = admin_of(request)
    provider = _found(provider_id)
    try:
        decide(provider, by=by)
    except ProviderRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{provider.model_name} {outcome}")
    return _back(request, provider)


def _back(request: HttpRequest, provider: Provider) -> HttpResponse:
    """Return to the page on which the button was."""
    if request.POST.get("back") == "edit":
        return redirect("provider-edit", provider.pk)
    return redirect("providers")


@require_http_methods(["GET", "POST"])
def provider_delete(request: HttpRequest, provider_id: UUID) -> HttpResponse:
    by = admin_of(request)
    provider = _found(provider_id)
    form = ConfirmForm(request.POST or None, expected=provider.model_name)
    if request.method == "POST" and form.is_valid():
        try:
            choosing.delete_provider(provider, by=by)
        except ProviderRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{provider.model_name} was deleted.")
            return redirect("providers")
    page = {"provider": provider, "form": form, "calls": provider.calls.count()}
    status = 400 if form.errors else 200
    return render(request, "providers/provider_delete.html", page, status=status)


def _found(provider_id: UUID) -> Provider:
    return get_object_or_404(Provider, pk=provider_id)

"""Pages about the search model: which one answers, which one is built, and what they cost."""

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.viewers import admin_of
from knowledge.comparing import ask_to_compare
from knowledge.models import EmbeddingSpace, GoldenQuestion
from knowledge.replica_standing import replica_standings
from knowledge.space_forms import LimitsForm, SpaceForm
from knowledge.space_standing import standings, what_goes_with
from knowledge.spaces import (
    SpaceRefused,
    activate,
    build,
    change_limits,
    declare,
    retire,
    roll_back,
    try_out,
)
from knowledge.tending_replicas import ask_to_rebuild, ask_to_reconcile
from projects.forms import ConfirmForm
from projects.models import WorkerBeat
from providers.embedding import EmbedderUnavailable

RETIRED_SHOWN = 10


@never_cache
@require_GET
def spaces(request: HttpRequest) -> HttpResponse:
    """List the spaces in use with how each stands, then those that were given up."""
    admin_of(request)
    page = {
        **_in_use(),
        "retired": EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.RETIRED).order_by(
            "-updated_at"
        )[:RETIRED_SHOWN],
        "golden": GoldenQuestion.objects.count(),
    }
    return render(request, "knowledge/spaces.html", page)


@never_cache
@require_GET
def spaces_progress(request: HttpRequest) -> HttpResponse:
    """Answer with the part of the page that changes while a space is built."""
    admin_of(request)
    return render(request, "knowledge/_spaces_progress.html", _in_use())


def _in_use() -> dict[str, object]:
    rows = standings()
    replicas = replica_standings()
    is_lacking = any(not row.is_whole for row in rows)
    return {
        "rows": rows,
        "replicas": replicas,
        "is_busy": (
            is_lacking
            or any("asked_at" in row.space.comparison for row in rows)
            or any(replica.is_busy for replica in replicas)
        ),
        "no_worker": (is_lacking or any(replica.is_busy for replica in replicas))
        and not WorkerBeat.somebody_is_alive(),
    }


@require_http_methods(["GET", "POST"])
def space_new(request: HttpRequest) -> HttpResponse:
    """Declare a space; the button “Try it” asks the model for one vector and keeps nothing."""
    by = admin_of(request)
    form = SpaceForm(request.POST or None)
    page: dict[str, object] = {"form": form}
    if request.method == "POST" and form.is_valid():
        try:
            if "try" in request.POST:
                page["trial"] = try_out(form.reach())
                return render(request, "knowledge/space_new.html", page)
            space = declare(
                form.reach(), by=by, takes_over=form.cleaned_data["takes_over"], **form.limits()
            )
        except (EmbedderUnavailable, SpaceRefused) as problem:
            form.add_error(None, str(problem))
        else:
            messages.success(request, f"{space.model_name} is being built beside the active one.")
            return redirect("spaces")
    status = 400 if form.errors else 200
    return render(request, "knowledge/space_new.html", page, status=status)


@require_http_methods(["GET", "POST"])
def space_edit(request: HttpRequest, space_id: UUID) -> HttpResponse:
    by = admin_of(request)
    space = _living(space_id)
    form = LimitsForm(request.POST or None, instance=space)
    if request.method == "POST" and form.is_valid():
        change_limits(_living(space_id), by=by, **form.cleaned_data)
        messages.success(request, "Saved.")
        return redirect("spaces")
    page = {"space": space, "form": form}
    return render(request, "knowledge/space_edit.html", page, status=400 if form.errors else 200)


@require_POST
def space_build(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """Have embedded what a space still lacks: for one whose model did not answer."""
    by = admin_of(request)
    space = _living(space_id)
    EmbeddingSpace.objects.filter(pk=space.pk).update(error="")
    build(by=by)
    messages.success(request, f"{space.model_name} is asked for what is missing.")
    return redirect("spaces")


@require_POST
def space_compare(request: HttpRequest, space_id: UUID) -> HttpResponse:
    return _clicked(
        request, space_id, ask_to_compare, "Comparing. The figures are here in a moment."
    )


@require_POST
def space_reconcile(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """Have the points outside PostgreSQL compared with it, and mended."""
    said = "A worker compares Qdrant with PostgreSQL and mends it."
    return _clicked(request, space_id, ask_to_reconcile, said)


@require_POST
def space_rebuild(request: HttpRequest, space_id: UUID) -> HttpResponse:
    """Have the points outside PostgreSQL filled anew, beside those that answer."""
    said = "A worker fills {space.model_name} into Qdrant anew."
    return _clicked(request, space_id, ask_to_rebuild, said)


@require_POST
def space_activate(request: HttpRequest, space_id: UUID) -> HttpResponse:
    return _clicked(request, space_id, activate, "{space.model_name} answers from now on.")


def _clicked(
    request: HttpRequest, space_id: UUID, act: Callable[..., None], done: str
) -> HttpResponse:
    """Do what an admin clicked on, and say on the page that it is done, or why it can't be."""
    by = admin_of(request)
    space = _living(space_id)
    try:
        act(space, by=by)
    except SpaceRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, done.format(space=space))
    return redirect("spaces")


@require_POST
def space_roll_back(request: HttpRequest) -> HttpResponse:
    by = admin_of(request)
    try:
        space = roll_back(by=by)
    except SpaceRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{space.model_name} answers again.")
    return redirect("spaces")


@require_http_methods(["GET", "POST"])
def space_retire(request: HttpRequest, space_id: UUID) -> HttpResponse:
    by = admin_of(request)
    space = _living(space_id)
    form = ConfirmForm(request.POST or None, expected=space.model_name)
    if request.method == "POST" and form.is_valid():
        try:
            retire(space, by=by)
        except SpaceRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{space.model_name} was retired.")
            return redirect("spaces")
    page = {"space": space, "form": form, "belongings": what_goes_with(space)}
    status = 400 if form.errors else 200
    return render(request, "knowledge/space_retire.html", page, status=status)


def _living(space_id: UUID) -> EmbeddingSpace:
    rows = EmbeddingSpace.objects.filter(state__in=EmbeddingSpace.FILLED_STATES)
    return get_object_or_404(rows, pk=space_id)

"""Pages of a project's nights: when, with what, who is told; and its standards."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.auditing import record
from accounts.viewers import viewer_of
from projects.models import Project
from reviews.delivering import secret_of
from reviews.forms import PlanForm, StandardForm, WebhookForm
from reviews.models import Delivery, Standard, Webhook
from reviews.planning import next_night, plan_of
from reviews.views import can_edit, visible_project

DELIVERIES_SHOWN = 20


def _owned_project(request: HttpRequest, project_id: UUID) -> Project:
    return get_object_or_404(Project.objects.owned_by(viewer_of(request)), pk=project_id)


@never_cache
@require_http_methods(["GET", "POST"])
def plan(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Show and change when a project is reviewed and who is told; for its owners."""
    project = _owned_project(request, project_id)
    kept = plan_of(project)
    form = PlanForm(request.POST or None, instance=kept)
    if request.method == "POST" and form.is_valid():
        form.save()
        record(viewer_of(request).user, "changed the nights of", project, project_id=project.pk)
        messages.success(request, "Kept.")
        return redirect("review-plan", project_id=project.pk)
    hooks = list(Webhook.objects.filter(project=project).order_by("created_at", "pk"))
    page = {
        "project": project,
        "form": form,
        "next_at": next_night(kept, timezone.now()) if kept.is_enabled else None,
        "can_mail": bool(settings.EMAIL_URL),
        "hook_form": WebhookForm(),
        "hooks": [(hook, secret_of(hook)) for hook in hooks],
        "deliveries": Delivery.objects.filter(run__project=project)
        .select_related("webhook", "user", "run")
        .order_by("-created_at", "pk")[:DELIVERIES_SHOWN],
    }
    return render(request, "reviews/plan.html", page, status=400 if form.errors else 200)


@require_POST
def webhook_add(request: HttpRequest, project_id: UUID) -> HttpResponse:
    project = _owned_project(request, project_id)
    form = WebhookForm(request.POST)
    if form.is_valid():
        user = viewer_of(request).user
        _, is_new = Webhook.objects.get_or_create(
            project=project, url=form.cleaned_data["url"], defaults={"created_by": user}
        )
        if is_new:
            record(user, "added a webhook to", project, project_id=project.pk)
        messages.success(request, "It is told from the next night on.")
    else:
        said = form.errors.get("url") or ["This is no address."]
        messages.error(request, " ".join(str(one) for one in said))
    return redirect("review-plan", project_id=project.pk)


@require_POST
def webhook_change(request: HttpRequest, webhook_id: UUID) -> HttpResponse:
    """Switch a webhook on or off, give it another secret, or remove it."""
    viewer = viewer_of(request)
    hook = get_object_or_404(Webhook.objects.owned_by(viewer), pk=webhook_id)
    act = request.POST.get("act", "")
    if act == "remove":
        record(viewer.user, "removed a webhook of", hook.project, project_id=hook.project_id)
        hook.delete()
    elif act == "renew":
        Webhook.objects.filter(pk=hook.pk).update(secret_version=hook.secret_version + 1)
        messages.success(request, "It has another secret now; the old one signs nothing any more.")
    elif act in {"on", "off"}:
        Webhook.objects.filter(pk=hook.pk).update(is_enabled=act == "on")
    return redirect("review-plan", project_id=hook.project_id)


@never_cache
@require_safe
def standards(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """List what a team agreed on, from its repositories and written here."""
    project = visible_project(request, project_id)
    rows = Standard.objects.filter(project=project).select_related("source")
    page = {
        "project": project,
        "standards": rows.order_by("category", "title", "pk"),
        "can_edit": can_edit(request, project.pk),
    }
    return render(request, "reviews/standards.html", page)


@never_cache
@require_http_methods(["GET", "POST"])
def standard_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    form = StandardForm(request.POST or None, instance=Standard(project=project))
    if request.method == "POST" and form.is_valid():
        standard = form.save()
        record(viewer.user, "wrote", standard, project_id=project.pk)
        messages.success(request, f"“{standard}” is in force from the next night on.")
        return redirect("standards", project_id=project.pk)
    page = {"project": project, "form": form}
    return render(request, "reviews/standard_edit.html", page, status=400 if form.errors else 200)


@never_cache
@require_http_methods(["GET", "POST"])
def standard_edit(request: HttpRequest, standard_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    rows = Standard.objects.editable_by(viewer).select_related("project", "source")
    standard = get_object_or_404(rows, pk=standard_id)
    form = StandardForm(request.POST or None, instance=standard)
    if request.method == "POST" and form.is_valid():
        form.save()
        record(viewer.user, "changed", standard, project_id=standard.project_id)
        messages.success(request, "Kept; it counts from the next night on.")
        return redirect("standards", project_id=standard.project_id)
    page = {"project": standard.project, "form": form, "standard": standard}
    return render(request, "reviews/standard_edit.html", page, status=400 if form.errors else 200)


@require_POST
def standard_delete(request: HttpRequest, standard_id: UUID) -> HttpResponse:
    """Delete a standard that was written here; those of a repository go with their text."""
    viewer = viewer_of(request)
    written = Standard.objects.editable_by(viewer).filter(origin=Standard.Origin.WRITTEN)
    standard = get_object_or_404(written, pk=standard_id)
    record(viewer.user, "deleted", standard, project_id=standard.project_id)
    standard.delete()
    messages.success(request, f"“{standard}” is deleted; what was found by it stays.")
    return redirect("standards", project_id=standard.project_id)

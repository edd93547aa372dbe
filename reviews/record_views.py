"""Pages about the reviewer: how it was answered, what it keeps to itself, how code drifts."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.viewers import viewer_of
from projects.models import Project
from reviews.deciding import DecisionRefused, lift_mute, mute_rule
from reviews.drift import drift_of, mean_score, trends_of
from reviews.models import Mute
from reviews.track_record import record_of
from reviews.views import can_edit, visible_project


@never_cache
@require_safe
def track_record(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Show how often people agreed with the reviewer, by category, rule, model and prompt."""
    project = visible_project(request, project_id)
    mutes = Mute.objects.filter(project=project, lifted_at=None).select_related("muted_by")
    page = {
        "project": project,
        "record": record_of(project),
        "mutes": mutes.order_by("rule"),
        "can_edit": can_edit(request, project.pk),
    }
    return render(request, "reviews/record.html", page)


@never_cache
@require_safe
def scores(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Show how far modules keep to what was agreed on, and what drifts."""
    project = visible_project(request, project_id)
    page = {
        "project": project,
        "trends": trends_of(project),
        "drift": drift_of(project),
        "mean": mean_score(project),
    }
    return render(request, "reviews/scores.html", page)


@require_POST
def rule_mute(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    rule = request.POST.get("rule", "")
    try:
        mute_rule(project, rule, by=viewer.user)
    except DecisionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"Findings of {rule} are kept, and not told any more.")
    return redirect("review-record", project_id=project.pk)


@require_POST
def rule_unmute(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    mutes = Mute.objects.filter(project=project, lifted_at=None)
    mute = get_object_or_404(mutes, rule=request.POST.get("rule", ""))
    lift_mute(mute, by=viewer.user)
    messages.success(request, f"Findings of {mute.rule} are told again.")
    return redirect("review-record", project_id=project.pk)

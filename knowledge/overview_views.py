"""The page that shows a project at a glance."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from accounts.viewers import viewer_of
from knowledge.areas import ROLE_NAMES
from knowledge.overviews import ask_for_overview, behind, heads_of, overview_of
from projects.membership import role_of
from projects.models import Membership, Project, WorkerBeat


@never_cache
@require_GET
def overview_page(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    overview = overview_of(project)
    content = overview.content if overview else {}
    moved = behind(overview) if overview else []
    is_coming = bool(overview.asked_at or moved) if overview else bool(heads_of(project))
    page = {
        "project": project,
        "overview": overview,
        "content": content,
        "areas": _areas(content),
        "behind": moved,
        "is_coming": is_coming,
        "no_worker": is_coming and not WorkerBeat.somebody_is_alive(),
        "has_sources": project.sources.exists(),
        "can_edit": role_of(viewer, project.pk) in Membership.EDITOR_ROLES,
    }
    return render(request, "knowledge/overview.html", page)


def _areas(content: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the areas with what a model wrote of each, and a word for what each is for."""
    sentences = content.get("written", {}).get("areas", {})
    return [
        {
            **area,
            "label": ROLE_NAMES.get(area["role"], ""),
            "written": sentences.get(f"{area['role']} {area['name']}", ""),
        }
        for area in content.get("areas", ())
    ]


@require_POST
def overview_remake(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    ask_for_overview(project, by=viewer.user)
    messages.success(request, "The overview is made anew; it is here in a few seconds.")
    return redirect("overview", project_id=project.pk)

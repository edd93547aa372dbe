"""The page that lists what the sources do not tell."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.viewers import viewer_of
from knowledge.gaps import OPEN_STATES, make_gap_task, newest_first, settle_gap
from knowledge.models import KnowledgeGap
from projects.membership import role_of
from projects.models import Membership, Project

GAPS_A_PAGE = 50
SAID = {
    KnowledgeGap.State.DISMISSED: "Dismissed. It stays under “Dismissed” and can be brought back.",
    KnowledgeGap.State.CANDIDATE: "It is back on the list.",
    KnowledgeGap.State.CONFIRMED: "Confirmed: the sources should tell this.",
}


# The lists that the page has, by what `?state=` says, and the states of the gaps on each.
LISTS = {
    "open": OPEN_STATES,
    "dismissed": (KnowledgeGap.State.DISMISSED,),
    "closed": (KnowledgeGap.State.CLOSED,),
}


@never_cache
@require_safe
def gaps(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    asked = request.GET.get("state", "open")
    shown = asked if asked in LISTS else "open"
    rows = KnowledgeGap.objects.filter(project=project).select_related("task")
    listed = rows.filter(state__in=LISTS[shown]).order_by(*newest_first())
    page = {
        "project": project,
        "gaps": Paginator(listed, GAPS_A_PAGE).get_page(request.GET.get("page")),
        "lists": [(name, rows.filter(state__in=states).count()) for name, states in LISTS.items()],
        "shown": shown,
        "can_edit": role_of(viewer, project.pk) in Membership.EDITOR_ROLES,
    }
    return render(request, "knowledge/gaps.html", page)


@require_POST
def gap_settle(request: HttpRequest, gap_id: UUID) -> HttpResponse:
    gap = get_object_or_404(KnowledgeGap.objects.editable_by(viewer_of(request)), pk=gap_id)
    state = request.POST.get("state", "")
    if state in SAID:
        settle_gap(gap, state)
        messages.success(request, SAID[KnowledgeGap.State(state)])
    return redirect("gaps", project_id=gap.project_id)


@require_POST
def gap_task(request: HttpRequest, gap_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    gap = get_object_or_404(KnowledgeGap.objects.editable_by(viewer), pk=gap_id)
    return redirect(make_gap_task(gap, by=viewer.user))

"""The page that lists what people ask in vain."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.viewers import viewer_of
from knowledge.gaps import newest_first, settle_gap
from knowledge.models import KnowledgeGap
from projects.membership import role_of
from projects.models import Membership, Project

GAPS_A_PAGE = 50
SAID = {
    KnowledgeGap.State.DISMISSED: "Dismissed. It stays under “Dismissed” and can be brought back.",
    KnowledgeGap.State.CANDIDATE: "It is back on the list.",
    KnowledgeGap.State.CONFIRMED: "Confirmed: the sources should tell this.",
}


@never_cache
@require_safe
def gaps(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    rows = KnowledgeGap.objects.filter(project=project)
    dismissed = rows.filter(state=KnowledgeGap.State.DISMISSED)
    shows_dismissed = request.GET.get("state") == KnowledgeGap.State.DISMISSED
    shown = dismissed if shows_dismissed else rows.exclude(state=KnowledgeGap.State.DISMISSED)
    page = {
        "project": project,
        "gaps": Paginator(shown.order_by(*newest_first()), GAPS_A_PAGE).get_page(
            request.GET.get("page")
        ),
        "dismissed": dismissed.count(),
        "shows_dismissed": shows_dismissed,
        "can_edit": role_of(viewer, project.pk) in Membership.EDITOR_ROLES,
    }
    return render(request, "knowledge/gaps.html", page)


@require_POST
def gap_settle(request: HttpRequest, gap_id: UUID) -> HttpResponse:
    gap = get_object_or_404(KnowledgeGap.objects.editable_by(viewer_of(request)), pk=gap_id)
    state = request.POST.get("state", "")
    if state in KnowledgeGap.State.values:
        settle_gap(gap, state)
        messages.success(request, SAID[KnowledgeGap.State(state)])
    return redirect("gaps", project_id=gap.project_id)

"""Pages about findings: what waits, one of them with its evidence, and what people decide."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.viewers import viewer_of
from reviews.deciding import (
    DecisionRefused,
    decide,
    make_task,
    make_test_task,
    settle_suggestion,
)
from reviews.models import Finding, TestSuggestion
from reviews.views import can_edit, visible_project

FINDINGS_A_PAGE = 30
FILTERS = ("severity", "category", "rule", "path")


@never_cache
@require_safe
def findings(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """List the findings of a project, those that matter most and wait longest first."""
    project = visible_project(request, project_id)
    state = request.GET.get("state", Finding.State.OPEN)
    chosen = {name: request.GET[name] for name in FILTERS if request.GET.get(name)}
    rows = asked_for(Finding.objects.filter(project=project), state, chosen)
    kept = request.GET.copy()
    kept.pop("page", None)
    page = {
        "project": project,
        "findings": Paginator(
            rows.select_related("review__commit", "source", "task").order_by(*weightiest_first()),
            FINDINGS_A_PAGE,
        ).get_page(request.GET.get("page")),
        "state": state,
        "states": [*Finding.State.choices, ("muted", "Muted"), ("remarks", "Remarks")],
        "severities": Finding.Severity.choices,
        "categories": Finding.Category.choices,
        "chosen": chosen,
        "kept": kept.urlencode(),
        "can_edit": can_edit(request, project.pk),
    }
    return render(request, "reviews/findings.html", page)


def asked_for(rows: QuerySet[Finding], state: str, chosen: dict[str, Any]) -> QuerySet[Finding]:
    """Narrow findings down to a state and to what else was chosen."""
    if state == "muted":
        rows = rows.filter(is_muted=True)
    elif state == "remarks":
        rows = rows.filter(is_shown=False, is_muted=False, state=Finding.State.OPEN)
    elif state in Finding.State.values:
        rows = rows.filter(state=state)
        if state == Finding.State.OPEN:
            rows = rows.filter(is_shown=True, is_muted=False)
    for name in ("severity", "category", "rule"):
        if name in chosen:
            rows = rows.filter(**{name: chosen[name]})
    if "path" in chosen:
        rows = rows.filter(current_path__startswith=chosen["path"])
    return rows


def weightiest_first() -> tuple[Any, ...]:
    weight = Case(
        When(severity=Finding.Severity.CRITICAL, then=Value(0)),
        When(severity=Finding.Severity.WARNING, then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return weight, "-created_at", "path", "start_line", "pk"


@never_cache
@require_safe
def finding(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    rows = Finding.objects.visible_to(viewer_of(request)).select_related(
        "project", "review__commit", "source", "task", "decided_by", "fixed_in"
    )
    found = get_object_or_404(rows, pk=finding_id)
    page = {
        "project": found.project,
        "finding": found,
        "reasons": Finding.Reason.choices,
        "can_edit": can_edit(request, found.project_id),
    }
    return render(request, "reviews/finding.html", page)


@require_POST
def finding_decide(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = get_object_or_404(Finding.objects.editable_by(viewer), pk=finding_id)
    state = request.POST.get("state", "")
    try:
        decided = decide(
            found,
            state,
            by=viewer.user,
            reason=request.POST.get("reason", ""),
            comment=request.POST.get("comment", ""),
        )
    except DecisionRefused as refusal:
        messages.error(request, str(refusal))
    else:
        said = {"open": "It is open again.", "accepted": "Accepted.", "dismissed": "Dismissed."}
        messages.success(request, f"{said[decided.state]} {decided.claim}")
    return _back(request, found.get_absolute_url())


@require_POST
def finding_task(request: HttpRequest, finding_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = get_object_or_404(Finding.objects.editable_by(viewer), pk=finding_id)
    return redirect(make_task(found, by=viewer.user))


@require_POST
def suggestion_settle(request: HttpRequest, suggestion_id: UUID) -> HttpResponse:
    suggestions = TestSuggestion.objects.editable_by(viewer_of(request))
    found = get_object_or_404(suggestions.select_related("review"), pk=suggestion_id)
    try:
        settle_suggestion(found, request.POST.get("state", ""))
    except DecisionRefused as refusal:
        messages.error(request, str(refusal))
    return _back(request, found.review.get_absolute_url())


@require_POST
def suggestion_task(request: HttpRequest, suggestion_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = get_object_or_404(TestSuggestion.objects.editable_by(viewer), pk=suggestion_id)
    return redirect(make_test_task(found, by=viewer.user))


def _back(request: HttpRequest, otherwise: str) -> HttpResponse:
    """Go back to the page that somebody decided on, if it is one of ours."""
    to = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        to, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return redirect(to if is_ours else otherwise)

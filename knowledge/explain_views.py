"""The page that lays a search open: legs, scores, rules, and two ways side by side."""

from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.viewers import viewer_of
from knowledge.explaining import Explanation, beside, explain, methods_here
from knowledge.golden_questions import keep_golden
from knowledge.golden_sets import Golden
from knowledge.methods import METHODS, USUAL, Method
from knowledge.query_syntax import read_query
from projects.models import Project

LONGEST_QUERY = 1_000
MOST_FILES = 20


@require_GET
def explain_page(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    query = read_query(request.GET.get("q", "")[:LONGEST_QUERY], request.GET.dict())
    chosen = [_method(request, "method"), _method(request, "against")]
    page: dict[str, object] = {
        "project": project,
        "query": query,
        "methods": methods_here(),
        "method": chosen[0] or USUAL,
        "against": chosen[1],
        "may_keep": Project.objects.editable_by(viewer).filter(pk=project.pk).exists(),
    }
    if query.words or query.parts:
        explanations: list[Explanation] = [
            explain(viewer, project, query, method)
            for method in (chosen[0] or USUAL, chosen[1])
            if method is not None
        ]
        if len(explanations) == 2:
            beside(*explanations)
        page["explanations"] = explanations
    return render(request, "knowledge/explain.html", page)


def _method(request: HttpRequest, name: str) -> Method | None:
    return METHODS.get(request.GET.get(name, ""))


@require_POST
def keep_as_golden(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Keep a question with the files that a person says answer it."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    question = request.POST.get("q", "").replace("\0", "").strip()[:LONGEST_QUERY]
    files = [path for path in request.POST.getlist("relevant") if path][:MOST_FILES]
    if question and files:
        keep_golden(project, [Golden("", question, frozenset(files))], by=viewer.user)
        messages.success(
            request, "Kept as a golden question: search is measured on it from now on."
        )
    else:
        messages.error(request, "Choose the files that answer the question, then keep it.")
    page = reverse("search-why", args=[project.pk])
    return redirect(f"{page}?{urlencode({'q': question})}")

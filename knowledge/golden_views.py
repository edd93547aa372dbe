"""Pages about golden questions: which there are, and how search does on them."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.viewers import Viewer, viewer_of
from knowledge.evaluations import (
    ask_for_evaluation,
    changes_between,
    dismiss,
    failed_last,
    history_of,
    last_of,
    open_of,
    run_before,
    worsened,
)
from knowledge.golden_forms import GoldenForm, SetForm, written
from knowledge.golden_models import Evaluation, GoldenQuestion
from knowledge.golden_questions import (
    QuestionRefused,
    as_golden,
    change_golden_question,
    export_golden,
    golden_from,
    keep_golden,
    remembered,
    restore_golden_question,
)
from knowledge.models import Document
from knowledge.sparklines import sparkline
from projects.membership import role_of
from projects.models import Membership, Project, WorkerBeat

QUESTIONS_A_PAGE = 50
RUNS_SHOWN = 20
RUNS_DRAWN = 60
DELETED = "deleted-golden-question"  # in the session


@never_cache
@require_GET
def golden(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """List the golden questions of a project, and how search did on them over time."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    rows = GoldenQuestion.objects.filter(project=project).order_by("created_at", "pk")
    listed = Paginator(rows, QUESTIONS_A_PAGE).get_page(request.GET.get("page"))
    runs = history_of(project, RUNS_DRAWN)
    last = last_of(project)
    page = {
        "project": project,
        "listed": listed,
        "questions": _shown(project, list(listed), last),
        "count": listed.paginator.count,
        "runs": runs[:RUNS_SHOWN],
        "last": last,
        "drawn": _drawn(runs),
        "worse": worsened(project),
        "failed": failed_last(project),
        "import_form": SetForm(),
        "deleted": _deleted_from(request, project),
        **_standing(viewer, project),
    }
    return render(request, "knowledge/golden.html", page)


def _standing(viewer: Viewer, project: Project) -> dict[str, Any]:
    run = open_of(project)
    return {
        "run": run,
        "no_worker": run is not None and not WorkerBeat.somebody_is_alive(),
        "can_edit": role_of(viewer, project.pk) in Membership.EDITOR_ROLES,
    }


def _shown(
    project: Project, rows: list[GoldenQuestion], last: Evaluation | None
) -> list[dict[str, Any]]:
    """Return questions with where they stood in the last run, and files that are not there."""
    ranks = {outcome["id"]: outcome["first"] for outcome in (last.outcomes if last else ())}
    paths = {path for row in rows for path in row.relevant}
    there = set(
        Document.objects.filter(
            project=project, path__in=paths, state=Document.State.INDEXED
        ).values_list("path", flat=True)
    )
    return [
        {
            "row": row,
            "relevant": written(as_golden(row).passages),
            "lacking": sorted(set(row.relevant) - there),
            "rank": ranks.get(str(row.pk)),
        }
        for row in rows
    ]


def _drawn(runs: list[Evaluation]) -> list[dict[str, Any]]:
    drawn = []
    for label, name in (("nDCG@10", "ndcg_at_10"), ("MRR", "mrr")):
        values = [run.figures["by_file"][name] for run in reversed(runs)]
        line = sparkline(values)
        if line is not None:
            drawn.append({"label": label, "line": line, "first": values[0], "last": values[-1]})
    return drawn


@never_cache
@require_GET
def golden_progress(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Answer with the part of the page that changes while a run is under way."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    return render(request, "knowledge/_golden_progress.html", _standing(viewer, project))


@require_http_methods(["GET", "POST"])
def golden_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    form = GoldenForm(request.POST or None, initial={"query": request.GET.get("q", "")[:2000]})
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            kept = golden_from(said["query"], said["relevant"], said["note"])
            keep_golden(project, [kept], by=viewer.user)
        except QuestionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("golden", project.pk)
    page = {"project": project, "form": form}
    return render(request, "knowledge/golden_edit.html", page, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def golden_edit(request: HttpRequest, question_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    row = _editable(viewer, question_id)
    form = GoldenForm(request.POST) if request.method == "POST" else GoldenForm.of(row)
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        try:
            changed = golden_from(said["query"], said["relevant"], said["note"])
            change_golden_question(row, changed, by=viewer.user)
        except QuestionRefused as refusal:
            form.add_error(None, str(refusal))
        else:
            return redirect("golden", row.project_id)
    page = {"project": row.project, "question": row, "form": form}
    return render(request, "knowledge/golden_edit.html", page, status=400 if form.errors else 200)


@require_POST
def golden_delete(request: HttpRequest, question_id: UUID) -> HttpResponse:
    row = _editable(viewer_of(request), question_id)
    request.session[DELETED] = {"project": str(row.project_id), "question": remembered(row)}
    row.delete()
    return redirect("golden", row.project_id)


@require_POST
def golden_undo(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Bring back the question that this person deleted last."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    deleted = _deleted_from(request, project)
    if deleted is None:
        raise Http404
    del request.session[DELETED]
    if restore_golden_question(project, deleted, by=viewer.user):
        messages.success(request, "The question is back.")
    else:
        messages.error(request, "The same question was added meanwhile.")
    return redirect("golden", project.pk)


@require_POST
def golden_import(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Keep the questions of a set, in place of those that ask the same."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    form = SetForm(request.POST, request.FILES)
    if form.is_valid():
        questions = form.cleaned_data["file"]
        try:
            new = keep_golden(project, questions, by=viewer.user)
        except QuestionRefused as refusal:
            messages.error(request, f"Nothing was kept. {refusal}")
        else:
            messages.success(request, f"{len(questions)} questions are kept, {new} of them new.")
    else:
        messages.error(request, f"Nothing was kept. {' '.join(map(str, form.errors['file']))}")
    return redirect("golden", project.pk)


@require_GET
def golden_export(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Give the questions as a set that `manage.py evaluate` and another project can read."""
    project = get_object_or_404(Project.objects.visible_to(viewer_of(request)), pk=project_id)
    answer = HttpResponse(export_golden(project), content_type="application/jsonl; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="golden.jsonl"'
    return answer


@require_POST
def golden_run(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    ask_for_evaluation(project, by=viewer.user)
    return redirect("golden", project.pk)


@require_GET
def evaluation(request: HttpRequest, evaluation_id: UUID) -> HttpResponse:
    """Show a run beside another one: which questions came out better, which worse."""
    viewer = viewer_of(request)
    runs = Evaluation.objects.visible_to(viewer).finished().select_related("project")
    run = get_object_or_404(runs, pk=evaluation_id)
    before = run_before(run, _uuid(request.GET.get("against", "")))
    better, worse = changes_between(run, before) if before else ([], [])
    page = {
        "project": run.project,
        "run": run,
        "before": before,
        "others": [one for one in history_of(run.project, RUNS_SHOWN) if one.pk != run.pk],
        "better": better,
        "worse": worse,
        "can_edit": role_of(viewer, run.project_id) in Membership.EDITOR_ROLES,
    }
    return render(request, "knowledge/evaluation.html", page)


@require_POST
def evaluation_dismiss(request: HttpRequest, evaluation_id: UUID) -> HttpResponse:
    """Say no more that this run was worse."""
    viewer = viewer_of(request)
    editable = Evaluation.objects.filter(project__in=Project.objects.editable_by(viewer))
    run = get_object_or_404(editable, pk=evaluation_id)
    dismiss(run, by=viewer.user)
    return redirect("golden", run.project_id)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _editable(viewer: Viewer, question_id: UUID) -> GoldenQuestion:
    rows = GoldenQuestion.objects.filter(project__in=Project.objects.editable_by(viewer))
    found: GoldenQuestion = get_object_or_404(rows.select_related("project"), pk=question_id)
    return found


def _deleted_from(request: HttpRequest, project: Project) -> dict[str, Any] | None:
    kept = request.session.get(DELETED)
    return kept["question"] if kept and kept["project"] == str(project.pk) else None

"""Pages about nights: the last digest, all runs, and what a review says of a commit."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.viewers import viewer_of
from knowledge.standing import is_stuck
from projects.membership import role_of
from projects.models import Job, Membership, Project, Source
from reviews.digests import digest_of, latest_run
from reviews.models import Finding, ModelPass, NightlyRun, Review
from reviews.planning import AlreadyRunning, begin_run, cancel_run, next_night, plan_of
from reviews.scoring import COSTS, MOST_OF_REMARKS
from reviews.steps import taken

RUNS_A_PAGE = 30


def can_edit(request: HttpRequest, project_id: UUID) -> bool:
    return role_of(viewer_of(request), project_id) in Membership.EDITOR_ROLES


def visible_project(request: HttpRequest, project_id: UUID) -> Project:
    return get_object_or_404(Project.objects.visible_to(viewer_of(request)), pk=project_id)


@never_cache
@require_safe
def reviews(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Show the last night's digest, or how the first one comes about."""
    project = visible_project(request, project_id)
    run = latest_run(project)
    plan = plan_of(project)
    sources = Source.objects.filter(project=project).exclude(kind__in=Source.GIVEN_KINDS)
    page = {
        "project": project,
        "run": run,
        "digest": digest_of(run) if run else None,
        "open_run": _open_run(project),
        "has_sources": sources.exclude(head="").exists(),
        "plan": plan,
        "next_at": next_night(plan, timezone.now()) if plan.is_enabled else None,
        "waiting": Finding.objects.filter(project=project, state=Finding.State.OPEN).told().count(),
        "can_edit": can_edit(request, project.pk),
    }
    return render(request, "reviews/digest.html", page)


def _open_run(project: Project) -> NightlyRun | None:
    runs = NightlyRun.objects.filter(project=project, state__in=NightlyRun.OPEN_STATES)
    return runs.select_related("job").first()


@require_POST
def review_now(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    try:
        run = begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=viewer.user)
    except AlreadyRunning as busy:
        messages.info(request, str(busy))
        run = busy.run
    return redirect(run)


@never_cache
@require_safe
def nightly_runs(request: HttpRequest, project_id: UUID) -> HttpResponse:
    project = visible_project(request, project_id)
    rows = NightlyRun.objects.filter(project=project).annotate(
        commits=Count("reviews", distinct=True),
        found=Count(
            "reviews__findings",
            filter=Q(reviews__findings__is_shown=True, reviews__findings__is_muted=False),
        ),
    )
    page = {
        "project": project,
        "runs": Paginator(rows.order_by("-created_at", "pk"), RUNS_A_PAGE).get_page(
            request.GET.get("page")
        ),
        "can_edit": can_edit(request, project.pk),
    }
    return render(request, "reviews/runs.html", page)


@never_cache
@require_safe
def nightly_run(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """Show a run: how far it is, or its digest with what each step took."""
    run = _visible_run(request, run_id)
    return render(request, "reviews/run.html", _run_page(request, run))


@never_cache
@require_safe
def nightly_run_progress(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _visible_run(request, run_id)
    return render(request, "reviews/_progress.html", _run_page(request, run))


def _visible_run(request: HttpRequest, run_id: UUID) -> NightlyRun:
    runs = NightlyRun.objects.visible_to(viewer_of(request)).select_related("project", "job")
    return get_object_or_404(runs, pk=run_id)


def _run_page(request: HttpRequest, run: NightlyRun) -> dict[str, object]:
    jobs = list(Job.objects.open().filter(project=run.project_id, kind=Job.Kind.NIGHTLY))
    return {
        "project": run.project,
        "run": run,
        "digest": None if run.is_open else digest_of(run),
        "steps": taken(run.steps),
        "job": jobs[0] if jobs and run.is_open else None,
        "no_worker": run.is_open and is_stuck(jobs),
        "can_edit": can_edit(request, run.project_id),
    }


@require_POST
def nightly_run_cancel(request: HttpRequest, run_id: UUID) -> HttpResponse:
    run = _visible_run(request, run_id)
    get_object_or_404(Project.objects.editable_by(viewer_of(request)), pk=run.project_id)
    cancel_run(run)
    messages.success(request, "It ends; what was reviewed so far is kept.")
    return redirect(run)


@never_cache
@require_safe
def review(request: HttpRequest, review_id: UUID) -> HttpResponse:
    """Show what was found in a commit, and how its scores came about."""
    rows = Review.objects.visible_to(viewer_of(request))
    found = get_object_or_404(
        rows.select_related("project", "source", "commit", "commit__task", "run"), pk=review_id
    )
    findings = found.findings.select_related("review__commit", "source", "task", "decided_by")
    page = {
        "project": found.project,
        "review": found,
        "findings": list(findings.order_by("-is_shown", "path", "start_line", "pk")),
        "fixed": Finding.objects.filter(fixed_in=found.commit_id, source=found.source_id),
        "suggestions": found.test_suggestions.order_by("-confidence", "pk"),
        "scores": found.convention_scores.order_by("score", "module"),
        "unread": found.passes.exclude(state=ModelPass.State.READ).order_by("part", "number"),
        "costs": COSTS,
        "most_of_remarks": MOST_OF_REMARKS,
        "can_edit": can_edit(request, found.project_id),
    }
    return render(request, "reviews/review.html", page)

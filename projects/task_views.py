"""Pages about tasks: what is to be done in a project, and one of them."""

from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.auditing import record
from accounts.viewers import viewer_of
from projects.membership import role_of
from projects.models import Membership, Project, Task

TASKS_A_PAGE = 50
DONE = (Task.Status.COMPLETED, Task.Status.CANCELLED)


@never_cache
@require_safe
def tasks(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """List the tasks of a project; those that are done apart."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    shows_done = request.GET.get("state") == "done"
    rows = Task.objects.filter(project=project).select_related("user")
    shown = rows.filter(status__in=DONE) if shows_done else rows.exclude(status__in=DONE)
    page = {
        "project": project,
        "tasks": Paginator(shown.order_by("-created_at", "pk"), TASKS_A_PAGE).get_page(
            request.GET.get("page")
        ),
        "shows_done": shows_done,
        "done": rows.filter(status__in=DONE).count(),
    }
    return render(request, "projects/tasks.html", page)


@never_cache
@require_safe
def task(request: HttpRequest, task_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    rows = Task.objects.visible_to(viewer).select_related("project", "user", "parent")
    found = get_object_or_404(rows, pk=task_id)
    page = {
        "project": found.project,
        "task": found,
        "commits": found.commits.order_by("-committed_at", "pk"),
        "statuses": Task.Status.choices,
        "can_edit": role_of(viewer, found.project_id) in Membership.EDITOR_ROLES,
    }
    return render(request, "projects/task.html", page)


@require_POST
def task_status(request: HttpRequest, task_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    editable = Project.objects.editable_by(viewer)
    found = get_object_or_404(Task.objects.filter(project__in=editable), pk=task_id)
    status = request.POST.get("status", "")
    if status in Task.Status.values:
        found.status = Task.Status(status)
        found.save(update_fields=["status", "updated_at"])
        record(viewer.user, f"set to {status}", found, project_id=found.project_id)
        messages.success(request, f"{found.title}: {found.get_status_display()}.")
    return redirect(found)

"""Pages about projects, their members, and the keys of a person."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from accounts.auditing import record
from accounts.models import ApiKey
from accounts.viewers import viewer_of
from projects.forms import (
    ApiKeyForm,
    ConfirmForm,
    MemberForm,
    NewProjectForm,
    ProjectForm,
    RoleForm,
)
from projects.keys import issue_key, revoke_key
from projects.membership import (
    LastOwner,
    MemberRefused,
    add_member,
    remove_member,
    role_of,
    set_role,
)
from projects.models import Membership, Project
from projects.sourcing import create_project, delete_project, what_goes_with


@require_http_methods(["GET", "POST"])
def project_new(request: HttpRequest) -> HttpResponse:
    form = NewProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        project = create_project(viewer_of(request).user, **form.cleaned_data)
        messages.success(request, f"{project} is here. Now say where its knowledge comes from.")
        return redirect("source-new", project.pk)
    status = 400 if form.errors else 200
    return render(request, "projects/project_new.html", {"form": form}, status=status)


@require_http_methods(["GET", "POST"])
def project_edit(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.owned_by(viewer), pk=project_id)
    form = ProjectForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        form.save()
        record(viewer.user, "changed", project, project_id=project.pk)
        messages.success(request, "Saved.")
        return redirect("project-edit", project.pk)
    if form.errors:
        project.refresh_from_db()
    page = {"project": project, "form": form, "is_owner": True}
    return render(request, "projects/project_edit.html", page, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def project_delete(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.owned_by(viewer), pk=project_id)
    form = ConfirmForm(request.POST or None, expected=project.name)
    if request.method == "POST" and form.is_valid():
        delete_project(project, by=viewer.user)
        messages.success(request, f"{project} was deleted.")
        return redirect("home")
    page = {"project": project, "form": form, "belongings": what_goes_with(project)}
    return render(request, "projects/project_delete.html", page, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def members(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Show who belongs to a project; an owner adds people here."""
    viewer = viewer_of(request)
    visible = Project.objects.visible_to(viewer)
    if request.method == "POST":
        visible = Project.objects.owned_by(viewer)
    project = get_object_or_404(visible, pk=project_id)
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            member = add_member(project, by=viewer.user, **form.cleaned_data)
        except MemberRefused as refusal:
            form.add_error("username", str(refusal))
        else:
            messages.success(request, f"{member.user} belongs to {project} now.")
            return redirect("members", project.pk)
    page = {
        "project": project,
        "form": form,
        "roles": Membership.Role.choices,
        "is_owner": role_of(viewer, project.pk) == Membership.Role.OWNER,
        "memberships": project.memberships.select_related("user").order_by("created_at", "pk"),
    }
    return render(request, "projects/members.html", page, status=400 if form.errors else 200)


@require_POST
def member_change(request: HttpRequest, project_id: UUID, membership_id: UUID) -> HttpResponse:
    """Give a member another role, or take them out; a member may leave by themselves."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    membership = get_object_or_404(
        project.memberships.select_related("user", "project"), pk=membership_id
    )
    leaves = membership.user_id == viewer.user.pk and "remove" in request.POST
    if not leaves:
        get_object_or_404(Project.objects.owned_by(viewer), pk=project_id)
    form = RoleForm(request.POST)
    try:
        if "remove" in request.POST:
            remove_member(membership, by=viewer.user)
            messages.success(request, f"{membership.user} no longer belongs to {project}.")
        elif form.is_valid():
            set_role(membership, form.cleaned_data["role"], by=viewer.user)
            messages.success(request, f"{membership.user} is {membership.role} now.")
    except LastOwner as refusal:
        messages.error(request, str(refusal))
    return (
        redirect("home")
        if leaves and not _is_member(request, project)
        else redirect("members", project.pk)
    )


def _is_member(request: HttpRequest, project: Project) -> bool:
    return Project.objects.visible_to(viewer_of(request)).filter(pk=project.pk).exists()


@never_cache
@require_http_methods(["GET", "POST"])
def api_keys(request: HttpRequest) -> HttpResponse:
    """List a person's keys; a new one's text is in this one answer and nowhere else."""
    viewer = viewer_of(request)
    form = ApiKeyForm(request.POST or None, viewer=viewer)
    page: dict[str, object] = {}
    if request.method == "POST" and form.is_valid():
        key, page["key_text"] = issue_key(
            viewer.user,
            name=form.cleaned_data["name"],
            scopes=form.cleaned_data["scopes"],
            expires_at=form.cleaned_data["lifetime"],
            projects=form.cleaned_data["projects"],
        )
        page["key"] = key
        form = ApiKeyForm(viewer=viewer)
    page["form"] = form
    page["keys"] = (
        ApiKey.objects.owned_by(viewer.user)
        .prefetch_related("project_links__project")
        .order_by("-created_at")
    )
    return render(request, "accounts/api_keys.html", page, status=400 if form.errors else 200)


@require_POST
def api_key_revoke(request: HttpRequest, key_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    key = get_object_or_404(ApiKey.objects.owned_by(viewer.user), pk=key_id)
    revoke_key(key, by=viewer.user)
    messages.success(request, f"The key “{key.name}” opens nothing any more.")
    return redirect("api-keys")

"""Projects, sources and the work that runs, for admins."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import DeletedWhole, WrittenBySystem
from accounts.auditing import record
from accounts.models import User
from projects.jobs import enqueue, request_cancel
from projects.models import (
    ApiKeyProject,
    Commit,
    ForgeQuota,
    Job,
    Membership,
    Project,
    Source,
    Task,
    WorkerBeat,
)
from projects.sourcing import (
    COLLECTIONS,
    SELECTING,
    SourceRefused,
    check_reading,
    delete_project,
    read_anew,
)
from projects.sourcing import delete_source as delete_one_source


def acting(request: HttpRequest) -> User:
    """Return the admin who asks; nobody else gets this far."""
    user = request.user
    if not isinstance(user, User):
        raise TypeError("The admin lets people in only.")
    return user


class MembershipInline(admin.TabularInline[Membership, Project]):
    model = Membership
    extra = 0
    autocomplete_fields = ("user",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        return super().get_queryset(request).select_related("user", "project")


@admin.register(Project)
class ProjectAdmin(DeletedWhole):
    list_display = ("name", "owner", "default_branch", "created_at")
    list_select_related = ("owner",)
    search_fields = ("name", "description")
    ordering = ("name",)
    autocomplete_fields = ("owner",)
    readonly_fields = ("created_at", "updated_at")
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    inlines = (MembershipInline,)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        project: Project = form.instance
        # The owner that a project names is always one of its owners.
        Membership.objects.update_or_create(
            project=project, user=project.owner, defaults={"role": Membership.Role.OWNER}
        )
        record(acting(request), "changed" if change else "created", project, project_id=project.pk)

    def delete_model(self, request: HttpRequest, obj: Project) -> None:
        delete_project(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Project]) -> None:
        for project in queryset:
            delete_project(project, by=acting(request))


@admin.register(Membership)
class MembershipAdmin(WrittenBySystem):
    """Members are changed on the project, where it keeps its owner."""

    list_display = ("user", "project", "role", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "project")
    search_fields = ("user__username", "project__name")
    ordering = ("project__name", "created_at")


@admin.register(ApiKeyProject)
class ApiKeyProjectAdmin(WrittenBySystem):
    list_display = ("api_key", "project")
    list_select_related = ("api_key", "project")
    search_fields = ("api_key__name", "project__name")
    ordering = ("pk",)


class SourceForm(forms.ModelForm[Source]):
    collection = forms.ChoiceField(
        choices=[("", "Each file's own"), *((name, name) for name in COLLECTIONS)], required=False
    )

    class Meta:
        model = Source
        fields = ("name", "description", *SELECTING, "poll_minutes")

    def clean(self) -> dict[str, Any]:
        data: dict[str, Any] = super().clean() or {}
        given = {name: data[name] for name in (*SELECTING, "poll_minutes") if name in data}
        source = Source(**given)
        try:
            check_reading(source)
        except SourceRefused as refusal:
            self.add_error(refusal.field, refusal.sentence)
        return {**data, **{name: getattr(source, name) for name in given}}


@admin.register(Source)
class SourceAdmin(DeletedWhole):
    """Sources are added on their project's pages, which check where they come from."""

    form = SourceForm
    list_display = ("name", "project", "kind", "origin", "state", "short_head", "last_synced_at")
    list_filter = ("state", "kind")
    list_select_related = ("project",)
    search_fields = ("name", "url", "path", "project__name")
    ordering = ("project__name", "name")
    readonly_fields = (
        "project",
        "kind",
        "url",
        "path",
        "path_is_trusted",
        "state",
        "error",
        "question",
        "head",
        "head_subject",
        "last_synced_at",
        "last_commit_date",
        "next_poll_at",
        "poll_failures",
        "created_at",
        "updated_at",
    )
    actions = ("sync_now", "cancel_work")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        before = Source.objects.filter(pk=obj.pk).values(*SELECTING).get()
        super().save_model(request, obj, form, change)
        record(acting(request), "changed", obj, project_id=obj.project_id)
        read_anew(obj, before, by=acting(request))

    def delete_model(self, request: HttpRequest, obj: Source) -> None:
        delete_one_source(obj, by=acting(request))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        for source in queryset:
            delete_one_source(source, by=acting(request))

    @admin.action(description="Sync now")
    def sync_now(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        sources = list(queryset)
        for source in sources:
            enqueue(source, Job.Kind.SYNC, requested_by=acting(request))
        self.message_user(request, f"On its way for {len(sources)}.")

    @admin.action(description="End the work that runs; what was indexed stays")
    def cancel_work(self, request: HttpRequest, queryset: QuerySet[Source]) -> None:
        jobs = list(Job.objects.open().filter(source__in=queryset))
        for job in jobs:
            request_cancel(job)
        self.message_user(request, f"Asked {len(jobs)} to stop.")


@admin.register(Task)
class TaskAdmin(admin.ModelAdmin[Task]):
    list_display = ("title", "project", "status", "priority", "user", "created_at")
    list_filter = ("status", "priority")
    list_select_related = ("project", "user")
    search_fields = ("title", "description", "project__name")
    ordering = ("-created_at",)
    autocomplete_fields = ("project", "user", "parent")
    readonly_fields = ("result", "created_at", "updated_at")


@admin.register(Commit)
class CommitAdmin(WrittenBySystem):
    list_display = ("sha", "project", "author", "files_changed", "committed_at")
    list_select_related = ("project",)
    search_fields = ("sha", "message", "author")
    ordering = ("-committed_at", "pk")


@admin.register(Job)
class JobAdmin(WrittenBySystem):
    list_display = (
        "kind",
        "source",
        "project",
        "state",
        "stage",
        "percent",
        "attempts",
        "lease_owner",
        "created_at",
    )
    list_filter = ("state", "kind")
    list_select_related = ("source", "project")
    search_fields = ("source__name", "project__name", "error")
    ordering = ("-created_at",)
    actions = ("cancel",)

    @admin.action(description="Cancel the selected work", permissions=["view"])
    def cancel(self, request: HttpRequest, queryset: QuerySet[Job]) -> None:
        jobs = [job for job in queryset if job.is_open]
        for job in jobs:
            request_cancel(job)
        self.message_user(request, f"Asked {len(jobs)} to stop.")


@admin.register(WorkerBeat)
class WorkerBeatAdmin(WrittenBySystem):
    list_display = ("name", "seen_at")
    search_fields = ("name",)
    ordering = ("-seen_at",)


@admin.register(ForgeQuota)
class ForgeQuotaAdmin(WrittenBySystem):
    list_display = ("host", "is_anonymous", "remaining", "limit", "resets_at", "updated_at")
    search_fields = ("host",)
    ordering = ("host", "is_anonymous")

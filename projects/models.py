"""Projects, who belongs to them, where their knowledge comes from, and the work that runs."""

from datetime import timedelta
from pathlib import Path
from typing import Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils import timezone

from accounts.models import ApiKey, Dated, User
from accounts.viewers import Viewer
from projects.machine_models import ForgeQuota, WorkerBeat

# Django looks for an app's models here, wherever they are written.
__all__ = ["ForgeQuota", "WorkerBeat"]


class ProjectQuerySet(models.QuerySet["Project"]):
    def visible_to(self, viewer: Viewer) -> Self:
        if not viewer.is_active:
            return self.none()
        found = self.filter(memberships__user=viewer.user)
        return found if viewer.project_ids is None else found.filter(pk__in=viewer.project_ids)

    def editable_by(self, viewer: Viewer) -> Self:
        return self.visible_to(viewer).filter(
            memberships__user=viewer.user, memberships__role__in=Membership.EDITOR_ROLES
        )

    def owned_by(self, viewer: Viewer) -> Self:
        return self.visible_to(viewer).filter(
            memberships__user=viewer.user, memberships__role=Membership.Role.OWNER
        )


class Project(Dated):
    name = models.CharField(
        max_length=255,
        unique=True,
        error_messages={"unique": "A project of this name exists already."},
    )
    description = models.TextField(blank=True, default="")
    repository_url = models.URLField(max_length=512, blank=True, default="")
    github_repo_id = models.BigIntegerField(null=True, blank=True, unique=True)
    default_branch = models.CharField(max_length=255, default="main")
    owner = models.ForeignKey(User, models.PROTECT, related_name="owned_projects")
    members = models.ManyToManyField(User, through="Membership", related_name="projects")

    objects = ProjectQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="project_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("project", args=[self.pk])


class Membership(Dated):
    class Role(models.TextChoices):
        OWNER = "owner"
        EDITOR = "editor"
        VIEWER = "viewer"

    EDITOR_ROLES = (Role.OWNER, Role.EDITOR)

    project = models.ForeignKey(Project, models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role, default=Role.VIEWER)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user"], name="one_membership_per_project"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.project} as {self.role}"


class ApiKeyProject(models.Model):
    """A project that an API key is limited to; a key without any reaches all its person's."""

    api_key = models.ForeignKey(ApiKey, models.CASCADE, related_name="project_links")
    project = models.ForeignKey(Project, models.CASCADE, related_name="api_key_links")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["api_key", "project"], name="one_link_per_key"),
        ]

    def __str__(self) -> str:
        return f"{self.api_key} in {self.project}"


class SourceQuerySet(models.QuerySet["Source"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def editable_by(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.editable_by(viewer))


class Source(Dated):
    """Where a project's knowledge comes from: a repository, a folder, or uploaded files."""

    class Kind(models.TextChoices):
        CODE = "code", "Code"
        DOCS = "docs", "Documents"
        UPLOAD = "upload", "Uploaded files"
        WRITTEN = "written", "Written documents"
        REVIEWS = "reviews", "Reviews"

    class State(models.TextChoices):
        NEW = "new", "Not synced yet"
        SYNCING = "syncing", "Syncing"
        READY = "ready", "Indexed"
        EMPTY = "empty", "Nothing to index"
        ASKS = "asks", "Waits for an answer"
        FAILED = "failed", "Failed"

    # By people, or by the nights: not read from a repository.
    GIVEN_KINDS = (Kind.UPLOAD, Kind.WRITTEN, Kind.REVIEWS)
    OWN_KINDS = (Kind.WRITTEN, Kind.REVIEWS)  # made by the product where they are needed

    project = models.ForeignKey(Project, models.CASCADE, related_name="sources")
    name = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.CODE)
    url = models.CharField("URL", max_length=512, blank=True, default="")
    path = models.CharField(max_length=1024, blank=True, default="")
    # Set by `manage.py add` alone: who works at the machine may name a folder outside the roots.
    path_is_trusted = models.BooleanField(default=False, editable=False)
    folder_path = models.CharField("folder", max_length=512, blank=True, default="")
    branch = models.CharField(max_length=255, blank=True, default="")
    # Globs in the syntax of .gitignore, one a line.
    include = models.TextField("only", blank=True, default="")
    exclude = models.TextField("not", blank=True, default="")
    # Empty: each document's front matter, folder and kind decide.
    collection = models.CharField(max_length=30, blank=True, default="")
    head = models.CharField(max_length=64, blank=True, default="", editable=False)
    head_subject = models.CharField(max_length=255, blank=True, default="", editable=False)
    last_synced_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_commit_date = models.DateTimeField(null=True, blank=True, editable=False)
    state = models.CharField(max_length=10, choices=State, default=State.NEW, editable=False)
    error = models.TextField(blank=True, default="", editable=False)
    # What a sync asks before it forgets more than half of the files; a yes is for one sync.
    question = models.TextField(blank=True, default="", editable=False)
    may_shrink = models.BooleanField(default=False, editable=False)
    poll_minutes = models.PositiveIntegerField(null=True, blank=True)
    next_poll_at = models.DateTimeField(null=True, blank=True, editable=False)
    poll_failures = models.PositiveSmallIntegerField(default=0, editable=False)
    # What the forge said of the repository, with the validators of its answers.
    forge = models.JSONField(default=dict, blank=True, editable=False)

    objects = SourceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="source_name_in_project"),
            models.CheckConstraint(
                condition=Q(kind__in=["upload", "written", "reviews"], url="", path="")
                | (~Q(kind__in=["upload", "written", "reviews"]) & (Q(url="") ^ Q(path=""))),
                name="source_has_one_origin",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(kind="written"),
                name="one_source_of_written_documents",
            ),
            models.UniqueConstraint(
                fields=["project"], condition=Q(kind="reviews"), name="one_source_of_reviews"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("source", args=[self.pk])

    @property
    def mirror(self) -> Path:
        return settings.MIRRORS_DIR / f"{self.pk}.git"

    @property
    def origin(self) -> str:
        return self.url or self.path or self.get_kind_display().lower()

    @property
    def short_head(self) -> str:
        return self.head[:8]

    @property
    def is_given(self) -> bool:
        """Whether people gave its files or wrote them here; there is no repository behind it."""
        return self.kind in self.GIVEN_KINDS

    @property
    def is_upload(self) -> bool:
        return self.kind == self.Kind.UPLOAD


class TaskQuerySet(models.QuerySet["Task"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class Task(Dated):
    class Status(models.TextChoices):
        PENDING = "PENDING"
        IN_PROGRESS = "IN_PROGRESS"
        COMPLETED = "COMPLETED"
        FAILED = "FAILED"
        CANCELLED = "CANCELLED"

    class Priority(models.TextChoices):
        LOW = "LOW"
        MEDIUM = "MEDIUM"
        HIGH = "HIGH"
        CRITICAL = "CRITICAL"

    project = models.ForeignKey(Project, models.CASCADE, related_name="tasks")
    user = models.ForeignKey(User, models.SET_NULL, null=True, related_name="tasks")
    parent = models.ForeignKey(
        "self", models.CASCADE, null=True, blank=True, related_name="subtasks"
    )
    title = models.CharField(max_length=255)
    description = models.TextField(blank=True, default="")
    prompt = models.TextField(blank=True, default="")
    status = models.CharField(max_length=12, choices=Status, default=Status.PENDING, db_index=True)
    priority = models.CharField(max_length=10, choices=Priority, default=Priority.MEDIUM)
    result = models.JSONField(null=True, blank=True)

    objects = TaskQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(parent=F("id")), name="task_is_not_its_own_parent"),
        ]

    def __str__(self) -> str:
        return self.title

    def get_absolute_url(self) -> str:
        return reverse("task", args=[self.pk])


class CommitQuerySet(models.QuerySet["Commit"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class Commit(Dated):
    project = models.ForeignKey(Project, models.CASCADE, related_name="commits")
    task = models.ForeignKey(Task, models.SET_NULL, null=True, blank=True, related_name="commits")
    sha = models.CharField(max_length=64, db_index=True)
    message = models.TextField()
    author = models.CharField(max_length=255)
    email = models.CharField(max_length=255, blank=True, default="")
    branch = models.CharField(max_length=255, blank=True, default="")
    files_changed = models.PositiveIntegerField(default=0)
    additions = models.PositiveIntegerField(default=0)
    deletions = models.PositiveIntegerField(default=0)
    committed_at = models.DateTimeField(null=True, blank=True)

    objects = CommitQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "sha"], name="commit_once_per_project"),
        ]

    def __str__(self) -> str:
        return f"{self.sha[:8]} {self.message.partition(chr(10))[0][:80]}"


class JobQuerySet(models.QuerySet["Job"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def open(self) -> Self:
        return self.filter(state__in=Job.OPEN_STATES)

    def waiting(self) -> Self:
        return self.filter(state=Job.State.QUEUED, due_at__lte=timezone.now())

    def claimable(self) -> Self:
        """Jobs that nobody holds: queued and due, or running under a lease that ran out."""
        now = timezone.now()
        return self.filter(
            Q(state=Job.State.QUEUED, due_at__lte=now)
            | Q(state=Job.State.RUNNING, lease_until__lt=now)
        )


class Job(Dated):
    """One piece of background work. The row is the queue; brokers only say that it is there."""

    class Kind(models.TextChoices):
        SYNC = "sync", "Sync"
        EMBED = "embed", "Embed"
        NIGHTLY = "nightly", "Review"

    class State(models.TextChoices):
        QUEUED = "queued", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN_STATES = (State.QUEUED, State.RUNNING)
    MAX_ATTEMPTS = 3

    project = models.ForeignKey(Project, models.CASCADE, related_name="jobs")
    source = models.ForeignKey(Source, models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=10, choices=State, default=State.QUEUED)
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    due_at = models.DateTimeField(default=timezone.now)
    # When a runner last took it: whose project waited longest is served first.
    claimed_at = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    # Grows with each claim: a runner whose number is no longer the row's writes nothing.
    fence = models.PositiveIntegerField(default=0)
    cancel_requested = models.BooleanField(default=False)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    stage = models.CharField(max_length=50, blank=True, default="")
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    detail = ArrayField(models.CharField(max_length=500), default=list, blank=True)
    error = models.TextField(blank=True, default="")

    objects = JobQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "kind"],
                condition=Q(state__in=["queued", "running"]),
                name="one_open_job_of_a_kind_per_source",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "due_at"], name="job_queue"),
            models.Index(fields=["project", "-claimed_at"], name="jobs_by_turn"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.source} ({self.get_state_display().lower()})"

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES

    @property
    def percent(self) -> int:
        return min(100, 100 * self.done // self.total) if self.total else 0

    @property
    def remaining(self) -> timedelta | None:
        """The time that is left at the pace so far; None until a pace can be told."""
        if self.state != self.State.RUNNING or not (self.started_at and self.done and self.total):
            return None
        spent = timezone.now() - self.started_at
        return spent / self.done * max(0, self.total - self.done)

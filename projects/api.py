"""Projects, their members and the work that runs, over REST."""

from functools import cached_property
from typing import Any, ClassVar
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import SAFE_METHODS, BasePermission
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, PersonSerializer, UnlimitedKey, asked_for, caller
from accounts.auditing import record
from projects.access import (
    OWNERS_ONLY,
    OwnersWrite,
    VisibleProject,
    VisibleSource,
    check_role,
)
from projects.membership import add_member, remove_member, set_role
from projects.models import Job, Membership, Project
from projects.sourcing import create_project, delete_project
from projects.turns import Place, places


class ProjectSerializer(serializers.ModelSerializer[Project]):
    owner = PersonSerializer(read_only=True)
    role = serializers.ChoiceField(
        choices=Membership.Role.choices, read_only=True, help_text="Your own role in the project."
    )

    class Meta:
        model = Project
        fields = (
            "id",
            "name",
            "description",
            "repository_url",
            "github_repo_id",
            "default_branch",
            "owner",
            "role",
            "created_at",
            "updated_at",
        )


@extend_schema_view(
    list=extend_schema(summary="The projects that you belong to"),
    retrieve=extend_schema(summary="One project"),
    create=extend_schema(summary="A new project, which you own"),
    partial_update=extend_schema(summary="Change a project; for its owners"),
    destroy=extend_schema(summary="Delete a project with all that belongs to it; for its owners"),
)
class ProjectViewSet(viewsets.ModelViewSet[Project]):
    queryset = Project.objects.none()
    serializer_class = ProjectSerializer
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_regex = UUID_IN_PATH

    def get_permissions(self) -> list[BasePermission]:
        return [UnlimitedKey()] if self.action == "create" else [OwnersWrite()]

    def get_queryset(self) -> QuerySet[Project]:
        viewer = caller(self.request)
        mine = Membership.objects.filter(project=OuterRef("pk"), user=viewer.user)
        return (
            Project.objects.visible_to(viewer)
            .select_related("owner")
            .annotate(role=Subquery(mine.values("role")))
            .order_by("name", "pk")
        )

    @transaction.atomic
    def perform_create(self, serializer: serializers.BaseSerializer[Project]) -> None:
        data = dict(serializer.validated_data)
        github_repo_id = data.pop("github_repo_id", None)
        project = create_project(caller(self.request).user, **data)
        if github_repo_id is not None:
            project.github_repo_id = github_repo_id
            project.save(update_fields=["github_repo_id", "updated_at"])
        serializer.instance = self.get_queryset().get(pk=project.pk)

    @transaction.atomic
    def perform_update(self, serializer: serializers.BaseSerializer[Project]) -> None:
        project = serializer.save()
        record(caller(self.request).user, "changed", project, project_id=project.pk)

    def perform_destroy(self, instance: Project) -> None:
        delete_project(instance, by=caller(self.request).user)


class MemberSerializer(serializers.ModelSerializer[Membership]):
    user = PersonSerializer(read_only=True)

    class Meta:
        model = Membership
        fields = ("id", "user", "role", "created_at")
        extra_kwargs: ClassVar[dict[str, Any]] = {"role": {"required": True}}


class NewMemberSerializer(serializers.Serializer[Membership]):
    username = serializers.CharField(max_length=50)
    role = serializers.ChoiceField(choices=Membership.Role.choices, default=Membership.Role.VIEWER)


@extend_schema_view(
    list=extend_schema(summary="Who belongs to a project"),
    create=extend_schema(
        summary="Add a person to a project; for its owners",
        request=NewMemberSerializer,
        responses={201: MemberSerializer},
    ),
    partial_update=extend_schema(summary="Give a member another role; for owners"),
    destroy=extend_schema(summary="Take a member out; for owners, and for yourself"),
)
class MemberViewSet(
    mixins.ListModelMixin,
    mixins.UpdateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[Membership],
):
    queryset = Membership.objects.none()
    serializer_class = MemberSerializer
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_regex = UUID_IN_PATH

    def _project(self) -> Project:
        """Return the project of the address; for a change, to its owners only."""
        viewer = caller(self.request)
        projects = Project.objects.visible_to(viewer)
        project: Project = get_object_or_404(projects, pk=self.kwargs["project_id"])
        leaves = self.action == "destroy"
        if self.request.method not in SAFE_METHODS and not leaves:
            check_role(viewer, project, (Membership.Role.OWNER,), OWNERS_ONLY)
        return project

    def get_queryset(self) -> QuerySet[Membership]:
        members = Membership.objects.filter(project=self._project())
        return members.select_related("user", "project").order_by("created_at", "pk")

    def create(self, request: Request, project_id: str) -> Response:
        project = self._project()
        data = NewMemberSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        member = add_member(project, by=caller(request).user, **data.validated_data)
        return Response(MemberSerializer(member).data, status=status.HTTP_201_CREATED)

    def perform_update(self, serializer: serializers.BaseSerializer[Membership]) -> None:
        member = serializer.instance
        if isinstance(member, Membership) and "role" in serializer.validated_data:
            set_role(member, serializer.validated_data["role"], by=caller(self.request).user)

    def perform_destroy(self, instance: Membership) -> None:
        viewer = caller(self.request)
        if instance.user_id != viewer.user.pk:
            check_role(viewer, instance.project, (Membership.Role.OWNER,), OWNERS_ONLY)
        remove_member(instance, by=viewer.user)


class JobSerializer(serializers.ModelSerializer[Job]):
    percent = serializers.IntegerField(read_only=True)
    remaining_seconds = serializers.SerializerMethodField(
        help_text="What is left at the pace so far; null until a pace can be told."
    )
    queue_place = serializers.SerializerMethodField(
        help_text="From 1, where a waiting job stands in the queue; null for all others."
    )
    sources_before = serializers.SerializerMethodField(
        help_text="How many sources have work before it in the queue; null for all others."
    )

    class Meta:
        model = Job
        fields = (
            "id",
            "project",
            "source",
            "kind",
            "state",
            "stage",
            "done",
            "total",
            "percent",
            "remaining_seconds",
            "queue_place",
            "sources_before",
            "due_at",
            "attempts",
            "cancel_requested",
            "detail",
            "error",
            "created_at",
            "started_at",
            "finished_at",
        )
        read_only_fields = fields

    def get_remaining_seconds(self, job: Job) -> int | None:
        return round(job.remaining.total_seconds()) if job.remaining is not None else None

    def get_queue_place(self, job: Job) -> int | None:
        place = self._place_of(job)
        return place.number if place else None

    def get_sources_before(self, job: Job) -> int | None:
        place = self._place_of(job)
        return place.sources_before if place else None

    def _place_of(self, job: Job) -> Place | None:
        return self._places.get(job.pk) if job.state == Job.State.QUEUED else None

    @cached_property
    def _places(self) -> dict[UUID, Place]:
        """The queue, read once for all the jobs of an answer."""
        return places()


class JobQuery(serializers.Serializer[Job]):
    project = VisibleProject(required=False)
    source = VisibleSource(required=False)  # type: ignore[assignment]
    kind = serializers.ChoiceField(choices=Job.Kind.choices, required=False)
    state = serializers.ChoiceField(choices=Job.State.choices, required=False)


@extend_schema_view(
    list=extend_schema(summary="Background work, the newest first", parameters=[JobQuery]),
    retrieve=extend_schema(summary="One piece of background work, with its progress"),
)
class JobViewSet(viewsets.ReadOnlyModelViewSet[Job]):
    queryset = Job.objects.none()
    serializer_class = JobSerializer
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Job]:
        jobs = Job.objects.visible_to(caller(self.request))
        if self.action == "list":
            jobs = jobs.filter(**asked_for(self.request, JobQuery))
        return jobs.order_by("-created_at", "pk")

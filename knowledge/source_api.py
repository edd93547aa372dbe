"""Sources over REST: where a project's knowledge comes from, and having it synced."""

from typing import Any

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, asked_for, caller
from knowledge.uploads import store_uploads
from projects.access import EDITORS_ONLY, EditorsWrite, VisibleProject, check_role
from projects.api import JobSerializer
from projects.jobs import enqueue, request_cancel
from projects.models import Job, Membership, Source
from projects.sourcing import (
    COLLECTIONS,
    LONGEST_POLL,
    add_source,
    answer_question,
    change_source,
    delete_source,
    retry_files,
)

MOST_FILES = 200
MOST_PATHS = 1000
LONGEST_LIST = 101_000  # characters: 200 lines of 500 with their breaks
NEW_KINDS = [choice for choice in Source.Kind.choices if choice[0] not in Source.OWN_KINDS]
PATTERNS = "Patterns as in .gitignore, one a line, at most 200 of at most 500 characters."


class SourceSerializer(serializers.ModelSerializer[Source]):
    class Meta:
        model = Source
        fields = (
            "id",
            "project",
            "name",
            "description",
            "kind",
            "url",
            "path",
            "folder_path",
            "branch",
            "include",
            "exclude",
            "collection",
            "poll_minutes",
            "next_poll_at",
            "state",
            "error",
            "question",
            "head",
            "head_subject",
            "last_synced_at",
            "last_commit_date",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ReadingSerializer(serializers.Serializer[Source]):
    """Which files of a source are read, as what, and how often is looked for new ones."""

    include = serializers.CharField(
        max_length=LONGEST_LIST,
        allow_blank=True,
        required=False,
        help_text=f"Only files that match are read. {PATTERNS}",
    )
    exclude = serializers.CharField(
        max_length=LONGEST_LIST,
        allow_blank=True,
        required=False,
        help_text=f"Files that match are not read. {PATTERNS}",
    )
    collection = serializers.ChoiceField(
        choices=COLLECTIONS,
        allow_blank=True,
        required=False,
        help_text="Of all its documents; empty: each one's front matter, folder or kind decides.",
    )
    poll_minutes = serializers.IntegerField(
        min_value=0,
        max_value=LONGEST_POLL,
        allow_null=True,
        required=False,
        help_text="Between two looks for changes; null: as the settings say, 0: never.",
    )


class NewSourceSerializer(ReadingSerializer):
    project = VisibleProject()
    name = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True, default="")
    kind = serializers.ChoiceField(choices=NEW_KINDS, default=Source.Kind.CODE)
    url = serializers.CharField(
        max_length=512, allow_blank=True, default="", help_text="Of a git repository, https."
    )
    path = serializers.CharField(
        max_length=1024, allow_blank=True, default="", help_text="A folder on the server instead."
    )
    folder_path = serializers.CharField(
        max_length=512, allow_blank=True, default="", help_text="Index only what is below it."
    )
    branch = serializers.CharField(max_length=255, allow_blank=True, default="")


class ChangedSourceSerializer(ReadingSerializer):
    name = serializers.CharField(max_length=255)
    description = serializers.CharField(max_length=10_000, allow_blank=True)
    folder_path = serializers.CharField(max_length=512, allow_blank=True)
    branch = serializers.CharField(max_length=255, allow_blank=True)


class AnswerSerializer(serializers.Serializer[Any]):
    forget = serializers.BooleanField(
        help_text="Whether the files that the source asks about may be forgotten."
    )


class RetrySerializer(serializers.Serializer[Any]):
    paths = serializers.ListField(
        child=serializers.CharField(max_length=4096, trim_whitespace=False),
        required=False,
        max_length=MOST_PATHS,
        help_text="Of failed files; without them all that failed are read again.",
    )


class RetriedSerializer(serializers.Serializer[Any]):
    files = serializers.IntegerField(help_text="How many failed files are read again.")


class SourceQuery(serializers.Serializer[Source]):
    project = VisibleProject(required=False)
    kind = serializers.ChoiceField(choices=Source.Kind.choices, required=False)
    state = serializers.ChoiceField(choices=Source.State.choices, required=False)


class FilesSerializer(serializers.Serializer[Any]):
    files = serializers.ListField(
        child=serializers.FileField(allow_empty_file=True, max_length=1024),
        allow_empty=False,
        max_length=MOST_FILES,
    )
    paths = serializers.ListField(
        child=serializers.CharField(max_length=1024),
        required=False,
        max_length=MOST_FILES,
        help_text="Where each file stands, in the same order; without them its name tells.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        paths = attrs.get("paths") or [file.name for file in attrs["files"]]
        if len(paths) != len(attrs["files"]):
            raise serializers.ValidationError({"paths": ["Give one path for each file."]})
        return {**attrs, "paths": paths}


class RefusedFileSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    reason = serializers.CharField()


class StoredSerializer(serializers.Serializer[Any]):
    stored = serializers.IntegerField()
    refused = RefusedFileSerializer(many=True)


@extend_schema_view(
    list=extend_schema(summary="Sources", parameters=[SourceQuery]),
    retrieve=extend_schema(summary="One source, and how its last sync went"),
    create=extend_schema(
        summary="A new source, synced at once; for editors",
        request=NewSourceSerializer,
        responses={201: SourceSerializer},
    ),
    partial_update=extend_schema(
        summary="Change how a source is named and read; for editors",
        request=ChangedSourceSerializer,
        responses=SourceSerializer,
    ),
    destroy=extend_schema(summary="Delete a source with its documents; for editors"),
)
class SourceViewSet(viewsets.ModelViewSet[Source]):
    queryset = Source.objects.none()
    serializer_class = SourceSerializer
    permission_classes = [EditorsWrite]
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Source]:
        sources = Source.objects.visible_to(caller(self.request))
        if self.action == "list":
            sources = sources.filter(**asked_for(self.request, SourceQuery))
        return sources.select_related("project").order_by("project_id", "name", "pk")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = NewSourceSerializer(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        viewer, data = caller(request), dict(asked.validated_data)
        project = data.pop("project")
        check_role(viewer, project, Membership.EDITOR_ROLES, EDITORS_ONLY)
        source = add_source(project, by=viewer.user, **data)
        return Response(SourceSerializer(source).data, status=status.HTTP_201_CREATED)

    def partial_update(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        source = self.get_object()
        asked = ChangedSourceSerializer(data=request.data, partial=True)
        asked.is_valid(raise_exception=True)
        change_source(source, by=caller(request).user, **asked.validated_data)
        return Response(SourceSerializer(source).data)

    def perform_destroy(self, instance: Source) -> None:
        delete_source(instance, by=caller(self.request).user)

    @extend_schema(summary="Sync a source now", request=None, responses={202: JobSerializer})
    @action(detail=True, methods=["post"])
    def sync(self, request: Request, pk: str) -> Response:
        job = enqueue(self.get_object(), Job.Kind.SYNC, requested_by=caller(request).user)
        return Response(JobSerializer(job).data, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Read failed files again, all or some; for editors",
        request=RetrySerializer,
        responses={202: RetriedSerializer},
    )
    @action(detail=True, methods=["post"])
    def retry(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        asked = RetrySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        paths = asked.validated_data.get("paths")
        count = retry_files(source, paths, by=caller(request).user)
        return Response({"files": count}, status=status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Answer what a source asks before it forgets most of its files; for editors",
        request=AnswerSerializer,
        responses={200: SourceSerializer},
    )
    @action(detail=True, methods=["post"])
    def answer(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        asked = AnswerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        answer_question(source, yes=asked.validated_data["forget"], by=caller(request).user)
        source.refresh_from_db()
        return Response(SourceSerializer(source).data)

    @extend_schema(
        summary="End the work that runs on a source; what was indexed stays",
        request=None,
        responses={200: JobSerializer(many=True)},
    )
    @action(detail=True, methods=["post"], pagination_class=None)
    def cancel(self, request: Request, pk: str) -> Response:
        jobs = list(self.get_object().jobs.open().order_by("created_at", "pk"))
        for job in jobs:
            request_cancel(job)
            job.refresh_from_db()
        return Response(JobSerializer(jobs, many=True).data)

    @extend_schema(
        summary="Give files to a source of uploaded files",
        request={"multipart/form-data": FilesSerializer},
        responses={200: StoredSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def upload(self, request: Request, pk: str) -> Response:
        source = self.get_object()
        asked = FilesSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        at_most = settings.MAX_FILE_BYTES + 1
        data = asked.validated_data
        contents = (
            (path, file.read(at_most))
            for path, file in zip(data["paths"], data["files"], strict=True)
        )
        stored = store_uploads(source, contents, caller(request).user)
        refused = [{"path": path, "reason": reason} for path, reason in stored.refused]
        answer = StoredSerializer({"stored": stored.count, "refused": refused})
        return Response(answer.data)

"""Overviews over REST: a project at a glance, for programs."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import caller
from knowledge.overviews import ask_for_overview, behind, overview_of
from projects.access import EDITORS_ONLY, check_role
from projects.models import Membership, Project

NOT_YET = "There is no overview yet: it is made once the first sync of a source has ended."


class PlaceSerializer(serializers.Serializer[Any]):
    path = serializers.CharField()
    url = serializers.CharField(help_text="The page that shows it.")


class StepSerializer(PlaceSerializer):
    why = serializers.CharField()


class EntryPointSerializer(PlaceSerializer):
    what = serializers.CharField(help_text="Command, Script, Main program and the like.")
    detail = serializers.CharField(help_text="The words that start it; empty where unknown.")


class AreaSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="Its folder, or what stands for several.")
    role = serializers.CharField(help_text="code, tests, documentation, examples and the like.")
    files = serializers.IntegerField()
    languages = serializers.ListField(child=serializers.CharField())
    about = serializers.CharField(help_text="What the area says of itself; empty if nothing.")
    about_from = PlaceSerializer(allow_null=True)
    key_files = PlaceSerializer(many=True)
    key_symbols = serializers.ListField(child=serializers.CharField())


class KeyFileSerializer(PlaceSerializer):
    about = serializers.CharField()
    mentioned_by = serializers.IntegerField(help_text="How many other files mention it.")


class KeySymbolSerializer(PlaceSerializer):
    name = serializers.CharField()
    kind = serializers.CharField()
    line = serializers.IntegerField()
    mentioned_by = serializers.IntegerField(help_text="How many other files mention it.")


class LanguageSerializer(serializers.Serializer[Any]):
    language = serializers.CharField()
    files = serializers.IntegerField()
    bytes = serializers.IntegerField()


class CountsSerializer(serializers.Serializer[Any]):
    files = serializers.IntegerField()
    passages = serializers.IntegerField()
    bytes = serializers.IntegerField()


class WrittenSerializer(serializers.Serializer[Any]):
    """What a model wrote: its words, not facts; plain text."""

    model = serializers.CharField()
    at = serializers.DateTimeField()
    project = serializers.CharField()
    areas = serializers.DictField(
        child=serializers.CharField(), help_text="A sentence by an area's role and name."
    )


class ContentSerializer(serializers.Serializer[Any]):
    counts = CountsSerializer()
    about = serializers.CharField()
    about_from = PlaceSerializer(allow_null=True)
    languages = LanguageSerializer(many=True)
    start_here = StepSerializer(many=True)
    entry_points = EntryPointSerializer(many=True)
    areas = AreaSerializer(many=True)
    key_files = KeyFileSerializer(many=True)
    key_symbols = KeySymbolSerializer(many=True)
    questions = serializers.ListField(child=serializers.CharField())
    written = WrittenSerializer(required=False, help_text="Absent where no model answers.")


class BehindSerializer(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]
    made_at = serializers.CharField(help_text="The commit it was made at; empty for a new source.")
    now_at = serializers.CharField(help_text="The commit of the source; empty if it is gone.")
    since = serializers.DateTimeField(allow_null=True)


class OverviewSerializer(serializers.Serializer[Any]):
    project = serializers.UUIDField(source="overview.project_id")
    made_at = serializers.DateTimeField(source="overview.made_at")
    heads = serializers.DictField(
        source="overview.heads", child=serializers.CharField(), help_text="Commits by source."
    )
    is_stale = serializers.BooleanField()
    behind = BehindSerializer(many=True)
    asked_at = serializers.DateTimeField(
        source="overview.asked_at", allow_null=True, help_text="Set while it is made anew."
    )
    error = serializers.CharField(source="overview.error", help_text="Why no model's words came.")
    content = ContentSerializer(  # empty once nothing is indexed any more
        source="overview.content", allow_null=True
    )


class AskedSerializer(serializers.Serializer[Any]):
    asked_at = serializers.DateTimeField()


class OverviewView(APIView):
    @extend_schema(
        summary="A project at a glance: areas, key files and symbols, where to start",
        responses=OverviewSerializer,
    )
    def get(self, request: Request, project_id: str) -> Response:
        overview = overview_of(self._project(request, project_id))
        if overview is None:
            raise NotFound(NOT_YET)
        overview.content = overview.content or None
        moved = behind(overview)
        shown = {"overview": overview, "behind": moved, "is_stale": bool(moved)}
        return Response(OverviewSerializer(shown).data)

    @extend_schema(
        summary="Make a project's overview anew; for editors",
        request=None,
        responses={202: AskedSerializer},
    )
    def post(self, request: Request, project_id: str) -> Response:
        viewer = caller(request)
        project = self._project(request, project_id)
        check_role(viewer, project, Membership.EDITOR_ROLES, EDITORS_ONLY)
        overview = ask_for_overview(project, by=viewer.user)
        return Response(AskedSerializer(overview).data, status=status.HTTP_202_ACCEPTED)

    def _project(self, request: Request, project_id: str) -> Project:
        projects = Project.objects.visible_to(caller(request))
        project: Project = get_object_or_404(projects, pk=project_id)
        return project

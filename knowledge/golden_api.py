"""Golden questions over REST, and how search did on them over time."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, asked_for, caller
from knowledge.evaluations import ask_for_evaluation
from knowledge.golden_questions import (
    LONGEST_PATH,
    LONGEST_QUERY,
    as_golden,
    keep_golden_question,
)
from knowledge.golden_sets import Passage
from knowledge.models import Evaluation, GoldenQuestion
from projects.access import EDITORS_ONLY, EditorsWrite, VisibleProject, check_role
from projects.models import Membership

LAST_LINE = 2**31 - 1


class OfProjectQuery(serializers.Serializer[Any]):
    project = VisibleProject(required=False, help_text="Without it: all projects of yours.")


class RelevantSerializer(serializers.Serializer[Passage]):
    path = serializers.CharField(max_length=LONGEST_PATH)
    start_line = serializers.IntegerField(
        min_value=1,
        max_value=LAST_LINE,
        required=False,
        allow_null=True,
        default=None,
        help_text="Null for the whole file.",
    )
    end_line = serializers.IntegerField(
        min_value=1, max_value=LAST_LINE, required=False, allow_null=True, default=None
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        start, end = attrs["start_line"], attrs["end_line"]
        if (start is None) != (end is None) or (start is not None and start > end):
            raise serializers.ValidationError(
                "Give the first and the last line in this order, or neither."
            )
        return attrs

    def to_representation(self, instance: Passage) -> dict[str, Any]:
        return {
            "path": instance.path,
            "start_line": instance.start_line or None,
            "end_line": instance.end_line or None,
        }


class GoldenQuestionSerializer(serializers.ModelSerializer[GoldenQuestion]):
    relevant = serializers.SerializerMethodField(help_text="What answers it.")
    user = serializers.UUIDField(source="user_id", allow_null=True, help_text="Who kept it last.")

    class Meta:
        model = GoldenQuestion
        fields = ("id", "project", "query", "relevant", "note", "user", "created_at", "updated_at")
        read_only_fields = fields

    @extend_schema_field(RelevantSerializer(many=True))
    def get_relevant(self, row: GoldenQuestion) -> Any:
        return [RelevantSerializer(passage).data for passage in as_golden(row).passages]


class NewGoldenQuestionSerializer(serializers.Serializer[GoldenQuestion]):
    project = VisibleProject()
    query = serializers.CharField(max_length=LONGEST_QUERY)
    relevant = RelevantSerializer(many=True, allow_empty=False)


@extend_schema_view(
    list=extend_schema(
        summary="Questions with the files that answer them: what search is measured by",
        parameters=[OfProjectQuery],
    ),
    retrieve=extend_schema(summary="One golden question"),
    create=extend_schema(
        summary="Keep a golden question, in place of its earlier answers; for editors",
        request=NewGoldenQuestionSerializer,
        responses={201: GoldenQuestionSerializer},
    ),
    destroy=extend_schema(summary="Delete a golden question; for editors"),
)
class GoldenQuestionViewSet(
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.ReadOnlyModelViewSet[GoldenQuestion],
):
    queryset = GoldenQuestion.objects.none()
    serializer_class = GoldenQuestionSerializer
    permission_classes = [EditorsWrite]
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[GoldenQuestion]:
        rows = GoldenQuestion.objects.visible_to(caller(self.request))
        if self.action == "list":
            rows = rows.filter(**asked_for(self.request, OfProjectQuery))
        return rows.order_by("created_at", "pk")

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = NewGoldenQuestionSerializer(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        viewer, data = caller(request), asked.validated_data
        check_role(viewer, data["project"], Membership.EDITOR_ROLES, EDITORS_ONLY)
        relevant = [
            Passage(one["path"], one["start_line"] or 0, one["end_line"] or 0)
            for one in data["relevant"]
        ]
        row = keep_golden_question(data["project"], data["query"], relevant, viewer.user)
        return Response(GoldenQuestionSerializer(row).data, status=status.HTTP_201_CREATED)


class EvaluationSerializer(serializers.ModelSerializer[Evaluation]):
    user = serializers.UUIDField(source="user_id", allow_null=True, help_text="Who asked for it.")

    class Meta:
        model = Evaluation
        fields = (
            *("id", "project", "method", "trigger", "user", "figures", "verdict", "comparison"),
            *("heads", "seconds", "done", "total", "error", "created_at", "finished_at"),
        )
        read_only_fields = fields


class FullEvaluationSerializer(EvaluationSerializer):
    class Meta(EvaluationSerializer.Meta):
        fields = (*EvaluationSerializer.Meta.fields, "outcomes")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class NewEvaluationSerializer(serializers.Serializer[Evaluation]):
    project = VisibleProject()


@extend_schema_view(
    list=extend_schema(
        summary="How search did on golden questions, the newest run first",
        parameters=[OfProjectQuery],
    ),
    retrieve=extend_schema(
        summary="One run with every question, as long as these are kept",
        responses=FullEvaluationSerializer,
    ),
    create=extend_schema(
        summary="Have search measured now, or return the run that waits; for editors",
        request=NewEvaluationSerializer,
        responses={202: EvaluationSerializer},
    ),
)
class EvaluationViewSet(mixins.CreateModelMixin, viewsets.ReadOnlyModelViewSet[Evaluation]):
    queryset = Evaluation.objects.none()
    serializer_class = EvaluationSerializer
    permission_classes = [EditorsWrite]
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Evaluation]:
        rows = Evaluation.objects.visible_to(caller(self.request))
        if self.action == "list":
            rows = rows.filter(**asked_for(self.request, OfProjectQuery)).defer("outcomes")
        return rows.order_by("-created_at", "pk")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Evaluation]]:
        return FullEvaluationSerializer if self.action == "retrieve" else EvaluationSerializer

    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        asked = NewEvaluationSerializer(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        viewer, project = caller(request), asked.validated_data["project"]
        check_role(viewer, project, Membership.EDITOR_ROLES, EDITORS_ONLY)
        run = ask_for_evaluation(project, by=viewer.user)
        return Response(EvaluationSerializer(run).data, status=status.HTTP_202_ACCEPTED)

"""Knowledge gaps over REST: what the sources do not tell, and what somebody decided about it."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, asked_for, caller
from knowledge.gaps import SAID_BY_PEOPLE, make_gap_task, newest_first, settle_gap
from knowledge.models import KnowledgeGap
from projects.access import EditorsWrite, VisibleProject


class SampleSerializer(serializers.Serializer[Any]):
    question = serializers.CharField()
    comment = serializers.CharField(help_text="What the reader said was wrong, if anything.")
    at = serializers.DateTimeField(
        allow_null=True, help_text="When it was asked; null where it was seen in the code."
    )


class GapSerializer(serializers.ModelSerializer[KnowledgeGap]):
    samples = SampleSerializer(many=True, read_only=True)

    class Meta:
        model = KnowledgeGap
        fields = (
            *("id", "project", "kind", "state", "reason", "module", "times", "samples"),
            *("task", "closed_at", "last_updated", "created_at"),
        )
        read_only_fields = fields


class ChangedGapSerializer(serializers.Serializer[KnowledgeGap]):
    state = serializers.ChoiceField(choices=[(state, state.label) for state in SAID_BY_PEOPLE])


class GapQuery(serializers.Serializer[KnowledgeGap]):
    project = VisibleProject(required=False)
    kind = serializers.ChoiceField(
        choices=[kind for kind in KnowledgeGap.Kind.choices if kind[0]], required=False
    )
    state = serializers.ChoiceField(choices=KnowledgeGap.State.choices, required=False)


@extend_schema_view(
    list=extend_schema(
        summary="What the sources do not tell, most often asked or seen first",
        parameters=[GapQuery],
    ),
    retrieve=extend_schema(summary="One knowledge gap"),
)
class KnowledgeGapViewSet(
    mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[KnowledgeGap]
):
    queryset = KnowledgeGap.objects.none()
    serializer_class = GapSerializer
    permission_classes = (EditorsWrite,)
    http_method_names = ["get", "head", "patch", "post"]
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[KnowledgeGap]:
        mine = KnowledgeGap.objects.visible_to(caller(self.request))
        if self.action == "list":
            mine = mine.filter(**asked_for(self.request, GapQuery))
        return mine.order_by(*newest_first())

    @extend_schema(
        summary="Dismiss or confirm a gap, or make it a candidate again; for editors",
        request=ChangedGapSerializer,
        responses=GapSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        gap = self.get_object()
        asked = ChangedGapSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        settle_gap(gap, asked.validated_data["state"])
        return Response(GapSerializer(gap).data)

    @extend_schema(
        summary="Make a task of a gap, once; for editors", request=None, responses=GapSerializer
    )
    @action(detail=True, methods=["post"])
    def task(self, request: Request, pk: str) -> Response:
        gap = self.get_object()
        make_gap_task(gap, by=caller(request).user)
        return Response(GapSerializer(self.get_queryset().get(pk=gap.pk)).data)

"""Search and documents over REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import UUID_IN_PATH, asked_for, caller
from knowledge.models import Document
from knowledge.retrieval import LONGEST_QUESTION, Filters, Hit, Results, search
from projects.access import VisibleProject, VisibleSource

MOST_HITS = 100


class DocumentSerializer(serializers.ModelSerializer[Document]):
    class Meta:
        model = Document
        fields = (
            "id",
            "project",
            "source",
            "path",
            "title",
            "file_type",
            "file_size",
            "language",
            "layer",
            "collection",
            "commit",
            "encoding",
            "state",
            "error",
            "notes",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class FullDocumentSerializer(DocumentSerializer):
    content = serializers.CharField(help_text="The text as it is indexed, secrets masked.")

    class Meta(DocumentSerializer.Meta):
        fields = (*DocumentSerializer.Meta.fields, "metadata", "content")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class DocumentQuery(serializers.Serializer[Document]):
    project = VisibleProject(required=False)
    source = VisibleSource(required=False)  # type: ignore[assignment]
    state = serializers.ChoiceField(choices=Document.State.choices, required=False)
    language = serializers.CharField(max_length=50, required=False)
    collection = serializers.CharField(max_length=30, required=False)
    path = serializers.CharField(
        max_length=4096, required=False, help_text="What the path begins with."
    )


@extend_schema_view(
    list=extend_schema(
        summary="Files as they are indexed, with what was left out and why",
        parameters=[DocumentQuery],
    ),
    retrieve=extend_schema(summary="One document with its text", responses=FullDocumentSerializer),
)
class DocumentViewSet(viewsets.ReadOnlyModelViewSet[Document]):
    queryset = Document.objects.none()
    serializer_class = DocumentSerializer
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Document]:
        documents = Document.objects.visible_to(caller(self.request))
        if self.action == "retrieve":
            return documents.select_related("blob")
        asked = asked_for(self.request, DocumentQuery)
        beginning = asked.pop("path", "")
        if beginning:
            documents = documents.filter(path__startswith=beginning)
        return documents.filter(**asked).defer("metadata").order_by("path", "pk")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Document]]:
        return FullDocumentSerializer if self.action == "retrieve" else DocumentSerializer


class SearchQuery(serializers.Serializer[Results]):
    q = serializers.CharField(max_length=LONGEST_QUESTION, help_text="Words, or a question.")
    project = VisibleProject(required=False, help_text="Without it: all projects of yours.")
    source = VisibleSource(required=False)  # type: ignore[assignment]
    path = serializers.CharField(
        max_length=300, default="", help_text="A part of the path; `*` stands for anything."
    )
    language = serializers.CharField(max_length=50, default="")
    collection = serializers.CharField(max_length=30, default="")
    limit = serializers.IntegerField(min_value=1, max_value=MOST_HITS, default=10)


class HitSerializer(serializers.Serializer[Hit]):
    path = serializers.CharField()
    start_line = serializers.IntegerField()
    end_line = serializers.IntegerField()
    commit = serializers.CharField()
    score = serializers.FloatField()
    text = serializers.CharField()
    symbol = serializers.CharField()
    header = serializers.CharField(help_text="Where in the file the passage stands.")
    language = serializers.CharField(source="chunk.language")
    collection = serializers.CharField(source="chunk.collection")
    document = serializers.UUIDField(source="chunk.document_id")
    source = serializers.CharField(  # type: ignore[assignment]
        source="chunk.document.source.name", default=""
    )
    project = serializers.UUIDField(source="chunk.project_id")
    url = serializers.CharField(help_text="The page that shows these lines.")
    legs = serializers.DictField(
        child=serializers.FloatField(), help_text="What each way of searching gave."
    )
    rules = serializers.DictField(
        child=serializers.FloatField(), help_text="What each rule of ranking changed."
    )


class ResultsSerializer(serializers.Serializer[Results]):
    hits = HitSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    seconds = serializers.FloatField()
    considered = serializers.IntegerField(help_text="How many passages were weighed.")
    confidence = serializers.FloatField()


class SearchView(APIView):
    @extend_schema(
        summary="Search by words and meaning, best passages first",
        parameters=[SearchQuery],
        responses=ResultsSerializer,
    )
    def get(self, request: Request) -> Response:
        asked: dict[str, Any] = asked_for(request, SearchQuery)
        project, source = asked.get("project"), asked.get("source")
        results = search(
            caller(request),
            asked["q"],
            project_ids=None if project is None else [project.pk],
            filters=Filters(
                asked["path"],
                asked["language"].lower(),
                asked["collection"],
                source.pk if source is not None else None,
            ),
            limit=asked["limit"],
        )
        return Response(ResultsSerializer(results).data)

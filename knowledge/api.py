"""Search over REST."""

from dataclasses import replace
from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import asked_for, caller
from knowledge.methods import Mode
from knowledge.query_syntax import read_query
from knowledge.retrieval import LONGEST_QUESTION, Hit, Results, search
from projects.access import VisibleProject, VisibleSource

MOST_HITS = 100
FIELDS = ("path", "collection", "symbol", "author", "branch", "since")


class SearchQuery(serializers.Serializer[Results]):
    q = serializers.CharField(
        max_length=LONGEST_QUESTION,
        help_text="Words, a question, or the whole query syntax of the search field.",
    )
    mode = serializers.ChoiceField(
        choices=[mode.value for mode in Mode],
        default=Mode.AUTO.value,
        help_text="`symbol` finds definitions by name, `regex` text by a pattern (RE2).",
    )
    project = VisibleProject(required=False, help_text="Without it: all projects of yours.")
    source = VisibleSource(required=False)  # type: ignore[assignment]
    path = serializers.CharField(
        max_length=300, default="", help_text="A part of the path; `*` stands for anything."
    )
    language = serializers.CharField(max_length=50, default="")
    collection = serializers.CharField(max_length=30, default="")
    symbol = serializers.CharField(
        max_length=300, default="", help_text="Only where this is defined."
    )
    author = serializers.CharField(
        max_length=300, default="", help_text="A part of the name of who changed the file last."
    )
    branch = serializers.CharField(max_length=255, default="")
    since = serializers.CharField(
        max_length=20,
        default="",
        help_text="Files changed since a date, or `3d`, `2w`, `6m`, `1y`.",
    )
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

    def to_representation(self, instance: Hit) -> dict[str, Any]:
        # Asking each field for its value takes as long as loading the hits.
        chunk, document = instance.chunk, instance.chunk.document
        return {
            "path": document.path,
            "start_line": chunk.start_line,
            "end_line": chunk.end_line,
            "commit": document.commit,
            "score": instance.score,
            "text": chunk.chunk_text,
            "symbol": chunk.symbol,
            "header": chunk.header,
            "language": chunk.language,
            "collection": chunk.collection,
            "document": str(document.pk),
            "source": document.source.name if document.source else "",
            "project": str(chunk.project_id),
            "url": instance.url,
            "legs": instance.legs,
            "rules": instance.rules,
        }


class ResultsSerializer(serializers.Serializer[Results]):
    hits = HitSerializer(many=True)
    notes = serializers.ListField(child=serializers.CharField())
    seconds = serializers.FloatField()
    considered = serializers.IntegerField(help_text="How many passages were weighed.")
    confidence = serializers.FloatField()


# One for all answers: a new one copies its fields, which takes as long as filling them.
RESULTS = ResultsSerializer()


class SearchView(APIView):
    @extend_schema(
        summary="Search by words and meaning, best passages first",
        parameters=[SearchQuery],
        responses=ResultsSerializer,
    )
    def get(self, request: Request) -> Response:
        asked: dict[str, Any] = asked_for(request, SearchQuery)
        project, source = asked.get("project"), asked.get("source")
        given = {name: str(asked[name]) for name in FIELDS}
        query = read_query(asked["q"], {**given, "lang": asked["language"], "mode": asked["mode"]})
        if query.notes:
            raise serializers.ValidationError({"q": list(query.notes)})
        filters = replace(query.filters, source_id=None if source is None else source.pk)
        results = search(
            caller(request),
            query.words,
            project_ids=None if project is None else [project.pk],
            filters=filters,
            limit=asked["limit"],
            mode=query.mode,
        )
        return Response(RESULTS.to_representation(results))

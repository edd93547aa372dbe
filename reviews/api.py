"""Nights, reviews, findings, suggested tests, standards and scores over REST."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, asked_for, caller
from projects.access import EDITORS_ONLY, EditorsWrite, VisibleProject, check_role
from projects.models import Membership
from reviews.deciding import decide, make_task, make_test_task, settle_suggestion
from reviews.delivering import page_of
from reviews.digests import as_json, digest_of
from reviews.finding_views import weightiest_first
from reviews.models import (
    ConventionScore,
    Finding,
    NightlyRun,
    Review,
    Standard,
    TestSuggestion,
)
from reviews.planning import begin_run, cancel_run
from reviews.serializers import (
    BegunSerializer,
    ConventionScoreSerializer,
    DecisionSerializer,
    DigestSerializer,
    FindingSerializer,
    NightlyRunSerializer,
    ReviewSerializer,
    StandardSerializer,
    SuggestionDecisionSerializer,
    TestSuggestionSerializer,
)


class OfProjectQuery(serializers.Serializer[Any]):
    project = VisibleProject(required=False)


class FindingQuery(OfProjectQuery):
    state = serializers.ChoiceField(choices=Finding.State.choices, required=False)
    severity = serializers.ChoiceField(choices=Finding.Severity.choices, required=False)
    category = serializers.ChoiceField(choices=Finding.Category.choices, required=False)
    rule = serializers.CharField(required=False, max_length=120)
    path = serializers.CharField(
        required=False, max_length=4096, help_text="What the path begins with."
    )
    review = serializers.UUIDField(required=False)
    since = serializers.DateTimeField(required=False, help_text="Found at this time or later.")
    shown = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Only what people are told."
    )


class ReviewQuery(OfProjectQuery):
    status = serializers.ChoiceField(choices=Review.Status.choices, required=False)
    run = serializers.UUIDField(required=False)
    commit_sha = serializers.CharField(required=False, max_length=64)


class SuggestionQuery(OfProjectQuery):
    state = serializers.ChoiceField(choices=TestSuggestion.State.choices, required=False)


class BeginQuery(BegunSerializer):
    project = VisibleProject()


@extend_schema_view(
    list=extend_schema(
        summary="Nights of reviewing, the latest first", parameters=[OfProjectQuery]
    ),
    retrieve=extend_schema(summary="One night, with what each step took"),
)
class NightlyRunViewSet(viewsets.ReadOnlyModelViewSet[NightlyRun]):
    queryset = NightlyRun.objects.none()
    serializer_class = NightlyRunSerializer
    permission_classes = (EditorsWrite,)
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[NightlyRun]:
        mine = NightlyRun.objects.visible_to(caller(self.request)).select_related("project")
        if self.action == "list":
            mine = mine.filter(**asked_for(self.request, OfProjectQuery))
        return mine.order_by("-created_at", "pk")

    @extend_schema(
        summary="Review what was merged now, or everything after a commit; for editors",
        request=BeginQuery,
        responses={201: NightlyRunSerializer},
    )
    def create(self, request: Request) -> Response:
        asked = BeginQuery(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        project, viewer = asked.validated_data["project"], caller(request)
        check_role(viewer, project, Membership.EDITOR_ROLES, EDITORS_ONLY)
        run = begin_run(
            project,
            trigger=NightlyRun.Trigger.BUTTON,
            by=viewer.user,
            since=asked.validated_data["since"],
        )
        return Response(NightlyRunSerializer(run).data, status=201)

    @extend_schema(
        summary="Stop a night; for editors", request=None, responses=NightlyRunSerializer
    )
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: str) -> Response:
        run = self.get_object()
        cancel_run(run)
        run.refresh_from_db()
        return Response(NightlyRunSerializer(run).data)

    @extend_schema(summary="The morning digest of a night", responses=DigestSerializer)
    @action(detail=True, methods=["get"])
    def digest(self, request: Request, pk: str) -> Response:
        run = self.get_object()
        return Response(as_json(digest_of(run), page_of(run)))


@extend_schema_view(
    list=extend_schema(summary="Reviews of commits, the latest first", parameters=[ReviewQuery]),
    retrieve=extend_schema(summary="One review, with its issues and suggestions"),
)
class ReviewViewSet(viewsets.ReadOnlyModelViewSet[Review]):
    queryset = Review.objects.none()
    serializer_class = ReviewSerializer
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Review]:
        mine = Review.objects.visible_to(caller(self.request)).select_related("commit")
        if self.action == "list":
            asked = asked_for(self.request, ReviewQuery)
            if "commit_sha" in asked:
                asked["commit__sha__startswith"] = asked.pop("commit_sha")
            mine = mine.filter(**asked)
        return mine.prefetch_related("findings", "test_suggestions").order_by("-created_at", "pk")


@extend_schema_view(
    list=extend_schema(summary="Findings, those that matter most first", parameters=[FindingQuery]),
    retrieve=extend_schema(summary="One finding with its evidence"),
)
class FindingViewSet(viewsets.ReadOnlyModelViewSet[Finding]):
    queryset = Finding.objects.none()
    serializer_class = FindingSerializer
    permission_classes = (EditorsWrite,)
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Finding]:
        mine = Finding.objects.visible_to(caller(self.request))
        mine = mine.select_related("review__commit", "fixed_in")
        if self.action == "list":
            asked = asked_for(self.request, FindingQuery)
            if (path := asked.pop("path", None)) is not None:
                asked["current_path__startswith"] = path
            if (since := asked.pop("since", None)) is not None:
                asked["created_at__gte"] = since
            if (shown := asked.pop("shown", None)) is not None:
                asked |= {"is_shown": shown, "is_muted": False} if shown else {"is_shown": False}
            mine = mine.filter(**asked)
        return mine.order_by(*weightiest_first())

    @extend_schema(
        summary="Accept or dismiss a finding, or open it again; for editors",
        request=DecisionSerializer,
        responses=FindingSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        finding = self.get_object()
        asked = DecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        decide(finding, by=caller(request).user, **asked.validated_data)
        return Response(FindingSerializer(self.get_queryset().get(pk=finding.pk)).data)

    @extend_schema(
        summary="Make a task of a finding, once; for editors",
        request=None,
        responses=FindingSerializer,
    )
    @action(detail=True, methods=["post"])
    def task(self, request: Request, pk: str) -> Response:
        finding = self.get_object()
        make_task(finding, by=caller(request).user)
        return Response(FindingSerializer(self.get_queryset().get(pk=finding.pk)).data)


@extend_schema_view(
    list=extend_schema(summary="Tests worth writing", parameters=[SuggestionQuery]),
    retrieve=extend_schema(summary="One suggested test"),
)
class TestSuggestionViewSet(viewsets.ReadOnlyModelViewSet[TestSuggestion]):
    __test__ = False
    queryset = TestSuggestion.objects.none()
    serializer_class = TestSuggestionSerializer
    permission_classes = (EditorsWrite,)
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[TestSuggestion]:
        mine = TestSuggestion.objects.visible_to(caller(self.request))
        if self.action == "list":
            mine = mine.filter(**asked_for(self.request, SuggestionQuery))
        return mine.select_related("review__commit").order_by("-created_at", "pk")

    @extend_schema(
        summary="Say what became of a suggested test; for editors",
        request=SuggestionDecisionSerializer,
        responses=TestSuggestionSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        suggestion = self.get_object()
        asked = SuggestionDecisionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        settle_suggestion(suggestion, asked.validated_data["state"])
        return Response(TestSuggestionSerializer(suggestion).data)

    @extend_schema(
        summary="Make a task of a suggested test, once; for editors",
        request=None,
        responses=TestSuggestionSerializer,
    )
    @action(detail=True, methods=["post"])
    def task(self, request: Request, pk: str) -> Response:
        suggestion = self.get_object()
        make_test_task(suggestion, by=caller(request).user)
        return Response(TestSuggestionSerializer(self.get_queryset().get(pk=suggestion.pk)).data)


@extend_schema_view(
    list=extend_schema(summary="What a team agreed on", parameters=[OfProjectQuery]),
    retrieve=extend_schema(summary="One standard"),
)
class StandardViewSet(viewsets.ReadOnlyModelViewSet[Standard]):
    queryset = Standard.objects.none()
    serializer_class = StandardSerializer
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Standard]:
        mine = Standard.objects.visible_to(caller(self.request))
        if self.action == "list":
            mine = mine.filter(**asked_for(self.request, OfProjectQuery))
        return mine.order_by("category", "title", "pk")


@extend_schema_view(
    list=extend_schema(
        summary="How far modules keep to the rules, the latest merge first",
        parameters=[OfProjectQuery],
    ),
    retrieve=extend_schema(summary="One score of a module in a merge"),
)
class ConventionScoreViewSet(viewsets.ReadOnlyModelViewSet[ConventionScore]):
    queryset = ConventionScore.objects.none()
    serializer_class = ConventionScoreSerializer
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[ConventionScore]:
        mine = ConventionScore.objects.visible_to(caller(self.request))
        if self.action == "list":
            mine = mine.filter(**asked_for(self.request, OfProjectQuery))
        return mine.order_by("-date", "module", "pk")

"""The map of the REST API."""

from typing import Any

from django.http import Http404
from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.routers import BaseRouter, SimpleRouter
from rest_framework.views import APIView

from accounts.api import UUID_IN_PATH
from conversations.api import ConversationViewSet, MessageViewSet
from knowledge.api import SearchView
from knowledge.document_api import DocumentViewSet, SimilarView
from knowledge.gap_api import KnowledgeGapViewSet
from knowledge.golden_api import EvaluationViewSet, GoldenQuestionViewSet
from knowledge.overview_api import OverviewView
from knowledge.source_api import SourceViewSet
from knowledge.space_api import EmbeddingSpaceViewSet
from portal.reference import reference
from projects.account_api import ApiKeyViewSet, MeView
from projects.api import JobViewSet, MemberViewSet, ProjectViewSet
from providers.api import CallViewSet, ProviderViewSet
from reviews.api import (
    ConventionScoreViewSet,
    FindingViewSet,
    NightlyRunViewSet,
    ReviewViewSet,
    StandardViewSet,
    TestSuggestionViewSet,
)

VIEWSETS = {
    "api-keys": (ApiKeyViewSet, "api-v1-key"),
    "projects": (ProjectViewSet, "api-v1-project"),
    rf"projects/(?P<project_id>{UUID_IN_PATH})/members": (MemberViewSet, "api-v1-member"),
    "sources": (SourceViewSet, "api-v1-source"),
    "jobs": (JobViewSet, "api-v1-job"),
    "documents": (DocumentViewSet, "api-v1-document"),
    "golden-questions": (GoldenQuestionViewSet, "api-v1-golden-question"),
    "evaluations": (EvaluationViewSet, "api-v1-evaluation"),
    "embedding-spaces": (EmbeddingSpaceViewSet, "api-v1-embedding-space"),
    "knowledge-gaps": (KnowledgeGapViewSet, "api-v1-knowledge-gap"),
    "providers": (ProviderViewSet, "api-v1-provider"),
    "calls": (CallViewSet, "api-v1-call"),
    "conversations": (ConversationViewSet, "api-v1-conversation"),
    "messages": (MessageViewSet, "api-v1-message"),
    "nightly-runs": (NightlyRunViewSet, "api-v1-nightly-run"),
    "reviews": (ReviewViewSet, "api-v1-review"),
    "findings": (FindingViewSet, "api-v1-finding"),
    "test-suggestions": (TestSuggestionViewSet, "api-v1-test-suggestion"),
    "standards": (StandardViewSet, "api-v1-standard"),
    "convention-scores": (ConventionScoreViewSet, "api-v1-convention-score"),
}


def _routes(*, trailing_slash: bool) -> BaseRouter:
    router = SimpleRouter(trailing_slash=trailing_slash)
    for prefix, (viewset, name) in VIEWSETS.items():
        router.register(prefix, viewset, basename=name)
    return router


class NothingHere(APIView):
    """Answers what has no address, so that a program never meets a page."""

    permission_classes = ()
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise Http404


urlpatterns = [
    path("api/schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("api/docs/", reference, name="api-reference"),
    path("api/v1/me", MeView.as_view(), name="api-v1-me"),
    path("api/v1/me/", MeView.as_view()),
    path("api/v1/search", SearchView.as_view(), name="api-v1-search"),
    path("api/v1/search/", SearchView.as_view()),
    path(
        "api/v1/projects/<uuid:project_id>/overview", OverviewView.as_view(), name="api-v1-overview"
    ),
    path("api/v1/projects/<uuid:project_id>/overview/", OverviewView.as_view()),
    path("api/v1/documents/similar", SimilarView.as_view(), name="api-v1-similar"),
    path("api/v1/documents/similar/", SimilarView.as_view()),
    path("api/v1/", include(_routes(trailing_slash=True).urls)),
    path("api/v1/", include(_routes(trailing_slash=False).urls)),
    re_path(r"^api/(?!schema$|docs$)", NothingHere.as_view()),
]

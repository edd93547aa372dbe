"""Pages that join the apps: the first one, a project's own, and help."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Exists, IntegerField, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.viewers import Viewer, viewer_of
from conversations.models import Conversation
from knowledge.evaluations import worsened
from knowledge.models import Document
from knowledge.standing import work_is_stuck
from knowledge.suggestions import suggested_questions
from projects.membership import role_of
from projects.models import Membership, Project, Source

CONVERSATIONS_SHOWN = 8


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    projects = list(_with_counts(viewer_of(request)))
    page = {
        "projects": projects,
        "only": projects[0] if len(projects) == 1 else None,
        "asking": _asking(viewer_of(request)),
    }
    return render(request, "portal/home.html", page)


def _asking(viewer: Viewer) -> QuerySet[Source]:
    """Return the sources that wait for an answer, and whether the viewer may give it."""
    mine = Source.objects.editable_by(viewer).filter(pk=OuterRef("pk"))
    return (
        Source.objects.visible_to(viewer)
        .exclude(question="")
        .annotate(may_answer=Exists(mine))
        .select_related("project")
        .order_by("project__name", "name", "pk")
    )


def _with_counts(viewer: Viewer) -> list[Project]:
    documents = (
        Document.objects.filter(project=OuterRef("pk"), state=Document.State.INDEXED)
        .order_by()
        .values("project")
        .annotate(count=Count("pk"))
        .values("count")
    )
    latest = Source.objects.filter(project=OuterRef("pk"), last_synced_at__isnull=False).order_by(
        "-last_synced_at"
    )
    return list(
        Project.objects.visible_to(viewer)
        .annotate(
            document_count=Coalesce(Subquery(documents, output_field=IntegerField()), Value(0)),
            last_synced_at=Subquery(latest.values("last_synced_at")[:1]),
            source_count=Subquery(_count_of_sources(Q())),
            failed_count=Subquery(_count_of_sources(Q(state=Source.State.FAILED))),
        )
        .order_by("name")
    )


def _count_of_sources(condition: Q) -> QuerySet[Any, Any]:
    return (
        Source.objects.filter(condition, project=OuterRef("pk"))
        .order_by()
        .values("project")
        .annotate(count=Count("pk"))
        .values("count")
    )


@require_GET
def project(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Show where to ask about a project, and what was asked before."""
    viewer = viewer_of(request)
    found = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    conversations = Conversation.objects.visible_to(viewer).filter(project=found)
    has_documents = Document.objects.filter(project=found, blob__isnull=False).exists()
    page = {
        "project": found,
        "has_documents": has_documents,
        "sources": found.sources.order_by("name"),
        "asking": _asking(viewer).filter(project=found),
        "no_worker": not has_documents and work_is_stuck(found),
        "questions": suggested_questions(found) if has_documents else [],
        "conversations": conversations.latest_first()[:CONVERSATIONS_SHOWN],
        "worse": worsened(found),
        "can_edit": role_of(viewer, found.pk) in Membership.EDITOR_ROLES,
    }
    return render(request, "portal/project.html", page)


@require_GET
def help_page(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/help.html")

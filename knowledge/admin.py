"""What is indexed, for admins to look at; syncs write it, so nothing here is edited."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import WrittenBySystem
from knowledge.comparing import ask_to_compare
from knowledge.evaluations import ask_for_evaluation
from knowledge.gaps import make_gap_task, settle_gap
from knowledge.models import (
    Blob,
    Chunk,
    Document,
    DocumentVersion,
    EmbeddedText,
    EmbeddingSpace,
    Evaluation,
    GoldenQuestion,
    KnowledgeGap,
    Overview,
    Replica,
    TermCount,
    Upload,
    Vector,
    VectorChange,
)
from knowledge.overviews import ask_for_overview
from knowledge.spaces import SpaceRefused, activate, retire
from knowledge.tending_replicas import ask_to_rebuild, ask_to_reconcile
from projects.admin import acting


class Indexed(WrittenBySystem):
    """Tables of any size: counted by guess, wide columns left in the database."""

    heavy: tuple[str, ...] = ()
    show_full_result_count = False
    list_per_page = 50

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return super().get_queryset(request).defer(*self.heavy)


@admin.register(Document)
class DocumentAdmin(Indexed):
    heavy = ("metadata", "blob__text")
    list_display = (
        *("path", "source", "project", "language", "collection", "state", "error"),
        *("author", "changed_at"),
    )
    list_filter = ("state", "collection")
    list_select_related = ("source", "project")
    search_fields = ("path", "title", "author")
    ordering = ("path", "pk")


@admin.register(Chunk)
class ChunkAdmin(Indexed):
    heavy = ("chunk_text", "metadata", "weights", "terms", "body_hash", "header_hash")
    list_display = ("document", "start_line", "end_line", "symbol", "kind", "language")
    list_filter = ("collection",)
    list_select_related = ("document",)
    search_fields = ("symbol", "document__path")
    ordering = ("document", "chunk_index")
    fields = (
        "project",
        "document",
        "chunk_index",
        "start_line",
        "end_line",
        "header",
        "header_anchor",
        "symbol",
        "kind",
        "definitions",
        "language",
        "layer",
        "collection",
        "chunk_text",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Chunk]:
        return super().get_queryset(request).defer(*self.heavy, "document__metadata")


@admin.register(Blob)
class BlobAdmin(Indexed):
    heavy = ("text",)
    list_display = ("sha", "created_at")
    search_fields = ("sha",)
    ordering = ("-created_at", "pk")
    fields = ("sha", "created_at")


@admin.register(DocumentVersion)
class DocumentVersionAdmin(Indexed):
    list_display = ("path", "source", "commit", "language", "created_at")
    list_select_related = ("source",)
    search_fields = ("path", "commit")
    ordering = ("-created_at", "pk")


@admin.register(Upload)
class UploadAdmin(Indexed):
    heavy = ("content", "metadata")
    list_display = ("path", "source", "size", "updated_at")
    list_select_related = ("source",)
    search_fields = ("path", "source__name")
    ordering = ("path", "pk")
    fields = ("source", "path", "git_sha", "size", "created_at", "updated_at")


@admin.register(TermCount)
class TermCountAdmin(Indexed):
    list_display = ("term", "project", "chunks")
    list_select_related = ("project",)
    ordering = ("-chunks", "pk")


@admin.register(EmbeddingSpace)
class EmbeddingSpaceAdmin(Indexed):
    list_display = ("model_name", "dimensions", "state", "tokens_used", "built_at", "activated_at")
    list_filter = ("state",)
    ordering = ("-created_at", "pk")
    actions = ("compare", "activate", "retire")

    @admin.action(description="Compare with the active one", permissions=["view"])
    def compare(self, request: HttpRequest, queryset: QuerySet[EmbeddingSpace]) -> None:
        _each(self, request, queryset, ask_to_compare, "is compared.")

    @admin.action(description="Let the selected one answer", permissions=["view"])
    def activate(self, request: HttpRequest, queryset: QuerySet[EmbeddingSpace]) -> None:
        _each(self, request, queryset[:1], activate, "answers from now on.")

    @admin.action(description="Retire, with vectors and cache", permissions=["view"])
    def retire(self, request: HttpRequest, queryset: QuerySet[EmbeddingSpace]) -> None:
        _each(self, request, queryset, retire, "was retired.")


def _each(
    shown: admin.ModelAdmin[Any],
    request: HttpRequest,
    spaces: Iterable[EmbeddingSpace],
    act: Callable[..., None],
    done: str,
) -> None:
    for space in spaces:
        try:
            act(space, by=acting(request))
        except SpaceRefused as refusal:
            shown.message_user(request, f"{space}: {refusal}", messages.WARNING)
        else:
            shown.message_user(request, f"{space} {done}")


@admin.register(Replica)
class ReplicaAdmin(Indexed):
    list_display = ("space", "generation", "state", "filled", "served_at", "compared_at", "error")
    list_filter = ("state",)
    list_select_related = ("space",)
    ordering = ("-created_at", "pk")
    actions = ("reconcile", "rebuild")

    @admin.action(description="Compare with PostgreSQL and mend", permissions=["view"])
    def reconcile(self, request: HttpRequest, queryset: QuerySet[Replica]) -> None:
        _each(self, request, _spaces_of(queryset), ask_to_reconcile, "is compared.")

    @admin.action(description="Fill anew", permissions=["view"])
    def rebuild(self, request: HttpRequest, queryset: QuerySet[Replica]) -> None:
        _each(self, request, _spaces_of(queryset), ask_to_rebuild, "is filled anew.")


def _spaces_of(replicas: QuerySet[Replica]) -> set[EmbeddingSpace]:
    return {replica.space for replica in replicas.select_related("space")}


@admin.register(VectorChange)
class VectorChangeAdmin(Indexed):
    list_display = ("id", "space_id", "chunk_id", "created_at")
    ordering = ("-id",)


@admin.register(GoldenQuestion)
class GoldenQuestionAdmin(admin.ModelAdmin[GoldenQuestion]):
    list_display = ("query", "project", "relevant", "user", "updated_at")
    list_filter = ("project",)
    list_select_related = ("project", "user")
    search_fields = ("query", "relevant")
    ordering = ("project__name", "query", "pk")
    autocomplete_fields = ("project",)
    exclude = ("user",)

    def save_model(
        self, request: HttpRequest, obj: GoldenQuestion, form: object, change: bool
    ) -> None:
        if not change:
            obj.user = acting(request)
        super().save_model(request, obj, form, change)


@admin.register(EmbeddedText)
class EmbeddedTextAdmin(Indexed):
    heavy = ("embedding",)
    list_display = ("__str__", "space")
    list_select_related = ("space",)
    ordering = ("pk",)
    fields = ("space",)


@admin.register(Vector)
class VectorAdmin(Indexed):
    heavy = ("embedding",)
    list_display = ("__str__", "space", "project")
    list_select_related = ("space", "project")
    ordering = ("pk",)
    fields = ("space", "project", "chunk_place")
    readonly_fields = fields

    @admin.display(description="chunk")
    def chunk_place(self, vector: Vector) -> str:
        chunk = (
            Chunk.objects.only("document__path", "start_line", "end_line")
            .select_related("document")
            .get(pk=vector.chunk_id)
        )
        return f"{chunk.document.path}:{chunk.start_line}-{chunk.end_line}"


@admin.register(KnowledgeGap)
class KnowledgeGapAdmin(Indexed):
    may_delete = True
    list_display = ("reason", "kind", "state", "module", "project", "times", "last_updated")
    list_filter = ("kind", "state")
    list_select_related = ("project",)
    search_fields = ("reason", "module", "project__name")
    ordering = ("-times", "pk")
    actions = ("dismiss", "reopen", "make_tasks")

    @admin.action(description="Dismiss the selected gaps", permissions=["view"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[KnowledgeGap]) -> None:
        for gap in queryset:
            settle_gap(gap, KnowledgeGap.State.DISMISSED)

    @admin.action(description="Make the selected gaps candidates again", permissions=["view"])
    def reopen(self, request: HttpRequest, queryset: QuerySet[KnowledgeGap]) -> None:
        for gap in queryset:
            settle_gap(gap, KnowledgeGap.State.CANDIDATE)

    @admin.action(description="Make a task of each selected gap", permissions=["view"])
    def make_tasks(self, request: HttpRequest, queryset: QuerySet[KnowledgeGap]) -> None:
        for gap in queryset:
            make_gap_task(gap, by=acting(request))


@admin.register(Overview)
class OverviewAdmin(Indexed):
    heavy = ("content",)
    list_display = ("project", "made_at", "asked_at", "error")
    list_select_related = ("project",)
    search_fields = ("project__name",)
    ordering = ("project__name", "pk")
    actions = ("make_anew",)

    @admin.action(description="Make anew", permissions=["view"])
    def make_anew(self, request: HttpRequest, queryset: QuerySet[Overview]) -> None:
        for overview in queryset.select_related("project"):
            ask_for_overview(overview.project, by=acting(request))
            self.message_user(request, f"{overview} is made anew.")


@admin.register(Evaluation)
class EvaluationAdmin(Indexed):
    heavy = ("outcomes",)
    list_display = ("project", "created_at", "trigger", "verdict", "seconds", "error")
    list_filter = ("verdict", "trigger")
    list_select_related = ("project",)
    search_fields = ("project__name",)
    ordering = ("-created_at", "pk")
    actions = ("measure_again",)

    @admin.action(description="Measure again", permissions=["view"])
    def measure_again(self, request: HttpRequest, queryset: QuerySet[Evaluation]) -> None:
        for evaluation in queryset.select_related("project"):
            ask_for_evaluation(evaluation.project, by=acting(request))
            self.message_user(request, f"{evaluation.project} is measured.")

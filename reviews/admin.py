"""What nights found, for admins to look at, and what they may change."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.admin import WrittenBySystem
from projects.admin import acting
from reviews.deciding import decide, lift_mute
from reviews.models import (
    ConventionScore,
    Delivery,
    Finding,
    ModelPass,
    Mute,
    NightlyPlan,
    NightlyRun,
    Review,
    Standard,
    TestSuggestion,
    Webhook,
)
from reviews.planning import AlreadyRunning, begin_run


@admin.register(NightlyRun)
class NightlyRunAdmin(WrittenBySystem):
    list_display = ("night", "project", "trigger", "state", "started_at", "finished_at", "error")
    list_filter = ("state", "trigger")
    list_select_related = ("project",)
    ordering = ("-created_at", "pk")
    actions = ("review_again",)

    @admin.action(description="Review these projects now")
    def review_again(self, request: HttpRequest, runs: QuerySet[NightlyRun]) -> None:
        for project in {run.project for run in runs.select_related("project")}:
            try:
                begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=acting(request))
            except AlreadyRunning as busy:
                messages.info(request, f"{project}: {busy}")


@admin.register(Review)
class ReviewAdmin(WrittenBySystem):
    list_display = (
        *("commit", "project", "status", "quality_score", "security_score", "reviewer_version"),
        "reviewed_at",
    )
    list_filter = ("status",)
    list_select_related = ("commit", "project")
    search_fields = ("commit__sha", "commit__message", "summary")
    ordering = ("-created_at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Review]:
        return super().get_queryset(request).defer("summary", "score_inputs", "changed_paths")


@admin.register(Finding)
class FindingAdmin(WrittenBySystem):
    list_display = (
        *("claim", "project", "severity", "category", "rule", "path", "state", "is_shown"),
        *("is_muted", "created_at"),
    )
    list_filter = ("severity", "category", "state", "is_muted")
    list_select_related = ("project",)
    search_fields = ("claim", "path", "rule")
    ordering = ("-created_at", "pk")
    actions = ("dismiss",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Finding]:
        return super().get_queryset(request).defer("quote", "evidence", "patch", "hunk")

    @admin.action(description="Dismiss: it is not so")
    def dismiss(self, request: HttpRequest, findings: QuerySet[Finding]) -> None:
        for finding in findings.filter(state=Finding.State.OPEN):
            decide(
                finding,
                Finding.State.DISMISSED,
                by=acting(request),
                reason=Finding.Reason.FALSE,
            )


@admin.register(TestSuggestion)
class TestSuggestionAdmin(WrittenBySystem):
    list_display = ("symbol", "target_file", "project", "framework", "confidence", "state")
    list_filter = ("framework", "state")
    list_select_related = ("project",)
    search_fields = ("symbol", "target_file")
    ordering = ("-created_at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[TestSuggestion]:
        return super().get_queryset(request).defer("code")


@admin.register(ModelPass)
class ModelPassAdmin(WrittenBySystem):
    list_display = ("model_name", "review", "number", "state", "dropped", "tokens", "cost")
    list_filter = ("state", "model_name")
    list_select_related = ("review__commit",)
    ordering = ("-created_at", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelPass]:
        return super().get_queryset(request).defer("reply", "claims")


@admin.register(ConventionScore)
class ConventionScoreAdmin(WrittenBySystem):
    list_display = ("module", "project", "date", "score", "passed", "applicable")
    list_select_related = ("project",)
    search_fields = ("module",)
    ordering = ("-date", "module", "pk")


@admin.register(Delivery)
class DeliveryAdmin(WrittenBySystem):
    list_display = ("way", "run", "state", "attempts", "status_code", "error", "sent_at")
    list_filter = ("way", "state")
    list_select_related = ("run__project",)
    ordering = ("-created_at", "pk")


@admin.register(Webhook)
class WebhookAdmin(WrittenBySystem):
    list_display = ("url", "project", "is_enabled", "created_by", "created_at")
    list_select_related = ("project", "created_by")
    ordering = ("-created_at", "pk")


@admin.register(Standard)
class StandardAdmin(admin.ModelAdmin[Standard]):
    list_display = ("title", "project", "category", "origin", "check_kind", "is_enabled")
    list_filter = ("origin", "check_kind", "is_enabled")
    list_select_related = ("project",)
    search_fields = ("title", "text", "path")
    readonly_fields = ("origin", "source", "path", "anchor")
    ordering = ("project", "title", "pk")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Standard]:
        return super().get_queryset(request).defer("text", "check_rule")


@admin.register(NightlyPlan)
class NightlyPlanAdmin(admin.ModelAdmin[NightlyPlan]):
    list_display = ("project", "is_enabled", "hour", "zone", "asks_model", "mails_digest")
    list_select_related = ("project",)
    readonly_fields = ("project",)
    ordering = ("project", "pk")


@admin.register(Mute)
class MuteAdmin(WrittenBySystem):
    list_display = ("rule", "project", "muted_by", "dismissals", "lifted_at")
    list_select_related = ("project", "muted_by")
    ordering = ("rule", "pk")
    actions = ("lift",)

    @admin.action(description="Tell of these again")
    def lift(self, request: HttpRequest, mutes: QuerySet[Mute]) -> None:
        for mute in mutes.filter(lifted_at=None):
            lift_mute(mute, by=acting(request))

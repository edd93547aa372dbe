"""What a team has agreed on, and how far its code keeps to it."""

from typing import Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from accounts.models import Dated
from accounts.viewers import Viewer
from projects.models import Project, Source


class StandardQuerySet(models.QuerySet["Standard"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def editable_by(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.editable_by(viewer))


class Standard(Dated):
    """A rule of a team: read from its default branch, or written here; perhaps with a check."""

    class Origin(models.TextChoices):
        WRITTEN = "written", "Written here"
        REPOSITORY = "repository", "From the repository"

    class Check(models.TextChoices):
        NONE = "", "No check"
        PATTERN = "pattern", "A pattern in lines"
        TREE = "tree", "A rule over the syntax tree"
        TOOL = "tool", "Rules of ruff"

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"

    project = models.ForeignKey(Project, models.CASCADE, related_name="standards")
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.WRITTEN)
    source = models.ForeignKey(
        Source, models.CASCADE, null=True, blank=True, related_name="standards"
    )
    path = models.CharField(max_length=4096, blank=True, default="")
    anchor = models.CharField(max_length=512, blank=True, default="")
    title = models.CharField(max_length=255)
    category = models.CharField(max_length=100, blank=True, default="")
    tags = models.JSONField(default=list, blank=True)
    text = models.TextField(blank=True, default="")
    check_kind = models.CharField("check", max_length=10, choices=Check, blank=True, default="")
    # A regular expression, a rule as `docs/reviews.md` describes it, or codes of ruff.
    check_rule = models.TextField("rule of the check", blank=True, default="")
    # Globs in the syntax of .gitignore, one a line; empty: every file.
    files = models.TextField("only in", blank=True, default="")
    severity = models.CharField(max_length=10, choices=Severity, default=Severity.WARNING)
    is_enabled = models.BooleanField(default=True)

    objects = StandardQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "title"],
                condition=Q(origin="written"),
                name="one_standard_of_a_title",
            ),
            models.UniqueConstraint(
                fields=["source", "path", "anchor"],
                condition=Q(origin="repository"),
                name="one_standard_at_a_heading",
            ),
            models.CheckConstraint(
                condition=Q(check_kind="") | ~Q(check_rule=""), name="check_has_a_rule"
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def rule(self) -> str:
        """The name under which its violations are found and muted."""
        return f"standard/{self.pk}"

    def clean(self) -> None:
        if self.check_kind and not self.check_rule.strip():
            raise ValidationError({"check_rule": "A check needs a rule."})


class ConventionScoreQuerySet(models.QuerySet["ConventionScore"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class ConventionScore(Dated):
    """The share of applicable rules that a module kept in one merge."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="convention_scores")
    review = models.ForeignKey("reviews.Review", models.CASCADE, related_name="convention_scores")
    module = models.CharField(max_length=512)
    date = models.DateField()
    applicable = models.PositiveIntegerField()
    passed = models.PositiveIntegerField()
    score = models.FloatField()
    violations = models.JSONField(default=list, blank=True)

    objects = ConventionScoreQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "module"], name="one_score_of_a_module_in_a_merge"
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=1), name="convention_score_is_a_share"
            ),
            models.CheckConstraint(
                condition=Q(passed__lte=models.F("applicable")), name="passed_are_applicable"
            ),
        ]
        indexes = [models.Index(fields=["project", "module", "date"], name="scores_by_module")]

    def __str__(self) -> str:
        return f"{self.module} on {self.date}: {self.score:.2f}"

"""What search is measured by, and how it did: Django finds these through `knowledge.models`."""

from typing import Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from accounts.models import Dated, User
from accounts.viewers import Viewer
from projects.models import Project


class GoldenQuestionQuerySet(models.QuerySet["GoldenQuestion"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class GoldenQuestion(Dated):
    """A question with the files that answer it: what search is measured by."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="golden_questions")
    query = models.TextField()
    relevant = ArrayField(models.CharField(max_length=4096))
    # Where somebody told which: path, first and last line.
    lines = models.JSONField(default=list, blank=True)
    # What it is called in the set that it came with.
    set_id = models.CharField("id in its set", max_length=100, blank=True, default="")
    note = models.CharField(max_length=500, blank=True, default="")
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = GoldenQuestionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "query"], name="golden_question_once"),
        ]

    def __str__(self) -> str:
        return self.query[:80]


class EvaluationQuerySet(models.QuerySet["Evaluation"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def finished(self) -> Self:
        return self.filter(finished_at__isnull=False, error="")


class Evaluation(Dated):
    """How search answered a project's golden questions at a time, and whether that was better."""

    class Trigger(models.TextChoices):
        PERSON = "person", "A person"
        NIGHTLY = "nightly", "Nightly"

    class Verdict(models.TextChoices):
        BETTER = "better", "Better"
        AS_WELL = "as well", "As well"
        WORSE = "worse", "Worse"

    project = models.ForeignKey(Project, models.CASCADE, related_name="evaluations")
    method = models.CharField(max_length=30, default="usual")
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.PERSON)
    user = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    figures = models.JSONField(default=dict, blank=True)
    outcomes = models.JSONField(default=list, blank=True)
    # Against the run before it, on the questions that both were asked.
    verdict = models.CharField(max_length=10, choices=Verdict, blank=True, default="")
    comparison = models.JSONField(default=dict, blank=True)
    # The commit of each source that was searched, by the source's id.
    heads = models.JSONField(default=dict, blank=True)
    seconds = models.FloatField(default=0)
    done = models.PositiveIntegerField(default=0)
    total = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When somebody had enough of being told that this run was worse.
    dismissed_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")

    objects = EvaluationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(finished_at__isnull=True),
                name="one_open_evaluation_of_a_project",
            ),
        ]
        indexes = [
            models.Index(fields=["project", "-finished_at"], name="evaluations_by_age"),
        ]

    def __str__(self) -> str:
        return f"Evaluation of {self.project} at {self.created_at:%Y-%m-%d %H:%M}"

"""What the sources do not tell: Django finds this through `knowledge.models`."""

from typing import Self

from django.db import models
from django.db.models import Q

from accounts.models import Dated
from accounts.viewers import Viewer
from projects.models import Project, Task


class KnowledgeGapQuerySet(models.QuerySet["KnowledgeGap"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def editable_by(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.editable_by(viewer))


class KnowledgeGap(Dated):
    """Something that the sources do not tell, as people who asked or a review found."""

    SEEN_KINDS = ("undocumented", "untested", "churn")  # by looking at the code, not by asking

    class Kind(models.TextChoices):
        FOUND = "", "Found by a review"
        LOW_EVIDENCE = "low_evidence", "Not in the sources"
        DISLIKED = "disliked", "Answers did not help"
        UNDOCUMENTED = "undocumented", "Public code without documentation"
        UNTESTED = "untested", "Code without tests"
        CHURN = "churn", "Changes often, and no document tells of it"

    class State(models.TextChoices):
        CANDIDATE = "candidate", "Candidate"
        CONFIRMED = "confirmed", "Confirmed"
        DISMISSED = "dismissed", "Dismissed"
        CLOSED = "closed", "Closed"

    project = models.ForeignKey(Project, models.CASCADE, related_name="knowledge_gaps")
    # The folder of the nearest file that there is.
    module = models.CharField(max_length=512, blank=True, default="")
    reason = models.CharField(max_length=500)
    kind = models.CharField(max_length=12, choices=Kind, blank=True, default="", db_default="")
    state = models.CharField(
        max_length=10, choices=State, default=State.CANDIDATE, db_default=State.CANDIDATE.value
    )
    # A hash of the words that the questions share, whatever their order.
    cluster = models.CharField(max_length=64, blank=True, default="", db_default="")
    # The latest questions of it as they were asked, without who asked.
    samples = models.JSONField(default=list, blank=True)
    times = models.PositiveIntegerField(default=1)
    task = models.ForeignKey(
        Task, models.SET_NULL, null=True, blank=True, related_name="knowledge_gaps"
    )
    # When it was seen that the sources tell it now.
    closed_at = models.DateTimeField(null=True, blank=True)
    last_updated = models.DateTimeField(auto_now=True)

    objects = KnowledgeGapQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "module", "reason"],
                condition=Q(cluster=""),
                name="one_gap_for_a_reason",
            ),
            models.UniqueConstraint(
                fields=["project", "kind", "cluster"],
                condition=~Q(cluster=""),
                name="one_gap_for_a_question",
            ),
        ]

    def __str__(self) -> str:
        return self.reason

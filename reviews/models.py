"""Reviews of commits, what they found, and the nightly runs that made them."""

from decimal import Decimal
from typing import Self

from django.db import models
from django.db.models import Q
from django.urls import reverse

from accounts.models import Dated, User
from accounts.viewers import Viewer
from projects.models import Commit, Job, Project, Source, Task
from reviews.delivery_models import Delivery, NightlyPlan, Webhook
from reviews.standard_models import ConventionScore, Standard

# Django looks for an app's models here, wherever they are written.
__all__ = ["ConventionScore", "Delivery", "NightlyPlan", "Standard", "Webhook"]


class NightlyRunQuerySet(models.QuerySet["NightlyRun"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class NightlyRun(Dated):
    """One night's work for a project: what was merged, examined, found and told."""

    class Trigger(models.TextChoices):
        CLOCK = "clock", "By the clock"
        BUTTON = "button", "Asked for"
        COMMAND = "command", "By a command"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        RUNNING = "running", "Running"
        DONE = "done", "Done"
        FAILED = "failed", "Failed"
        CANCELLED = "cancelled", "Cancelled"

    OPEN_STATES = (State.WAITING, State.RUNNING)

    project = models.ForeignKey(Project, models.CASCADE, related_name="nightly_runs")
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    requested_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    trigger = models.CharField(max_length=10, choices=Trigger, default=Trigger.CLOCK)
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    # The day in the project's zone whose morning it is for; the clock makes one run for each.
    night = models.DateField()
    # A commit or a name of one, whose followers are reviewed however old; empty: since last time.
    since = models.CharField(max_length=255, blank=True, default="")
    # Up to which commit of each source it looked, by the source's id.
    heads = models.JSONField(default=dict, blank=True)
    # What each step took: {"tools": {"seconds": 3.2, "count": 12}, …}
    steps = models.JSONField(default=dict, blank=True)
    notes = models.JSONField(default=list, blank=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")

    objects = NightlyRunQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["project", "night"],
                condition=Q(trigger="clock"),
                name="one_run_of_the_clock_a_night",
            ),
            models.UniqueConstraint(
                fields=["project"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_open_run_of_a_project",
            ),
        ]
        indexes = [models.Index(fields=["project", "-created_at"], name="runs_of_a_project")]

    def __str__(self) -> str:
        return f"{self.project} on {self.night}"

    def get_absolute_url(self) -> str:
        return reverse("nightly-run", args=[self.pk])

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN_STATES


class ReviewQuerySet(models.QuerySet["Review"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))


class Review(Dated):
    """What a version of the reviewer says of one commit against its first parent."""

    class Status(models.TextChoices):
        PENDING = "PENDING"
        APPROVED = "APPROVED"
        CHANGES_REQUESTED = "CHANGES_REQUESTED"
        COMMENTED = "COMMENTED"

    project = models.ForeignKey(Project, models.CASCADE, related_name="reviews")
    source = models.ForeignKey(Source, models.CASCADE, related_name="reviews")
    commit = models.ForeignKey(Commit, models.CASCADE, related_name="reviews")
    run = models.ForeignKey(NightlyRun, models.SET_NULL, null=True, related_name="reviews")
    reviewer_version = models.CharField(max_length=40)
    parent_sha = models.CharField(max_length=64, blank=True, default="")
    is_merge = models.BooleanField(default=False)
    # Where it stands among those that wait: the oldest commit is reviewed first.
    position = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=20, choices=Status, default=Status.PENDING)
    summary = models.TextField(blank=True, default="")
    quality_score = models.FloatField(null=True, blank=True)
    security_score = models.FloatField(null=True, blank=True)
    # What the scores were computed from, line by line, for the page that shows them.
    score_inputs = models.JSONField(default=list, blank=True)
    left_out = models.JSONField(default=dict, blank=True)
    changed_paths = models.JSONField(default=list, blank=True)
    notes = models.JSONField(default=list, blank=True)
    seconds = models.FloatField(default=0)
    reviewed_at = models.DateTimeField(null=True, blank=True)

    objects = ReviewQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "commit", "reviewer_version"], name="one_review_of_a_commit"
            ),
            models.CheckConstraint(
                condition=Q(quality_score=None) | Q(quality_score__gte=0, quality_score__lte=1),
                name="quality_score_is_a_share",
            ),
            models.CheckConstraint(
                condition=Q(security_score=None) | Q(security_score__gte=0, security_score__lte=1),
                name="security_score_is_a_share",
            ),
        ]
        indexes = [models.Index(fields=["project", "-reviewed_at"], name="reviews_by_age")]

    def __str__(self) -> str:
        return f"Review of {self.commit}"

    def get_absolute_url(self) -> str:
        return reverse("review", args=[self.pk])


class FindingQuerySet(models.QuerySet["Finding"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def editable_by(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.editable_by(viewer))

    def told(self) -> Self:
        """Those that people are shown unasked: within the limits, and not of a muted kind."""
        return self.filter(is_shown=True, is_muted=False)


class Finding(Dated):
    """Something in a commit that somebody should look at, with the evidence for it."""

    class Severity(models.TextChoices):
        INFO = "info", "Info"
        WARNING = "warning", "Warning"
        CRITICAL = "critical", "Critical"

    class Category(models.TextChoices):
        CONVENTION = "convention", "Convention"
        BUG = "bug", "Bug"
        SECURITY = "security", "Security"
        PATTERN = "pattern", "Pattern"
        ARCHITECTURE = "architecture", "Architecture"
        PERFORMANCE = "performance", "Performance"
        TEST = "test", "Test"

    class State(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        DISMISSED = "dismissed", "Dismissed"
        FIXED = "fixed", "Fixed"

    class Reason(models.TextChoices):
        NONE = "", "No reason given"
        FALSE = "false", "It is not so"
        MEANT = "meant", "It is meant so"
        UNIMPORTANT = "unimportant", "It does not matter here"
        DUPLICATE = "duplicate", "It is known already"

    SEEN_STATES = (State.OPEN, State.ACCEPTED)  # that wait to be fixed

    project = models.ForeignKey(Project, models.CASCADE, related_name="findings")
    source = models.ForeignKey(Source, models.CASCADE, related_name="findings")
    review = models.ForeignKey(Review, models.CASCADE, related_name="findings")
    severity = models.CharField(max_length=10, choices=Severity)
    category = models.CharField(max_length=20, choices=Category)
    rule = models.CharField(max_length=120)
    path = models.CharField(max_length=4096)
    start_line = models.PositiveIntegerField()
    end_line = models.PositiveIntegerField()
    # Where the file is now, after renames that were reviewed since.
    current_path = models.CharField(max_length=4096, blank=True, default="")
    # Files that should have changed with it: it is fixed once one of them does.
    left = models.JSONField(default=list, blank=True)
    claim = models.CharField(max_length=500)
    quote = models.TextField(blank=True, default="")
    evidence = models.TextField(blank=True, default="")
    reference = models.CharField(max_length=500, blank=True, default="")
    confidence = models.FloatField()
    patch = models.TextField(blank=True, default="")
    # The lines of the change round it, each with its sign, as they were reviewed.
    hunk = models.JSONField(default=list, blank=True)
    is_verified = models.BooleanField(default=False)
    doubt = models.CharField(max_length=200, blank=True, default="")
    # Whether it is among the few that a reader is shown first.
    is_shown = models.BooleanField(default=False)
    is_muted = models.BooleanField(default=False)
    model_name = models.CharField(max_length=255, blank=True, default="")
    prompt_version = models.CharField(max_length=20, blank=True, default="")
    # The same of the same words in the same file, wherever its lines have moved.
    fingerprint = models.CharField(max_length=64)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    reason = models.CharField(max_length=12, choices=Reason, blank=True, default="")
    comment = models.CharField(max_length=500, blank=True, default="")
    decided_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    fixed_in = models.ForeignKey(
        Commit, models.SET_NULL, null=True, blank=True, related_name="fixed_findings"
    )
    task = models.ForeignKey(Task, models.SET_NULL, null=True, blank=True, related_name="findings")

    objects = FindingQuerySet.as_manager()

    class Meta:
        constraints = [
            # What was fixed may come again, and is told again.
            models.UniqueConstraint(
                fields=["source", "fingerprint"],
                condition=~Q(state="fixed"),
                name="one_finding_of_a_fingerprint",
            ),
            models.CheckConstraint(
                condition=Q(severity="info") | Q(is_verified=True),
                name="what_matters_is_verified",
            ),
            models.CheckConstraint(
                condition=Q(start_line__gte=1, end_line__gte=models.F("start_line")),
                name="finding_lines_are_in_order",
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1), name="confidence_is_a_share"
            ),
            models.CheckConstraint(
                condition=~Q(category="security", is_muted=True), name="security_is_never_muted"
            ),
        ]
        indexes = [
            models.Index(fields=["project", "state", "severity"], name="findings_by_state"),
            models.Index(fields=["source", "current_path"], name="findings_of_a_file"),
        ]

    def __str__(self) -> str:
        return self.claim

    def get_absolute_url(self) -> str:
        return reverse("finding", args=[self.pk])

    @property
    def lines(self) -> str:
        one = self.start_line == self.end_line
        return f"{self.start_line}" if one else f"{self.start_line}-{self.end_line}"

    @property
    def anchor(self) -> str:
        return "L" + self.lines.replace("-", "-L")


class Mute(Dated):
    """A kind of finding that a project does not want to be told of any more; never of security."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="mutes")
    rule = models.CharField(max_length=120)
    # Who asked; nobody where three dismissals did.
    muted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    dismissals = models.PositiveIntegerField(default=0)
    lifted_at = models.DateTimeField(null=True, blank=True)
    lifted_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "rule"], name="one_mute_of_a_rule"),
        ]

    def __str__(self) -> str:
        return self.rule


class TestSuggestionQuerySet(models.QuerySet["TestSuggestion"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def editable_by(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.editable_by(viewer))


class TestSuggestion(Dated):
    """A test that is missing for what a commit changed: code that parses, with names that exist."""

    __test__ = False  # so that pytest does not take it for a test

    class State(models.TextChoices):
        OPEN = "open", "Open"
        USED = "used", "Used"
        DISMISSED = "dismissed", "Dismissed"

    project = models.ForeignKey(Project, models.CASCADE, related_name="test_suggestions")
    review = models.ForeignKey(Review, models.CASCADE, related_name="test_suggestions")
    target_file = models.CharField(max_length=4096)
    test_file = models.CharField(max_length=4096, blank=True, default="")
    test_type = models.CharField(max_length=20)
    framework = models.CharField(max_length=40)
    confidence = models.FloatField()
    language = models.CharField(max_length=50)
    symbol = models.CharField(max_length=512)
    start_line = models.PositiveIntegerField()
    end_line = models.PositiveIntegerField()
    code = models.TextField()
    reason = models.CharField(max_length=500)
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    task = models.ForeignKey(Task, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = TestSuggestionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "target_file", "symbol"], name="one_suggestion_for_a_symbol"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1),
                name="suggestion_confidence_is_a_share",
            ),
        ]

    def __str__(self) -> str:
        return f"Test for {self.symbol}"


class ModelPass(Dated):
    """What a model replied about a part of a change: kept, so that it is asked and paid once."""

    class State(models.TextChoices):
        READ = "read", "Read"
        UNREADABLE = "unreadable", "Not in the form that was asked for"
        FAILED = "failed", "Failed"

    review = models.ForeignKey(Review, models.CASCADE, related_name="passes")
    part = models.CharField(max_length=64)  # a hash of what was asked
    number = models.PositiveSmallIntegerField()
    paths = models.JSONField(default=list)
    state = models.CharField(max_length=12, choices=State)
    model_name = models.CharField(max_length=255)
    prompt_version = models.CharField(max_length=20)
    reply = models.TextField(blank=True, default="")
    claims = models.JSONField(default=list)
    dropped = models.PositiveIntegerField(default=0)  # claims that could not be what they say
    error = models.CharField(max_length=500, blank=True, default="")
    tokens = models.PositiveIntegerField(default=0)
    cost = models.DecimalField(max_digits=12, decimal_places=6, null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["review", "part", "number"], name="one_pass_over_a_part"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model_name} on {', '.join(self.paths)}"

    @property
    def took(self) -> tuple[int, Decimal | None]:
        return self.tokens, self.cost

"""When a project's nights begin, and who is told of what they brought."""

from typing import Self

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q

from accounts.models import Dated, User
from accounts.viewers import Viewer
from projects.models import Project
from providers.models import Provider


class NightlyPlan(Dated):
    """When a project is reviewed, with what, and how much that may take."""

    project = models.OneToOneField(Project, models.CASCADE, related_name="nightly_plan")
    is_enabled = models.BooleanField("review every night", default=True)
    hour = models.PositiveSmallIntegerField(default=2, validators=[MaxValueValidator(23)])
    zone = models.CharField("time zone", max_length=64, default="UTC")
    asks_model = models.BooleanField("ask a model too", default=True)
    provider = models.ForeignKey(Provider, models.SET_NULL, null=True, blank=True, related_name="+")
    commits_a_night = models.PositiveIntegerField(default=50)
    tokens_a_night = models.PositiveIntegerField(default=200_000)
    mails_digest = models.BooleanField("send the digest by e-mail", default=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(hour__lte=23), name="plan_hour_is_of_a_day"),
        ]

    def __str__(self) -> str:
        return f"{self.project} at {self.hour}:00 {self.zone}"


class WebhookQuerySet(models.QuerySet["Webhook"]):
    def visible_to(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.visible_to(viewer))

    def owned_by(self, viewer: Viewer) -> Self:
        return self.filter(project__in=Project.objects.owned_by(viewer))


class Webhook(Dated):
    """An address that each digest is sent to; what signs it is made from its id, kept nowhere."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="webhooks")
    url = models.CharField("address", max_length=512)
    is_enabled = models.BooleanField(default=True)
    created_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    # Grows when the secret is made anew.
    secret_version = models.PositiveIntegerField(default=1)

    objects = WebhookQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "url"], name="one_webhook_to_an_address"),
        ]

    def __str__(self) -> str:
        return self.url


class Delivery(Dated):
    """A digest on its way to somebody: sent once, tried again while that may help."""

    class Way(models.TextChoices):
        MAIL = "mail", "E-mail"
        WEBHOOK = "webhook", "Webhook"

    class State(models.TextChoices):
        WAITING = "waiting", "Waiting"
        SENT = "sent", "Sent"
        FAILED = "failed", "Failed"

    run = models.ForeignKey("reviews.NightlyRun", models.CASCADE, related_name="deliveries")
    way = models.CharField(max_length=10, choices=Way)
    webhook = models.ForeignKey(
        Webhook, models.CASCADE, null=True, blank=True, related_name="deliveries"
    )
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="+")
    state = models.CharField(max_length=10, choices=State, default=State.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    due_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    status_code = models.PositiveSmallIntegerField(null=True, blank=True)
    error = models.CharField(max_length=500, blank=True, default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "webhook"], name="a_digest_once_to_a_webhook"),
            models.UniqueConstraint(fields=["run", "user"], name="a_digest_once_to_a_person"),
            models.CheckConstraint(
                condition=Q(way="mail", user__isnull=False, webhook__isnull=True)
                | Q(way="webhook", user__isnull=True, webhook__isnull=False),
                name="delivery_has_one_receiver",
            ),
        ]
        indexes = [models.Index(fields=["state", "due_at"], name="deliveries_due")]

    def __str__(self) -> str:
        return f"{self.get_way_display()} for {self.run}"

"""What is known of the machines behind a project: Django finds this through `projects.models`."""

from datetime import timedelta

from django.db import models
from django.utils import timezone

from accounts.models import Dated


class ForgeQuota(Dated):
    """How many requests a forge still takes, as it last said; without a token they are few."""

    host = models.CharField(max_length=255)
    is_anonymous = models.BooleanField()
    limit = models.PositiveIntegerField()
    remaining = models.PositiveIntegerField()
    resets_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["host", "is_anonymous"], name="one_quota_of_a_forge"),
        ]

    def __str__(self) -> str:
        return f"{self.host}: {self.remaining} of {self.limit}"


class WorkerBeat(models.Model):
    """The last sign of life of a process that runs jobs."""

    name = models.CharField(primary_key=True, max_length=100)
    seen_at = models.DateTimeField(default=timezone.now)

    ALIVE_FOR = timedelta(seconds=40)

    def __str__(self) -> str:
        return self.name

    @classmethod
    def somebody_is_alive(cls) -> bool:
        return cls.objects.filter(seen_at__gt=timezone.now() - cls.ALIVE_FOR).exists()

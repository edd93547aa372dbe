"""What points outside PostgreSQL need from time to time: changes, new generations, comparing."""

import time
from datetime import timedelta

from celery import current_app
from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.models import User
from knowledge.models import EmbeddingSpace, Replica, VectorChange
from knowledge.points import PointsUnavailable
from knowledge.reconciling import reconcile
from knowledge.replicating import (
    begin_generation,
    bring_up_to_date,
    give_up,
    noting_errors,
)
from knowledge.spaces import SpaceRefused, audit, living_spaces

State = Replica.State
SLICE_SECONDS = 40.0  # after which a worker does something else
COMPARED_EVERY = timedelta(days=1)


def tend_replicas() -> None:
    """Bring every space's points up to date; safe to run at any time, and twice at once."""
    if not settings.QDRANT_URL:
        leave()
        return
    until = time.monotonic() + SLICE_SECONDS
    spaces = living_spaces()
    Replica.objects.exclude(space__in=spaces).update(state=State.RETIRED)
    retired = Replica.objects.filter(state=State.RETIRED)
    with noting_errors(retired):
        for replica in retired:
            give_up(replica)
    for space in spaces:
        bring_up_to_date(space, until)
    compare_what_is_due()


def leave() -> None:
    """Go on in PostgreSQL alone: it has everything, and notes no more changes."""
    if Replica.objects.exists() or VectorChange.objects.exists():
        Replica.objects.all().delete()
        VectorChange.objects.all()._raw_delete("default")


def compare_what_is_due() -> None:
    """Compare and mend what somebody asked for, and everything once a day."""
    seen = Replica.objects.annotate(seen_at=Coalesce("compared_at", "served_at"))
    due = Q(asked_at__isnull=False) | Q(seen_at__lt=timezone.now() - COMPARED_EVERY)
    for replica in seen.filter(due, state=State.SERVING).select_related("space"):
        try:
            reconcile(replica.space, fix=True)
        except PointsUnavailable as problem:
            Replica.objects.filter(pk=replica.pk).update(error=str(problem))


def ask_to_reconcile(space: EmbeddingSpace, *, by: User) -> None:
    """Have a worker compare a space's points with PostgreSQL, and mend what differs."""
    _check_used()
    asked = Replica.objects.filter(space=space, state=State.SERVING)
    if not asked.update(asked_at=timezone.now()):
        raise SpaceRefused("Qdrant does not answer for this space yet: it is being filled.")
    audit(by, "reconciled", space)
    call_to_tend()


def ask_to_rebuild(space: EmbeddingSpace, *, by: User) -> None:
    """Have a worker fill a space's points anew, beside those that answer."""
    _check_used()
    if space.state == EmbeddingSpace.State.RETIRED:
        raise SpaceRefused("A retired space has no vectors.")
    begin_generation(space)
    audit(by, "rebuilt", space)
    call_to_tend()


def _check_used() -> None:
    if not settings.QDRANT_URL:
        raise SpaceRefused("QDRANT_URL is not set: PostgreSQL alone has the vectors.")


def call_to_tend() -> None:
    """Have a worker do at once what the clock would have it do in ten seconds."""
    if not settings.QDRANT_URL:
        return
    try:
        current_app.send_task("knowledge.tasks.tend_replicas", retry=False)
    except OperationalError:
        return

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
from knowledge.reconciling import reconcile
from knowledge.replicating import bring_up_to_date, give_up, living, noting_errors
from knowledge.spaces import SpaceRefused, audit, living_spaces

State = Replica.State
SLICE_SECONDS = 20.0  # after which a worker does something else
COMPARED_EVERY = timedelta(days=1)


def tend_replicas() -> None:
    """Bring every space's points up to date; safe to run at any time, and twice at once."""
    if not settings.QDRANT_URL:
        leave()
        return
    # By the states as they are now: a space may be declared at this very moment.
    given_up = Replica.objects.filter(space__state=EmbeddingSpace.State.RETIRED)
    with noting_errors(given_up):
        for replica in given_up.select_related("space"):
            give_up(replica.space)
    replicated = Replica.objects.filter(state__in=Replica.LIVING_STATES)
    VectorChange.objects.exclude(space_id__in=replicated.values("space_id")).delete()
    for space in living_spaces():
        bring_up_to_date(space, time.monotonic() + SLICE_SECONDS)
    compare_what_is_due()


def leave() -> None:
    """Go on in PostgreSQL alone: it has everything, and notes no more changes."""
    if Replica.objects.exists() or VectorChange.objects.exists():
        Replica.objects.all().delete()
        VectorChange.objects.all().delete()


def compare_what_is_due() -> None:
    """Compare and mend what somebody asked for, and everything once a day."""
    seen = Replica.objects.annotate(seen_at=Coalesce("compared_at", "served_at"))
    due = Q(reconcile_asked_at__isnull=False) | Q(seen_at__lt=timezone.now() - COMPARED_EVERY)
    for replica in seen.filter(due, state=State.SERVING).select_related("space"):
        with noting_errors(Replica.objects.filter(pk=replica.pk)):
            reconcile(replica.space, fix=True)


def ask_to_reconcile(space: EmbeddingSpace, *, by: User) -> None:
    """Have a worker compare a space's points with PostgreSQL, and mend what differs."""
    _check_used()
    asked = Replica.objects.filter(space=space, state=State.SERVING)
    if not asked.update(reconcile_asked_at=timezone.now()):
        raise SpaceRefused("Qdrant does not answer for this space yet: it is being filled.")
    audit(by, "reconciled", space)
    call_to_tend()


def ask_to_rebuild(space: EmbeddingSpace, *, by: User) -> None:
    """Have a worker fill a space's points anew, beside those that answer."""
    _check_used()
    if space.state == EmbeddingSpace.State.RETIRED:
        raise SpaceRefused("A retired space has no vectors.")
    note_rebuild(space)
    audit(by, "rebuilt", space)
    call_to_tend()


def note_rebuild(space: EmbeddingSpace) -> None:
    """Have the next round begin a generation; where there is none yet, it does so anyway."""
    living(space).update(rebuild_asked_at=timezone.now())


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

"""Writing down who did what."""

from typing import Any
from uuid import UUID

from django.db.models import Model

from accounts.models import AuditEntry, User


def record(
    actor: User, action: str, thing: Model, *, project_id: UUID | None = None, **detail: Any
) -> None:
    """Keep that `actor` did `action` to `thing`; the detail must hold no secret."""
    AuditEntry.objects.create(
        actor_id=actor.pk,
        actor_name=str(actor)[:255],
        action=action,
        kind=thing._meta.model_name or "",
        object_id=thing.pk,
        object_name=str(thing)[:255],
        project_id=project_id,
        detail=detail,
    )

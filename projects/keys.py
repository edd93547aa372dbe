"""Keys for programs, limited to what their person allows them."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from accounts.auditing import record
from accounts.models import ApiKey, User
from projects.models import ApiKeyProject, Project


@transaction.atomic
def issue_key(
    user: User,
    *,
    name: str,
    scopes: list[str],
    expires_at: datetime | None = None,
    projects: Iterable[Project] = (),
) -> tuple[ApiKey, str]:
    """Return a new key and its text, which can be shown this once only."""
    opened = list(projects)
    key, text = ApiKey.issue(
        user=user, name=name, scopes=scopes, expires_at=expires_at, is_limited=bool(opened)
    )
    ApiKeyProject.objects.bulk_create(
        ApiKeyProject(api_key=key, project=project) for project in opened
    )
    record(user, "issued", key, scopes=scopes)
    return key, text


def revoke_keys_that_open_only(project: Project, *, by: User) -> None:
    """End the keys whose only project goes: they open nothing any more."""
    limited = ApiKey.objects.filter(project_links__project=project, revoked_at=None)
    for key in limited.exclude(project_links__in=ApiKeyProject.objects.exclude(project=project)):
        revoke_key(key, by=by)


@transaction.atomic
def revoke_key(key: ApiKey, *, by: User) -> None:
    """End a key at once."""
    key.revoke()
    record(by, "revoked", key)

"""Who is asking: one value that every read begins with."""

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.http import Http404, HttpRequest

from accounts.models import ApiKey, User


@dataclass(frozen=True, slots=True)
class Viewer:
    """A person, and for an API key its scopes and the projects that it is limited to."""

    user: User
    scopes: frozenset[str] = frozenset(ApiKey.Scope.values)
    project_ids: frozenset[UUID] | None = None  # None: every project of the person

    @property
    def is_active(self) -> bool:
        return self.user.is_active and self.user.deleted_at is None

    def may(self, scope: str) -> bool:
        return self.is_active and scope in self.scopes


def viewer_of(request: HttpRequest) -> Viewer:
    """Return who is asking; a request without a person is told that nothing is here."""
    viewer: Viewer | None = getattr(request, "auth", None)
    if isinstance(viewer, Viewer):
        return viewer
    user: User | AnonymousUser = request.user
    if isinstance(user, AnonymousUser):
        raise Http404
    return Viewer(user)


def admin_of(request: HttpRequest) -> User:
    """Return the admin who asks; others are told that nothing is here."""
    user = viewer_of(request).user
    if not user.is_admin:
        raise Http404
    return user

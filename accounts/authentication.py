"""How programs and browsers say who they are to the REST API."""

from typing import TYPE_CHECKING, ClassVar

from django.contrib.auth.models import AnonymousUser
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from accounts.models import ApiKey, User
from accounts.viewers import Viewer

if TYPE_CHECKING:  # DRF imports this module while it imports its views
    from rest_framework.views import APIView


class ApiKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer nightowl_…`."""

    def authenticate(self, request: Request) -> tuple[User, Viewer] | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        usable = ApiKey.objects.usable().select_related("user")
        try:
            key = usable.get(hash=ApiKey.hash_of(text.strip()))
        except ApiKey.DoesNotExist:
            raise AuthenticationFailed("This API key is unknown, expired or revoked.") from None
        key.touch()
        limits = (
            frozenset(key.project_links.values_list("project_id", flat=True))
            if key.is_limited
            else None
        )
        return key.user, Viewer(key.user, frozenset(key.scopes), limits)

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BrowserAuthentication(SessionAuthentication):
    """The session of the browser, with its CSRF check."""

    def authenticate(self, request: Request) -> tuple[User, Viewer] | None:
        found = super().authenticate(request)
        return (found[0], Viewer(found[0])) if found else None


class HasScope(BasePermission):
    """Lets a viewer in whose scopes hold what the view names for the method."""

    message = "This API key lacks the scope that this needs."
    FOR_METHOD: ClassVar[dict[str, str]] = {
        "GET": ApiKey.Scope.READ,
        "HEAD": ApiKey.Scope.READ,
        "OPTIONS": ApiKey.Scope.READ,
    }

    def has_permission(self, request: Request, view: "APIView") -> bool:
        if isinstance(request.user, AnonymousUser) or not isinstance(request.auth, Viewer):
            return False
        default = self.FOR_METHOD.get(request.method or "", ApiKey.Scope.WRITE)
        scopes = getattr(view, "scopes", {})
        return request.auth.may(scopes.get(request.method, default))

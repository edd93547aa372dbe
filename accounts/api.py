"""What every part of the REST API builds on: who calls, and what a list was asked for."""

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.authentication import HasScope
from accounts.models import User
from accounts.viewers import Viewer

UUID_IN_PATH = r"[0-9a-fA-F-]{36}"


def caller(request: Request) -> Viewer:
    viewer = request.auth
    if not isinstance(viewer, Viewer):
        raise NotAuthenticated
    return viewer


def asked_for(request: Request, query: type[serializers.Serializer[Any]]) -> dict[str, Any]:
    """Return the parameters of the query string, checked."""
    read = query(data=request.query_params, context={"request": request})
    read.is_valid(raise_exception=True)
    checked: dict[str, Any] = read.validated_data
    return checked


class UnlimitedKey(HasScope):
    """Refuses a key that is limited to projects what reaches beyond every project."""

    message = "An API key that is limited to projects can't do this."

    def has_permission(self, request: Request, view: APIView) -> bool:
        return super().has_permission(request, view) and caller(request).project_ids is None


class AdminsWrite(UnlimitedKey):
    """Lets everybody read, and admins change."""

    message = "Only an admin may change this, with a key that is not limited to projects."

    def has_permission(self, request: Request, view: APIView) -> bool:
        if request.method in SAFE_METHODS:
            return HasScope.has_permission(self, request, view)
        return super().has_permission(request, view) and caller(request).user.is_admin


class PersonSerializer(serializers.ModelSerializer[User]):
    """A person as others see them."""

    class Meta:
        model = User
        fields = ("id", "username", "name")
        read_only_fields = fields

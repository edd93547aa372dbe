"""Who may change what over the REST API: a stranger gets 404, a member without the right 403."""

from typing import TYPE_CHECKING, Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.api import caller
from accounts.authentication import HasScope
from accounts.viewers import Viewer
from projects.membership import role_of
from projects.models import Membership, Project, Source

if TYPE_CHECKING:
    ProjectField = serializers.PrimaryKeyRelatedField[Project]
    SourceField = serializers.PrimaryKeyRelatedField[Source]
else:
    ProjectField = SourceField = serializers.PrimaryKeyRelatedField

EDITORS_ONLY = "Your role in this project lets you look, not change."
OWNERS_ONLY = "Only an owner of this project may do this."


class EditorsWrite(HasScope):
    """Everybody who sees a thing of a project may read it, its editors may change it."""

    message = EDITORS_ONLY
    roles: tuple[str, ...] = Membership.EDITOR_ROLES

    def has_permission(self, request: Request, view: APIView) -> bool:
        self.message = HasScope.message
        return super().has_permission(request, view)

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        self.message = type(self).message
        if request.method in SAFE_METHODS:
            return True
        project_id = obj.pk if isinstance(obj, Project) else obj.project_id
        return role_of(caller(request), project_id) in self.roles


class OwnersWrite(EditorsWrite):
    message = OWNERS_ONLY
    roles = (Membership.Role.OWNER,)


def check_role(viewer: Viewer, project: Project, roles: tuple[str, ...], refusal: str) -> None:
    """Raise 403 when the viewer's role in a project that they see is none of these."""
    if role_of(viewer, project.pk) not in roles:
        raise PermissionDenied(refusal)


class VisibleProject(ProjectField):
    """A project by its id, one that the caller may see."""

    default_error_messages = {"does_not_exist": "There is no project of this id for you."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self) -> QuerySet[Project]:
        return Project.objects.visible_to(caller(self.context["request"]))


class VisibleSource(SourceField):
    """A source by its id, one that the caller may see."""

    default_error_messages = {"does_not_exist": "There is no source of this id for you."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(pk_field=serializers.UUIDField(), **kwargs)

    def get_queryset(self) -> QuerySet[Source]:
        return Source.objects.visible_to(caller(self.context["request"]))

"""Who is calling, and the keys that programs call with, over REST."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import UUID_IN_PATH, UnlimitedKey, caller
from accounts.models import ApiKey, User
from accounts.viewers import Viewer
from projects.access import VisibleProject
from projects.keys import issue_key, revoke_key
from projects.models import Membership, Project


class OwnProjectSerializer(serializers.Serializer[Membership]):
    id = serializers.UUIDField(source="project_id")
    name = serializers.CharField(source="project.name")
    role = serializers.ChoiceField(choices=Membership.Role.choices)


class MeSerializer(serializers.ModelSerializer[User]):
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiKey.Scope.choices))
    is_limited = serializers.BooleanField(
        help_text="Whether the API key reaches some of the person's projects only."
    )
    projects = OwnProjectSerializer(many=True)

    class Meta:
        model = User
        fields = ("id", "username", "name", "email", "role", "scopes", "is_limited", "projects")
        read_only_fields = fields


class MeView(APIView):
    @extend_schema(summary="Who you are here, and what you may do", responses=MeSerializer)
    def get(self, request: Request) -> Response:
        viewer = caller(request)
        return Response(_described(viewer))


def _described(viewer: Viewer) -> dict[str, Any]:
    projects: Any = (
        Membership.objects.filter(user=viewer.user, project__in=Project.objects.visible_to(viewer))
        .select_related("project")
        .order_by("project__name", "pk")
    )
    return {
        "id": str(viewer.user.pk),
        "username": viewer.user.username,
        "name": viewer.user.name,
        "email": viewer.user.email,
        "role": viewer.user.role,
        "scopes": sorted(viewer.scopes),
        "is_limited": viewer.project_ids is not None,
        "projects": OwnProjectSerializer(projects, many=True).data,
    }


class ApiKeySerializer(serializers.ModelSerializer[ApiKey]):
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=ApiKey.Scope.choices))
    projects = serializers.SerializerMethodField(
        help_text="The projects that the key is limited to; empty: all of its person's."
    )

    class Meta:
        model = ApiKey
        fields = (
            "id",
            "name",
            "prefix",
            "scopes",
            "projects",
            "expires_at",
            "last_used_at",
            "revoked_at",
            "created_at",
        )
        read_only_fields = fields

    def get_projects(self, key: ApiKey) -> list[str]:
        return [str(link.project_id) for link in key.project_links.all()]


class IssuedKeySerializer(ApiKeySerializer):
    """A key just issued: the only answer that ever holds its text."""

    key = serializers.CharField(help_text="The key itself. It is not kept: note it now.")

    class Meta(ApiKeySerializer.Meta):
        fields = (*ApiKeySerializer.Meta.fields, "key")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]


class NewKeySerializer(serializers.Serializer[ApiKey]):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=ApiKey.Scope.choices),
        allow_empty=False,
        max_length=10,
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    projects = serializers.ListField(
        child=VisibleProject(), required=False, max_length=200, default=list
    )

    def validate_scopes(self, scopes: Sequence[str]) -> list[str]:
        if not set(scopes) <= caller(self.context["request"]).scopes:
            raise serializers.ValidationError("A key can't give more than the key that asks has.")
        return sorted(set(scopes))

    def validate_projects(self, projects: Sequence[Project]) -> list[Project]:
        return list(dict.fromkeys(projects))

    def validate_expires_at(self, moment: Any) -> Any:
        if moment is not None and moment <= timezone.now():
            raise serializers.ValidationError("This moment has passed.")
        return moment


@extend_schema_view(
    list=extend_schema(summary="Your API keys"),
    retrieve=extend_schema(summary="One of your API keys"),
    create=extend_schema(
        summary="A new API key; its text is in this answer and never again",
        request=NewKeySerializer,
        responses={201: IssuedKeySerializer},
    ),
    destroy=extend_schema(summary="Revoke a key: it opens nothing any more"),
)
class ApiKeyViewSet(
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet[ApiKey],
):
    queryset = ApiKey.objects.none()
    serializer_class = ApiKeySerializer
    permission_classes = [UnlimitedKey]
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[ApiKey]:
        return (
            ApiKey.objects.owned_by(caller(self.request).user)
            .prefetch_related("project_links")
            .order_by("-created_at", "pk")
        )

    def create(self, request: Request) -> Response:
        asked = NewKeySerializer(data=request.data, context={"request": request})
        asked.is_valid(raise_exception=True)
        key, text = issue_key(caller(request).user, **asked.validated_data)
        key.key = text  # type: ignore[attr-defined]
        response = Response(IssuedKeySerializer(key).data, status=status.HTTP_201_CREATED)
        response["Cache-Control"] = "no-store"
        return response

    def perform_destroy(self, instance: ApiKey) -> None:
        revoke_key(instance, by=caller(self.request).user)

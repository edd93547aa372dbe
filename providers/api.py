"""Who answers, and what was spent, over REST."""

from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import serializers, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, AdminsWrite, PersonSerializer, asked_for, caller
from projects.access import VisibleProject
from projects.models import Project
from providers.choosing import delete_provider, make_default, save_provider
from providers.greeting import Greeting, say_hello
from providers.models import Call, Provider, check_api_config


class ProviderSerializer(serializers.ModelSerializer[Provider]):
    api_config = serializers.JSONField(
        required=False,
        validators=[check_api_config],
        help_text=(
            "How the model is reached: base_url, temperature, max_tokens, timeout, json_schema"
            " (whether it can be held to a form of JSON), and"
            " api_key_variable, the name of the environment variable that holds the key."
            " Shown to admins only."
        ),
    )

    class Meta:
        model = Provider
        fields = (
            "id",
            "provider_name",
            "model_name",
            "is_default",
            "is_enabled",
            "fallback_order",
            "from_environment",
            "api_config",
            "created_at",
            "updated_at",
        )
        read_only_fields = ("from_environment",)
        # A second default is no mistake: it takes the place of the first.
        extra_kwargs: ClassVar[dict[str, Any]] = {"is_default": {"validators": []}}

    def to_representation(self, instance: Provider) -> dict[str, Any]:
        shown: dict[str, Any] = super().to_representation(instance)
        if not caller(self.context["request"]).user.is_admin:
            shown["api_config"] = {}
        return shown


class GreetingSerializer(serializers.Serializer[Greeting]):
    worked = serializers.BooleanField(read_only=True)
    milliseconds = serializers.IntegerField(
        read_only=True, help_text="Until the reply was there; 0 when the model was not asked."
    )
    text = serializers.CharField(
        read_only=True, help_text="What the model replied, at most 200 characters of it."
    )
    error = serializers.CharField(read_only=True, help_text="What went wrong, in a sentence.")


@extend_schema_view(
    list=extend_schema(summary="Who can answer"),
    retrieve=extend_schema(summary="One provider"),
    create=extend_schema(summary="A new provider; for admins"),
    partial_update=extend_schema(summary="Change a provider; for admins"),
    destroy=extend_schema(summary="Remove a provider; for admins"),
)
class ProviderViewSet(viewsets.ModelViewSet[Provider]):
    queryset = Provider.objects.order_by("-is_default", "provider_name", "model_name", "pk")
    serializer_class = ProviderSerializer
    permission_classes = [AdminsWrite]
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_regex = UUID_IN_PATH

    def perform_create(self, serializer: serializers.BaseSerializer[Provider]) -> None:
        provider = Provider(**serializer.validated_data)
        save_provider(provider, by=caller(self.request).user)
        serializer.instance = provider

    def perform_update(self, serializer: serializers.BaseSerializer[Provider]) -> None:
        provider = self.get_object()
        for name, value in serializer.validated_data.items():
            setattr(provider, name, value)
        save_provider(provider, by=caller(self.request).user)
        serializer.instance = provider

    def perform_destroy(self, instance: Provider) -> None:
        delete_provider(instance, by=caller(self.request).user)

    @extend_schema(
        summary="Say hello to a model and see whether it answers; for admins",
        request=None,
        responses=GreetingSerializer,
    )
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        greeting = say_hello(self.get_object(), by=caller(request).user)
        return Response(GreetingSerializer(greeting).data)

    @extend_schema(
        summary="Let a provider answer wherever none is named, enabled if need be; for admins",
        request=None,
        responses=ProviderSerializer,
    )
    @action(detail=True, methods=["post"], url_path="make-default")
    def make_default(self, request: Request, pk: str) -> Response:
        provider = self.get_object()
        make_default(provider, by=caller(request).user)
        return Response(self.get_serializer(provider).data)


class CallSerializer(serializers.ModelSerializer[Call]):
    user = PersonSerializer(read_only=True, allow_null=True)
    project = serializers.UUIDField(source="project_id", allow_null=True, read_only=True)

    class Meta:
        model = Call
        fields = (
            "id",
            "purpose",
            "provider_name",
            "model_name",
            "tokens_in",
            "tokens_out",
            "tokens_cached",
            "cost",
            "duration_ms",
            "error",
            "user",
            "project",
            "origin_kind",
            "origin_id",
            "created_at",
        )
        read_only_fields = fields


class CallQuery(serializers.Serializer[Call]):
    project = VisibleProject(required=False)
    purpose = serializers.CharField(max_length=30, required=False)


@extend_schema_view(
    list=extend_schema(
        summary="Calls of models: your own, and everybody's for admins", parameters=[CallQuery]
    ),
    retrieve=extend_schema(summary="One call of a model"),
)
class CallViewSet(viewsets.ReadOnlyModelViewSet[Call]):
    queryset = Call.objects.none()
    serializer_class = CallSerializer
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[Call]:
        viewer = caller(self.request)
        calls = Call.objects.select_related("user")
        if viewer.project_ids is not None:
            calls = calls.filter(project_id__in=viewer.project_ids)
        if not viewer.user.is_admin:
            visible = Project.objects.visible_to(viewer).values("pk")
            calls = calls.filter(Q(project_id=None) | Q(project_id__in=visible), user=viewer.user)
        if self.action == "list":
            asked = asked_for(self.request, CallQuery)
            if project := asked.pop("project", None):
                calls = calls.filter(project_id=project.pk)
            calls = calls.filter(**asked)
        return calls.order_by("-created_at", "pk")

"""Spaces of vectors over REST, for admins: which model answers, and building another beside it."""

from functools import cached_property
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, UnlimitedKey, asked_for, caller
from knowledge.comparing import ask_to_compare
from knowledge.models import EmbeddingSpace
from knowledge.replica_standing import ReplicaStanding, replica_standings
from knowledge.space_standing import SpaceStanding, standings
from knowledge.spaces import activate, declare, retire, roll_back
from knowledge.tending_replicas import ask_to_rebuild, ask_to_reconcile
from providers.embedding import Reach, built_in_model
from providers.server_rules import check_address, check_key_variable


class AdminsOnly(UnlimitedKey):
    """Lets admins in, to read as to change."""

    message = "Only an admin may see this, with a key that is not limited to projects."

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and caller(request).user.is_admin


class ReplicaSerializer(serializers.Serializer[ReplicaStanding]):
    """A space's points in Qdrant."""

    is_serving = serializers.SerializerMethodField(help_text="Whether searches ask it.")
    is_filling = serializers.SerializerMethodField()
    percent = serializers.IntegerField(help_text="How far the filling is.")
    waiting = serializers.IntegerField(help_text="Changes that it has not heard of.")
    lag_seconds = serializers.SerializerMethodField(help_text="Since the oldest of them.")
    comparison = serializers.SerializerMethodField(help_text="The last one with PostgreSQL.")
    error = serializers.CharField()

    def get_is_serving(self, standing: ReplicaStanding) -> bool:
        return standing.serving is not None

    def get_is_filling(self, standing: ReplicaStanding) -> bool:
        return standing.filling is not None

    def get_lag_seconds(self, standing: ReplicaStanding) -> float:
        return standing.lag.total_seconds()

    def get_comparison(self, standing: ReplicaStanding) -> dict[str, dict[str, int]]:
        return standing.serving.comparison if standing.serving else {}


class SpaceSerializer(serializers.ModelSerializer[EmbeddingSpace]):
    vectors = serializers.SerializerMethodField()
    passages = serializers.SerializerMethodField()
    seconds_left = serializers.SerializerMethodField(help_text="A guess; null when there is none.")
    cost_usd = serializers.SerializerMethodField(help_text="So far; null when no price is known.")
    cost_usd_in_all = serializers.SerializerMethodField(help_text="A guess of it once it is built.")
    replica = serializers.SerializerMethodField(help_text="Null where only PostgreSQL is used.")

    class Meta:
        model = EmbeddingSpace
        fields = (
            *("id", "adapter", "model_name", "base_url", "key_variable", "dimensions"),
            *("query_prefix", "document_prefix", "state", "weight", "texts_at_once"),
            *("requests_per_minute", "tokens_per_minute", "token_budget", "tokens_used"),
            *("usd_per_million", "takes_over_when_built", "from_environment", "built_at"),
            *("activated_at", "comparison", "error", "vectors", "passages", "seconds_left"),
            *("cost_usd", "cost_usd_in_all", "replica", "created_at", "updated_at"),
        )
        read_only_fields = fields

    def _standing(self, space: EmbeddingSpace) -> SpaceStanding:
        """Count for all spaces of an answer at once."""
        if space.pk not in self._known:
            shown = self.root.instance
            rows = shown if isinstance(shown, list) else [space]
            self._known = {standing.space.pk: standing for standing in standings(rows)}
        return self._known[space.pk]

    @cached_property
    def _known(self) -> dict[UUID, SpaceStanding]:
        return {}

    def get_vectors(self, space: EmbeddingSpace) -> int:
        return self._standing(space).vectors

    def get_passages(self, space: EmbeddingSpace) -> int:
        return self._standing(space).chunks

    def get_seconds_left(self, space: EmbeddingSpace) -> int | None:
        remaining = self._standing(space).remaining
        return None if remaining is None else round(remaining.total_seconds())

    @extend_schema_field(ReplicaSerializer(allow_null=True))
    def get_replica(self, space: EmbeddingSpace) -> dict[str, Any] | None:
        if space.state not in EmbeddingSpace.FILLED_STATES:
            return None
        found = replica_standings([space])
        return dict(ReplicaSerializer(found[0]).data) if found else None

    @extend_schema_field(serializers.DecimalField(max_digits=20, decimal_places=6, allow_null=True))
    def get_cost_usd(self, space: EmbeddingSpace) -> str | None:
        cost = self._standing(space).cost
        return None if cost is None else f"{cost:.6f}"

    @extend_schema_field(serializers.DecimalField(max_digits=20, decimal_places=6, allow_null=True))
    def get_cost_usd_in_all(self, space: EmbeddingSpace) -> str | None:
        cost = self._standing(space).cost_in_all
        return None if cost is None else f"{cost:.6f}"


def _positive(most: int, **how: Any) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=most, **how)


class NewSpaceSerializer(serializers.Serializer[EmbeddingSpace]):
    adapter = serializers.ChoiceField(choices=["compatible", "minilm"], default="compatible")
    model_name = serializers.CharField(max_length=255, required=False, default="")
    base_url = serializers.CharField(
        max_length=512, required=False, default="", validators=[check_address]
    )
    key_variable = serializers.CharField(
        max_length=100,
        required=False,
        default="",
        validators=[check_key_variable],
        help_text="The name of the environment variable that holds the key, never the key itself.",
    )
    query_prefix = serializers.CharField(
        max_length=255, required=False, default="", trim_whitespace=False
    )
    document_prefix = serializers.CharField(
        max_length=255, required=False, default="", trim_whitespace=False
    )
    texts_at_once = _positive(2048, required=False)
    requests_per_minute = _positive(2**31 - 1, required=False, allow_null=True)
    tokens_per_minute = _positive(2**31 - 1, required=False, allow_null=True)
    token_budget = _positive(10**15, required=False, allow_null=True)
    usd_per_million = serializers.DecimalField(
        max_digits=12, decimal_places=6, min_value=0, required=False, allow_null=True
    )
    weight = serializers.FloatField(min_value=0, max_value=1, required=False)
    takes_over_when_built = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not built_in_model(attrs["adapter"]):
            missing = [name for name in ("model_name", "base_url") if not attrs[name]]
            if missing:
                raise serializers.ValidationError(
                    {name: ["Needed for a model on a server."] for name in missing}
                )
        return attrs


class SpaceQuery(serializers.Serializer[EmbeddingSpace]):
    state = serializers.ChoiceField(choices=EmbeddingSpace.State.choices, required=False)


DONE = {200: SpaceSerializer}


@extend_schema_view(
    list=extend_schema(
        summary="Spaces of vectors and how each stands; for admins", parameters=[SpaceQuery]
    ),
    retrieve=extend_schema(summary="One space of vectors; for admins"),
)
class EmbeddingSpaceViewSet(viewsets.ReadOnlyModelViewSet[EmbeddingSpace]):
    queryset = EmbeddingSpace.objects.none()
    serializer_class = SpaceSerializer
    permission_classes = [AdminsOnly]
    lookup_value_regex = UUID_IN_PATH

    def get_queryset(self) -> QuerySet[EmbeddingSpace]:
        spaces = EmbeddingSpace.objects.order_by("-created_at", "pk")
        if self.action == "list":
            spaces = spaces.filter(**asked_for(self.request, SpaceQuery))
        return spaces

    @extend_schema(
        summary="Have a model's space built beside the active one; for admins",
        request=NewSpaceSerializer,
        responses={201: SpaceSerializer},
    )
    def create(self, request: Request) -> Response:
        asked = NewSpaceSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        data = dict(asked.validated_data)
        takes_over = data.pop("takes_over_when_built")
        names = ("model_name", "base_url", "key_variable", "query_prefix", "document_prefix")
        named = {name: data.pop(name) for name in names}
        adapter = data.pop("adapter")
        built_in = built_in_model(adapter)
        reach = Reach(adapter, built_in) if built_in else Reach(adapter, **named)
        space = declare(reach, by=caller(request).user, takes_over=takes_over, **data)
        return self._shown(space, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Compare a space with the active one, soon; for admins",
        request=None,
        responses={202: SpaceSerializer},
    )
    @action(detail=True, methods=["post"])
    def compare(self, request: Request, pk: str) -> Response:
        space = self.get_object()
        ask_to_compare(space, by=caller(request).user)
        return self._shown(space, status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Compare a space's points in Qdrant with PostgreSQL and mend them; for admins",
        request=None,
        responses={202: SpaceSerializer},
    )
    @action(detail=True, methods=["post"])
    def reconcile(self, request: Request, pk: str) -> Response:
        space = self.get_object()
        ask_to_reconcile(space, by=caller(request).user)
        return self._shown(space, status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Fill a space's points in Qdrant anew, beside those that answer; for admins",
        request=None,
        responses={202: SpaceSerializer},
    )
    @action(detail=True, methods=["post"])
    def rebuild(self, request: Request, pk: str) -> Response:
        space = self.get_object()
        ask_to_rebuild(space, by=caller(request).user)
        return self._shown(space, status.HTTP_202_ACCEPTED)

    @extend_schema(
        summary="Let a built space answer from now on; for admins", request=None, responses=DONE
    )
    @action(detail=True, methods=["post"])
    def activate(self, request: Request, pk: str) -> Response:
        space = self.get_object()
        activate(space, by=caller(request).user)
        return self._shown(space)

    @extend_schema(
        summary="Let the space answer again that did before; for admins",
        request=None,
        responses=DONE,
    )
    @action(detail=False, methods=["post"], url_path="roll-back")
    def roll_back(self, request: Request) -> Response:
        space = roll_back(by=caller(request).user)
        return self._shown(space)

    @extend_schema(
        summary="Give a space up, with its vectors and its cache; for admins",
        request=None,
        responses=DONE,
    )
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        space = self.get_object()
        retire(space, by=caller(request).user)
        return self._shown(space)

    def _shown(self, space: EmbeddingSpace, code: int = status.HTTP_200_OK) -> Response:
        space.refresh_from_db()
        return Response(self.get_serializer(space).data, status=code)

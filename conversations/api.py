"""Conversations over REST: asking, following an answer as it is written, keeping it."""

from typing import TYPE_CHECKING, Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, asked_for, caller
from accounts.models import ApiKey
from conversations import asking
from conversations.exporting import as_markdown
from conversations.feedback import give_feedback, report_gap
from conversations.finishing import answer_now, events_of
from conversations.freshness import mark_stale
from conversations.models import Conversation, Message
from projects.access import VisibleProject
from providers.models import Provider

if TYPE_CHECKING:
    ProviderField = serializers.PrimaryKeyRelatedField[Provider]
else:
    ProviderField = serializers.PrimaryKeyRelatedField


class EventStream(BaseRenderer):
    """Lets a client ask for events; what is not a stream goes out as JSON all the same."""

    media_type = "text/event-stream"
    format = "events"

    def render(self, data: Any, media_type: str | None = None, context: Any = None) -> bytes:
        rendered: bytes = JSONRenderer().render(data, "application/json", context)
        return rendered


class PassageSerializer(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    document_id = serializers.CharField()
    source_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    file_path = serializers.CharField()
    commit = serializers.CharField()
    start_line = serializers.IntegerField()
    end_line = serializers.IntegerField()
    header_anchor = serializers.CharField()
    header = serializers.CharField()
    symbol = serializers.CharField()
    kind = serializers.CharField()
    language = serializers.CharField()
    similarity_score = serializers.FloatField()
    url = serializers.CharField()
    text = serializers.CharField()
    cited = serializers.BooleanField(required=False)
    stale = serializers.BooleanField(
        required=False, help_text="Whether the file, or its source, is not what it was."
    )
    stale_because = serializers.CharField(required=False)


class IndexedSerializer(serializers.Serializer[Any]):
    source_id = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    commit = serializers.CharField()
    at = serializers.CharField(help_text="When it was last indexed; empty if unknown.")


class MessageSerializer(serializers.ModelSerializer[Message]):
    sources = PassageSerializer(many=True, allow_null=True, read_only=True)
    indexed = IndexedSerializer(
        many=True, read_only=True, help_text="The sources as they were indexed at the answer."
    )
    is_unanswered = serializers.BooleanField(
        read_only=True, help_text="Whether it says that the sources do not tell."
    )

    class Meta:
        model = Message
        fields = (
            "id",
            "conversation",
            "position",
            "role",
            "content",
            "sources",
            "state",
            "error",
            "note",
            "sought",
            "indexed",
            "citations_dropped",
            "is_unanswered",
            "gap",
            "feedback",
            "feedback_kind",
            "feedback_reason",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class UsableProvider(ProviderField):
    """A provider by its id, one that may answer now."""

    default_error_messages = {"does_not_exist": "There is no usable provider of this id."}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            pk_field=serializers.UUIDField(), queryset=Provider.objects.usable(), **kwargs
        )


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    project = VisibleProject()
    provider = UsableProvider(
        required=False, allow_null=True, help_text="Who answers; null follows the default."
    )

    class Meta:
        model = Conversation
        fields = ("id", "project", "provider", "title", "created_at", "updated_at")
        extra_kwargs: ClassVar[dict[str, Any]] = {"title": {"required": False}}


class ChangedConversationSerializer(ConversationSerializer):
    class Meta(ConversationSerializer.Meta):
        read_only_fields = ("project",)

    project = VisibleProject(read_only=True)


class ConversationQuery(serializers.Serializer[Conversation]):
    project = VisibleProject(required=False)


class QuestionSerializer(serializers.Serializer[Any]):
    question = serializers.CharField(max_length=asking.LONGEST_QUESTION)
    stream = serializers.BooleanField(
        default=False, help_text="Answer with server-sent events as the text is written."
    )


class ExportQuery(serializers.Serializer[Any]):
    to = serializers.ChoiceField(choices=["json", "markdown"], default="json")


class ExportSerializer(serializers.Serializer[Any]):
    conversation = ConversationSerializer()
    messages = MessageSerializer(many=True)


@extend_schema_view(
    list=extend_schema(
        summary="Your conversations, the latest first", parameters=[ConversationQuery]
    ),
    retrieve=extend_schema(summary="One conversation"),
    create=extend_schema(summary="A new conversation about a project"),
    partial_update=extend_schema(
        summary="Rename a conversation, or have another provider answer",
        request=ChangedConversationSerializer,
    ),
    destroy=extend_schema(summary="Delete a conversation with all its messages"),
)
class ConversationViewSet(viewsets.ModelViewSet[Conversation]):
    queryset = Conversation.objects.none()
    serializer_class = ConversationSerializer
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_regex = UUID_IN_PATH
    scopes: ClassVar[dict[str, str]] = {"POST": ApiKey.Scope.ASK}

    def get_queryset(self) -> QuerySet[Conversation]:
        mine = Conversation.objects.visible_to(caller(self.request))
        if self.action == "list":
            mine = mine.filter(**asked_for(self.request, ConversationQuery))
        return mine.select_related("project").order_by("-updated_at", "pk")

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Conversation]]:
        changes = self.action == "partial_update"
        return ChangedConversationSerializer if changes else ConversationSerializer

    def perform_create(self, serializer: serializers.BaseSerializer[Conversation]) -> None:
        serializer.save(user=caller(self.request).user)

    @extend_schema(
        summary="The messages of a conversation, in order", responses=MessageSerializer(many=True)
    )
    @action(detail=True)
    def messages(self, request: Request, pk: str) -> Response:
        rows: Any = self.get_object().messages.order_by("position")
        page: list[Any] = self.paginate_queryset(rows) or []
        messages = [_settled(message) for message in page]
        mark_stale(messages)
        return self.get_paginated_response(MessageSerializer(messages, many=True).data)

    @extend_schema(
        summary="Ask, and get the answer whole or as it is written",
        description=(
            "With `stream`, or `Accept: text/event-stream`, the answer comes as server-sent"
            " events: `message` names the answer's id, `status` says what happens, `sources`"
            " and `answer` hold HTML, `token` a piece of the text, `failed` a sentence, and"
            " `done` the final state. The answer is at `/messages/{id}` afterwards."
        ),
        request=QuestionSerializer,
        responses={
            (200, "application/json"): MessageSerializer,
            (200, "text/event-stream"): OpenApiResponse(str, "Server-sent events"),
        },
    )
    @action(detail=True, methods=["post"], renderer_classes=[JSONRenderer, EventStream])
    def ask(self, request: Request, pk: str) -> HttpResponseBase:
        conversation = self.get_object()
        asked = QuestionSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        wants_events = request.accepted_renderer.format == EventStream.format
        answer = asking.ask(conversation, asked.validated_data["question"])
        if asked.validated_data["stream"] or wants_events:
            return _streamed(answer)
        return Response(_shown(answer_now(answer)))

    @extend_schema(
        summary="A conversation to keep, as JSON or as markdown",
        parameters=[ExportQuery],
        responses={
            (200, "application/json"): ExportSerializer,
            (200, "text/markdown"): OpenApiResponse(str, "A document in markdown"),
        },
    )
    @action(detail=True)
    def export(self, request: Request, pk: str) -> HttpResponseBase:
        asked = asked_for(request, ExportQuery)
        conversation = self.get_object()
        rows = list(conversation.messages.order_by("position"))
        mark_stale(rows)
        if asked["to"] == "markdown":
            text = as_markdown(conversation, rows)
            response: HttpResponseBase = HttpResponse(
                text, content_type="text/markdown; charset=utf-8"
            )
        else:
            answer = ExportSerializer(
                {"conversation": conversation, "messages": rows}, context={"request": request}
            )
            response = Response(answer.data)
        ending = "md" if asked["to"] == "markdown" else "json"
        response["Content-Disposition"] = f'attachment; filename="conversation-{pk}.{ending}"'
        return response


def _settled(message: Message) -> Message:
    if message.is_streaming and asking.interrupt_if_abandoned(message):
        message.refresh_from_db()
    return message


def _shown(message: Message) -> Any:
    mark_stale([message])
    return MessageSerializer(message).data


def _streamed(answer: Message) -> StreamingHttpResponse:
    response = StreamingHttpResponse(events_of(answer.pk), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


class FeedbackSerializer(serializers.Serializer[Message]):
    value = serializers.ChoiceField(choices=Message.Feedback.choices, allow_blank=True)
    kind = serializers.ChoiceField(
        choices=Message.FeedbackKind.choices,
        allow_blank=True,
        default="",
        help_text="What was wrong, where it did not help.",
    )
    reason = serializers.CharField(max_length=2000, allow_blank=True, default="")


@extend_schema_view(retrieve=extend_schema(summary="One message, with the passages it stands on"))
class MessageViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Message]):
    queryset = Message.objects.none()
    serializer_class = MessageSerializer
    lookup_value_regex = UUID_IN_PATH
    scopes: ClassVar[dict[str, str]] = {"POST": ApiKey.Scope.ASK}

    def get_queryset(self) -> QuerySet[Message]:
        return Message.objects.visible_to(caller(self.request))

    def get_object(self) -> Message:
        message = _settled(super().get_object())
        mark_stale([message])
        return message

    @extend_schema(summary="End an answer here; its text so far is kept", request=None)
    @action(detail=True, methods=["post"])
    def stop(self, request: Request, pk: str) -> Response:
        message = self.get_object()
        asking.stop(message)
        asking.wait_until_settled(message)
        message.refresh_from_db()
        return Response(_shown(message), status=status.HTTP_200_OK)

    @extend_schema(
        summary="Say whether an answer helped, or take that back with an empty value",
        request=FeedbackSerializer,
    )
    @action(detail=True, methods=["post"])
    def feedback(self, request: Request, pk: str) -> Response:
        message = self.get_object()
        asked = FeedbackSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        give_feedback(message, said["value"], kind=said["kind"], reason=said["reason"])
        return Response(MessageSerializer(message).data)

    @extend_schema(summary="Report that the sources should answer the question", request=None)
    @action(detail=True, methods=["post"], url_path="report-gap")
    def report_gap(self, request: Request, pk: str) -> Response:
        message = self.get_object()
        if not message.is_unanswered:
            raise ValidationError("Only a question that was not answered can be reported.")
        report_gap(message)
        return Response(MessageSerializer(message).data)

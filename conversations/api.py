"""Conversations over REST: asking, following an answer as it is written, keeping it."""

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import (
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, serializers, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import UUID_IN_PATH, asked_for, caller
from accounts.models import ApiKey
from accounts.viewers import Viewer
from conversations import asking, branches, keeping
from conversations.exporting import as_markdown
from conversations.feedback import give_feedback, report_gap
from conversations.finishing import answer_now, events_of
from conversations.freshness import mark_stale
from conversations.models import Conversation, ConversationQuerySet, Message
from conversations.serializers import (
    ChangedConversationSerializer,
    ConversationQuery,
    ConversationSerializer,
    ExportQuery,
    ExportSerializer,
    FeedbackSerializer,
    MessageQuery,
    MessageSerializer,
    QuestionSerializer,
    WantedSerializer,
)
from conversations.streaming import event_response, follow

# What may be done with a conversation that another person shares.
READ_BY_OTHERS = {"retrieve", "messages", "export", "stream"}


class EventStream(BaseRenderer):
    """Lets a client ask for events; what is not a stream goes out as JSON all the same."""

    media_type = "text/event-stream"
    format = "events"

    def render(self, data: Any, media_type: str | None = None, context: Any = None) -> bytes:
        rendered: bytes = JSONRenderer().render(data, "application/json", context)
        return rendered


@extend_schema_view(
    list=extend_schema(
        summary="Your conversations, the latest first", parameters=[ConversationQuery]
    ),
    retrieve=extend_schema(summary="One conversation"),
    create=extend_schema(summary="A new conversation about a project"),
    partial_update=extend_schema(
        summary="Rename, pin or share a conversation, or have another provider answer",
        request=ChangedConversationSerializer,
    ),
    destroy=extend_schema(summary="Delete a conversation; for an hour it can be restored"),
)
class ConversationViewSet(viewsets.ModelViewSet[Conversation]):
    queryset = Conversation.objects.none()
    serializer_class = ConversationSerializer
    http_method_names = ["get", "head", "post", "patch", "delete"]
    lookup_value_regex = UUID_IN_PATH
    scopes: ClassVar[dict[str, str]] = {"POST": ApiKey.Scope.ASK}

    def get_queryset(self) -> QuerySet[Conversation]:
        viewer = caller(self.request)
        if self.action == "restore":
            found = Conversation.objects.deleted_by(viewer)
        elif self.action in READ_BY_OTHERS:
            found = Conversation.objects.readable_by(viewer)
        else:
            found = Conversation.objects.visible_to(viewer)
        if self.action == "list":
            found = self._asked_for(found, viewer)
        return found.select_related("project", "user").latest_first()

    def _asked_for(self, mine: ConversationQuerySet, viewer: Viewer) -> ConversationQuerySet:
        asked = asked_for(self.request, ConversationQuery)
        others = Conversation.objects.readable_by(viewer).exclude(user=viewer.user)
        found = others if asked["shared"] else mine
        if "project" in asked:
            found = found.filter(project=asked["project"])
        return found.mentioning(asked.get("q", ""))

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Conversation]]:
        changes = self.action == "partial_update"
        return ChangedConversationSerializer if changes else ConversationSerializer

    def perform_create(self, serializer: serializers.BaseSerializer[Conversation]) -> None:
        serializer.save(by=caller(self.request))

    def perform_destroy(self, instance: Conversation) -> None:
        keeping.delete(instance)

    @extend_schema(
        summary="Bring back a conversation that was deleted within the last hour",
        request=None,
        responses=ConversationSerializer,
    )
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: str) -> Response:
        conversation = self.get_object()
        keeping.restore(conversation)
        return Response(self.get_serializer(conversation).data)

    @extend_schema(
        summary="The messages of a conversation, in order",
        parameters=[MessageQuery],
        responses=MessageSerializer(many=True),
    )
    @action(detail=True)
    def messages(self, request: Request, pk: str) -> Response:
        conversation = self.get_object()
        everything = asked_for(request, MessageQuery)["branches"] == "all"
        tree = branches.Tree(conversation.pk)
        ids = [*tree.parents] if everything else tree.up_from(conversation.tip_id)
        rows: Any = conversation.messages.filter(pk__in=ids).order_by("position")
        page: list[Any] = self.paginate_queryset(rows) or []
        messages = branches.placed([_settled(message) for message in page], tree)
        _hide_opinions(messages, conversation, caller(request))
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
        given = asked.validated_data
        place = given.get("in_place_of")
        answer = asking.ask(
            conversation,
            given["question"],
            in_place_of=get_object_or_404(conversation.messages, pk=place) if place else None,
        )
        return _answered(answer, streams=given["stream"] or wants_events)

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
        rows = branches.shown(conversation)
        _hide_opinions(rows, conversation, caller(request))
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


def _hide_opinions(messages: list[Message], conversation: Conversation, viewer: Viewer) -> None:
    """Keep what a person thinks of answers from those who only read them."""
    if conversation.user_id != viewer.user.pk:
        for message in messages:
            message.feedback = message.feedback_kind = message.feedback_reason = ""


def _answered(answer: Message, *, streams: bool) -> HttpResponseBase:
    if streams:
        return event_response(events_of(answer.pk))
    return Response(_shown(answer_now(answer)))


def _settled(message: Message) -> Message:
    if message.is_streaming and asking.interrupt_if_abandoned(message):
        message.refresh_from_db()
    return message


def _shown(message: Message) -> Any:
    mark_stale([message])
    branches.placed([message], branches.Tree(message.conversation_id))
    return MessageSerializer(message).data


@extend_schema_view(retrieve=extend_schema(summary="One message, with the passages it stands on"))
class MessageViewSet(mixins.RetrieveModelMixin, viewsets.GenericViewSet[Message]):
    queryset = Message.objects.none()
    serializer_class = MessageSerializer
    lookup_value_regex = UUID_IN_PATH
    scopes: ClassVar[dict[str, str]] = {"POST": ApiKey.Scope.ASK}

    def get_queryset(self) -> QuerySet[Message]:
        viewer = caller(self.request)
        if self.action in READ_BY_OTHERS:
            return Message.objects.readable_by(viewer)
        return Message.objects.visible_to(viewer)

    def get_object(self) -> Message:
        message = _settled(super().get_object())
        mark_stale([message])
        _hide_opinions([message], message.conversation, caller(self.request))
        [message] = branches.placed([message], branches.Tree(message.conversation_id))
        return message

    @extend_schema(
        summary="Follow an answer from the event after `Last-Event-ID` to its end",
        parameters=[OpenApiParameter("Last-Event-ID", str, OpenApiParameter.HEADER)],
        responses={(200, "text/event-stream"): OpenApiResponse(str, "Server-sent events")},
    )
    @action(detail=True, renderer_classes=[JSONRenderer, EventStream])
    def stream(self, request: Request, pk: str) -> HttpResponseBase:
        last_seen = request.headers.get("Last-Event-ID", "")
        return event_response(follow(self.get_object().pk, last_seen))

    @extend_schema(
        summary="Have the question of an answer answered anew, as a branch",
        request=WantedSerializer,
        responses={
            (200, "application/json"): MessageSerializer,
            (200, "text/event-stream"): OpenApiResponse(str, "Server-sent events"),
        },
    )
    @action(detail=True, methods=["post"], renderer_classes=[JSONRenderer, EventStream])
    def regenerate(self, request: Request, pk: str) -> HttpResponseBase:
        wanted = WantedSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        wants_events = request.accepted_renderer.format == EventStream.format
        answer = asking.answer_anew(self.get_object())
        return _answered(answer, streams=wanted.validated_data["stream"] or wants_events)

    @extend_schema(summary="Show the branch that a message is on", request=None)
    @action(detail=True, methods=["post"])
    def show(self, request: Request, pk: str) -> Response:
        message = self.get_object()
        branches.show(message)
        return Response(MessageSerializer(message).data)

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

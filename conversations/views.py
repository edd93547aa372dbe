"""The pages of a conversation."""

from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.viewers import viewer_of
from conversations import asking
from conversations.feedback import give_feedback, report_gap
from conversations.freshness import mark_stale
from conversations.models import Conversation, Message
from conversations.streaming import answer_html, follow, start_writing
from conversations.watching import say_once
from projects.models import Project


@require_safe
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = get_object_or_404(
        Conversation.objects.visible_to(viewer).select_related("project"), pk=conversation_id
    )
    turns = list(found.messages.select_related("gap").order_by("position"))
    for turn in turns:
        if turn.is_streaming and asking.interrupt_if_abandoned(turn):
            turn.refresh_from_db()
    mark_stale(turns)
    for turn in turns:
        if turn.is_streaming:
            say_once(turn.pk)
        elif turn.role == Message.Role.ASSISTANT:
            turn.html = answer_html(turn)  # type: ignore[attr-defined]
    if len(turns) > 1 and turns[-1].state in Message.UNFINISHED:
        turns[-1].ask_again = turns[-2].content  # type: ignore[attr-defined]
    context = {
        "project": found.project,
        "conversation": found,
        "turns": turns,
        "is_streaming": any(turn.is_streaming for turn in turns),
        "conversations": Conversation.objects.visible_to(viewer)
        .filter(project=found.project_id)
        .order_by("-updated_at")[:30],
    }
    return render(request, "conversations/conversation.html", context)


@require_POST
async def ask_project(request: HttpRequest, project_id: UUID) -> HttpResponseBase:
    """Begin a conversation with its first question."""
    conversation, answer = await sync_to_async(_begin)(request, project_id)
    if answer is None:
        return redirect("project", project_id)
    start_writing(answer.pk)
    return redirect(conversation)


def _begin(request: HttpRequest, project_id: UUID) -> tuple[Conversation, Message | None]:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    started = asking.begin(viewer, project)
    answer = _ask(request, started)
    if answer is None:
        started.delete()
    return started, answer


@require_POST
async def ask_again(request: HttpRequest, conversation_id: UUID) -> HttpResponseBase:
    """Ask the next question of a conversation."""
    conversation = await sync_to_async(_visible)(request, conversation_id)
    answer = await sync_to_async(_ask)(request, conversation)
    if answer is not None:
        start_writing(answer.pk)
    return redirect(conversation)


def _visible(request: HttpRequest, conversation_id: UUID) -> Conversation:
    mine = Conversation.objects.visible_to(viewer_of(request))
    return get_object_or_404(mine, pk=conversation_id)


def _ask(request: HttpRequest, conversation: Conversation) -> Message | None:
    try:
        return asking.ask(conversation, request.POST.get("question", ""))
    except asking.QuestionRefused as refusal:
        messages.error(request, str(refusal))
        return None


def _visible_message(request: HttpRequest, message_id: UUID) -> Message:
    return get_object_or_404(Message.objects.visible_to(viewer_of(request)), pk=message_id)


@require_GET
@never_cache
async def stream(request: HttpRequest, message_id: UUID) -> HttpResponseBase:
    """Send an answer as it is written, from the event after `Last-Event-ID`."""
    message = await sync_to_async(_visible_message)(request, message_id)
    if message.is_streaming:
        start_writing(message.pk)  # does nothing where somebody writes already
    response = StreamingHttpResponse(
        follow(message.pk, request.headers.get("Last-Event-ID", "")),
        content_type="text/event-stream",
    )
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


@require_POST
def stop(request: HttpRequest, message_id: UUID) -> HttpResponse:
    message = _visible_message(request, message_id)
    asking.stop(message)
    asking.wait_until_settled(message)
    return redirect("conversation", message.conversation_id)


@require_POST
def feedback(request: HttpRequest, message_id: UUID) -> HttpResponse:
    message = _visible_message(request, message_id)
    value, kind = request.POST.get("value", ""), request.POST.get("kind", "")
    if value in Message.Feedback.values and kind in Message.FeedbackKind.values:
        give_feedback(message, value, kind=kind, reason=request.POST.get("reason", ""))
        messages.success(request, "Thank you, noted." if value else "Taken back.")
    return redirect("conversation", message.conversation_id)


@require_POST
def report(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Say that the sources should answer the question."""
    message = _visible_message(request, message_id)
    if message.is_unanswered:
        report_gap(message)
        messages.success(request, "Reported: it is listed among the project's knowledge gaps.")
    return redirect("conversation", message.conversation_id)


@require_POST
def rename(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _visible(request, conversation_id)
    title = request.POST.get("title", "").replace("\0", "").strip()[:255]
    if title:
        found.title = title
        found.save(update_fields=["title"])
    return redirect(found)


@require_POST
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _visible(request, conversation_id)
    project_id = found.project_id
    found.delete()
    messages.success(request, f"“{found.title}” was deleted.")
    return redirect("project", project_id)

"""The pages of a conversation, and what may be asked in it."""

from collections.abc import Callable
from uuid import UUID

from asgiref.sync import sync_to_async
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST, require_safe

from accounts.viewers import Viewer, viewer_of
from conversations import asking, branches
from conversations.exporting import answer_markdown
from conversations.feedback import give_feedback, report_gap
from conversations.freshness import mark_stale
from conversations.listing import by_day
from conversations.models import Conversation, Message
from conversations.streaming import answer_html, event_response, follow, start_writing
from conversations.watching import say_once
from projects.membership import role_of
from projects.models import Membership, Project
from providers.chat import default_provider
from providers.models import Provider

LISTED = 30
LISTED_A_PAGE = 100
LONGEST_SEARCH = 200


@require_safe
def conversation(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Show the branch of a conversation that was chosen, to its person or to who may read it."""
    viewer = viewer_of(request)
    readable = Conversation.objects.readable_by(viewer).select_related("project", "user")
    found = get_object_or_404(readable.select_related("provider"), pk=conversation_id)
    turns = _turns(found)
    is_own = found.user_id == viewer.user.pk
    page = {
        "project": found.project,
        "conversation": found,
        "turns": turns,
        "is_own": is_own,
        "is_streaming": any(turn.is_streaming for turn in turns),
        "shared_address": request.build_absolute_uri(found.get_absolute_url()),
    }
    if is_own:
        mine = Conversation.objects.visible_to(viewer).filter(project=found.project_id)
        page["days"] = by_day(mine.latest_first()[:LISTED])
        page["providers"] = Provider.objects.usable().order_by("provider_name", "model_name")
        page["usual_provider"] = default_provider()
        page["can_edit"] = role_of(viewer, found.project_id) in Membership.EDITOR_ROLES
    return render(request, "conversations/conversation.html", page)


def _turns(found: Conversation) -> list[Message]:
    turns = branches.shown(found)
    for turn in turns:
        if turn.is_streaming and asking.interrupt_if_abandoned(turn):
            turn.refresh_from_db()
    mark_stale(turns)
    for turn in turns:
        if turn.is_streaming:
            say_once(turn.pk)
        elif turn.role == Message.Role.ASSISTANT:
            turn.html = answer_html(turn)
            turn.markdown = answer_markdown(turn)
    return turns


@require_safe
def conversations(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """List a person's conversations about a project, those of some words, or those shared."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    words = request.GET.get("q", "").replace("\0", "").strip()[:LONGEST_SEARCH]
    of_project = Conversation.objects.readable_by(viewer).filter(project=project)
    shared = of_project.exclude(user=viewer.user)
    shows_shared = request.GET.get("which") == "shared"
    listed = shared if shows_shared else of_project.filter(user=viewer.user)
    found = listed.mentioning(words).select_related("user").latest_first()
    part = Paginator(found, LISTED_A_PAGE).get_page(request.GET.get("page"))
    page = {
        "project": project,
        "part": part,
        "days": by_day(part),
        "words": words,
        "shows_shared": shows_shared,
        "has_shared": shared.exists(),
        "deleted": _just_deleted(request, viewer),
    }
    return render(request, "conversations/conversations.html", page)


def _just_deleted(request: HttpRequest, viewer: Viewer) -> Conversation | None:
    """Return the conversation that the page before deleted, if it can still be brought back."""
    try:
        named = UUID(request.GET.get("deleted", ""))
    except ValueError:
        return None
    return Conversation.objects.deleted_by(viewer).filter(pk=named).first()


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
    answer = _taken(request, lambda: asking.ask(started, request.POST.get("question", "")))
    if answer is None:
        started.delete()
    return started, answer


@require_POST
async def ask_further(request: HttpRequest, conversation_id: UUID) -> HttpResponseBase:
    """Ask the next question of a conversation."""
    return await _write_for(request, _further, conversation_id)


@require_POST
async def ask_otherwise(request: HttpRequest, message_id: UUID) -> HttpResponseBase:
    """Ask a question in other words, in its place."""
    return await _write_for(request, _otherwise, message_id)


@require_POST
async def answer_anew(request: HttpRequest, message_id: UUID) -> HttpResponseBase:
    """Have a question answered once more."""
    return await _write_for(request, _anew, message_id)


async def _write_for(
    request: HttpRequest,
    take: Callable[[HttpRequest, UUID], tuple[Conversation, Message | None]],
    pk: UUID,
) -> HttpResponseBase:
    conversation, answer = await sync_to_async(take)(request, pk)
    if answer is None:
        return redirect(conversation)
    start_writing(answer.pk)
    return redirect(f"{conversation.get_absolute_url()}#Turn-{answer.pk}")


def _further(request: HttpRequest, conversation_id: UUID) -> tuple[Conversation, Message | None]:
    mine = Conversation.objects.visible_to(viewer_of(request))
    found = get_object_or_404(mine, pk=conversation_id)
    question = request.POST.get("question", "")
    return found, _taken(request, lambda: asking.ask(found, question))


def _otherwise(request: HttpRequest, message_id: UUID) -> tuple[Conversation, Message | None]:
    asked = _message(request, message_id)
    question, found = request.POST.get("question", ""), asked.conversation
    return found, _taken(request, lambda: asking.ask(found, question, in_place_of=asked))


def _anew(request: HttpRequest, message_id: UUID) -> tuple[Conversation, Message | None]:
    answer = _message(request, message_id)
    return answer.conversation, _taken(request, lambda: asking.answer_anew(answer))


def _taken(request: HttpRequest, ask: Callable[[], Message]) -> Message | None:
    try:
        return ask()
    except asking.QuestionRefused as refusal:
        messages.error(request, str(refusal))
        return None


def _message(request: HttpRequest, message_id: UUID) -> Message:
    mine = Message.objects.visible_to(viewer_of(request)).select_related("conversation", "parent")
    return get_object_or_404(mine, pk=message_id)


@require_GET
@never_cache
async def stream(request: HttpRequest, message_id: UUID) -> HttpResponseBase:
    """Send an answer as it is written, from the event after `Last-Event-ID`."""
    message = await sync_to_async(_readable_message)(request, message_id)
    if message.is_streaming:
        start_writing(message.pk)  # does nothing where somebody writes already
    return event_response(follow(message.pk, request.headers.get("Last-Event-ID", "")))


def _readable_message(request: HttpRequest, message_id: UUID) -> Message:
    return get_object_or_404(Message.objects.readable_by(viewer_of(request)), pk=message_id)


@require_POST
def stop(request: HttpRequest, message_id: UUID) -> HttpResponse:
    message = _message(request, message_id)
    asking.stop(message)
    asking.wait_until_settled(message)
    return redirect(message.conversation)


@require_POST
def show(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Show the branch that a message is on."""
    message = _message(request, message_id)
    branches.show(message)
    return redirect(f"{message.conversation.get_absolute_url()}#Turn-{message.pk}")


@require_POST
def feedback(request: HttpRequest, message_id: UUID) -> HttpResponse:
    message = _message(request, message_id)
    value, kind = request.POST.get("value", ""), request.POST.get("kind", "")
    if value in Message.Feedback.values and kind in Message.FeedbackKind.values:
        give_feedback(message, value, kind=kind, reason=request.POST.get("reason", ""))
        messages.success(request, "Thank you, noted." if value else "Taken back.")
    return redirect(message.conversation)


@require_POST
def report(request: HttpRequest, message_id: UUID) -> HttpResponse:
    """Say that the sources should answer the question."""
    message = _message(request, message_id)
    if message.is_unanswered:
        report_gap(message)
        messages.success(request, "Reported: it is listed among the project's knowledge gaps.")
    return redirect(message.conversation)

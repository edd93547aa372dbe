"""Beginning conversations and questions: what is written before an answer is looked for."""

from collections.abc import Mapping
from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.utils import timezone

from accounts.viewers import Viewer
from conversations.models import Conversation, Message
from conversations.watching import ask_to_stop
from projects.models import Project
from providers.models import Provider

LONGEST_QUESTION = 20_000
LONGEST_TITLE = 80
AWAITED = {"role": Message.Role.ASSISTANT, "state": Message.State.STREAMING}
LEASE = timedelta(seconds=15)
SAVE = """
UPDATE conversations_message AS kept
SET content = new.content, lease_until = %s, updated_at = now()
FROM unnest(%s::uuid[], %s::text[]) AS new (id, content)
WHERE kept.id = new.id AND kept.state = 'streaming'
RETURNING kept.id
"""
PATIENCE = 3.0  # seconds; a writer looks for a stop more often than every second


class QuestionRefused(Exception):
    """A question can't be taken; the message says why."""


class TooManyAnswers(QuestionRefused):
    """The person has as many answers written at once as one may have."""


def begin(viewer: Viewer, project: Project, *, provider: Provider | None = None) -> Conversation:
    return Conversation.objects.create(project=project, user=viewer.user, provider=provider)


def ask(
    conversation: Conversation, question: str, *, in_place_of: Message | None = None
) -> Message:
    """Store a question and return the message that its answer will be written to.

    It follows what is shown, or begins a branch beside the question that it takes the place of.
    """
    text = question.replace("\0", "").strip()
    if not text:
        raise QuestionRefused("Type a question first.")
    if len(text) > LONGEST_QUESTION:
        raise QuestionRefused(f"A question may have {LONGEST_QUESTION:,} characters at most.")
    if in_place_of is not None and in_place_of.role != Message.Role.USER:
        raise QuestionRefused("Only a question can be asked in other words.")
    with transaction.atomic():
        conversation = _locked(conversation.pk)
        parent_id = conversation.tip_id if in_place_of is None else in_place_of.parent_id
        if conversation.title == Conversation.UNTITLED:
            conversation.title = title_of(text)
        return conversation.add(parent_id, {"role": Message.Role.USER, "content": text}, AWAITED)


def answer_anew(answer: Message) -> Message:
    """Return the message that another answer to the same question will be written to."""
    if answer.role != Message.Role.ASSISTANT or answer.parent_id is None:
        raise QuestionRefused("Only an answer can be written anew.")
    with transaction.atomic():
        return _locked(answer.conversation_id).add(answer.parent_id, AWAITED)


def _locked(conversation_id: UUID) -> Conversation:
    """Return a conversation that can be asked, locked: two tabs get positions of their own."""
    conversation = Conversation.objects.select_for_update().get(pk=conversation_id)
    streaming = conversation.messages.filter(state=Message.State.STREAMING)
    if any(not interrupt_if_abandoned(message) for message in streaming):
        raise QuestionRefused("An answer is still being written. Stop it, or wait for its end.")
    unsettled = Message.objects.filter(
        conversation__user=conversation.user_id,
        state=Message.State.STREAMING,
        updated_at__gt=timezone.now() - LEASE,
    )
    if unsettled.count() >= settings.ANSWERS_PER_PERSON:
        raise TooManyAnswers(
            f"{settings.ANSWERS_PER_PERSON} answers are being written for you."
            " Stop one, or wait for its end."
        )
    return conversation


def title_of(question: str) -> str:
    """Return the first line of a question, cut at a word."""
    line = question.strip().splitlines()[0].strip()
    if len(line) <= LONGEST_TITLE:
        return line
    return line[: LONGEST_TITLE - 1].rpartition(" ")[0][:LONGEST_TITLE] + "…"


def take(message_id: UUID) -> Message | None:
    """Return the message to answer if nobody is at it; from then on it is this process's."""
    now = timezone.now()
    unclaimed = Message.objects.filter(pk=message_id, state=Message.State.STREAMING)
    if not unclaimed.filter(lease_until=None).update(lease_until=now + LEASE):
        return None
    return Message.objects.select_related(
        "conversation__project", "conversation__user", "conversation__provider"
    ).get(pk=message_id)


def save_progress(texts: Mapping[UUID, str]) -> set[UUID]:
    """Keep texts so far, with their leases; return which answers nobody asked to stop."""
    with connection.cursor() as cursor:
        cursor.execute(SAVE, [timezone.now() + LEASE, [*texts], [*texts.values()]])
        return {row[0] for row in cursor.fetchall()}


def settle(message: Message, state: Message.State, text: str, **fields: object) -> None:
    """End an answer, once: a stop that came first stays, with the text that was there."""
    final = {"content": text, "lease_until": None, "updated_at": timezone.now(), **fields}
    streaming = Message.objects.filter(pk=message.pk, state=Message.State.STREAMING)
    if not streaming.update(state=state, **final):
        Message.objects.filter(pk=message.pk, state=Message.State.STOPPED).update(**final)
    Conversation.objects.filter(pk=message.conversation_id).update(updated_at=timezone.now())


def stop(message: Message) -> None:
    """Ask the writer of an answer to end it here."""
    Message.objects.filter(pk=message.pk, state=Message.State.STREAMING).update(
        state=Message.State.STOPPED, updated_at=timezone.now()
    )
    ask_to_stop(message.pk)


def wait_until_settled(message: Message) -> None:
    """Return when the writer has let go of the answer, at the latest after `PATIENCE`."""
    until = monotonic() + PATIENCE
    held = Message.objects.filter(pk=message.pk, lease_until__gt=timezone.now())
    while held.exists() and monotonic() < until:
        sleep(0.1)


def interrupt_if_abandoned(message: Message) -> bool:
    """Say of an answer whose process died that it was interrupted; the text so far is kept."""
    now = timezone.now()
    gone = Message.objects.filter(
        Q(lease_until__lt=now) | Q(lease_until=None, updated_at__lt=now - LEASE),
        pk=message.pk,
        state=Message.State.STREAMING,
    )
    return bool(
        gone.update(
            state=Message.State.INTERRUPTED,
            error="The answer was interrupted. What was written is kept; ask again to go on.",
            lease_until=None,
        )
    )

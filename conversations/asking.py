"""Beginning conversations and questions: what is written before an answer is looked for."""

from datetime import timedelta
from time import monotonic, sleep
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from accounts.viewers import Viewer
from conversations.models import Conversation, Message
from projects.models import Project
from providers.models import Provider

LONGEST_QUESTION = 20_000
LONGEST_TITLE = 80
LEASE = timedelta(seconds=15)
PATIENCE = 3.0  # seconds; a writer looks for a stop more often than every second


class QuestionRefused(Exception):
    """A question can't be taken; the message says why."""


def begin(viewer: Viewer, project: Project, *, provider: Provider | None = None) -> Conversation:
    return Conversation.objects.create(project=project, user=viewer.user, provider=provider)


@transaction.atomic
def ask(conversation: Conversation, question: str) -> Message:
    """Store a question and return the message that its answer will be written to."""
    text = question.replace("\0", "").strip()
    if not text:
        raise QuestionRefused("Type a question first.")
    if len(text) > LONGEST_QUESTION:
        raise QuestionRefused(f"A question may have {LONGEST_QUESTION:,} characters at most.")
    # Locked, so that two tabs that ask at once get positions of their own.
    conversation = Conversation.objects.select_for_update().get(pk=conversation.pk)
    if conversation.messages.filter(state=Message.State.STREAMING).exists():
        raise QuestionRefused("An answer is still being written. Stop it, or wait for its end.")
    last = conversation.messages.aggregate(last=Max("position"))["last"] or 0
    conversation.messages.create(position=last + 1, role=Message.Role.USER, content=text)
    answer = conversation.messages.create(
        position=last + 2, role=Message.Role.ASSISTANT, state=Message.State.STREAMING
    )
    if conversation.title == Conversation.UNTITLED:
        conversation.title = title_of(text)
    conversation.save(update_fields=["title", "updated_at"])
    return answer


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


def save_progress(message: Message, text: str) -> bool:
    """Keep the text so far and the lease; False when somebody asked for the answer to stop."""
    kept = Message.objects.filter(pk=message.pk, state=Message.State.STREAMING)
    return bool(
        kept.update(content=text, lease_until=timezone.now() + LEASE, updated_at=timezone.now())
    )


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


def wait_until_settled(message: Message) -> None:
    """Return when the writer has let go of the answer, at the latest after `PATIENCE`."""
    until = monotonic() + PATIENCE
    held = Message.objects.filter(pk=message.pk, lease_until__gt=timezone.now())
    while held.exists() and monotonic() < until:
        sleep(0.1)


def interrupt_if_abandoned(message: Message) -> bool:
    """Say of an answer whose process died that it was interrupted; the text so far is kept."""
    gone = Message.objects.filter(
        pk=message.pk, state=Message.State.STREAMING, lease_until__lt=timezone.now()
    )
    return bool(
        gone.update(
            state=Message.State.INTERRUPTED,
            error="The answer was interrupted. What was written is kept; ask again to go on.",
            lease_until=None,
        )
    )

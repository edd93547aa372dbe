"""What a person does with a conversation: name it, pin it, let others read it, delete it."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from conversations import asking
from conversations.models import Conversation, Message
from providers.models import Provider

LONGEST_TITLE = 255
KEPT_DELETED = timedelta(hours=1)


def rename(conversation: Conversation, title: str) -> None:
    """Give a title that stays; an empty one changes nothing."""
    title = " ".join(title.replace("\0", "").split())[:LONGEST_TITLE]
    if title:
        conversation.title = title
        conversation.titled_by = Conversation.TitledBy.PERSON
        conversation.save(update_fields=["title", "titled_by"])


def pin(conversation: Conversation, *, pinned: bool) -> None:
    """Keep it above the others in its person's list, or no more."""
    conversation.pinned_at = timezone.now() if pinned else None
    conversation.save(update_fields=["pinned_at"])


def share(conversation: Conversation, *, shared: bool) -> None:
    """Let everybody who sees the project read it, as it is and as it goes on; or no more."""
    conversation.shared_at = timezone.now() if shared else None
    conversation.save(update_fields=["shared_at"])


def have_answered_by(conversation: Conversation, provider: Provider | None) -> None:
    """Let a provider answer from now on; None follows the default."""
    conversation.provider = provider
    conversation.save(update_fields=["provider"])


@transaction.atomic
def delete(conversation: Conversation) -> None:
    """Put it away; for an hour it can be brought back."""
    conversation.deleted_at = timezone.now()
    conversation.save(update_fields=["deleted_at"])
    for message in conversation.messages.filter(state=Message.State.STREAMING):
        asking.stop(message)


def restore(conversation: Conversation) -> None:
    conversation.deleted_at = None
    conversation.save(update_fields=["deleted_at"])


def forget_deleted() -> int:
    """Remove for good what was deleted an hour ago; return how many conversations."""
    old = Conversation.objects.filter(deleted_at__lt=timezone.now() - KEPT_DELETED)
    _, removed = old.delete()
    return removed.get("conversations.Conversation", 0)

"""Entering what models were asked for a message in the ledger."""

from conversations.models import Message
from providers.ledger import record_call
from providers.models import Provider
from providers.replies import Reply


def enter_call(message: Message, provider: Provider, purpose: str, reply: Reply) -> None:
    """Enter a call of a model that was made for a message, by the person who asked."""
    record_call(
        provider,
        reply.usage,
        purpose=purpose,
        user=message.conversation.user,
        project_id=message.conversation.project_id,
        origin=("message", message.pk),
        duration_ms=reply.duration_ms,
        error=reply.error,
    )

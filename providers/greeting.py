"""Saying hello to a model, to see that it answers and how quickly."""

from dataclasses import dataclass

from asgiref.sync import async_to_sync

from accounts.models import User
from providers.chat import ChatMessage
from providers.keys import key_standing
from providers.ledger import OverBudget, check_budgets, record_call
from providers.models import Provider
from providers.quoting import without_invisible
from providers.replies import reply_of

HELLO = ChatMessage("user", "Say hello.")
SECONDS = 20.0
SHOWN = 200  # characters of a reply


@dataclass(frozen=True, slots=True)
class Greeting:
    """What came of it: the beginning of the reply, or the sentence of what went wrong."""

    text: str = ""
    error: str = ""
    milliseconds: int = 0

    @property
    def worked(self) -> bool:
        return not self.error

    @property
    def sentence(self) -> str:
        """Say it to a person; what the model wrote is the text of a stranger."""
        return self.error or f"answered in {self.milliseconds} ms: “{self.text}”"


def say_hello(provider: Provider, *, by: User) -> Greeting:
    """Ask a model for one short reply; the call is entered in the ledger, of no project."""
    try:
        check_budgets(by, None)
    except OverBudget as refusal:
        return Greeting(error=str(refusal))
    if complaint := key_standing(provider).complaint:
        return Greeting(error=complaint)
    reply = async_to_sync(reply_of)(provider, [HELLO], seconds=SECONDS, longest=SHOWN)
    record_call(
        provider,
        reply.usage,
        purpose="test",
        user=by,
        project_id=None,
        origin=("provider", provider.pk),
        duration_ms=reply.duration_ms,
        error=reply.error,
    )
    text = "" if reply.error else " ".join(without_invisible(reply.text).split())[:SHOWN]
    return Greeting(text, reply.error, reply.duration_ms)

"""What is known before an answer is written: what was meant, what was said, what was found."""

import re
from dataclasses import dataclass, field, replace

from django.utils import timezone

from accounts.viewers import Viewer
from conversations.asking import LEASE
from conversations.branches import before
from conversations.calls import enter_call
from conversations.excerpts import PROSE, Wanted, definition_for, mentions_of
from conversations.freshness import indexed_at
from conversations.history import History, within_budget
from conversations.models import Message
from conversations.passages import Passage, from_hits
from conversations.subjects import Sought, Turn, understand
from knowledge.ranking import SECONDARY_LAYERS
from knowledge.retrieval import Hit, Mode, Results, search
from providers.chat import Usage, answering_order
from providers.models import Provider
from providers.replies import Reply

CITED_FILES = 6
PLACES_OF_USE = 9
NO_USE = 9
MADE_BY_TOOLS = re.compile(r"\.(?:[cm]js|min\.js|d\.[cm]?ts)$")
HITS = 30
TURNS_UNDERSTOOD = 3
SHORTEST_NAME = 3  # that a pattern can look for


@dataclass(slots=True)
class Draft:
    """An answer in the making."""

    message: Message
    question: str
    history: History
    provider: Provider
    sought: Sought
    passages: list[Passage] = field(default_factory=list)
    # Who is asked next where a model fails before its first word.
    fallbacks: list[Provider] = field(default_factory=list)
    # What those who failed said.
    failures: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    # How many tokens went to the model, and of what.
    sent: dict[str, int] | None = None
    text: str = ""
    # What readers were sent: the text without marks that nobody has checked yet.
    shown: str = ""

    def go_on_with(self, other: Provider, failed: Reply) -> None:
        """Let another model answer, and enter in the ledger what became of the one before."""
        enter_call(self.message, self.provider, "answer", failed)
        self.failures.append(failed.error)
        self.provider, self.usage = other, Usage()


def prepare(message: Message) -> Draft:
    """Return what there is before anything was searched for."""
    *said, question = before(message)
    history = within_budget(said)
    provider, *fallbacks = answering_order(message.conversation.provider)
    sought = understand(question.content, _turns(said)[-TURNS_UNDERSTOOD:])
    return Draft(message, question.content, history, provider, sought, fallbacks=fallbacks)


def _turns(messages: list[Message]) -> list[Turn]:
    """Return what was asked before: as it was searched for, with the symbol it was answered by."""
    turns: list[Turn] = []
    for message in messages:
        if not message.content:
            continue
        if message.role == Message.Role.USER:
            turns.append(Turn(message.content))
        elif turns:
            asked = turns.pop()
            sought = message.sought or asked.sought
            turns.append(Turn(sought, _symbol_of(sought, message)))
    return turns


def _symbol_of(sought: str, message: Message) -> str:
    """Return what the first cited passage that defines something defines for the question."""
    for source in message.sources or []:
        if source.get("cited") and source["language"] not in PROSE:
            text, symbol = source["text"], source["symbol"].rpartition(".")[2]
            found = definition_for(sought, symbol, text, Wanted.of(sought, [text]))
            if found is not None or symbol:
                return found.name if found else symbol
    return ""


def find(draft: Draft) -> Results:
    """Search for what was meant, and keep the passages; places of use where those are asked for."""
    found = _search(draft, draft.sought.text)
    used = _with_uses(draft, found) if draft.sought.asks_for_uses else None
    draft.passages = (
        from_hits(found.hits, files=CITED_FILES)
        if used is None
        else from_hits(used.hits, files=PLACES_OF_USE, of_a_file=(3,))
    )
    found = used or found
    message = draft.message
    message.indexed = indexed_at(
        message.conversation.project_id, {passage.source_id for passage in draft.passages}
    )
    message.sought = draft.sought.text if draft.sought.text != draft.question else ""
    # With many at once, searching may have taken a good part of the lease.
    message.lease_until = timezone.now() + LEASE
    message.save(update_fields=["indexed", "sought", "lease_until"])
    return found


def _search(draft: Draft, text: str, mode: Mode = Mode.AUTO) -> Results:
    conversation = draft.message.conversation
    return search(
        Viewer(conversation.user),
        text,
        project_ids=[conversation.project_id],
        limit=HITS,
        mode=mode,
    )


def _with_uses(draft: Draft, found: Results) -> Results | None:
    """Return the definition and then the places that use it; nothing where there are none."""
    name = draft.sought.names[0].rpartition(".")[2] if draft.sought.names else ""
    if len(name) < SHORTEST_NAME:
        return None
    mentions = _search(draft, rf"\b{re.escape(name)}\b", Mode.REGEX).hits
    definition = [hit for hit in [*found.hits, *mentions] if _defines(hit, name)][:1]
    uses = [hit for hit in mentions if _use_in(hit, name) < NO_USE]
    if not uses:
        return None
    uses.sort(key=lambda hit: _use_in(hit, name))
    others = [hit for hit in uses if all(hit.chunk.pk != one.chunk.pk for one in definition)]
    return replace(found, hits=[*definition, *others], confidence=1.0)


def _use_in(hit: Hit, name: str) -> int:
    """Return how much a hit tells of a name's use: a call in code first, prose last."""
    if hit.chunk.language in PROSE:
        return NO_USE if _defines(hit, name) else 4
    rows = [row for _, row, _ in mentions_of(name, hit.text)]
    if not rows:
        return NO_USE
    is_called = any(re.search(rf"{re.escape(name)}\s*\(", row) for row in rows)
    is_aside = hit.chunk.layer in SECONDARY_LAYERS or MADE_BY_TOOLS.search(hit.path)
    return (0 if is_called else 2) + bool(is_aside)


def _defines(hit: Hit, name: str) -> bool:
    return name in {hit.symbol.rpartition(".")[2], *hit.chunk.definitions}

"""What is known before an answer is written: what was meant, what was said, what was found."""

import re
from dataclasses import dataclass, field, replace

from accounts.viewers import Viewer
from conversations.excerpts import PROSE, Wanted, definition_for
from conversations.freshness import indexed_at
from conversations.models import Message
from conversations.passages import Passage, from_hits
from conversations.subjects import Sought, Turn, understand
from knowledge.retrieval import Hit, Mode, Results, search
from providers.chat import ChatMessage, Usage, default_provider
from providers.models import Provider

CITED_FILES = 6
HITS = 30
MESSAGES_READ = 20  # the latest; what of them is sent is a matter of tokens
TURNS_UNDERSTOOD = 3
SHORTEST_NAME = 3  # that a pattern can look for


@dataclass(slots=True)
class Draft:
    """An answer in the making."""

    message: Message
    question: str
    history: list[ChatMessage]
    provider: Provider
    sought: Sought
    passages: list[Passage] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    text: str = ""
    # What readers were sent: the text without marks that nobody has checked yet.
    shown: str = ""


def prepare(message: Message) -> Draft:
    """Return what there is before anything was searched for."""
    conversation = message.conversation
    latest_first = list(
        conversation.messages.filter(position__lt=message.position)
        .exclude(content="")
        .order_by("-position")[: MESSAGES_READ + 1]
    )
    question, *before = latest_first
    before.reverse()
    roles = {"user": "user", "assistant": "assistant"}
    history = [
        ChatMessage(roles.get(m.role, "user"), m.content)  # type: ignore[arg-type]
        for m in before
    ]
    provider = conversation.provider
    if provider is None or not provider.is_enabled:
        provider = default_provider()
    sought = understand(question.content, _turns(before)[-TURNS_UNDERSTOOD:])
    return Draft(message, question.content, history, provider, sought)


def _turns(messages: list[Message]) -> list[Turn]:
    """Return what was asked before: as it was searched for, with the symbol it was answered by."""
    turns: list[Turn] = []
    for message in messages:
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
    if draft.sought.asks_for_uses and draft.sought.names:
        found = _with_uses(draft, found)
    draft.passages = from_hits(found.hits, files=CITED_FILES)
    message = draft.message
    message.indexed = indexed_at(
        message.conversation.project_id, {passage.source_id for passage in draft.passages}
    )
    message.sought = draft.sought.text if draft.sought.text != draft.question else ""
    message.save(update_fields=["indexed", "sought"])
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


def _with_uses(draft: Draft, found: Results) -> Results:
    """Put the definition first and then the places that mention it, if there are any."""
    name = draft.sought.names[0].rpartition(".")[2]
    if len(name) < SHORTEST_NAME:
        return found
    mentions = _search(draft, rf"\b{re.escape(name)}\b", Mode.REGEX).hits
    uses = [hit for hit in mentions if not _defines(hit, name)]
    if not uses:
        return found
    code_first = sorted(uses, key=lambda hit: hit.chunk.language in {"markdown", "rst", "text", ""})
    definition = [hit for hit in [*found.hits, *mentions] if _defines(hit, name)][:1]
    return replace(found, hits=[*definition, *code_first], confidence=1.0)


def _defines(hit: Hit, name: str) -> bool:
    return name in {hit.symbol.rpartition(".")[2], *hit.chunk.definitions}

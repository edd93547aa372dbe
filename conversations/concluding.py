"""Ending an answer: what does not hold is left out, and what was not found is said and counted."""

from typing import Any

from conversations import asking
from conversations.calls import enter_call
from conversations.events import Ended
from conversations.extraction import plain
from conversations.feedback import note_unanswered
from conversations.models import Message
from conversations.passages import those_that_stand
from conversations.preparing import Draft
from conversations.verifying import verify
from knowledge.retrieval import Results
from providers.replies import Reply

NEAREST = 3
LONGEST_NOTE = 255
NOTHING_FOUND = (
    "This is not in the indexed sources. Nothing in them shares enough with the question;"
    " other words may find it, or the source that tells it is not connected yet."
)


def finish(draft: Draft, state: Message.State, error: str, duration_ms: int) -> Ended:
    """Check the citations of what was written, and keep it with what it took."""
    verified = verify(draft.text, those_that_stand(draft.passages))
    asking.settle(
        draft.message,
        state,
        verified.text,
        sources=[{**p.as_dict(), "cited": p.number in verified.shown} for p in draft.passages],
        note=_note(draft, verified.dropped),
        error=error,
        citations_dropped=verified.dropped,
        sent=None if draft.provider.is_offline else draft.sent,
    )
    if not draft.provider.is_offline:
        reply = Reply(draft.text, draft.usage, error, duration_ms)
        enter_call(draft.message, draft.provider, "answer", reply)
    return Ended(state, verified.text, error)


def _note(draft: Draft, dropped: int) -> str:
    note = (
        "Extractive answer: quoted from the sources, without a model"
        if draft.provider.is_offline
        else f"{'Written by' if draft.text else 'Asked'} {draft.provider.model_name}"
    )
    if draft.failures:
        note += f", after others failed: {' '.join(draft.failures)}".rstrip(".")
    if draft.usage.finish_reason == "length":
        note += "; cut where its number of tokens ended"
    if dropped:
        which = "1 citation that does" if dropped == 1 else f"{dropped} citations that do"
        note += f"; {which} not hold left out"
    return note[:LONGEST_NOTE]


def tell_nothing_was_found(draft: Draft, results: Results) -> Ended:
    """Say so with what was searched and the nearest files, and count the question as a gap."""
    nearest = those_that_stand(draft.passages)[:NEAREST]
    near = nearest[0].path if nearest else ""
    message = draft.message
    if message.indexed:
        note_unanswered(message, near=near)
    text = "\n\n".join([NOTHING_FOUND, *_what_was_searched(draft, results)])
    if nearest:
        # Without backticks: a path is not something that stands in the passage.
        lines = (
            f"- {plain(p.path)}, lines {p.start_line}–{p.end_line} [{p.number}]" for p in nearest
        )
        text += "\n\nThe nearest files:\n\n" + "\n".join(lines)
    fields: dict[str, Any] = {"sources": [passage.as_dict() for passage in nearest]}
    asking.settle(message, Message.State.COMPLETE, text, note=Message.NOT_IN_SOURCES, **fields)
    return Ended(Message.State.COMPLETE, text)


def _what_was_searched(draft: Draft, results: Results) -> list[str]:
    if not draft.message.indexed:
        return ["The project has no indexed source yet."]
    how = "by words and by meaning" if results.with_meaning else "by words"
    said = f" for “{draft.sought.text[:200]}”" if draft.message.sought else ""
    sources = ", ".join(
        f"{indexed['source']} at {indexed['commit'][:8]}" for indexed in draft.message.indexed
    )
    return [plain(f"Searched {how}{said}: {sources}.")]

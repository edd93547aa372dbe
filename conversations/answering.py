"""Answering a question: search, tell from which passages, write, check the citations."""

import asyncio
from collections.abc import AsyncIterator
from time import monotonic
from weakref import WeakKeyDictionary

from django.conf import settings

from conversations.citations import Unmarked, without_marks
from conversations.concluding import finish, tell_nothing_was_found
from conversations.connections import in_database
from conversations.events import Ended, Event, Found, Piece, Status
from conversations.extraction import compose
from conversations.gathering import Gathering
from conversations.models import Message
from conversations.preparing import Draft, find, prepare
from conversations.prompts import prompt_for
from conversations.rewriting import keep as keep_rewritten
from conversations.rewriting import may_rewrite, rewritten
from conversations.saving import saver
from conversations.watching import UNWATCHED_NOTE, Watch
from knowledge.retrieval import Results
from providers.chat import ChatMessage, ModelUnavailable, chat_model
from providers.ledger import OverBudget, check_budgets
from providers.replies import Reply

SAVE_EVERY = 0.7  # seconds: what a crash may lose of a text
LOOK_EVERY = 0.3  # seconds: how long a stop may take to be seen
LONGEST_SHOWN = 160


async def write_answer(message: Message, *, watch: Watch | None = None) -> AsyncIterator[Event]:
    """Answer the question before `message`, yielding what a reader should see as it comes.

    Where readers may leave, `watch` tells whether there are any: without them it ends early.
    """
    draft = await in_database(prepare)(message)
    if await in_database(may_rewrite)(draft):
        yield Status("Reading the question beside what was said before")
        await in_database(keep_rewritten)(draft, await rewritten(draft))
    yield Status(_what_is_searched_for(draft))
    async with _turns():
        results = await in_database(find)(draft)
    yield Found(draft.passages)
    if not results.is_answerable:
        told: Ended = await in_database(tell_nothing_was_found)(draft, results)
        yield Piece(without_marks(told.text))
        yield told
        return
    yield Status(_what_was_found(results, draft))
    async for event in _write(draft, watch):
        yield event


def _turns() -> asyncio.Semaphore:
    """Return the turns to search in this event loop: more at once only make each slower."""
    loop = asyncio.get_running_loop()
    return _turns_of.setdefault(loop, asyncio.Semaphore(settings.SEARCHES_AT_ONCE))


_turns_of: "WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore]" = WeakKeyDictionary()


def _what_is_searched_for(draft: Draft) -> str:
    if draft.sought.text == draft.question:
        return "Searching the sources"
    return f"Searching the sources for “{draft.sought.text[:LONGEST_SHOWN]}”"


def _what_was_found(results: Results, draft: Draft) -> str:
    writer = "quoting them" if draft.provider.is_offline else f"asking {draft.provider.model_name}"
    return (
        f"Searched {results.considered} passages in {results.seconds * 1000:.0f} ms,"
        f" {len(draft.passages)} kept, {writer}"
    )


async def _write(draft: Draft, watch: Watch | None) -> AsyncIterator[Event]:
    started, unmarked = monotonic(), Unmarked()
    state, error = Message.State.COMPLETE, ""
    try:
        async for event in _pieces(draft, watch):
            if isinstance(event, Status):
                yield event
                continue
            draft.text += event.text
            if shown := unmarked.feed(event.text):
                draft.shown += shown
                yield Piece(shown)
        if rest := unmarked.rest():
            yield Piece(rest)
    except (StoppedByReader, LeftByReaders, OverBudget, ModelUnavailable) as reason:
        state, error = _end_for(reason, draft)
    duration = round((monotonic() - started) * 1000)
    yield await in_database(finish)(draft, state, error, duration)


def _end_for(reason: Exception, draft: Draft) -> tuple[Message.State, str]:
    """Return how an answer ends that is not whole, and what its reader is told."""
    if isinstance(reason, StoppedByReader):
        return Message.State.STOPPED, ""
    if isinstance(reason, LeftByReaders):
        return Message.State.INTERRUPTED, UNWATCHED_NOTE
    if isinstance(reason, ModelUnavailable) and draft.text:
        return Message.State.INTERRUPTED, f"{reason} What was written so far is kept."
    return Message.State.FAILED, str(reason)


class StoppedByReader(Exception):
    """The reader asked for the answer to end here."""


class LeftByReaders(Exception):
    """Nobody reads along any more."""


async def _pieces(draft: Draft, watch: Watch | None) -> AsyncIterator[Piece | Status]:
    """Yield the model's pieces; where one fails before its first, the next in order is asked."""
    for another in [*draft.fallbacks, None]:
        started = monotonic()
        try:
            async for text in _pieces_of_one(draft, watch):
                yield Piece(text)
        except ModelUnavailable as failure:
            if draft.text or another is None:
                raise
            took = round((monotonic() - started) * 1000)
            why = str(failure).removesuffix(" Try again.")
            await in_database(draft.go_on_with)(another, Reply("", draft.usage, why, took))
            yield Status(f"{why} Going on with {another.model_name}")
        else:
            return


async def _pieces_of_one(draft: Draft, watch: Watch | None) -> AsyncIterator[str]:
    """Yield what one model writes, keeping the text in the database as it grows."""
    conversation = draft.message.conversation
    if draft.provider.is_offline:
        messages = [ChatMessage("user", _extract(draft))]
    else:
        await in_database(check_budgets)(conversation.user, conversation.project_id)
        prompt = prompt_for(draft.question, draft.passages, draft.history)
        messages, draft.sent = prompt.messages, prompt.sent
    gathering = Gathering(chat_model(draft.provider).stream(draft.provider, messages, draft.usage))
    keeper = asyncio.create_task(_keep_saving(draft, watch))
    keeper.add_done_callback(gathering.leave_with)
    try:
        async for text in gathering:
            yield text
    finally:
        keeper.cancel()
        await gathering.close()


async def _keep_saving(draft: Draft, watch: Watch | None) -> None:
    """Save the text again and again; raise when the reader asked to stop or all have left."""
    next_save = monotonic() + SAVE_EVERY
    while True:
        if monotonic() >= next_save:
            if not await saver().save(draft.message.pk, draft.shown):
                raise StoppedByReader
            next_save = monotonic() + SAVE_EVERY
        if watch is not None:
            seen = await watch.look()
            if seen.is_stopped:
                raise StoppedByReader
            if not seen.is_read:
                raise LeftByReaders
        await asyncio.sleep(LOOK_EVERY)


def _extract(draft: Draft) -> str:
    uses_of = draft.sought.names[0] if draft.sought.asks_for_uses and draft.sought.names else ""
    return compose(draft.sought.text, draft.passages, uses_of=uses_of.rpartition(".")[2])

"""Answering a question: search, tell from which passages, write, check the citations."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

from conversations import asking
from conversations.citations import Unmarked, without_marks
from conversations.concluding import finish, tell_nothing_was_found
from conversations.events import Ended, Event, Found, Piece, Status
from conversations.extraction import compose
from conversations.models import Message
from conversations.preparing import Draft, find, prepare
from conversations.prompts import messages_for
from conversations.rewriting import keep as keep_rewritten
from conversations.rewriting import may_rewrite, rewritten
from conversations.watching import UNWATCHED_NOTE
from knowledge.retrieval import Results
from providers.chat import ChatMessage, ModelUnavailable, chat_model
from providers.ledger import OverBudget, check_budgets

P = ParamSpec("P")
R = TypeVar("R")
Watched = Callable[[], Awaitable[bool]]

SAVE_EVERY = 0.7  # seconds: what a crash may lose of a text
LONGEST_SHOWN = 160


def in_database(act: Callable[P, R]) -> Callable[P, Any]:
    """Return `act` for use while an answer streams: its connection is given back at once.

    An answer can take a minute. Without this every open stream would keep a pooled
    connection that it does not use, and the pool would run dry.
    """

    def act_and_release(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        finally:
            for connection in connections.all(initialized_only=True):
                if not connection.in_atomic_block:
                    connection.close()

    return sync_to_async(act_and_release, thread_sensitive=False)


async def write_answer(
    message: Message, *, is_watched: Watched | None = None
) -> AsyncIterator[Event]:
    """Answer the question before `message`, yielding what a reader should see as it comes.

    Where readers may leave, `is_watched` tells whether there are any: without them it ends early.
    """
    draft = await in_database(prepare)(message)
    if await in_database(may_rewrite)(draft):
        yield Status("Reading the question beside what was said before")
        await in_database(keep_rewritten)(draft, *await rewritten(draft))
    yield Status(_what_is_searched_for(draft))
    results = await in_database(find)(draft)
    yield Found(draft.passages)
    if not results.is_answerable:
        told: Ended = await in_database(tell_nothing_was_found)(draft, results)
        yield Piece(without_marks(told.text))
        yield told
        return
    yield Status(_what_was_found(results, draft))
    async for event in _write(draft, is_watched):
        yield event


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


async def _write(draft: Draft, is_watched: Watched | None) -> AsyncIterator[Event]:
    started, unmarked = monotonic(), Unmarked()
    state, error = Message.State.COMPLETE, ""
    try:
        async for piece in _pieces(draft, is_watched):
            draft.text += piece
            if shown := unmarked.feed(piece):
                draft.shown += shown
                yield Piece(shown)
        if rest := unmarked.rest():
            yield Piece(rest)
    except StoppedByReader:
        state = Message.State.STOPPED
    except LeftByReaders:
        state, error = Message.State.INTERRUPTED, UNWATCHED_NOTE
    except OverBudget as refusal:
        state, error = Message.State.FAILED, str(refusal)
    except ModelUnavailable as failure:
        state = Message.State.INTERRUPTED if draft.text else Message.State.FAILED
        kept = " What was written so far is kept." if draft.text else ""
        error = f"{failure}{kept}"
    duration = round((monotonic() - started) * 1000)
    yield await in_database(finish)(draft, state, error, duration)


class StoppedByReader(Exception):
    """The reader asked for the answer to end here."""


class LeftByReaders(Exception):
    """Nobody reads along any more."""


async def _pieces(draft: Draft, is_watched: Watched | None) -> AsyncIterator[str]:
    """Yield the model's pieces, keeping the text in the database as it grows."""
    conversation = draft.message.conversation
    if draft.provider.is_offline:
        messages = [ChatMessage("user", _extract(draft))]
    else:
        await in_database(check_budgets)(conversation.user, conversation.project_id)
        messages = messages_for(draft.question, draft.passages, draft.history)
    stream = chat_model(draft.provider).stream(draft.provider, messages, draft.usage)
    keeper = asyncio.create_task(_keep_saving(draft, is_watched))
    try:
        async for piece in _until_stopped(stream, keeper):
            yield piece
    finally:
        keeper.cancel()


async def _keep_saving(draft: Draft, is_watched: Watched | None) -> None:
    """Save the text again and again; return when the reader asked to stop or all have left."""
    while await in_database(asking.save_progress)(draft.message, draft.shown):
        if is_watched is not None and not await is_watched():
            raise LeftByReaders
        await asyncio.sleep(SAVE_EVERY)


async def _until_stopped(
    stream: AsyncIterator[str], keeper: "asyncio.Task[None]"
) -> AsyncIterator[str]:
    """Yield from the stream, but leave it, and so end the provider's call, on a stop."""
    while True:
        coming = asyncio.ensure_future(anext(stream, None))
        await asyncio.wait({coming, keeper}, return_when=asyncio.FIRST_COMPLETED)
        if keeper.done():
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
            keeper.result()  # nor readers who left, nor a database that did, are one who stopped
            raise StoppedByReader
        piece = coming.result()
        if piece is None:
            return
        yield piece


def _extract(draft: Draft) -> str:
    uses_of = draft.sought.names[0] if draft.sought.asks_for_uses and draft.sought.names else ""
    return compose(draft.sought.text, draft.passages, uses_of=uses_of.rpartition(".")[2])

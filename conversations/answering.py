"""Answering a question: search, tell from which passages, write, check the citations."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

from accounts.viewers import Viewer
from conversations import asking
from conversations.citations import cited_numbers
from conversations.extraction import compose
from conversations.models import Message
from conversations.passages import Passage, from_hits, those_that_stand
from conversations.prompts import messages_for
from conversations.verifying import verify
from knowledge.gaps import note_gap
from knowledge.models import KnowledgeGap
from knowledge.retrieval import Results, search
from providers.chat import ChatMessage, ModelUnavailable, Usage, chat_model, default_provider
from providers.ledger import OverBudget, check_budgets, record_call
from providers.models import Provider

P = ParamSpec("P")
R = TypeVar("R")

CITED_FILES = 6
SAVE_EVERY = 0.7  # seconds: what a crash may lose of a text
HISTORY_TURNS = 20
SHORT_QUESTION = 6  # words up to which a follow-up may lean on the question before it

NOTHING_FOUND = (
    "This is not in the indexed sources. Nothing in them shares enough with the question;"
    " other words may find it, or the source that tells it is not connected yet."
)


@dataclass(frozen=True, slots=True)
class Status:
    """One line for the reader: what is happening."""

    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer will stand on."""

    passages: list[Passage]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some more of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The answer is as it will stay; the message in the database has it."""

    state: Message.State
    text: str
    error: str = ""


Event = Status | Found | Piece | Ended


@dataclass(slots=True)
class Draft:
    """An answer in the making."""

    message: Message
    question: str
    history: list[ChatMessage]
    provider: Provider
    passages: list[Passage] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    text: str = ""


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


async def write_answer(message: Message) -> AsyncIterator[Event]:
    """Answer the question before `message`, yielding what a reader should see as it comes."""
    draft = await in_database(_draft)(message)
    yield Status("Searching the sources")
    results = await in_database(_search)(draft)
    draft.passages = from_hits(results.hits, files=CITED_FILES)
    yield Found(draft.passages)
    if not results.is_answerable:
        async for event in _tell_nothing_was_found(draft):
            yield event
        return
    yield Status(_what_was_found(results, draft))
    async for event in _write(draft):
        yield event


def _draft(message: Message) -> Draft:
    conversation = message.conversation
    earlier = list(
        conversation.messages.filter(position__lt=message.position)
        .exclude(content="")
        .order_by("-position")[:HISTORY_TURNS]
    )
    question, *before = earlier
    roles = {"user": "user", "assistant": "assistant"}
    history = [
        ChatMessage(roles.get(m.role, "user"), m.content)  # type: ignore[arg-type]
        for m in reversed(before)
    ]
    provider = conversation.provider
    if provider is None or not provider.is_enabled:
        provider = default_provider()
    return Draft(message, question.content, history, provider)


def _search(draft: Draft) -> Results:
    conversation = draft.message.conversation
    return search(
        Viewer(conversation.user),
        _with_subject(draft.question, draft.history),
        project_ids=[conversation.project_id],
        limit=30,
    )


def _with_subject(question: str, history: list[ChatMessage]) -> str:
    """Carry the subject over: “and who calls it?” is about the question before."""
    asked = [message.content for message in history if message.role == "user"]
    if asked and len(question.split()) <= SHORT_QUESTION:
        return f"{question} {asked[-1]}"
    return question


def _what_was_found(results: Results, draft: Draft) -> str:
    writer = "quoting them" if draft.provider.is_offline else f"asking {draft.provider.model_name}"
    return (
        f"Searched {results.considered} passages in {results.seconds * 1000:.0f} ms,"
        f" {len(draft.passages)} kept, {writer}"
    )


async def _tell_nothing_was_found(draft: Draft) -> AsyncIterator[Event]:
    text = NOTHING_FOUND
    if draft.passages:
        nearest = "\n".join(f"- `{p.path}`: [{p.number}]" for p in draft.passages[:3])
        text += f"\n\nThe nearest files:\n\n{nearest}"
    yield Piece(text)
    await in_database(asking.settle)(
        draft.message,
        Message.State.COMPLETE,
        text,
        sources=[passage.as_dict() for passage in draft.passages[:3]],
        note="Not in the indexed sources",
    )
    await in_database(_note_gap)(draft)
    yield Ended(Message.State.COMPLETE, text)


def _note_gap(draft: Draft) -> None:
    near = draft.passages[0].path if draft.passages else ""
    project_id = draft.message.conversation.project_id
    note_gap(project_id, draft.question, kind=KnowledgeGap.Kind.LOW_EVIDENCE, near=near)


async def _write(draft: Draft) -> AsyncIterator[Event]:
    started = monotonic()
    state, error = Message.State.COMPLETE, ""
    try:
        async for piece in _pieces(draft):
            draft.text += piece
            yield Piece(piece)
    except StoppedByReader:
        state = Message.State.STOPPED
    except OverBudget as refusal:
        state, error = Message.State.FAILED, str(refusal)
    except ModelUnavailable as failure:
        state = Message.State.INTERRUPTED if draft.text else Message.State.FAILED
        kept = " What was written so far is kept." if draft.text else ""
        error = f"{failure}{kept}"
    duration = round((monotonic() - started) * 1000)
    yield await in_database(_finish)(draft, state, error, duration)


class StoppedByReader(Exception):
    """The reader asked for the answer to end here."""


async def _pieces(draft: Draft) -> AsyncIterator[str]:
    """Yield the model's pieces, keeping the text in the database as it grows."""
    conversation = draft.message.conversation
    if draft.provider.is_offline:
        messages = [ChatMessage("user", compose(draft.question, draft.passages))]
    else:
        await in_database(check_budgets)(conversation.user, conversation.project_id)
        messages = messages_for(draft.question, draft.passages, draft.history)
    stream = chat_model(draft.provider).stream(draft.provider, messages, draft.usage)
    keeper = asyncio.create_task(_keep_saving(draft))
    try:
        async for piece in _until_stopped(stream, keeper):
            yield piece
    finally:
        keeper.cancel()


async def _keep_saving(draft: Draft) -> None:
    """Save the text again and again; return when the reader asked to stop."""
    while await in_database(asking.save_progress)(draft.message, draft.text):  # noqa: ASYNC110
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
            keeper.result()  # a database that went away is not a reader who stopped
            raise StoppedByReader
        piece = coming.result()
        if piece is None:
            return
        yield piece


def _finish(draft: Draft, state: Message.State, error: str, duration_ms: int) -> Ended:
    conversation = draft.message.conversation
    verified = verify(draft.text, those_that_stand(draft.passages))
    text, dropped = verified.text, verified.dropped
    cited = set(cited_numbers(text))
    sources = [{**p.as_dict(), "cited": p.number in cited} for p in draft.passages]
    note = (
        "Extractive answer: quoted from the sources, without a model"
        if draft.provider.is_offline
        else f"Written by {draft.provider.model_name}"
    )
    if dropped:
        which = "1 citation that does" if dropped == 1 else f"{dropped} citations that do"
        note += f"; {which} not hold left out"
    asking.settle(
        draft.message,
        state,
        text,
        sources=sources,
        note=note[:255],
        error=error,
        citations_dropped=dropped,
    )
    if not draft.provider.is_offline:
        record_call(
            draft.provider,
            draft.usage,
            purpose="answer",
            user=conversation.user,
            project_id=conversation.project_id,
            origin=("message", draft.message.pk),
            duration_ms=duration_ms,
            error=error,
        )
    return Ended(state, text, error)

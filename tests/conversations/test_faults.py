"""Whatever a model's server does, an answer ends once, in the right state, with a clear word."""

import asyncio
import json

import pytest
from asgiref.sync import async_to_sync

from conversations import asking, streaming
from conversations.models import Message
from conversations.streaming import follow, start_writing
from providers.models import Call, Provider
from tests.faulty_model import PIECES, faulty_model

pytestmark = pytest.mark.django_db(transaction=True)

KEY = "sk-4f1c-never-told"
WHOLE = "It evicts the oldest [1]."
SOME = "".join(PIECES).strip()
COMPLETE, INTERRUPTED, FAILED = (
    Message.State.COMPLETE,
    Message.State.INTERRUPTED,
    Message.State.FAILED,
)
ENDS = {
    "well": (COMPLETE, "", WHOLE),
    "unauthorised": (FAILED, "m refused the API key; check its variable.", ""),
    "forbidden": (FAILED, "m may not be used with this API key.", ""),
    "not-found": (FAILED, "The server knows no model named m.", ""),
    "rate-limited": (COMPLETE, "", WHOLE),
    "rate-limited-long": (FAILED, "takes no more requests for now. Try again in 60 min.", ""),
    "server-error": (FAILED, "The server of m answered with error 500.", ""),
    "bad-gateway": (FAILED, "The server of m answered with error 502.", ""),
    "timeout-headers": (FAILED, "m did not answer in time.", ""),
    "timeout-mid-stream": (INTERRUPTED, "m did not answer in time.", SOME),
    "reset-mid-stream": (INTERRUPTED, "can't be reached, or went away.", SOME),
    "garbage-stream": (INTERRUPTED, "could not be read: parts of the answer may be missing.", SOME),
    "half-character": (COMPLETE, "", "café half �"),
    "endless": (INTERRUPTED, "m wrote without end, and was cut off here.", "word word"),
    "empty": (FAILED, "m answered with nothing.", ""),
    "wrong-schema": (FAILED, "m broke off its answer.", ""),
    "tool-calls": (FAILED, "m asked for tools in place of an answer.", ""),
    "huge-piece": (INTERRUPTED, "m wrote without end, and was cut off here.", "word word"),
    "invented-citations": (COMPLETE, "", "It evicts, as"),
    "stop-then-usage": (COMPLETE, "", WHOLE),
    "lone-halves": (COMPLETE, "", "ab�c 🦉"),
    "error-on-the-way": (INTERRUPTED, "The server of m reported an error on the way.", SOME),
    "cut-short": (COMPLETE, "", "It evicts the oldest [1]. And"),
    "filtered": (FAILED, "The server of m filtered its answer.", ""),
}


@pytest.fixture
def server():
    with faulty_model() as running:
        yield running


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


@pytest.fixture
def provider(db, server) -> Provider:
    return Provider.objects.create(
        provider_name="openai",
        model_name="m",
        is_default=True,
        api_config={"base_url": server.url, "timeout": 3},
    )


def heard_of(answer: Message) -> list[tuple[str, object]]:
    """Return the events that a reader gets, with their data."""

    async def listen() -> str:
        start_writing(answer.pk)
        heard = [event async for event in follow(answer.pk, "")]
        await asyncio.gather(*streaming._writers)
        return "".join(heard)

    blocks = [block for block in async_to_sync(listen)().split("\n\n") if "event: " in block]
    lines = [dict(line.split(": ", 1) for line in block.splitlines()) for block in blocks]
    return [(line["event"], json.loads(line["data"])) for line in lines]


def told(caplog, answer: Message, heard: list) -> str:
    """Return all that was said anywhere about an answer."""
    rows = [*Message.objects.values(), *Call.objects.values(), *Provider.objects.values()]
    logged = [record.getMessage() + str(record.exc_info or "") for record in caplog.records]
    return repr([rows, heard, logged])


@pytest.mark.parametrize("mode", ENDS)
def test_an_answer_ends_once_in_the_right_state_and_says_why(
    mode, indexed, provider, server, conversation, caplog
):
    server.mode = mode
    answer = asking.ask(conversation, "how does the cache evict the oldest value?")
    heard = heard_of(answer)

    state, error, text = ENDS[mode]
    answer.refresh_from_db()
    assert (answer.state, answer.lease_until) == (state, None)
    assert error in answer.error
    assert bool(error) == bool(answer.error)
    assert answer.content.strip().startswith(text)
    assert bool(text) == bool(answer.content)
    assert [name for name, _ in heard].count("done") == 1
    assert heard[-1] == ("done", state)
    failed = [sentence for name, sentence in heard if name == "failed"]
    assert failed == ([answer.error] if error else [])
    assert KEY not in told(caplog, answer, heard)


def test_a_server_where_nothing_listens_is_said_so(provider, indexed, conversation):
    provider.api_config["base_url"] = "http://127.0.0.1:1/v1"
    provider.save()
    answer = asking.ask(conversation, "how does the cache evict the oldest value?")
    assert heard_of(answer)[-1] == ("done", FAILED)
    answer.refresh_from_db()
    assert "can't be reached" in answer.error


def test_no_more_is_kept_of_an_answer_without_end_than_is_stated(
    indexed, provider, server, conversation
):
    server.mode = "huge-piece"
    answer = asking.ask(conversation, "how does the cache evict the oldest value?")
    heard_of(answer)
    answer.refresh_from_db()
    assert 199_000 < len(answer.content) <= 200_000


def test_what_a_model_invents_is_left_out(indexed, provider, server, conversation):
    server.mode = "invented-citations"
    answer = asking.ask(conversation, "how does the cache evict the oldest value?")
    heard_of(answer)
    answer.refresh_from_db()
    assert "[7]" not in answer.content
    assert "[1]" not in answer.content
    assert answer.citations_dropped == 2


def test_an_answer_that_was_cut_says_so(indexed, provider, server, conversation):
    server.mode = "cut-short"
    answer = asking.ask(conversation, "how does the cache evict the oldest value?")
    heard_of(answer)
    answer.refresh_from_db()
    assert "cut where its number of tokens ended" in answer.note


def test_the_next_in_order_answers_for_one_that_fails_before_its_first_word(
    indexed, provider, server, conversation
):
    server.mode = "server-error"
    Provider.objects.create(
        provider_name="ollama",
        model_name="n",
        api_config={"base_url": "http://127.0.0.1:1/v1", "timeout": 3},
        fallback_order=1,
    )
    Provider.objects.filter(provider_name="offline").delete()
    Provider.objects.create(provider_name="offline", model_name="extractive", fallback_order=2)
    answer = asking.ask(conversation, "how does the cache evict the oldest value?")
    heard = heard_of(answer)
    answer.refresh_from_db()
    assert answer.state == COMPLETE
    assert "Drop the value that was written first." in answer.content
    assert "error 500" in answer.note
    assert "The server of n can't be reached" in answer.note
    said = " ".join(text for name, text in heard if name == "status")
    assert "Going on with n" in said
    assert "Going on with extractive" in said
    assert {call.model_name for call in Call.objects.exclude(error="")} == {"m", "n"}


def test_one_that_fails_after_its_first_word_is_not_followed(
    indexed, provider, server, conversation
):
    server.mode = "reset-mid-stream"
    Provider.objects.create(provider_name="offline", model_name="extra", fallback_order=1)
    answer = asking.ask(conversation, "how does the cache evict the oldest value?")
    heard_of(answer)
    answer.refresh_from_db()
    assert answer.state == INTERRUPTED
    assert answer.content.strip() == SOME

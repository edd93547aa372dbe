"""Answers for programs: whole, or event by event."""

import json
from collections.abc import Callable

import pytest
from asgiref.sync import async_to_sync

from accounts.viewers import Viewer
from conversations import asking
from conversations.finishing import answer_now, events_of
from conversations.models import Message
from knowledge.models import Document
from projects.models import Source

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def waiting(source: Source, viewer: Viewer, index: Callable[..., Document]) -> Message:
    """An answer that nobody writes yet."""
    index(source, "owl.py", "def hunt():\n    '''Hunt at night.'''\n    return 1\n")
    conversation = asking.begin(viewer, source.project)
    return asking.ask(conversation, "Where is hunt defined?")


def test_an_answer_is_written_to_its_end(waiting: Message) -> None:
    answer = answer_now(waiting)
    assert answer.state == Message.State.COMPLETE
    assert "[1]" in answer.content
    assert [source["file_path"] for source in answer.sources or []] == ["owl.py"]


def test_an_answer_is_written_once(waiting: Message) -> None:
    first = answer_now(waiting).content
    Message.objects.filter(pk=waiting.pk).update(content="kept")
    assert answer_now(waiting).content == "kept"
    assert first != "kept"


def test_an_answer_that_somebody_else_writes_is_left_to_them(waiting: Message) -> None:
    assert asking.take(waiting.pk) is not None
    assert answer_now(waiting).state == Message.State.STREAMING


def test_events_begin_with_the_id_and_end_with_done(waiting: Message) -> None:
    async def collect() -> list[str]:
        return [event async for event in events_of(waiting.pk)]

    events = async_to_sync(collect)()
    head, _, data = events[0].partition("\n")
    assert head == "event: message"
    assert json.loads(data.removeprefix("data: "))["id"] == str(waiting.pk)
    names = [line for event in events for line in event.splitlines() if line.startswith("event")]
    assert names[-1] == "event: done"
    assert "event: token" in names
    waiting.refresh_from_db()
    assert waiting.state == Message.State.COMPLETE

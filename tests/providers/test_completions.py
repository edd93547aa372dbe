"""What is read of a stream, however it is cut and whatever stands in it."""

import json

import pytest
from asgiref.sync import async_to_sync

from providers import completions
from providers.completions import EventTooLong, Said, count, events_in, read, storable


def events(*chunks: bytes) -> list[str]:
    async def cut():
        for chunk in chunks:
            yield chunk

    async def collect():
        return [event async for event in events_in(cut())]

    return async_to_sync(collect)()


STREAM = (
    'data: {"a": "caf\u00e9 \u2028"}\r\n\r\n: still here\n\nid: 7\nevent: x\ndata:b\n\n'
).encode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_however_the_network_cuts_them(size):
    cut = [STREAM[start : start + size] for start in range(0, len(STREAM), size)]
    assert events(*cut) == ['{"a": "caf\u00e9 \u2028"}', "b"]


def test_half_a_character_at_the_end_is_replaced():
    assert events(b"data: half \xe2\x82") == ["half \ufffd"]


def test_a_line_without_end_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(completions, "LONGEST_EVENT", 100)
    with pytest.raises(EventTooLong):
        events(b"data: ", b"x" * 90, b"x" * 90)


def delta(**fields: object) -> str:
    return json.dumps({"choices": [{"delta": fields}]})


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (delta(content="hi"), Said("hi")),
        (delta(content=None, role="assistant"), Said()),
        (delta(content=["hi"]), Said()),
        (delta(tool_calls=[{"id": "1"}]), Said(asks_for_tools=True)),
        ('{"choices": [{"finish_reason": "stop"}]}', Said(finish_reason="stop")),
        ('{"choices": [{"finish_reason": 5, "delta": 7}]}', Said()),
        ('{"choices": [], "usage": {"prompt_tokens": 3}}', Said(usage={"prompt_tokens": 3})),
        ('{"choices": "none"}', Said()),
        ('{"error": {"message": "no"}}', Said(has_failed=True)),
    ],
)
def test_an_event_is_read_for_what_it_says(data, said):
    assert read(data) == said


@pytest.mark.parametrize("data", ["{not json", "[1]", "7", '{"text": "hi"}', "[" * 100_000, ""])
def test_what_is_no_event_of_a_completion_is_told_apart(data):
    assert read(data) is None


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("plain", "plain"),
        ("a\0b", "ab"),
        ("\ud83e\udd89", "\U0001f989"),
        ("half \ud83e", "half \ufffd"),
    ],
)
def test_a_text_is_made_fit_for_a_database(text, kept):
    assert storable(text) == kept
    kept.encode()


@pytest.mark.parametrize(
    ("value", "number"), [(7, 7), (0, 0), (-1, None), ("7", None), (None, None), (2**31, None)]
)
def test_only_a_sensible_count_is_one(value, number):
    assert count({"n": value}, "n") == number

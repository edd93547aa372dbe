"""Pieces of a stream are handed on as they come, until it ends or is left."""

import asyncio

import pytest
from asgiref.sync import async_to_sync

from conversations.gathering import Gathering


class Stopped(Exception):
    pass


class Source:
    """Gives pieces with a pause between them, and knows whether it was closed."""

    def __init__(self, pieces: int, pause: float, error: Exception | None = None) -> None:
        self.pieces, self.pause, self.error = pieces, pause, error
        self.is_closed = False

    async def stream(self):
        try:
            for number in range(self.pieces):
                if number:
                    await asyncio.sleep(self.pause)
                yield f"{number} "
            if self.error:
                raise self.error
        finally:
            self.is_closed = True


def gathered(source: Source, leave_after: float | None = None) -> list[str]:
    """Return what was handed on."""

    async def collect():
        made = Gathering(source.stream())
        if leave_after is not None:
            other = asyncio.create_task(leaving())
            other.add_done_callback(made.leave_with)
        try:
            return [text async for text in made]
        finally:
            await made.close()

    async def leaving():
        await asyncio.sleep(leave_after)
        raise Stopped

    return async_to_sync(collect)()


def test_every_piece_is_handed_on_once_and_the_first_at_once():
    texts = gathered(Source(30, 0.01))
    assert "".join(texts).split() == [str(number) for number in range(30)]
    assert texts[0] == "0 "


def test_an_empty_stream_ends():
    assert gathered(Source(0, 0)) == []


def test_what_a_stream_ends_with_comes_after_its_pieces():
    heard = []

    async def collect():
        async for text in Gathering(Source(3, 0.01, error=Stopped()).stream()):
            heard.append(text)  # noqa: PERF401 - a comprehension would keep nothing on an error

    with pytest.raises(Stopped):
        async_to_sync(collect)()
    assert "".join(heard).split() == ["0", "1", "2"]


def test_leaving_closes_the_stream_and_says_why():
    source = Source(1000, 0.01)
    with pytest.raises(Stopped):
        gathered(source, leave_after=0.3)
    assert source.is_closed

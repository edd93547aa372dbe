"""A stream is read in breaths, which are longer the more streams there are."""

import asyncio

import pytest
from asgiref.sync import async_to_sync

from providers.breaths import LONGEST, SHORTEST, Breaths


async def chunks(count: int, pause: float | None):
    for number in range(count):
        if pause is not None:
            await asyncio.sleep(pause)
        yield b"%d " % number


class Counted(Breaths):
    """Pauses for no time, and counts how often."""

    pauses = 0

    @property
    def seconds(self) -> float:
        self.pauses += 1
        return 0.0


def read(count: int, pause: float | None) -> tuple[list[bytes], int]:
    """Return what was read, and after how many chunks there was a pause."""
    breaths = Counted()

    async def collect() -> list[bytes]:
        return [chunk async for chunk in breaths.read(chunks(count, pause))]

    return async_to_sync(collect)(), breaths.pauses


@pytest.mark.parametrize("pause", [None, 0, 0.002])
def test_every_chunk_comes_once_and_in_order(pause):
    assert read(20, pause)[0] == [b"%d " % number for number in range(20)]


def test_what_is_there_is_read_without_a_pause():
    assert read(100, None)[1] == 0


def test_after_what_had_to_be_waited_for_there_is_a_pause():
    assert read(10, 0)[1] == read(10, 0.001)[1] == 10


def test_breaths_are_longer_the_more_streams_there_are_and_not_for_ever():
    breaths = Breaths()
    seconds = []
    for breaths.streams in (1, 20, 50, 1000):
        seconds.append(breaths.seconds)
    assert seconds[0] == SHORTEST
    assert seconds == sorted(seconds)
    assert seconds[-1] == LONGEST


def test_a_stream_that_was_left_counts_no_more():
    breaths = Breaths()

    async def leave() -> int:
        stream = breaths.read(chunks(10, 0.001))
        await anext(stream)
        during = breaths.streams
        await stream.aclose()
        return during

    assert async_to_sync(leave)() == 1
    assert breaths.streams == 0

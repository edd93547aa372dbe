"""A stream is read in breaths, which are longer the more streams there are."""

import asyncio
from time import monotonic

import pytest
from asgiref.sync import async_to_sync

from providers.breaths import LONGEST, SHORTEST, Breaths


async def chunks(count: int, pause: float | None):
    for number in range(count):
        if pause is not None:
            await asyncio.sleep(pause)
        yield b"%d " % number


def read(count: int, pause: float | None) -> tuple[bytes, float]:
    async def collect() -> bytes:
        return b"".join([chunk async for chunk in Breaths().read(chunks(count, pause))])

    started = monotonic()
    whole = async_to_sync(collect)()
    return whole, monotonic() - started


@pytest.mark.parametrize("pause", [None, 0, 0.002])
def test_every_chunk_comes_once_and_in_order(pause):
    assert read(20, pause)[0].split() == [b"%d" % number for number in range(20)]


def test_what_is_there_is_read_without_a_pause():
    assert read(100, None)[1] < 10 * SHORTEST


def test_after_what_had_to_be_waited_for_there_is_a_pause():
    assert read(10, 0.001)[1] >= 10 * SHORTEST


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

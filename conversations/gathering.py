"""Handing on what a model writes, apart from reading it: reading can be left at any time."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator


class Gathering:
    """What a stream has brought since it was last asked; iterate over it to its end."""

    def __init__(self, stream: AsyncIterator[str]) -> None:
        self._pieces: list[str] = []
        self._news = asyncio.Event()
        self._reading = asyncio.create_task(self._read(stream))
        self._reason: BaseException | None = None

    def leave_with(self, other: "asyncio.Task[None]") -> None:
        """End the stream, and with it the call, for what another task ended with."""
        if not other.cancelled():
            self._reason = other.exception()
            self._reading.cancel()

    async def close(self) -> None:
        """Return when the stream is at its end, which is now."""
        self._reading.cancel()
        await asyncio.wait({self._reading})

    async def __aiter__(self) -> AsyncGenerator[str, None]:
        while not (self._reading.done() and not self._pieces):
            await self._news.wait()
            self._news.clear()
            if text := "".join(self._pieces):
                self._pieces.clear()
                yield text
            if self._reading.done():
                self._news.set()
        if self._reason is not None:
            raise self._reason
        await self._reading  # for what the stream itself ended with

    async def _read(self, stream: AsyncIterator[str]) -> None:
        try:
            async for piece in stream:
                self._pieces.append(piece)
                self._news.set()
        finally:
            self._news.set()

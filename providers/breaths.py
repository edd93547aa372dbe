"""Reading a stream in breaths: what came since the last look, not each piece as it comes.

A model may write fifty pieces a second, for a hundred readers at once. Being woken for a piece
costs more than the piece, and so does each step that it takes to a reader.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator

SHORTEST = 0.03  # seconds
LONGEST = 0.25
FOR_EACH = 0.004  # for each stream that this process reads


class Breaths:
    """The streams that are read in this process: the more there are, the longer the breaths."""

    def __init__(self) -> None:
        self.streams = 0

    @property
    def seconds(self) -> float:
        return max(SHORTEST, min(LONGEST, FOR_EACH * self.streams))

    async def read(self, chunks: AsyncIterable[bytes]) -> AsyncGenerator[bytes, None]:
        """Yield chunks as they are there; after one that had to be waited for, pause."""
        self.streams += 1
        iterator = aiter(chunks)
        try:
            while (read := await self._next(iterator)) is not None:
                chunk, was_waited_for = read
                yield chunk
                if was_waited_for:
                    # More of it gathers meanwhile, in the buffers of the kernel.
                    await asyncio.sleep(self.seconds)
        finally:
            self.streams -= 1

    async def _next(self, chunks: AsyncIterator[bytes]) -> tuple[bytes, bool] | None:
        turned: list[bool] = []
        # Called before this goes on only if something below gives up its turn.
        turn = asyncio.get_running_loop().call_soon(turned.append, True)
        try:
            chunk = await anext(chunks, None)
        finally:
            turn.cancel()
        return None if chunk is None else (chunk, bool(turned))


breaths = Breaths()

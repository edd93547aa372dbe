"""The provider that needs no model: it passes on what was found."""

from collections.abc import AsyncGenerator, Sequence

from providers.chat import ChatMessage, Schema, Usage
from providers.models import Provider

PIECE = 160  # characters; enough pieces that a reader sees the answer arrive


class OfflineChat:
    """Gives back the last message: the answer that was put together from the passages."""

    async def stream(
        self,
        provider: Provider,
        messages: Sequence[ChatMessage],
        usage: Usage,
        *,
        schema: Schema | None = None,
    ) -> AsyncGenerator[str, None]:
        text = messages[-1].content
        for start in range(0, len(text), PIECE):
            yield text[start : start + PIECE]

"""Reading what a server of the OpenAI API streams, whatever it makes of that API.

A server can send anything: halves of characters, lines without end, events of another shape. What
can be read is passed on; what can't is counted, so that nobody takes the rest for the whole.
"""

import codecs
import json
import re
from collections.abc import AsyncGenerator, AsyncIterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LONGEST_EVENT = 16_000_000  # bytes
DONE = "[DONE]"
UNSTORABLE = re.compile("[\0\ud800-\udfff]")
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")


class EventTooLong(Exception):
    """A line that does not end."""


@dataclass(frozen=True, slots=True)
class Said:
    """What one event of a completion says."""

    text: str = ""
    finish_reason: str = ""
    usage: Mapping[str, Any] | None = None
    asks_for_tools: bool = False
    has_failed: bool = False


async def events_in(chunks: AsyncIterable[bytes]) -> AsyncGenerator[str, None]:
    """Yield the data of server-sent events; what is not UTF-8 becomes a replacement character."""
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
    line = ""
    async for chunk in chunks:
        # Only these end a line. What str.splitlines ends one at may stand inside of JSON.
        *whole, line = (line + decoder.decode(chunk)).split("\n")
        for data in _data_of(whole):
            yield data
        if len(line) > LONGEST_EVENT:
            raise EventTooLong
    for data in _data_of([line + decoder.decode(b"", final=True)]):
        yield data


def _data_of(lines: list[str]) -> Iterator[str]:
    for line in lines:
        name, _, value = line.rstrip("\r").partition(":")
        if name == "data":
            yield value.removeprefix(" ")


def read(data: str) -> Said | None:
    """Return what an event says; None where it is no event of a completion."""
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    if event.get("error"):
        return Said(has_failed=True)
    choices = [choice for choice in _listed(event.get("choices")) if isinstance(choice, dict)]
    usage = event.get("usage") if isinstance(event.get("usage"), dict) else None
    if not choices and usage is None and "choices" not in event:
        return None
    deltas = [delta for choice in choices if isinstance(delta := choice.get("delta"), dict)]
    return Said(
        "".join(_text(delta.get("content")) for delta in deltas),
        next((_text(c["finish_reason"]) for c in choices if c.get("finish_reason")), ""),
        usage,
        asks_for_tools=any(delta.get("tool_calls") for delta in deltas),
    )


def storable(text: str) -> str:
    """Return text as a database takes it, without NUL and with halves of characters replaced."""
    if not UNSTORABLE.search(text):
        return text
    joined = PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), text)
    return UNSTORABLE.sub("\ufffd", joined.replace("\0", ""))


def count(usage: Mapping[str, Any], name: str) -> int | None:
    """Return a count of tokens, or None where a server sent something else."""
    value = usage.get(name)
    return value if isinstance(value, int) and 0 <= value < 2**31 else None


def _listed(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""

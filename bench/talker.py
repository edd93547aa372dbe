"""A model behind the OpenAI API that writes fifty pieces a second, and tells when it was left.

Prints its port, then a line of JSON for each call that is over. All its clocks are the machine's.
"""

import asyncio
import json
import re
import sys
import time
from contextlib import suppress

PIECES_A_SECOND = 50
TAG = re.compile(rb"stream (\d+) of (\d+) pieces")
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)

talking: set["Call"] = set()


class Call(asyncio.Protocol):
    """One call: its question says how many pieces it wants."""

    def __init__(self) -> None:
        self.got = b""
        self.tag, self.pieces, self.said = -1, 0, 0
        self.asked = self.first = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.got += data
        head, _, body = self.got.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if length and len(body) >= int(length[1]) and self.tag < 0:
            [*_, last] = TAG.findall(body)
            self.tag, self.pieces = int(last[0]), int(last[1])
            self.asked = time.monotonic()
            self.transport.write(HEAD)
            talking.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        talking.discard(self)
        if self.tag >= 0:
            told = {
                "tag": self.tag,
                "asked": self.asked,
                "first": self.first,
                "said": self.said,
                "pieces": self.pieces,
                "over": time.monotonic(),
            }
            sys.stdout.write(json.dumps(told) + "\n")
            sys.stdout.flush()

    def speak(self) -> None:
        if self.said < self.pieces:
            self.first = self.first or time.monotonic()
            self.send({"delta": {"content": f"{self.said} "}, "finish_reason": None})
            self.said += 1
        else:
            self.send({"delta": {}, "finish_reason": "stop"})
            self.transport.write(b"data: [DONE]\n\n")
            self.transport.close()
            talking.discard(self)

    def send(self, choice: dict[str, object]) -> None:
        event = json.dumps({"choices": [{"index": 0, **choice}]})
        self.transport.write(b"data: " + event.encode() + b"\n\n")


async def main() -> None:
    server = await asyncio.get_running_loop().create_server(Call, "127.0.0.1", 0)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    due = time.monotonic()
    while True:
        for call in list(talking):
            call.speak()
        due += 1 / PIECES_A_SECOND
        await asyncio.sleep(max(0.0, due - time.monotonic()))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())

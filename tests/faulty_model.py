"""A server of the OpenAI API that goes wrong in one of the ways in which such servers do."""

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECES = [f"piece{number} " for number in range(20)]


class Asked(BaseHTTPRequestHandler):
    """One request, and the ways to answer it."""

    server: "FaultyModel"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked += 1
        with suppress(OSError):
            FAULTS[self.server.mode](self)

    def refuse(self, status: int, body: object = None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        text = body if isinstance(body, str) else json.dumps(body or {"error": {"message": "no"}})
        self.wfile.write(text.encode())

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()

    def say(self, text: str) -> None:
        self.event({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})

    def event(self, data: Any) -> None:
        self.raw(f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode())

    def raw(self, data: bytes) -> None:
        self.wfile.write(data)
        self.wfile.flush()

    def end(self, reason: str = "stop") -> None:
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]})
        self.event("[DONE]")

    def log_message(self, *args: object) -> None:
        """Say nothing."""


class FaultyModel(ThreadingHTTPServer):
    daemon_threads = True
    mode = "well"
    asked = 0
    over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


def well(asked: Asked) -> None:
    asked.begin()
    asked.say("It evicts the oldest [1].")
    asked.end()


def unauthorised(asked: Asked) -> None:
    asked.refuse(401, {"error": {"message": f"wrong key: {asked.headers['Authorization']}"}})


def rate_limited(asked: Asked) -> None:
    if asked.server.asked == 1:
        asked.refuse(429, Retry_After="2")
    else:
        well(asked)


def timeout_headers(asked: Asked) -> None:
    asked.server.over.wait(20)


def timeout_mid_stream(asked: Asked) -> None:
    _some(asked)
    asked.server.over.wait(20)


def reset_mid_stream(asked: Asked) -> None:
    _some(asked)
    time.sleep(0.3)  # a reset throws away what was not read by then
    asked.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    asked.connection.close()


def garbage_stream(asked: Asked) -> None:
    asked.begin()
    for piece in PIECES:
        asked.say(piece)
        asked.event("{not json")
    asked.end()


def half_character(asked: Asked) -> None:
    asked.begin()
    event = b'data: {"choices":[{"index":0,"delta":{"content":"%s"}}]}\n\n'
    whole = event % "caf\u00e9 ".encode()
    cut = whole.index(b"\xc3") + 1
    asked.raw(whole[:cut])
    time.sleep(0.1)
    asked.raw(whole[cut:])
    asked.raw(event % b"half \xe2\x82")
    asked.end()


def endless(asked: Asked) -> None:
    asked.begin()
    while not asked.server.over.is_set():
        asked.say("word " * 200)


def empty(asked: Asked) -> None:
    asked.begin()
    asked.end()


def wrong_schema(asked: Asked) -> None:
    asked.begin()
    for event in ({"text": "hello"}, [1, 2], {"choices": "none"}, {"choices": [{"delta": 5}]}):
        asked.event(event)
    asked.event({"choices": [{"delta": {"content": 5}}], "usage": {"prompt_tokens": "many"}})


def tool_calls(asked: Asked) -> None:
    asked.begin()
    call = {"index": 0, "id": "1", "function": {"name": "rm", "arguments": "{}"}}
    for _ in range(5):
        asked.event({"choices": [{"index": 0, "delta": {"tool_calls": [call]}}]})
    asked.end("tool_calls")


def huge_piece(asked: Asked) -> None:
    asked.begin()
    asked.say("word " * 1_000_000)
    asked.end()


def invented_citations(asked: Asked) -> None:
    asked.begin()
    asked.say("It evicts [7], as `src/made_up.py` says: `nobody_wrote_this()` [1].")
    asked.end()


def stop_then_usage(asked: Asked) -> None:
    asked.begin()
    asked.say("It evicts the oldest [1].")
    asked.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    asked.event({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
    asked.say(" And more that nobody asked for.")
    asked.event("[DONE]")


def lone_halves_and_zeros(asked: Asked) -> None:
    asked.begin()
    asked.raw(b'data: {"choices":[{"delta":{"content":"a\\u0000b\\ud83dc \\ud83e\\udd89"}}]}\n\n')
    asked.end()


def error_on_the_way(asked: Asked) -> None:
    _some(asked)
    asked.event({"error": {"message": f"key {asked.headers['Authorization']}", "code": 502}})


def cut_short(asked: Asked) -> None:
    asked.begin()
    asked.say("It evicts the oldest [1]. And")
    asked.end("length")


def filtered(asked: Asked) -> None:
    asked.begin()
    asked.end("content_filter")


def _some(asked: Asked) -> None:
    asked.begin()
    for piece in PIECES:
        asked.say(piece)


FAULTS: dict[str, Callable[[Asked], None]] = {
    "well": well,
    "unauthorised": unauthorised,
    "forbidden": lambda asked: asked.refuse(403),
    "not-found": lambda asked: asked.refuse(404),
    "rate-limited": rate_limited,
    "rate-limited-long": lambda asked: asked.refuse(429, Retry_After="3600"),
    "server-error": lambda asked: asked.refuse(500),
    "bad-gateway": lambda asked: asked.refuse(502, "<html><script>alert(1)</script></html>"),
    "timeout-headers": timeout_headers,
    "timeout-mid-stream": timeout_mid_stream,
    "reset-mid-stream": reset_mid_stream,
    "garbage-stream": garbage_stream,
    "half-character": half_character,
    "endless": endless,
    "empty": empty,
    "wrong-schema": wrong_schema,
    "tool-calls": tool_calls,
    "huge-piece": huge_piece,
    "invented-citations": invented_citations,
    "stop-then-usage": stop_then_usage,
    "lone-halves": lone_halves_and_zeros,
    "error-on-the-way": error_on_the_way,
    "cut-short": cut_short,
    "filtered": filtered,
}


@contextmanager
def faulty_model() -> Iterator[FaultyModel]:
    server = FaultyModel(("127.0.0.1", 0), Asked)
    server.over = threading.Event()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.over.set()
        server.shutdown()
        server.server_close()
        thread.join()

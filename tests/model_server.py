"""A server that speaks the OpenAI API on loopback, well or badly, as a test asks."""

import base64
import json
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ModelServer:
    """Answers with `pieces`; `mode` names what goes wrong; `requests` is what was asked."""

    def __init__(self) -> None:
        self.pieces = ["The cache ", "evicts ", "the oldest [1]."]
        # Whole answers in turn, in place of the pieces; the last one again and again.
        self.replies: list[str] = []
        # Or an answer made from what was asked.
        self.answering: Callable[[dict[str, Any]], str] | None = None
        self.mode = "well"
        self.delay = 0.0
        # The piece before which an answer waits until it is let go, so that a test can look.
        self.held_at: int | None = None
        self.let_go = threading.Event()
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.disconnects = 0
        # Of embeddings: what they look like, what is refused, and statuses to begin with.
        self.dimensions = 16
        self.encodes = True
        self.longest: int | None = None
        self.faults: list[int] = []
        self.retry_after = ""
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/v1"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def model_server() -> Iterator[ModelServer]:
    server = ModelServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()


LONGEST_HELD = 30  # seconds
STATUS = {"bad key": 401, "no model": 404, "busy": 429, "broken": 500}


def _handler_for(server: ModelServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked = json.loads(self.rfile.read(length))
            server.requests.append(asked)
            server.keys.append(self.headers.get("Authorization", ""))
            if server.mode in STATUS:
                self._json(
                    STATUS[server.mode], {"error": {"message": f"key was {server.keys[-1]}"}}
                )
            elif self.path.endswith("/embeddings"):
                self._embed(asked)
            else:
                self._stream(asked)

        def _json(self, status: int, body: Any) -> None:
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            if server.retry_after:
                self.send_header("Retry-After", server.retry_after)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _embed(self, asked: dict[str, Any]) -> None:
            time.sleep(server.delay)
            texts = asked["input"][1:] if server.mode == "leaves one out" else asked["input"]
            if server.faults:
                self._json(server.faults.pop(0), {"error": {"message": "not now"}})
            elif server.longest is not None and any(len(text) > server.longest for text in texts):
                self._json(400, {"error": {"message": f"too long: {texts}"}})
            elif server.mode in ODD_ANSWERS:
                self._json(200, ODD_ANSWERS[server.mode])
            else:
                encoded = server.encodes and asked.get("encoding_format") == "base64"
                rows = [_row(i, text, server.dimensions, encoded) for i, text in enumerate(texts)]
                rows.reverse()  # the index counts, not the order
                usage = {"prompt_tokens": 3 * len(texts), "total_tokens": 3 * len(texts)}
                if server.mode == "counts nothing":
                    usage = {}
                body = {"object": "list", "data": rows, "model": "m", "usage": usage}
                self._json(200, body)

        def _stream(self, asked: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            pieces = server.pieces
            if server.answering:
                pieces = [server.answering(asked)]
            elif server.replies:
                last = len(server.replies) == 1
                pieces = [server.replies[0] if last else server.replies.pop(0)]
            try:
                for number, piece in enumerate(pieces):
                    if server.mode == "dies" and number == 2:
                        return
                    if server.mode == "garbage":
                        self._event("{not json")
                        return
                    time.sleep(server.delay)
                    if number == server.held_at:
                        server.let_go.wait(LONGEST_HELD)
                    self._event(json.dumps(_chunk([_choice(piece)])))
                self._event(json.dumps(_chunk([_choice("", "stop")])))
                usage = {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120}
                self._event(json.dumps({**_chunk([]), "usage": usage}))
                self._event("[DONE]")
            except OSError:
                server.disconnects += 1

        def _event(self, data: str) -> None:
            self.wfile.write(f"data: {data}\n\n".encode())
            self.wfile.flush()

        def log_message(self, *args: object) -> None:
            """Say nothing: the test reads `requests`."""

    return Handler


ODD_ANSWERS: dict[str, Any] = {
    "no json": b"<html>Bad gateway</html>",
    "no list": {"data": "none"},
    "no rows": {"data": [1, 2]},
    "no numbers": {"data": [{"index": 0, "embedding": ["a"]}, {"index": 1, "embedding": ["b"]}]},
    "not finite": {"data": [{"index": n, "embedding": [float("nan")] * 16} for n in (0, 1)]},
    "no direction": {"data": [{"index": n, "embedding": [0.0] * 16} for n in (0, 1)]},
    "nested": {"data": [{"index": n, "embedding": [[1.0] * 16]} for n in (0, 1)]},
    "half a base64": {"data": [{"index": n, "embedding": "AAA"} for n in (0, 1)]},
    "different sizes": {"data": [{"index": n, "embedding": [1.0] * (16 + n)} for n in (0, 1)]},
}


def _row(index: int, text: str, dimensions: int, encoded: bool) -> dict[str, Any]:
    vector = [float(len(text)), 1.0] + [0.5] * (dimensions - 2)
    packed = base64.b64encode(struct.pack(f"<{dimensions}f", *vector)).decode()
    return {"object": "embedding", "index": index, "embedding": packed if encoded else vector}


def _choice(text: str, finish: str | None = None) -> dict[str, Any]:
    return {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}


def _chunk(choices: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "answer",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "m",
        "choices": choices,
    }

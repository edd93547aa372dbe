"""A server that speaks the OpenAI API on loopback, well or badly, as a test asks."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class ModelServer:
    """Answers with `pieces`; `mode` names what goes wrong; `requests` is what was asked."""

    def __init__(self) -> None:
        self.pieces = ["The cache ", "evicts ", "the oldest [1]."]
        self.mode = "well"
        self.delay = 0.0
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.disconnects = 0
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
                self._stream()

        def _json(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def _embed(self, asked: dict[str, Any]) -> None:
            texts = asked["input"][1:] if server.mode == "leaves one out" else asked["input"]
            rows = [
                {
                    "object": "embedding",
                    "index": i,
                    "embedding": [float(len(text)), 1.0] + [0.5] * 14,
                }
                for i, text in enumerate(texts)
            ]
            self._json(200, {"object": "list", "data": rows, "model": "m", "usage": {}})

        def _stream(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            try:
                for number, piece in enumerate(server.pieces):
                    if server.mode == "dies" and number == 2:
                        return
                    if server.mode == "garbage":
                        self._event("{not json")
                        return
                    time.sleep(server.delay)
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

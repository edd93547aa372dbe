"""An endpoint for embeddings that takes 20 ms a request, whatever it is asked."""

import base64
import json
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random

SECONDS = 0.02
DIMENSIONS = 384

_random = Random(0)
VECTORS = [
    base64.b64encode(
        struct.pack(f"<{DIMENSIONS}f", *(_random.gauss(0, 1) for _ in range(DIMENSIONS)))
    )
    for _ in range(64)
]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        time.sleep(SECONDS)
        rows = b",".join(
            b'{"object":"embedding","index":%d,"embedding":"%s"}' % (i, VECTORS[i % 64])
            for i in range(len(asked["input"]))
        )
        tokens = b'{"prompt_tokens":%d,"total_tokens":%d}' % ((64 * len(asked["input"]),) * 2)
        body = b'{"object":"list","model":"stub","data":[%s],"usage":%s}' % (rows, tokens)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(server.server_address[1], flush=True)
    server.serve_forever()

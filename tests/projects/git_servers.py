"""Servers on loopback that speak git's http, well or badly."""

import base64
import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from projects.addresses import Address, check_repository_url

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """Hands every request to `answer`, and remembers them."""

    daemon_threads = True

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[tuple[str, str]] = []  # path and Authorization
        self.commands: list[str] = []  # the command lines of this machine during requests
        self.ended = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    def address(self, path: str) -> Address:
        url = f"http://127.0.0.1:{self.server_port}/{path}"
        return check_repository_url(url, allowed_private_hosts=["127.0.0.1"])


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers.get("Authorization", "")))
        self.server.commands.append(command_lines())
        with suppress(BrokenPipeError, ConnectionResetError):
            self.server.answer(self)

    do_POST = do_GET  # noqa: N815  (the name is http.server's)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  (http.server's)
        """Keep quiet."""


def command_lines() -> str:
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            lines.append(process.read_bytes().replace(b"\0", b" ").decode("utf-8", "replace"))
    return "\n".join(lines)


def is_gone(text: str, seconds: float = 5.0) -> bool:
    """Whether no process names the text: what was killed takes a moment to be gone."""
    until = time.monotonic() + seconds
    while text in command_lines():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@contextmanager
def serving(answer: Answer) -> Iterator[Server]:
    server = Server(answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


def repositories_below(root: Path, *, token: str = "") -> Answer:
    """Serve what is below a folder through git's own http-backend."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        given = request.headers.get("Authorization", "")
        if token and given != basic(token):
            request.send_response(401)
            request.send_header("WWW-Authenticate", 'Basic realm="git"')
            request.end_headers()
            return
        _forward(request, root)

    return answer


def basic(token: str) -> str:
    return "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()


def _forward(request: BaseHTTPRequestHandler, root: Path) -> None:
    path, _, query = request.path.partition("?")
    environment = {
        "PATH": os.environ["PATH"],
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_ADDR": "127.0.0.1",
    }
    body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
    environment["CONTENT_LENGTH"] = str(len(body))
    command = ["git", "http-backend"]
    done = subprocess.run(command, input=body, env=environment, capture_output=True, check=False)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = [line.split(": ", 1) for line in head.decode().splitlines()]
    status = next((value for name, value in headers if name == "Status"), "200")
    request.send_response(int(status.split()[0]))
    for name, value in headers:
        if name != "Status":
            request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


def redirect_to(location: str) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(302)
        request.send_header("Location", location + request.path)
        request.end_headers()

    return answer


def status(code: int) -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(code)
        request.end_headers()

    return answer


def say(content: bytes, *, kind: str = "text/html", length: int | None = None) -> Answer:
    """Answer with something, and close before it is all there if `length` says more."""

    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(content) if length is None else length))
        request.end_headers()
        request.wfile.write(content)

    return answer


def stay_silent(request: BaseHTTPRequestHandler) -> None:
    """Take the request and never answer."""
    server = request.server
    assert isinstance(server, Server)
    server.ended.wait()


def drip(request: BaseHTTPRequestHandler) -> None:
    """Send a byte now and then, for ever."""
    server = request.server
    assert isinstance(server, Server)
    request.send_response(200)
    request.send_header("Content-Type", "application/x-git-upload-pack-advertisement")
    request.end_headers()
    while not server.ended.wait(0.2):
        request.wfile.write(b"0")

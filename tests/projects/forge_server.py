"""A small GitHub API on loopback that tells of one real repository, well or badly."""

import json
import time
from contextlib import suppress
from hashlib import sha256
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.projects.repositories import Repository

STATUS = {"gone": 404, "broken": 500, "refused": 403, "strangers": 401}
RAW = {
    "garbage": b"<html>It works!</html>",
    "deep": b"[" * 100_000,
    "other": b'{"id": true, "default_branch": 7}',
    "odd branch": b'{"id": 7, "full_name": "owl/nest", "default_branch": "a\\u0000b"}',
}


class FakeForge:
    """Answers as `mode` says; `asked` is what came, `spent` what it counted."""

    def __init__(self, repository: Repository, *, name: str = "owl/nest", token: str = "") -> None:
        self.repository = repository
        self.name = name
        self.token = token
        self.mode = "well"
        self.elsewhere = ""
        self.number = 4711
        self.default_branch = "main"
        self.is_archived = False
        self.limit = 60
        self.spent = 0
        self.resets_at = int(time.time()) + 1800
        self.headers: dict[str, str] = {}
        self.asked: list[str] = []
        self.unchanged = 0
        self.tokens: set[str] = set()

    def __call__(self, request: BaseHTTPRequestHandler) -> None:
        self.asked.append(request.path)
        given = request.headers.get("Authorization", "")
        self.tokens.add(given)
        if self.mode == "slow":
            request.server.ended.wait()  # type: ignore[attr-defined]
        elif self.mode == "drip":
            self._drip(request)
        elif self.mode == "endless":
            self._pour(request)
        elif self.mode == "redirect":
            self._answer(request, 301, {}, {"Location": self.elsewhere + request.path})
        elif self.mode in RAW:
            self._answer(request, 200, RAW[self.mode])
        elif self.mode in STATUS:
            self._answer(request, STATUS[self.mode], {"message": "No."})
        elif self.mode == "secondary":
            said = {"message": "You have exceeded a secondary rate limit."}
            self._answer(request, 403, said, self.headers)
        elif given != (f"Bearer {self.token}" if self.token else ""):
            self._answer(request, 401 if given else 404, {"message": "Bad credentials"})
        elif self.spent >= self.limit:
            self._answer(request, 403, {"message": "API rate limit exceeded"})
        else:
            self._tell(request)

    def _tell(self, request: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(request.path)
        path = parts.path.removeprefix("/api/v3")
        if path == f"/repos/{self.name}":
            self._conditional(request, self._description())
        elif path == f"/repos/{self.name}/commits":
            self._commits(request, {k: v[0] for k, v in parse_qs(parts.query).items()})
        elif path.startswith("/repos/old/name"):  # what it was called before
            rest = path.removeprefix("/repos/old/name")
            self._answer(request, 301, {}, {"Location": f"/repos/{self.name}{rest}"})
        else:
            self._answer(request, 404, {"message": "Not Found"})

    def _description(self) -> dict[str, Any]:
        return {
            "id": self.number,
            "full_name": self.name,
            "default_branch": self.default_branch,
            "archived": self.is_archived,
        }

    def _commits(self, request: BaseHTTPRequestHandler, query: dict[str, str]) -> None:
        branch = f"refs/heads/{query['sha']}"
        known = self.repository.git("for-each-ref", "--format=%(refname)").split()
        if not known:
            self._answer(request, 409, {"message": "Git Repository is empty."})
        elif branch not in known:
            self._answer(request, 404, {"message": "Not Found"})
        else:
            below = ["--", query["path"]] if "path" in query else []
            line = self.repository.git("log", "-1", "--format=%H %cI", branch, *below)
            sha, _, date = line.partition(" ")
            commit = {"sha": sha, "commit": {"committer": {"date": date}, "message": "x"}}
            self._conditional(request, [commit] if sha else [])

    def _conditional(self, request: BaseHTTPRequestHandler, said: Any) -> None:
        etag = f'W/"{sha256(json.dumps(said).encode()).hexdigest()}"'
        is_same = request.headers.get("If-None-Match") == etag
        self.unchanged += is_same
        # As GitHub does: an answer of 304 is free for those who say who they are.
        self.spent += not (is_same and self.token)
        self._answer(request, 304 if is_same else 200, b"" if is_same else said, {"ETag": etag})

    def _answer(
        self,
        request: BaseHTTPRequestHandler,
        status: int,
        said: Any,
        headers: dict[str, str] | None = None,
    ) -> None:
        body = said if isinstance(said, bytes) else json.dumps(said).encode()
        request.send_response(status)
        for name, value in (headers or {}).items():
            request.send_header(name, value)
        request.send_header("X-RateLimit-Limit", str(self.limit))
        request.send_header("X-RateLimit-Remaining", str(max(0, self.limit - self.spent)))
        request.send_header("X-RateLimit-Reset", str(self.resets_at))
        if status != 304:
            request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _drip(self, request: BaseHTTPRequestHandler) -> None:
        """Send the head of an answer a byte at a time, for ever."""
        with suppress(OSError):
            while not request.server.ended.wait(0.1):  # type: ignore[attr-defined]
                request.wfile.write(b"H")

    def _pour(self, request: BaseHTTPRequestHandler) -> None:
        request.send_response(200)
        request.end_headers()
        with suppress(OSError):
            while not request.server.ended.is_set():  # type: ignore[attr-defined]
                request.wfile.write(b"[" * 65536)

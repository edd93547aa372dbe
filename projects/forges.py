"""What GitHub's API tells of a repository, and how many more questions it takes."""

import asyncio
import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import httpx2

from projects.addresses import Address, token_variable
from projects.git_errors import BranchMissing
from projects.mirrors import SHA, check_branch

MAX_BODY = 1_000_000
LONGEST_WAIT = timedelta(days=1)  # that a forge can make us leave it alone
USUAL_WAIT = timedelta(minutes=1)
LARGEST_ID = 2**63 - 1
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_ETAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e]{0,200}"')
_REDIRECTS = frozenset({301, 302, 307, 308})


class ForgeSilent(Exception):
    """The API did not tell what was asked; `message` says why and what to do."""

    def __init__(self, message: str) -> None:
        self.message = message
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Quota:
    """How many questions the forge still takes, and when it will take more."""

    limit: int
    remaining: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Api:
    """Where to ask about the repositories of a host, and by whose right."""

    address: Address
    host: str  # that people clone from, and that the token is for
    token: str | None
    certificates: ssl.SSLContext | bool = True

    @property
    def variable(self) -> str:
        return token_variable(self.host)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Which repository, and which part of it. What was answered before is asked about again."""

    name: str  # owner/name
    branch: str = ""  # empty: the default one
    folder: str = ""
    answers: Mapping[str, Any] = field(default_factory=dict)
    description_stays: timedelta = timedelta()  # so long it is not asked for again


@dataclass(slots=True)
class Told:
    """What the API said; with `trouble`, a sentence, where it did not say all."""

    repository: dict[str, Any] = field(default_factory=dict)
    branch: str = ""
    head: str = ""
    committed_at: datetime | None = None  # the last time in the folder
    answers: dict[str, Any] = field(default_factory=dict)
    quota: Quota | None = None
    trouble: str = ""


def repository_name(address: Address) -> str:
    """Return owner/name of a repository's address, "" where it is not made like that."""
    path = urlsplit(address.url).path.strip("/").removesuffix(".git")
    return path if _NAME.fullmatch(path) else ""


def ask(api: Api, question: Question, *, seconds: float) -> Told:
    """Return what the API tells within the time; never raises for what the far side does."""
    told = Told()
    if api.token and not (api.token.isascii() and api.token.isprintable()):
        told.trouble = f"The token in {api.variable} holds characters that a token cannot have."
        return told
    try:
        # A limit for all of it: one for each read would let a slow server hold us for ever.
        asyncio.run(_ask_within(seconds, _Conversation(api, question, told)))
    except ForgeSilent as silence:
        told.trouble = silence.message
    except TimeoutError:
        told.trouble = f"The API of {api.host} did not answer within {seconds:.0f} seconds."
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError):
        told.trouble = f"The API of {api.host} could not be reached."
    return told


async def _ask_within(seconds: float, conversation: "_Conversation") -> None:
    async with asyncio.timeout(seconds):
        await conversation.hold()


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    headers: httpx2.Headers
    body: bytes

    def parsed(self) -> Any:
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ForgeSilent("The API answered with something that is not JSON.") from error


class _Conversation:
    """The few questions about one repository, over connections to the judged numbers only."""

    def __init__(self, api: Api, question: Question, told: Told) -> None:
        self.api = api
        self.question = question
        self.told = told

    async def hold(self) -> None:
        async with httpx2.AsyncClient(
            verify=self.api.certificates, trust_env=False, follow_redirects=False, timeout=5
        ) as client:
            self.client = client
            await self._learn_repository()
            await self._learn_head()

    async def _learn_repository(self) -> None:
        told, question = self.told, self.question
        path = f"repos/{question.name}"
        known = question.answers.get(path)
        if known and _age(known) < question.description_stays:
            told.answers[path], told.repository = known, known["facts"]
        else:
            told.repository = await self._get(path, {}, _repository)
        told.branch = question.branch or told.repository["default_branch"]

    async def _learn_head(self) -> None:
        told, folder = self.told, self.question.folder
        # By its present name: a renamed repository would answer each question with a redirect.
        path = f"repos/{told.repository['full_name']}/commits"
        query = {"sha": told.branch, "per_page": "1"}
        commit = await self._get(path, query, _commit)
        in_folder = await self._in_folder(path, query, commit) if folder else commit
        told.head = commit.get("sha", "")
        if "date" in in_folder:
            told.committed_at = datetime.fromisoformat(in_folder["date"])

    async def _in_folder(
        self, path: str, query: dict[str, str], head: dict[str, Any]
    ) -> dict[str, Any]:
        below = {**query, "path": self.question.folder}
        known = self.question.answers.get(_asked(path, below))
        # While the branch stands where it stood, so does its folder.
        if known and self.question.answers.get(_asked(path, query), {}).get("facts") == head:
            self.told.answers[_asked(path, below)] = known
            facts: dict[str, Any] = known["facts"]
            return facts
        return await self._get(path, below, _commit)

    async def _get(
        self, path: str, query: dict[str, str], read: Callable[[Any], dict[str, Any]]
    ) -> dict[str, Any]:
        asked = _asked(path, query)
        before = self.question.answers.get(asked, {})
        url = f"{self.api.address.url.rstrip('/')}/{asked}"
        reply = await self._send(url, before.get("etag", ""))
        if reply.status in _REDIRECTS:
            reply = await self._send(self._moved_to(url, reply), before.get("etag", ""))
        facts: dict[str, Any]
        if reply.status == 304 and before:
            facts = before["facts"]
        elif reply.status == 409 and "sha" in query:  # nothing was ever committed
            facts = {}
        elif reply.status == 200:
            facts = read(reply.parsed())
        else:
            raise ForgeSilent(self._explain(reply, query.get("sha", "")))
        etag = reply.headers.get("etag", "") or before.get("etag", "")
        self.told.answers[asked] = {
            "etag": etag if _ETAG.fullmatch(etag) else "",
            "at": datetime.now(UTC).isoformat(),
            "facts": facts,
        }
        return facts

    def _moved_to(self, url: str, reply: _Reply) -> str:
        """Return where a redirect leads, if that is the same server."""
        target = urljoin(url, reply.headers.get("location", ""))
        if urlsplit(target)[:2] != urlsplit(url)[:2]:
            raise ForgeSilent(
                f"The API of {self.api.host} redirects to another server, which is not followed."
            )
        return target

    async def _send(self, url: str, etag: str) -> _Reply:
        address = self.api.address
        parts = urlsplit(url)
        headers = {
            "Accept": "application/vnd.github+json",
            "Accept-Encoding": "identity",
            "Host": parts.netloc,
            "User-Agent": "Nightowl",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        if self.api.token:
            headers["Authorization"] = f"Bearer {self.api.token.rpartition(':')[2]}"
        if etag:
            headers["If-None-Match"] = etag
        failure: httpx2.HTTPError | None = None
        for ip in address.ips:
            number = f"[{ip}]" if ":" in ip else ip
            target = parts._replace(netloc=f"{number}:{address.port}").geturl()
            # The name is only said, for the certificate and the server; it is not looked up again.
            names = {"sni_hostname": address.host}
            try:
                async with self.client.stream(
                    "GET", target, headers=headers, extensions=names
                ) as response:
                    reply = _Reply(response.status_code, response.headers, await _body(response))
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                failure = error
                continue
            self.told.quota = _quota(reply, self.told.quota)
            return reply
        raise failure or ForgeSilent(f"The API of {self.api.host} could not be reached.")

    def _explain(self, reply: _Reply, branch: str) -> str:
        host, variable, status = self.api.host, self.api.variable, reply.status
        quota = self.told.quota
        if _is_limited(reply) and quota is not None:
            return out_of_quota(host, quota.resets_at, self.api.token)
        if status == 404 and branch:
            return f"The repository has no branch named {branch}."
        with_token, without = _ADVICE.get(status, _UNFORESEEN)
        sentence = with_token if self.api.token else without
        return sentence.format(host=host, variable=variable, status=status)


def _asked(path: str, query: dict[str, str]) -> str:
    return quote(path) + ("?" + urlencode(query) if query else "")


def _age(answer: Mapping[str, Any]) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(answer["at"])


_UNFORESEEN = ("The API of {host} answers with an error ({status}).",) * 2
_ADVICE = {
    401: (
        "{host} refused the token in {variable}: it is wrong or has expired."
        " Set a new one and restart.",
        "{host} wants to know who asks: set {variable} to a token and restart.",
    ),
    403: (
        "The token in {variable} may not read this repository:"
        " give it the right to read contents and metadata.",
        "{host} refuses to tell strangers about this repository: set {variable} and restart.",
    ),
    404: (
        "{host} shows no repository at this address to the token in {variable}: it is gone,"
        " was renamed, or the token has no right to it.",
        "{host} has no public repository at this address: it is gone, was renamed, or is private"
        " and needs a token in {variable}.",
    ),
}


def out_of_quota(host: str, until: datetime, token: str | None) -> str:
    """Say until when the API is left alone."""
    sentence = f"The API of {host} takes no more requests until {until:%H:%M} UTC; git is asked."
    return (
        sentence if token else f"{sentence} With a token in {token_variable(host)} it takes more."
    )


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_raw():
        body += piece
        if len(body) > MAX_BODY:
            raise ForgeSilent("The API answered with more than a megabyte.")
    return bytes(body)


def _is_limited(reply: _Reply) -> bool:
    """Whether the forge refused because it was asked too often."""
    if reply.status not in {403, 429}:
        return False
    none_left = reply.headers.get("x-ratelimit-remaining", "") == "0"
    told_to_wait = "retry-after" in reply.headers or b"rate limit" in reply.body[:5000].lower()
    return reply.status == 429 or none_left or told_to_wait


def _quota(reply: _Reply, before: Quota | None) -> Quota | None:
    """Return the quota as the answer tells it; one that makes us wait leaves nothing."""
    now = datetime.now(UTC)
    limit, remaining, resets = (
        _number(reply.headers.get(f"x-ratelimit-{name}", ""))
        for name in ("limit", "remaining", "reset")
    )
    found = before
    if limit is not None and remaining is not None and resets is not None:
        seconds = min(max(resets - now.timestamp(), 0), LONGEST_WAIT.total_seconds())
        found = Quota(limit, remaining, now + timedelta(seconds=seconds))
    if not _is_limited(reply) or (found and not found.remaining and _retry_after(reply) is None):
        return found
    wait = min(_retry_after(reply) or USUAL_WAIT, LONGEST_WAIT)
    return Quota(found.limit if found else 0, 0, now + wait)


def _retry_after(reply: _Reply) -> timedelta | None:
    said = reply.headers.get("retry-after", "")
    seconds = _number(said)
    if seconds is not None:
        return timedelta(seconds=max(seconds, 1))
    try:
        return max(parsedate_to_datetime(said) - datetime.now(UTC), timedelta(seconds=1))
    except (ValueError, TypeError):
        return None


def _number(text: str) -> int | None:
    return int(text) if re.fullmatch(r"[0-9]{1,9}|1[0-9]{9}", text) else None


def _repository(data: Any) -> dict[str, Any]:
    """Return what is kept of a repository's description."""
    match data:
        case {"id": int(number), "default_branch": str(branch), "full_name": str(name)}:
            pass
        case _:
            raise ForgeSilent("The API answered with something else than a repository.")
    if not (
        0 < number <= LARGEST_ID
        and number is not True
        and _NAME.fullmatch(name)
        and _is_branch(branch)
    ):
        raise ForgeSilent("The API answered with something else than a repository.")
    return {
        "id": number,
        "default_branch": branch,
        "full_name": name,
        "is_archived": data.get("archived") is True,
    }


def _is_branch(name: str) -> bool:
    try:
        check_branch(name)
    except BranchMissing:
        return False
    return name.isprintable()


def _commit(data: Any) -> dict[str, Any]:
    """Return what is kept of the newest commit of a list, nothing of an empty one."""
    if data == []:
        return {}
    match data:
        case [{"sha": str(sha), "commit": {"committer": {"date": str(said)}}}, *_]:
            pass
        case _:
            raise ForgeSilent("The API answered with something else than commits.")
    try:
        date = datetime.fromisoformat(said)
    except ValueError as error:
        raise ForgeSilent("The API answered with a date that is not one.") from error
    if not SHA.fullmatch(sha) or date.tzinfo is None:
        raise ForgeSilent("The API answered with something else than commits.")
    return {"sha": sha, "date": date.isoformat()}

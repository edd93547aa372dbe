"""Asking where a source comes from what it holds now; nothing is fetched, no row is touched."""

import os
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urlsplit

from django.conf import settings
from django.utils import timezone

from projects import forges
from projects.addresses import (
    Address,
    AddressRefused,
    check_public_url,
    check_repository_url,
    check_source_path,
    token_for,
)
from projects.checkouts import local_head
from projects.forges import Api, Question, Told
from projects.git import Limits, Watch
from projects.git_errors import GitError, LimitReached, RepositoryUnreachable
from projects.mirrors import Fetched, remote_head
from projects.models import Source
from projects.sourcing import source_roots

API_SECONDS = 8.0
GIT_SECONDS = 12.0
DESCRIPTION_STAYS = timedelta(hours=1)  # without a token each question counts
_PLAIN_FOLDER = "A folder without git is not compared; sync it when something has changed."
_ARCHIVED = "The repository is archived: nobody can change it any more."

Blocked = dict[tuple[str, bool], datetime]  # until when an API takes no more, by host and anonymity


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen: a head, or nothing to compare, or trouble, which is a sentence."""

    head: Fetched | None = None
    told: Told | None = None
    quota_of: tuple[str, bool] | None = None
    trouble: str = ""
    note: str = ""
    is_host_down: bool = False


def look(source: Source, blocked: Blocked) -> Seen:
    """Return what the source's repository holds now; takes no longer than its time."""
    try:
        return _look_here(source) if source.path else _look_there(source, blocked)
    except AddressRefused as refusal:
        return Seen(trouble=refusal.message, is_host_down=bool(source.url))
    except GitError as error:
        return Seen(trouble=error.message, is_host_down=_is_down(error))


def forge_of(source: Source) -> tuple[str, str | None] | None:
    """Return the host of the API that tells of a source, with our token; None if there is none."""
    host = urlsplit(source.url).hostname or ""
    api = urlsplit(settings.GITHUB_API_URL).hostname or ""
    if not host or host not in {api, api.removeprefix("api.")}:
        return None
    return api, token_for(host, os.environ)


def _look_here(source: Source) -> Seen:
    roots = source_roots(source)
    path = check_source_path(source.path, roots=roots)
    head = local_head(path, branch=source.branch or None, roots=roots, watch=_watch())
    return Seen(head=head, note="" if head else _PLAIN_FOLDER)


def _look_there(source: Source, blocked: Blocked) -> Seen:
    address = check_repository_url(source.url, allowed_private_hosts=settings.ALLOWED_PRIVATE_HOSTS)
    told, quota_of, trouble = _ask_forge(source, address, blocked)
    if told is not None and not told.trouble:
        head = Fetched(told.head or None, told.branch)
        return Seen(head=head, told=told, quota_of=quota_of, note=_note(address, told))
    try:
        head = remote_head(
            address,
            branch=source.branch or None,
            token=token_for(address.host, os.environ),
            watch=_watch(),
        )
    except GitError as error:
        # The API says more of what is wrong; git only that it may not.
        sentence = error.message if _is_down(error) or not trouble else trouble
        return Seen(told=told, quota_of=quota_of, trouble=sentence, is_host_down=_is_down(error))
    return Seen(head=head, told=told, quota_of=quota_of, note=trouble)


def _ask_forge(
    source: Source, address: Address, blocked: Blocked
) -> tuple[Told | None, tuple[str, bool] | None, str]:
    """Return what the API told, whose quota that took, and why it did not tell all."""
    forge, name = forge_of(source), forges.repository_name(address)
    if forge is None or not name:
        return None, None, ""
    host, token = forge
    quota_of = (host, token is None)
    until = blocked.get(quota_of)
    if until is not None and until > timezone.now():
        return None, None, forges.out_of_quota(address.host, until, token)
    try:
        judged = check_public_url(
            settings.GITHUB_API_URL, allowed_private_hosts=settings.ALLOWED_PRIVATE_HOSTS
        )
    except AddressRefused as refusal:
        return None, None, f"GITHUB_API_URL cannot be used: {refusal.message}"
    api = Api(judged, address.host, token, _certificates())
    question = Question(
        name=name,
        branch=source.branch,
        folder=source.folder_path,
        answers=source.forge.get("answers", {}),
        description_stays=DESCRIPTION_STAYS if token is None else timedelta(),
    )
    told = forges.ask(api, question, seconds=API_SECONDS)
    return told, quota_of, told.trouble


def _note(address: Address, told: Told) -> str:
    name = told.repository["full_name"]
    if name.lower() != forges.repository_name(address).lower():
        return f"The repository is called {name} now: add it again by its new address."
    return _ARCHIVED if told.repository["is_archived"] else ""


def _watch() -> Watch:
    # A million branches take git about 250 MB.
    limits = Limits(wall_seconds=GIT_SECONDS, low_speed_seconds=10, max_memory_bytes=1024**3)
    return Watch(limits=limits)


def _is_down(error: GitError) -> bool:
    return isinstance(error, RepositoryUnreachable) or (
        isinstance(error, LimitReached) and error.limit in {"time", "speed"}
    )


@cache
def _certificates() -> ssl.SSLContext | bool:
    """Return the certificates that git servers are checked by, where somebody named some."""
    file, folder = os.environ.get("GIT_SSL_CAINFO"), os.environ.get("GIT_SSL_CAPATH")
    if not (file or folder):
        return ssl.create_default_context()
    return ssl.create_default_context(cafile=file, capath=folder)

"""Where a source's files come from: a mirror of a repository, or what people uploaded."""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha1
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from django.conf import settings

from knowledge.models import Upload
from knowledge.redaction import redact
from projects.addresses import check_repository_url, check_source_path, token_for
from projects.checkouts import mirror_path
from projects.git import Limits, Watch
from projects.leases import Lease
from projects.mirrors import Fetched, mirror_remote
from projects.models import Source
from projects.sourcing import source_roots
from projects.trees import Entry, commit_info, last_commit_date, list_tree, read_blobs


@dataclass(frozen=True, slots=True)
class Given:
    """What a person said of a document beside its text."""

    user_id: UUID | None = None
    title: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


class Origin(Protocol):
    """A source's files as they stand at one commit, None where nothing was ever committed."""

    commit: str | None
    branch: str

    def entries(self) -> Iterator[Entry]: ...

    def read(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes]]: ...

    def described(self) -> tuple[str, datetime | None]:
        """Return the commit's subject and when the folder was last committed to."""

    def given(self) -> dict[str, Given]:
        """Return what people said of documents beside their texts, by path."""


def open_origin(source: Source, lease: Lease) -> Origin:
    """Bring the source's files here; raises GitError or AddressRefused with a sentence."""
    return UploadedFiles(source) if source.is_given else Repository(source, lease)


@dataclass
class Repository:
    source: Source
    lease: Lease

    def __post_init__(self) -> None:
        fetched = self._fetch()
        self.commit, self.branch = fetched.commit, fetched.branch
        self.mirror: Path = self.source.mirror

    def _fetch(self) -> Fetched:
        self.source.mirror.parent.mkdir(parents=True, exist_ok=True)
        watch = Watch(cancelled=self.lease.is_cancelled)
        branch = self.source.branch or None
        if self.source.path:
            roots = source_roots(self.source)
            path = check_source_path(self.source.path, roots=roots)
            return mirror_path(path, self.source.mirror, branch=branch, roots=roots, watch=watch)
        address = check_repository_url(
            self.source.url, allowed_private_hosts=settings.ALLOWED_PRIVATE_HOSTS
        )
        token = token_for(address.host, os.environ)
        return mirror_remote(address, self.source.mirror, branch=branch, token=token, watch=watch)

    def entries(self) -> Iterator[Entry]:
        return list_tree(self.mirror, self.commit or "", self.source.folder_path)

    def read(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        return read_blobs(self.mirror, shas, limits=Limits(max_blob_bytes=settings.MAX_FILE_BYTES))

    def described(self) -> tuple[str, datetime | None]:
        commit = self.commit or ""
        # People commit secrets by their messages, too.
        subject, _ = redact(commit_info(self.mirror, commit).subject)
        return subject, last_commit_date(self.mirror, commit, self.source.folder_path)

    def given(self) -> dict[str, Given]:
        return {}


class UploadedFiles:
    branch = ""

    def __init__(self, source: Source) -> None:
        self.source = source
        rows = source.uploads.order_by("path").values_list("path", "git_sha")
        # Files that people gave have no history: their content stands for a commit.
        tree = "\n".join(f"{sha} {path}" for path, sha in rows)
        digest = sha1(tree.encode(), usedforsecurity=False).hexdigest()
        self.commit: str | None = digest if tree else None

    def entries(self) -> Iterator[Entry]:
        rows = Upload.objects.filter(source=self.source).order_by("path")
        for path, sha, size in rows.values_list("path", "git_sha", "size"):
            yield Entry("100644", "file", sha, size, path.encode())

    def read(self, shas: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        wanted = list(shas)
        rows = Upload.objects.filter(source=self.source, git_sha__in=wanted)
        for sha, content in rows.values_list("git_sha", "content").iterator(chunk_size=20):
            yield sha, bytes(content)

    def described(self) -> tuple[str, datetime | None]:
        latest = self.source.uploads.order_by("-updated_at").first()
        return "Uploaded files", latest.updated_at if latest else None

    def given(self) -> dict[str, Given]:
        if self.source.is_upload:
            return {}  # whoever uploads a file need not have written it
        rows = self.source.uploads.values_list("path", "user_id", "title", "metadata")
        return {path: Given(*about) for path, *about in rows}

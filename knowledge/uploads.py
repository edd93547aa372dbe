"""Taking in files that people give, for the next sync to read."""

import hashlib
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import transaction
from django.db.models import Sum

from accounts.auditing import record
from accounts.models import User
from knowledge.models import Upload
from projects.jobs import enqueue
from projects.models import Source

MAX_PATH = 1024


class UploadRefused(Exception):
    """Nothing of this can be taken in; the message says why."""


@dataclass(slots=True)
class Stored:
    count: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)


def check_relative_path(path: str) -> str:
    """Return the path as it is kept; raises `UploadRefused` for one that leads elsewhere."""
    kept = unicodedata.normalize("NFC", path.replace("\\", "/")).strip()
    parts = kept.split("/")
    if not kept or any(unicodedata.category(letter) == "Cc" for letter in kept):
        raise UploadRefused("The file has no usable name.")
    if kept.startswith("/") or (len(kept) > 1 and kept[1] == ":"):
        raise UploadRefused("The name must be relative to a folder.")
    if any(part in {"", ".", ".."} for part in parts):
        raise UploadRefused("The name leads out of its folder.")
    if ".git" in (part.lower() for part in parts):
        raise UploadRefused("A .git folder is not taken in.")
    if len(kept) > MAX_PATH:
        raise UploadRefused(f"The name is longer than {MAX_PATH} characters.")
    return kept


def store_uploads(source: Source, files: Iterable[tuple[str, bytes]], by: User) -> Stored:
    """Keep the files, each in place of what stood at its path, and have them indexed."""
    if not source.is_upload:
        raise UploadRefused("Files can be added to sources of uploaded files only.")
    stored = Stored()
    held = source.uploads.aggregate(size=Sum("size"))["size"] or 0
    uploads: dict[str, Upload] = {}
    for path, content in files:
        try:
            kept = check_relative_path(path)
            _check_size(content, held)
        except UploadRefused as refusal:
            stored.refused.append((path[:200], str(refusal)))
            continue
        held += len(content)
        uploads[kept] = Upload(
            source=source,
            path=kept,
            content=content,
            git_sha=git_sha_of(content),
            size=len(content),
            user=by,
        )
    stored.count = len(uploads)
    if uploads:
        _keep(source, list(uploads.values()), by)
    return stored


@transaction.atomic
def _keep(source: Source, uploads: list[Upload], by: User) -> None:
    Upload.objects.bulk_create(
        uploads,
        update_conflicts=True,
        unique_fields=["source", "path"],
        update_fields=["content", "git_sha", "size", "user", "updated_at"],
    )
    record(
        by,
        "uploaded files to",
        source,
        project_id=source.project_id,
        count=len(uploads),
    )
    enqueue(source, requested_by=by)


def _check_size(content: bytes, held: int) -> None:
    if len(content) > settings.MAX_FILE_BYTES:
        limit = settings.MAX_FILE_BYTES / 1_000_000
        raise UploadRefused(f"The file is larger than {limit:g} MB.")
    if held + len(content) > settings.MAX_UPLOAD_BYTES:
        limit = settings.MAX_UPLOAD_BYTES / 1_000_000
        raise UploadRefused(f"A source holds at most {limit:g} MB of uploaded files.")


def git_sha_of(content: bytes) -> str:
    """Return the name that git gives a blob, so that unchanged files are told by it."""
    # Not for security: it is git's own name for a content.
    header = b"blob %d\0" % len(content)
    return hashlib.sha1(header + content, usedforsecurity=False).hexdigest()

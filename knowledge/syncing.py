"""Bringing the index to what a source holds now: only what differs is read."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DataError, transaction
from django.utils import timezone

from knowledge import languages
from knowledge.chunking import CHUNKER_VERSION
from knowledge.ingestion import (
    LONGEST_PATH,
    Reading,
    blank_document,
    failed,
    read_file,
    remove_documents,
    replace_documents,
    skipped,
)
from knowledge.models import Document
from knowledge.origins import Origin, open_origin
from projects.addresses import AddressRefused
from projects.git_errors import (
    GitError,
    RepositoryBusy,
    RepositoryUnreachable,
    SyncCancelled,
)
from projects.jobs import JobCancelled, JobFailed, Lease, enqueue
from projects.models import Job, Source
from projects.trees import Entry

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

BATCH_FILES = 100
BATCH_BYTES = 2_000_000
WORTH_RETRYING = (RepositoryUnreachable, RepositoryBusy)


@dataclass(frozen=True, slots=True)
class Difference:
    """What a sync has to do: entries to read, entries to note as skipped, documents to forget."""

    to_read: list[Entry]
    to_skip: list[tuple[Entry, str]]
    to_forget: list[UUID]
    unindexable: list[str]


def run_sync(lease: Lease) -> None:
    """Bring a source's documents to its newest commit, then have their meaning embedded."""
    source = lease.job.source
    lease.progress("fetching")
    Source.objects.filter(pk=source.pk).update(state=Source.State.SYNCING)
    try:
        origin = open_origin(source, lease)
        lease.progress("listing")
        _index(source, origin, lease)
        _finish(source, origin, lease)
    except SyncCancelled as stop:
        raise JobCancelled from stop
    except AddressRefused as refusal:
        raise JobFailed(str(refusal)) from refusal
    except GitError as error:
        logger.info("Sync of %s: %s %s", source.pk, error.message, error.detail)
        raise JobFailed(error.message, retry=isinstance(error, WORTH_RETRYING)) from error


def _index(source: Source, origin: Origin, lease: Lease) -> None:
    known = {
        row[0]: row[1:]
        for row in Document.objects.filter(source=source).values_list(
            "path", "pk", "git_sha", "chunker_version", "state"
        )
    }
    difference = _compare(known, origin)
    ids = {path: row[0] for path, row in known.items()}
    commit = origin.commit or ""
    for batch in _batches(difference.to_skip, BATCH_FILES):
        readings = [skipped(blank_document(source, e, commit=commit), why) for e, why in batch]
        _store(readings, ids, lease)
    total, done = len(difference.to_read), 0
    for entries in _read_batches(difference.to_read):
        lease.progress("reading", done, total)
        _store(_read(source, origin, entries), ids, lease)
        done += len(entries)
    lease.progress("reading", done, total)
    for gone in _batches(difference.to_forget, 500):
        with transaction.atomic():
            lease.hold()
            remove_documents(source.project_id, gone)
    if difference.unindexable:
        Job.objects.filter(pk=lease.job.pk).update(detail=difference.unindexable[:50])


def _compare(known: dict[str, tuple[UUID, str, int, str]], origin: Origin) -> Difference:
    found = Difference([], [], [], [])
    seen: set[str] = set()
    for entry in origin.entries() if origin.commit else ():
        path = entry.path
        if len(path) > LONGEST_PATH or "\0" in path:
            found.unindexable.append(f"{path[:80]}…: path too long")
            continue
        if path in seen:
            continue
        seen.add(path)
        _, sha, version, state = known.get(path, (None, "", 0, ""))
        is_same = sha == entry.sha and version == CHUNKER_VERSION
        if is_same and state != Document.State.FAILED:
            continue
        reason = _reason_to_skip(entry)
        if reason:
            found.to_skip.append((entry, reason))
        else:
            found.to_read.append(entry)
    found.to_forget.extend(row[0] for path, row in known.items() if path not in seen)
    return found


def _reason_to_skip(entry: Entry) -> str:
    if entry.kind == "symlink":
        return "not a file: symbolic link"
    if entry.kind == "submodule":
        return "not a file: submodule"
    if (entry.size or 0) > settings.MAX_FILE_BYTES:
        return "too large"
    return languages.skip_reason(entry.path, entry.size or 0) or ""


def _read_batches(entries: Sequence[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size or 0
        if len(batch) >= BATCH_FILES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _batches(items: Sequence[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def _read(source: Source, origin: Origin, entries: Sequence[Entry]) -> list[Reading]:
    commit = origin.commit or ""
    contents = dict(origin.read({entry.sha for entry in entries}))
    readings = []
    for entry in entries:
        data = contents.get(entry.sha)
        if data is None:
            missing = blank_document(source, entry, commit=commit)
            readings.append(failed(missing, "its content could not be read"))
        else:
            readings.append(read_file(source, entry, data, commit=commit))
    return readings


def _store(readings: Sequence[Reading], ids: dict[str, UUID], lease: Lease) -> None:
    """Store a batch; if one file can't be stored, store the others and say so of that one."""
    try:
        with transaction.atomic():
            lease.hold()
            replace_documents(readings, ids)
    except DataError as error:
        if len(readings) > 1:
            for reading in readings:
                _store([reading], ids, lease)
            return
        document = readings[0].document
        if document.state == Document.State.FAILED:
            raise
        document.blob_id, document.metadata, document.notes = None, {}, ""
        logger.warning("A file could not be stored: %s", type(error).__name__)
        _store([failed(document, "its text can't be stored")], ids, lease)


def _finish(source: Source, origin: Origin, lease: Lease) -> None:
    state = Source.State.EMPTY
    subject, committed_at = "", None
    if origin.commit:
        subject, committed_at = origin.described()
        if Document.objects.filter(source=source).exists():
            state = Source.State.READY
    with transaction.atomic():
        lease.hold()
        Source.objects.filter(pk=source.pk).update(
            head=origin.commit or "",
            head_subject=subject[:255],
            last_commit_date=committed_at,
            last_synced_at=timezone.now(),
            state=state,
            error="",
            updated_at=timezone.now(),
        )
        enqueue(source, Job.Kind.EMBED, requested_by=lease.job.requested_by)

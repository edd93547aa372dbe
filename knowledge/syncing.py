"""Bringing the index to what a source holds now: only what differs is read."""

import logging
from collections.abc import Iterator, Sequence
from functools import partial
from itertools import islice
from typing import TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DataError, connection, transaction
from django.utils import timezone

from knowledge.authorship import attribute_documents
from knowledge.differences import Difference, Known, compare, known_documents
from knowledge.ingestion import (
    Reading,
    blank_document,
    failed,
    question_of,
    reading_of,
    remove_documents,
    replace_documents,
    skipped,
)
from knowledge.models import Document
from knowledge.origins import Given, Origin, open_origin
from knowledge.readers import read_apart
from knowledge.reading import Asked
from knowledge.selection import IGNORE_FILE, Selection
from projects.addresses import AddressRefused
from projects.checkpoints import checkpoint
from projects.git_errors import (
    GitError,
    RepositoryBusy,
    RepositoryUnreachable,
    SyncCancelled,
)
from projects.jobs import enqueue
from projects.leases import JobCancelled, JobFailed, JobYielded, Lease
from projects.models import Job, Source
from projects.sourcing import SELECTING
from projects.trees import Entry

logger = logging.getLogger(__name__)

Item = TypeVar("Item")

BATCH_FILES = 400
BATCH_BYTES = 4_000_000
WORTH_RETRYING = (RepositoryUnreachable, RepositoryBusy)


class WouldForgetMost(Exception):
    """A sync would forget more than half of what is indexed: a person has to say so."""


def run_sync(lease: Lease) -> None:
    """Bring a source's documents to its newest commit, then have their meaning embedded."""
    source = lease.job.source
    lease.progress("fetching")
    Source.objects.filter(pk=source.pk).update(state=Source.State.SYNCING)
    try:
        origin = open_origin(source, lease)
        checkpoint("sync.fetched")
        lease.progress("listing")
        Sync(source, origin, lease).run()
    except WouldForgetMost as question:
        _ask(source, origin, lease, str(question))
    except SyncCancelled as stop:
        raise JobCancelled from stop
    except AddressRefused as refusal:
        raise JobFailed(str(refusal)) from refusal
    except GitError as error:
        logger.info("Sync of %s: %s %s", source.pk, error.message, error.detail)
        raise JobFailed(error.message, retry=isinstance(error, WORTH_RETRYING)) from error


class Sync:
    """One sync of a source to one commit."""

    def __init__(self, source: Source, origin: Origin, lease: Lease) -> None:
        self.source = source
        self.origin = origin
        self.lease = lease
        self.known: dict[str, Known] = {}
        self.given: dict[str, Given] = {}

    def run(self) -> None:
        self.known = known_documents(self.source)
        self.given = self.origin.given()
        difference = self._difference()
        checkpoint("sync.listed")
        if difference.forgets_most and not (self.source.may_shrink or self.source.is_given):
            raise WouldForgetMost(_question(difference, self.origin))
        self._note(difference)
        self._read(difference.to_read)
        self._forget(difference.to_forget)
        if difference.unindexable:
            detail = difference.unindexable[:50]
            Job.objects.filter(pk=self.lease.job.pk).update(detail=detail)
        if difference.to_read or difference.to_forget:
            self._settle_index()
        self._finish()
        hold = partial(_hold, self.source, self.lease)
        attribute_documents(self.source, self.origin.commit, self.lease, hold=hold)

    def _difference(self) -> Difference:
        # A listing that breaks off does so here, before anything is changed.
        entries = list(self.origin.entries()) if self.origin.commit else []
        selection = Selection(
            include=self.source.include,
            exclude=self.source.exclude,
            ignored=self._ignore_file(entries),
            largest=settings.MAX_FILE_BYTES,
        )
        return compare(self.known, entries, selection)

    def _ignore_file(self, entries: Sequence[Entry]) -> str:
        """Return the ignore file at the top of what is indexed, if there is one."""
        top = f"{self.source.folder_path}/".lstrip("/") + IGNORE_FILE
        for entry in entries:
            if entry.path == top and entry.kind == "file":
                found = dict(self.origin.read([entry.sha]))
                return found.get(entry.sha, b"").decode("utf-8", "replace")
        return ""

    def _blank(self, entry: Entry) -> Document:
        before = self.known.get(entry.path)
        document = blank_document(
            self.source,
            entry,
            commit=self.origin.commit or "",
            document_id=before.id if before else None,
            given=self.given.get(entry.path),
        )
        if before and before.git_sha == entry.sha:
            document.attempts = before.attempts
        return document

    def _note(self, difference: Difference) -> None:
        for batch in _batches(difference.to_skip, BATCH_FILES):
            self._store([skipped(self._blank(entry), reason) for entry, reason in batch])

    def _read(self, entries: Sequence[Entry]) -> None:
        """Read entries apart and store them, one batch while the next ones are read."""
        total, done = len(entries), 0
        self.lease.progress("reading", done, total)
        if not entries:
            return
        batches: list[list[Document]] = []
        for contents in read_apart(self._questions(entries, batches)):
            documents = batches.pop(0)
            checkpoint("sync.batch_read")
            self._store(
                [
                    reading_of(document, content)
                    for document, content in zip(documents, contents, strict=True)
                ]
            )
            done += len(documents)
            self.lease.progress("reading", done, total)
            self.lease.make_way()

    def _questions(
        self, entries: Sequence[Entry], batches: list[list[Document]]
    ) -> Iterator[list[Asked]]:
        """Yield batches of questions, noting in `batches` which documents each is about."""
        for batch in _read_batches(entries):
            contents = dict(self.origin.read({entry.sha for entry in batch}))
            documents, asked, missing = [], [], []
            for entry in batch:
                document = self._blank(entry)
                data = contents.get(entry.sha)
                if data is None:
                    missing.append(failed(document, "its content could not be read"))
                else:
                    documents.append(document)
                    asked.append(question_of(document, self.source, data))
            if missing:
                self._store(missing)
            batches.append(documents)
            yield asked

    def _store(self, readings: Sequence[Reading]) -> None:
        """Store a batch; if one file can't be stored, store the others and say so of that one."""
        try:
            with transaction.atomic():
                _hold(self.source, self.lease)
                replace_documents(readings)
                checkpoint("sync.storing")
            checkpoint("sync.stored")
        except DataError as error:
            if len(readings) > 1:
                for reading in readings:
                    self._store([reading])
                return
            document = readings[0].document
            if document.state == Document.State.FAILED:
                raise
            document.blob_id, document.metadata, document.notes = None, {}, ""
            logger.warning("A file could not be stored: %s", type(error).__name__)
            self._store([failed(document, "its text can't be stored")])

    def _forget(self, document_ids: Sequence[UUID]) -> None:
        for gone in _batches(document_ids, 500):
            with transaction.atomic():
                _hold(self.source, self.lease)
                remove_documents(self.source.project_id, gone)
                checkpoint("sync.forgetting")
            checkpoint("sync.forgot")

    def _settle_index(self) -> None:
        """Sort what was added into the index of words, so that no search has to."""
        self.lease.check()
        with connection.cursor() as cursor:
            cursor.execute("SELECT gin_clean_pending_list('chunk_terms')")

    def _finish(self) -> None:
        state = Source.State.EMPTY
        subject, committed_at = "", None
        if self.origin.commit:
            subject, committed_at = self.origin.described()
            if Document.objects.filter(source=self.source).exists():
                state = Source.State.READY
        with transaction.atomic():
            _hold(self.source, self.lease)
            Source.objects.filter(pk=self.source.pk).update(
                head=self.origin.commit or "",
                head_subject=subject[:255],
                last_commit_date=committed_at,
                last_synced_at=timezone.now(),
                state=state,
                error="",
                question="",
                may_shrink=False,
                updated_at=timezone.now(),
            )
            checkpoint("sync.finishing")
            enqueue(self.source, Job.Kind.EMBED, requested_by=self.lease.job.requested_by)
        checkpoint("sync.finished")


def _hold(source: Source, lease: Lease) -> None:
    """Inside a transaction: make sure that the job is ours and its source still asks for this."""
    settings_then = {name: getattr(source, name) for name in SELECTING}
    # The source is locked before the job, as by whoever changes it and then asks for a sync.
    same = Source.objects.filter(pk=source.pk, **settings_then).select_for_update(no_key=True)
    if same.first() is None:
        raise JobYielded  # to begin anew with what it asks for now
    lease.hold()


def _question(difference: Difference, origin: Origin) -> str:
    commit = f"commit {origin.commit[:8]}" if origin.commit else "the repository, which is empty"
    return (
        f"At {commit}, {difference.lost:,} of {difference.known:,} indexed files are gone."
        " Nothing was forgotten. Shall they be?"
    )


def _ask(source: Source, origin: Origin, lease: Lease, question: str) -> None:
    """Leave everything as it is until somebody has answered."""
    with transaction.atomic():
        _hold(source, lease)
        Source.objects.filter(pk=source.pk).update(
            state=Source.State.ASKS,
            question=question,
            forge={**source.forge, "asked_at": origin.commit or ""},
            error="",
            updated_at=timezone.now(),
        )


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

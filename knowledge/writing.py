"""Documents that people write here: kept as they were given, indexed as they are saved."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.text import slugify

from accounts.auditing import record
from accounts.models import AuditEntry, User
from knowledge.authorship import attribute_given
from knowledge.front_matter import with_known_names
from knowledge.ingestion import read_file, remove_documents, replace_documents
from knowledge.models import Document, DocumentVersion, Upload
from knowledge.origins import Given, UploadedFiles
from knowledge.redaction import redact
from knowledge.uploads import git_sha_of
from projects.jobs import enqueue, ring_bell
from projects.models import Job, Project, Source
from projects.sourcing import own_source
from projects.trees import Entry

LONGEST_TITLE = 512
LARGEST_TEXT = 500_000  # bytes
LARGEST_METADATA = 16_384  # bytes
LONGEST_SLUG = 80
MOST_VERSIONS = 200
NAME = "Written documents"
# What a reader says of a text that it leaves alone.
UNINDEXED = {
    "binary": "This can't be read as text.",
    "generated": "Its first lines say that a program made it, and such texts are not indexed.",
}

_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


class WritingRefused(Exception):
    """A document can't be as given; says which field is at fault and why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


class NotWrittenHere(Exception):
    """The document is a file of a source, or nobody has it any more."""

    def __init__(self) -> None:
        super().__init__("This is a file of a source: change it where it is from.")


class ChangedMeanwhile(Exception):
    """Somebody changed the document after the version that this change began from."""

    def __init__(self) -> None:
        super().__init__("Somebody changed this document meanwhile. Look at it and try again.")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a person said of a document, checked and with its secrets masked."""

    title: str
    content: str
    metadata: dict[str, Any]
    masked: int = 0


def create_document(
    project: Project,
    *,
    by: User,
    title: str,
    content: str,
    metadata: Mapping[str, Any] | None = None,
) -> Document:
    """Return a new document, searchable by words already; raises `WritingRefused`."""
    draft = check_draft(title, content, metadata or {})
    source = _written_source(project, by=by)
    with transaction.atomic():
        _lock(source, by)
        upload = Upload(source=source, path=_free_path(source, draft.title), user=by)
        return _save(upload, draft, by=by, action="wrote")


def change_document(
    document: Document,
    *,
    by: User,
    title: str | None = None,
    content: str | None = None,
    metadata: Mapping[str, Any] | None = None,
    version: str = "",
) -> Document:
    """Return the document as changed; what is not given stays.

    Raises `ChangedMeanwhile` where `version` is given and is no longer the one that stands.
    """
    with transaction.atomic():
        upload = _locked_upload(document, version, by)
        draft = check_draft(
            upload.title if title is None else title,
            bytes(upload.content).decode() if content is None else content,
            upload.metadata if metadata is None else metadata,
        )
        return _save(upload, draft, by=by, action="changed", pk=document.pk)


def delete_document(document: Document, *, by: User, version: str = "") -> Upload:
    """Forget a document; what was cited of it stays readable. Returns what can be put back."""
    with transaction.atomic():
        upload = _locked_upload(document, version, by)
        record(by, "deleted", document, project_id=document.project_id, path=document.path)
        Upload.objects.filter(pk=upload.pk).delete()
        remove_documents(document.project_id, [document.pk])
        _move_head(upload.source)
    return upload


def restore_document(
    source: Source,
    *,
    by: User,
    path: str,
    title: str,
    content: str,
    metadata: Mapping[str, Any],
    user: User,
    pk: UUID,
) -> Document:
    """Return a deleted document, back under its id, with its author and its history."""
    draft = check_draft(title, content, metadata)
    with transaction.atomic():
        _lock(source, by)
        if Upload.objects.filter(source=source, path=path).exists():
            raise ChangedMeanwhile
        upload = Upload(source=source, path=path, user=user)
        return _save(upload, draft, by=by, action="restored", pk=pk)


def upload_of(document: Document) -> Upload | None:
    """Return what its author gave; nothing where the document is a file of a source."""
    written = Upload.objects.filter(source__kind=Source.Kind.WRITTEN)
    return written.filter(source=document.source_id, path=document.path).first()


@dataclass(frozen=True, slots=True)
class Past:
    """A version of a document; who made it is known of what was written here."""

    commit: str
    created_at: datetime
    by: str


def history_of(document: Document) -> list[Past]:
    """Return the versions of a document, the newest first."""
    rows = DocumentVersion.objects.filter(source=document.source_id, path=document.path)
    kept = list(rows.order_by("-created_at").values_list("commit", "created_at")[:MOST_VERSIONS])
    entries = AuditEntry.objects.filter(
        project_id=document.project_id, kind="document", object_id=document.pk
    )
    names = dict(entries.order_by("created_at").values_list("detail__commit", "actor_name"))
    return [Past(commit, created_at, names.get(commit, "")) for commit, created_at in kept]


def version_of(upload: Upload) -> str:
    """Name the state that a document is in, so that a change can say which one it began from."""
    parts = [upload.git_sha, upload.title, json.dumps(upload.metadata, sort_keys=True)]
    return sha256("\n".join(parts).encode()).hexdigest()[:16]


def check_draft(title: str, content: str, metadata: Mapping[str, Any]) -> Draft:
    """Return what is kept of a document; raises `WritingRefused`."""
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE or _CONTROLS.search(title):
        raise WritingRefused("title", f"A title has 1 to {LONGEST_TITLE} characters.")
    content = content.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    if not content.strip():
        raise WritingRefused("content", "Write something first.")
    if _CONTROLS.search(content):
        raise WritingRefused("content", "The text holds control characters, which can't be kept.")
    most = min(LARGEST_TEXT, settings.MAX_FILE_BYTES)
    if len(content.encode()) > most:
        raise WritingRefused("content", f"A document has {most // 1000:,} kB at most.")
    kept, masked = redact(content)
    return Draft(
        title=redact(title)[0],
        content=kept,
        metadata=_checked_metadata(metadata),
        masked=masked if kept != content else 0,
    )


def _checked_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    try:
        text = json.dumps(with_known_names(metadata), ensure_ascii=False, allow_nan=False)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise WritingRefused("metadata", "The metadata is nothing that JSON can hold.") from error
    if size > LARGEST_METADATA:
        raise WritingRefused("metadata", f"Metadata has {LARGEST_METADATA // 1024} KB at most.")
    if "\\u0000" in text:
        raise WritingRefused("metadata", "The metadata holds a NUL character.")
    try:
        kept: dict[str, Any] = json.loads(redact(text)[0])
    except ValueError as error:  # what was masked ran over the edges of a text
        raise WritingRefused("metadata", "The metadata holds a private key.") from error
    return kept


def _written_source(project: Project, *, by: User) -> Source:
    return own_source(project, Source.Kind.WRITTEN, NAME, by=by)


def _lock(source: Source, by: User) -> None:
    """Let one change of a source's documents come after another, a job's among them."""
    # A sync that runs has listed what stood before, and must not bring it back: it goes back into
    # the queue, and its runner finds that the job is no longer its own.
    running = Job.objects.filter(source=source, kind=Job.Kind.SYNC, state=Job.State.RUNNING)
    sent_back = running.update(
        state=Job.State.QUEUED,
        fence=F("fence") + 1,
        attempts=Greatest(F("attempts") - 1, Value(0)),
        due_at=timezone.now(),
        lease_until=None,
    )
    if sent_back:
        transaction.on_commit(ring_bell)
    # Before anything is changed: a job that embeds holds its row first, then the passages.
    enqueue(source, Job.Kind.EMBED, requested_by=by)
    Source.objects.select_for_update().get(pk=source.pk)


def _locked_upload(document: Document, version: str, by: User) -> Upload:
    upload = upload_of(document)
    if upload is None:
        raise NotWrittenHere
    _lock(upload.source, by)
    upload = upload_of(document)  # as it stands now that nobody else changes it
    if upload is None or (version and version != version_of(upload)):
        raise ChangedMeanwhile
    return upload


def _free_path(source: Source, title: str) -> str:
    """Return a name for the text that no document has, nor had."""
    slug = slugify(title, allow_unicode=True).replace("_", "-")[:LONGEST_SLUG].strip("-")
    stem = slug or "document"
    used = {
        path
        for model in (Upload, DocumentVersion)
        for path in model.objects.filter(source=source, path__startswith=stem).values_list(
            "path", flat=True
        )
    }
    names = (f"{stem}.md", *(f"{stem}-{number}.md" for number in range(2, len(used) + 3)))
    return next(name for name in names if name not in used)


def _save(
    upload: Upload, draft: Draft, *, by: User, action: str, pk: UUID | None = None
) -> Document:
    before = version_of(upload) if upload.git_sha else ""
    upload.content = draft.content.encode()
    upload.git_sha, upload.size = git_sha_of(upload.content), len(upload.content)
    upload.title, upload.metadata = draft.title, draft.metadata
    identity = pk or uuid4()
    if version_of(upload) != before:
        upload.save()
        _index(upload, draft, identity)
        _move_head(upload.source)
        document = Document.objects.get(pk=identity)
        record(by, action, document, project_id=document.project_id, commit=document.commit)
    return Document.objects.select_related("source__project", "user", "blob").get(pk=identity)


def _index(upload: Upload, draft: Draft, identity: UUID) -> None:
    """Read the text as a sync would, and store it in place of what stood there."""
    source = upload.source
    commit = UploadedFiles(source).commit or ""
    entry = Entry("100644", "file", upload.git_sha, upload.size, upload.path.encode())
    given = Given(upload.user_id, upload.title, upload.metadata)
    data = bytes(upload.content)
    reading = read_file(source, entry, data, commit=commit, document_id=identity, given=given)
    document = reading.document
    if document.state != Document.State.INDEXED:
        raise WritingRefused("content", UNINDEXED.get(document.error, document.error))
    masked = f"{draft.masked} secrets masked" if draft.masked else ""
    document.notes = "; ".join(note for note in (document.notes, masked) if note)
    replace_documents([reading])
    attribute_given(source)
    # A text that stands again is the newest version again.
    versions = DocumentVersion.objects.filter(source=source, path=upload.path, commit=commit)
    versions.update(created_at=timezone.now())


def _move_head(source: Source) -> None:
    origin = UploadedFiles(source)
    subject, changed_at = origin.described()
    now = timezone.now()
    Source.objects.filter(pk=source.pk).update(
        head=origin.commit or "",
        head_subject=subject if origin.commit else "",
        last_commit_date=changed_at,
        last_synced_at=now,
        state=Source.State.READY if origin.commit else Source.State.EMPTY,
        error="",
        updated_at=now,
    )

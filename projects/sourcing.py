"""Beginning and ending projects and sources, behind the forms, the API and the commands."""

import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count

from accounts.auditing import record
from accounts.models import User
from projects.addresses import AddressRefused, check_repository_url, check_source_path
from projects.jobs import enqueue, request_cancel
from projects.keys import revoke_keys_that_open_only
from projects.models import Job, Membership, Project, Source
from projects.patterns import PatternRefused, check_patterns

COLLECTIONS = ("standards", "architecture", "schemas", "code-chunks", "documents")
LONGEST_POLL = 10_080  # minutes, a week
# What decides which files there are and how they are read.
SELECTING = ("branch", "folder_path", "include", "exclude", "collection")


class SourceRefused(Exception):
    """A source can't be as described; says which field is at fault and why."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Belongings:
    """What is deleted together with a project or a source."""

    sources: int
    documents: int
    chunks: int
    conversations: int
    members: int


@transaction.atomic
def create_project(
    by: User,
    name: str,
    description: str = "",
    *,
    repository_url: str = "",
    default_branch: str = "main",
) -> Project:
    """Return a new project that `by` owns."""
    project = Project(
        name=name.strip(),
        description=description,
        repository_url=repository_url,
        default_branch=default_branch or "main",
        owner=by,
    )
    project.full_clean()
    try:
        with transaction.atomic():
            project.save()
    except IntegrityError as error:  # somebody took the name between the look and the leap
        taken = "A project of this name exists already."
        raise ValidationError({"name": taken}) from error
    Membership.objects.create(project=project, user=by, role=Membership.Role.OWNER)
    record(by, "created", project, project_id=project.pk)
    return project


def add_source(
    project: Project,
    *,
    by: User,
    name: str,
    url: str = "",
    path: str = "",
    folder_path: str = "",
    branch: str = "",
    kind: str = Source.Kind.CODE,
    description: str = "",
    path_is_trusted: bool = False,
    **reading: Any,
) -> Source:
    """Return a new source whose first sync is on its way; raises `SourceRefused`.

    `reading` is what `change_source` takes too: include, exclude, collection, poll_minutes.
    """
    source = Source(
        project=project,
        name=name.strip(),
        url=url.strip(),
        path=path.strip(),
        folder_path=folder_path,
        branch=branch,
        kind=kind,
        description=description,
        path_is_trusted=path_is_trusted,
        **reading,
    )
    check_reading(source)
    _check_origin(source)
    _save_new(source)
    record(by, "added", source, project_id=project.pk, origin=source.origin)
    if not source.is_given:
        enqueue(source, Job.Kind.SYNC, requested_by=by)
    return source


def own_source(project: Project, kind: Source.Kind, name: str, *, by: User) -> Source:
    """Return the project's source of a kind that the product fills itself, made when needed."""
    mine = Source.objects.filter(project=project, kind=kind)
    source = mine.first()
    if source is not None:
        return source
    taken = set(project.sources.values_list("name", flat=True))
    names = (name, *(f"{name} {number}" for number in range(2, len(taken) + 3)))
    free = next(one for one in names if one not in taken)
    try:
        with transaction.atomic():
            source = Source.objects.create(project=project, kind=kind, name=free)
            record(by, "added", source, project_id=project.pk, origin=source.origin)
            return source
    except IntegrityError:  # somebody else needed it at the same moment
        return mine.get()


@transaction.atomic
def change_source(source: Source, *, by: User, **fields: Any) -> None:
    """Change how a source is named and read; what decides its content is synced anew."""
    before = {name: getattr(source, name) for name in (*SELECTING, "poll_minutes")}
    for name, value in fields.items():
        setattr(source, name, value)
    check_reading(source)
    taken = Source.objects.filter(project=source.project_id, name=source.name)
    if taken.exclude(pk=source.pk).exists():
        raise SourceRefused("name", "A source of this project has this name already.")
    if source.poll_minutes != before["poll_minutes"]:
        fields["next_poll_at"] = source.next_poll_at = None
    source.save(update_fields=[*fields, "updated_at"])
    record(by, "changed", source, project_id=source.project_id)
    read_anew(source, before, by=by)


def read_anew(source: Source, before: Mapping[str, Any], *, by: User) -> None:
    """Have a source synced if what decides its content is no longer as it was."""
    changed = {name for name in SELECTING if getattr(source, name) != before[name]}
    if not changed:
        return
    if "collection" in changed:
        source.documents.update(chunker_version=0)  # the next sync reads them again
    # Whoever narrows a source wants what is outside to go: the sync need not ask.
    Source.objects.filter(pk=source.pk).update(may_shrink=True, question="")
    enqueue(source, Job.Kind.SYNC, requested_by=by)


@transaction.atomic
def answer_question(source: Source, *, yes: bool, by: User) -> bool:
    """Say whether a sync may forget what it asks about; return whether it asked at all."""
    rows = Source.objects.filter(pk=source.pk).exclude(question="")
    if yes:
        answered = rows.update(question="", may_shrink=True)
    else:
        answered = rows.update(question="", may_shrink=False, state=Source.State.READY)
    if not answered:
        return False
    record(by, "let go" if yes else "kept", source, project_id=source.project_id)
    if yes:
        enqueue(source, Job.Kind.SYNC, requested_by=by)
    return True


@transaction.atomic
def retry_files(source: Source, paths: Collection[str] | None, *, by: User) -> int:
    """Have failed files read again, all or those at the paths; return how many those are."""
    documents = source.documents.filter(state="failed")
    if paths is not None:
        documents = documents.filter(path__in=paths)
    count = documents.update(attempts=0)
    if count:
        enqueue(source, Job.Kind.SYNC, requested_by=by)
    return count


def check_reading(source: Source) -> None:
    """Tidy what says how a source is read; raises `SourceRefused`."""
    source.folder_path = check_folder(source.folder_path)
    source.branch = check_branch(source.branch)
    for name in ("include", "exclude"):
        try:
            setattr(source, name, check_patterns(getattr(source, name)))
        except PatternRefused as refusal:
            raise SourceRefused(name, str(refusal)) from refusal
    if source.collection not in ("", *COLLECTIONS):
        raise SourceRefused("collection", f"A collection is one of {', '.join(COLLECTIONS)}.")
    minutes = source.poll_minutes
    if minutes is not None and not 0 <= minutes <= LONGEST_POLL:
        raise SourceRefused("poll_minutes", f"Give 0 for never, or 1 to {LONGEST_POLL:,} minutes.")


def check_folder(folder: str) -> str:
    """Return the folder as git names it; raises `SourceRefused` for one outside the tree."""
    kept = folder.strip().strip("/")
    if any(part in {"", ".", ".."} for part in kept.split("/")) and kept:
        raise SourceRefused("folder_path", "Name a folder inside the repository, such as docs.")
    if "\0" in kept or "\n" in kept or "\\" in kept:
        raise SourceRefused("folder_path", "This name holds characters that can't be used.")
    return kept


def check_branch(branch: str) -> str:
    """Return the branch; raises `SourceRefused` for what git would not call one."""
    kept = branch.strip()
    odd = any(letter in kept for letter in " ~^:?*[\\\0\n\t") or ".." in kept or "@{" in kept
    if odd or kept.startswith(("-", "/")) or kept.endswith(("/", ".lock", ".")):
        raise SourceRefused("branch", "This can't be the name of a branch.")
    return kept


def source_roots(source: Source) -> list[Path]:
    """Return the folders that a source's path must be below."""
    trusted = [Path(source.path)] if source.path_is_trusted else []
    return [*settings.SOURCE_ROOTS, *trusted]


def _check_origin(source: Source) -> None:
    if source.is_given:
        if source.url or source.path:
            raise SourceRefused("kind", "Uploaded files have neither a URL nor a path.")
        return
    if bool(source.url) == bool(source.path):
        raise SourceRefused("url", "Give either the URL of a repository or a path on this machine.")
    try:
        if source.url:
            check_repository_url(source.url, allowed_private_hosts=settings.ALLOWED_PRIVATE_HOSTS)
        else:
            source.path = str(check_source_path(source.path, roots=source_roots(source)))
    except AddressRefused as refusal:
        raise SourceRefused("url" if source.url else "path", str(refusal)) from refusal


def _save_new(source: Source) -> None:
    if not source.name:
        raise SourceRefused("name", "A source needs a name.")
    try:
        with transaction.atomic():
            source.save(force_insert=True)
    except IntegrityError as error:
        if "source_name_in_project" not in str(error):
            raise
        message = "A source of this project has this name already."
        raise SourceRefused("name", message) from error


def what_goes_with(thing: Project | Source) -> Belongings:
    """Count what is deleted together with a project or a source."""
    documents = thing.documents.aggregate(
        documents=Count("pk", distinct=True), chunks=Count("chunks")
    )
    if isinstance(thing, Source):
        return Belongings(0, documents["documents"], documents["chunks"], 0, 0)
    return Belongings(
        sources=thing.sources.count(),
        documents=documents["documents"],
        chunks=documents["chunks"],
        conversations=thing.conversations.count(),
        members=thing.memberships.count(),
    )


@transaction.atomic
def delete_project(project: Project, *, by: User) -> None:
    """Delete a project with all that belongs to it."""
    record(by, "deleted", project, project_id=project.pk)
    for source in project.sources.all():
        _forget(source)
    revoke_keys_that_open_only(project, by=by)
    project.delete()


@transaction.atomic
def delete_source(source: Source, *, by: User) -> None:
    """Delete a source with its documents; its mirror goes once that is certain."""
    record(by, "deleted", source, project_id=source.project_id)
    _forget(source)
    source.delete()


def _forget(source: Source) -> None:
    # Before its jobs, as a sync does that is storing: they would wait for each other.
    Source.objects.select_for_update().get(pk=source.pk)
    for job in source.jobs.open():
        request_cancel(job)
    transaction.on_commit(partial(shutil.rmtree, source.mirror, ignore_errors=True))

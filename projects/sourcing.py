"""Beginning and ending projects and sources, behind the forms, the API and the commands."""

import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path

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
) -> Source:
    """Return a new source whose first sync is on its way; raises `SourceRefused`."""
    source = Source(
        project=project,
        name=name.strip(),
        url=url.strip(),
        path=path.strip(),
        folder_path=check_folder(folder_path),
        branch=check_branch(branch),
        kind=kind,
        description=description,
        path_is_trusted=path_is_trusted,
    )
    _check_origin(source)
    _save_new(source)
    record(by, "added", source, project_id=project.pk, origin=source.origin)
    if not source.is_given:
        enqueue(source, Job.Kind.SYNC, requested_by=by)
    return source


def change_source(source: Source, *, by: User, **fields: str) -> None:
    """Change how a source is named and read; what decides its content is synced anew."""
    before = (source.branch, source.folder_path)
    for name, value in fields.items():
        setattr(source, name, value)
    source.folder_path = check_folder(source.folder_path)
    source.branch = check_branch(source.branch)
    taken = Source.objects.filter(project=source.project_id, name=source.name)
    if taken.exclude(pk=source.pk).exists():
        raise SourceRefused("name", "A source of this project has this name already.")
    source.save(update_fields=[*fields, "updated_at"])
    record(by, "changed", source, project_id=source.project_id)
    if before != (source.branch, source.folder_path) and not source.is_given:
        enqueue(source, Job.Kind.SYNC, requested_by=by)


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
    for job in source.jobs.open():
        request_cancel(job)
    transaction.on_commit(partial(shutil.rmtree, source.mirror, ignore_errors=True))

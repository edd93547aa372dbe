"""Pages about sources: where a project's knowledge comes from, and how it is getting on."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Page, Paginator
from django.db.models import Prefetch, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.viewers import Viewer, viewer_of
from knowledge.forms import SourceEditForm, SourceForm, UploadForm
from knowledge.models import Document
from knowledge.standing import NO_REASON, counts_of, is_stuck, standing_of, work_of
from knowledge.uploads import Stored, UploadRefused, store_uploads
from projects.forms import ConfirmForm
from projects.jobs import enqueue, request_cancel
from projects.membership import role_of
from projects.models import Job, Membership, Project, Source
from projects.polling import polling_of
from projects.sourcing import (
    SourceRefused,
    add_source,
    answer_question,
    change_source,
    delete_source,
    retry_files,
    what_goes_with,
)

FILES_A_PAGE = 50
RUNS_SHOWN = 8


@require_GET
def sources(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """List the sources of a project with how each stands."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    open_jobs = Prefetch("jobs", Job.objects.open().order_by("created_at"), to_attr="open_jobs")
    rows = list(project.sources.prefetch_related(open_jobs).order_by("name"))
    counts = counts_of(rows)
    jobs = [job for source in rows for job in source.open_jobs]  # type: ignore[attr-defined]
    work = work_of(jobs)
    page = {
        "project": project,
        "rows": [
            {
                "source": source,
                "counts": counts[source.pk],
                "work": [one for one in work if one.job.source_id == source.pk],
            }
            for source in rows
        ],
        "no_worker": is_stuck(jobs),
        "can_edit": _can_edit(viewer, project.pk),
    }
    return render(request, "knowledge/sources.html", page)


@require_http_methods(["GET", "POST"])
def source_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    form = SourceForm(request.POST or None)
    uploads = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid() and uploads.is_valid():
        contents = uploads.contents(settings.MAX_FILE_BYTES)
        is_upload = form.cleaned_data["way"] == SourceForm.Way.UPLOAD
        if is_upload and not contents:
            form.add_error("way", "Choose at least one file, or a folder.")
        else:
            try:
                source = add_source(project, by=viewer.user, **form.source_fields())
            except SourceRefused as refusal:
                form.add_error(_known(form, refusal.field), refusal.sentence)
            else:
                if is_upload:
                    report(request, store_uploads(source, contents, viewer.user))
                return redirect(source)
    page = {
        "project": project,
        "form": form,
        "uploads": uploads,
        "roots": settings.SOURCE_ROOTS,
        "file_limit": settings.MAX_FILE_BYTES // 1_000_000,
    }
    return render(request, "knowledge/source_new.html", page, status=400 if form.errors else 200)


def _known(form: SourceForm | SourceEditForm, field: str) -> str | None:
    return field if field in form.fields else None


@require_GET
def source(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Show how a source stands, what was left out and why, and its last runs."""
    viewer = viewer_of(request)
    found = _visible_source(viewer, source_id)
    asked = request.GET.get("state", "")
    state = asked if asked in Document.State.values else ""
    reason = request.GET.get("reason", "")
    page = {
        "project": found.project,
        "source": found,
        "standing": standing_of(found),
        "polling": polling_of(found),
        "state": state,
        "reason": reason,
        "documents": _documents(viewer, found, state, reason, request.GET.get("page")),
        "runs": found.jobs.exclude(state__in=Job.OPEN_STATES).order_by("-created_at")[:RUNS_SHOWN],
        "can_edit": _can_edit(viewer, found.project_id),
        "uploads": UploadForm() if found.is_upload else None,
    }
    return render(request, "knowledge/source.html", page)


def _documents(
    viewer: Viewer, source: Source, state: str, reason: str, number: str | None
) -> "Page[Document]":
    """Return the files in a state, or the ones that were left out when none is asked for."""
    documents: QuerySet[Document] = Document.objects.visible_to(viewer).filter(source=source)
    if state:
        documents = documents.filter(state=state)
    else:
        documents = documents.exclude(state=Document.State.INDEXED)
    if reason:
        documents = documents.filter(error="" if reason == NO_REASON else reason)
    rows = documents.defer("metadata").order_by("state", "path", "pk")  # the failed ones first
    return Paginator(rows, FILES_A_PAGE).get_page(number)


@never_cache
@require_GET
def source_progress(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Answer with the part of a source's page that changes while work runs."""
    found = _visible_source(viewer_of(request), source_id)
    standing = standing_of(found, with_reasons=False)
    page = {"source": found, "standing": standing}
    return render(request, "knowledge/_progress.html", page)


@require_POST
def source_sync(request: HttpRequest, source_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = _editable_source(viewer, source_id)
    enqueue(found, Job.Kind.SYNC, requested_by=viewer.user)
    return redirect(found)


@require_POST
def source_cancel(request: HttpRequest, source_id: UUID) -> HttpResponse:
    found = _editable_source(viewer_of(request), source_id)
    for job in found.jobs.open():
        request_cancel(job)
    messages.success(request, "Stopping. What was indexed stays.")
    return redirect(found)


@require_POST
def source_retry(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Have failed files read again: the one named, or all."""
    viewer = viewer_of(request)
    found = _editable_source(viewer, source_id)
    count = retry_files(found, request.POST.getlist("path") or None, by=viewer.user)
    if count:
        files = "1 file is" if count == 1 else f"{count:,} files are"
        messages.success(request, f"{files} read again.")
    else:
        messages.info(request, "There is no failed file to read again.")
    return redirect(found)


@require_POST
def source_answer(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Take the answer to what a sync asks: whether to forget what is no longer there."""
    viewer = viewer_of(request)
    found = _editable_source(viewer, source_id)
    yes = request.POST.get("forget") == "yes"
    if not answer_question(found, yes=yes, by=viewer.user):
        messages.info(request, "Nothing is asked here any more.")
    elif yes:
        messages.success(request, "They are being forgotten.")
    else:
        messages.success(request, "Everything stays as it is indexed; the next sync asks again.")
    return redirect(found)


@require_http_methods(["GET", "POST"])
def source_edit(request: HttpRequest, source_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = _editable_source(viewer, source_id)
    form = SourceEditForm(request.POST or None, instance=found)
    if request.method == "POST" and form.is_valid():
        kept = Source.objects.get(pk=found.pk)
        try:
            change_source(kept, by=viewer.user, **form.cleaned_data)
        except SourceRefused as refusal:
            form.add_error(_known(form, refusal.field), refusal.sentence)
        else:
            messages.success(request, "Saved.")
            return redirect(found)
    if form.errors:
        found.refresh_from_db()
    page = {"project": found.project, "source": found, "form": form}
    return render(request, "knowledge/source_edit.html", page, status=400 if form.errors else 200)


@require_http_methods(["GET", "POST"])
def source_delete(request: HttpRequest, source_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = _editable_source(viewer, source_id)
    form = ConfirmForm(request.POST or None, expected=found.name)
    if request.method == "POST" and form.is_valid():
        project = found.project
        delete_source(found, by=viewer.user)
        messages.success(request, f"{found} was deleted.")
        return redirect("sources", project.pk)
    page = {
        "project": found.project,
        "source": found,
        "form": form,
        "belongings": what_goes_with(found),
    }
    return render(request, "knowledge/source_delete.html", page, status=400 if form.errors else 200)


@require_POST
def source_upload(request: HttpRequest, source_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = _editable_source(viewer, source_id)
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid() or not request.FILES:
        messages.error(request, "Choose at least one file, or a folder.")
        return redirect(found)
    try:
        contents = form.contents(settings.MAX_FILE_BYTES)
        report(request, store_uploads(found, contents, viewer.user))
    except UploadRefused as refusal:
        messages.error(request, str(refusal))
    return redirect(found)


def report(request: HttpRequest, stored: Stored) -> None:
    """Say on the next page what became of files."""
    files = "1 file was" if stored.count == 1 else f"{stored.count} files were"
    messages.success(request, f"{files} taken in.")
    for path, sentence in stored.refused[:10]:
        messages.error(request, f"{path}: {sentence}")
    if len(stored.refused) > 10:
        messages.error(request, f"{len(stored.refused) - 10} more files were refused.")


def _visible_source(viewer: Viewer, source_id: UUID) -> Source:
    rows = Source.objects.visible_to(viewer).select_related("project")
    return get_object_or_404(rows, pk=source_id)


def _editable_source(viewer: Viewer, source_id: UUID) -> Source:
    rows = Source.objects.editable_by(viewer).select_related("project")
    return get_object_or_404(rows, pk=source_id)


def _can_edit(viewer: Viewer, project_id: UUID) -> bool:
    return role_of(viewer, project_id) in Membership.EDITOR_ROLES

"""Pages about what people write here: listed, read, changed, brought back."""

from dataclasses import asdict, dataclass
from difflib import unified_diff
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.models import User
from accounts.viewers import Viewer, viewer_of
from knowledge.document_forms import DocumentForm
from knowledge.front_matter import body_of
from knowledge.highlighting import highlight_lines
from knowledge.layouts import lay_out
from knowledge.models import Document, DocumentVersion, Upload
from knowledge.rendering import render_markdown
from knowledge.similarity import Wanted, similar_to_document
from knowledge.viewing import Version
from knowledge.writing import (
    ChangedMeanwhile,
    NotWrittenHere,
    WritingRefused,
    change_document,
    create_document,
    delete_document,
    history_of,
    restore_document,
    upload_of,
    version_of,
)
from projects.membership import role_of
from projects.models import Membership, Project, Source

DOCUMENTS_A_PAGE = 50
DIFFERENCE_SHOWN = 200  # lines
BESIDE = Wanted(limit=5, threshold=0.5)
DELETED = "deleted-document"  # in the session


@require_GET
def documents(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """List what people wrote in a project, the last change first."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    rows = _written(viewer).filter(project=project)
    there_are_any = rows.exists()
    words = " ".join(request.GET.get("q", "")[:300].split())
    for word in words.split()[:8]:
        rows = rows.filter(Q(title__icontains=word) | Q(blob__text__icontains=word))
    listed = rows.defer("blob__text").order_by(F("given_at").desc(), "pk")
    page = {
        "project": project,
        "documents": Paginator(listed, DOCUMENTS_A_PAGE).get_page(request.GET.get("page")),
        "words": words,
        "there_are_any": there_are_any,
        "can_edit": role_of(viewer, project.pk) in Membership.EDITOR_ROLES,
        "deleted": _deleted_from(request, project),
    }
    return render(request, "knowledge/documents.html", page)


@require_http_methods(["GET", "POST"])
def document_new(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    form = DocumentForm(request.POST or None)
    page: dict[str, object] = {"project": project, "form": form}
    if request.method == "POST" and form.is_valid():
        if "preview" not in request.POST:
            try:
                document = create_document(project, by=viewer.user, **form.said)
            except WritingRefused as refusal:
                form.add_error(refusal.field, refusal.sentence)
            else:
                return redirect("document", document.pk)
        else:
            page["preview"] = _preview(form)
    status = 400 if form.errors else 200
    return render(request, "knowledge/document_edit.html", page, status=status)


@require_GET
def document_page(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Show a document to be read, with what is similar beside it."""
    viewer = viewer_of(request)
    written = _written(viewer).select_related("source__project", "user", "blob")
    document = written.filter(pk=document_id).first()
    if document is None or document.source is None:
        other = get_object_or_404(Document.objects.visible_to(viewer), pk=document_id)
        return redirect("file", other.source_id, other.commit or "none", other.path)
    version = Version(
        document.source,
        document.path,
        document.commit,
        document.content,
        document.language,
        document,
    )
    page: dict[str, object] = {
        "project": document.project,
        "source": document.source,
        "document": document,
        "can_edit": role_of(viewer, document.project_id) in Membership.EDITOR_ROLES,
        "similar": similar_to_document(viewer, document, BESIDE),
        **lay_out(viewer, version),
    }
    return render(request, "knowledge/document.html", page)


@require_http_methods(["GET", "POST"])
def document_edit(request: HttpRequest, document_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = _editable(viewer, document_id)
    upload = upload_of(found)
    if upload is None:
        raise Http404
    form = DocumentForm(request.POST) if request.method == "POST" else DocumentForm.of(upload)
    page: dict[str, object] = {"project": found.project, "document": found, "form": form}
    status = 200
    if request.method == "POST" and form.is_valid():
        if "preview" in request.POST:
            page["preview"] = _preview(form)
        else:
            try:
                change_document(
                    found,
                    by=viewer.user,
                    version=form.cleaned_data["version"] or "none",
                    **form.said,
                )
                return redirect("document", found.pk)
            except WritingRefused as refusal:
                form.add_error(refusal.field, refusal.sentence)
            except (ChangedMeanwhile, NotWrittenHere):
                status = 409
                page |= _meanwhile(found, form)
    status = 400 if form.errors else status
    return render(request, "knowledge/document_edit.html", page, status=status)


def _meanwhile(document: Document, form: DocumentForm) -> dict[str, object]:
    """Let the person see how their text differs from what stands now, and save over that."""
    upload = upload_of(document)
    if upload is None:
        return {"is_gone": True}
    again = DocumentForm(initial={**dict(form.data.items()), "version": version_of(upload)})
    mine = form.said["content"].replace("\r\n", "\n").split("\n")
    lines = unified_diff(
        bytes(upload.content).decode().split("\n"), mine, "as it is now", "yours", lineterm=""
    )
    difference = "\n".join(line for _, line in zip(range(DIFFERENCE_SHOWN), lines, strict=False))
    return {"form": again, "difference": highlight_lines(difference, "diff"), "is_late": True}


@require_GET
def document_history(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """List the versions of a document; each opens as it was."""
    viewer = viewer_of(request)
    found = get_object_or_404(_written(viewer), pk=document_id)
    page = {
        "project": found.project,
        "source": found.source,
        "document": found,
        "versions": history_of(found),
        "can_edit": role_of(viewer, found.project_id) in Membership.EDITOR_ROLES,
    }
    return render(request, "knowledge/document_history.html", page)


@require_POST
def document_restore(request: HttpRequest, document_id: UUID) -> HttpResponse:
    """Let an earlier text stand again."""
    viewer = viewer_of(request)
    found = _editable(viewer, document_id)
    text = _text_at(found.source_id, found.path, request.POST.get("commit", "")[:64])
    try:
        change_document(found, by=viewer.user, content=text)
    except (WritingRefused, ChangedMeanwhile, NotWrittenHere) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, "The earlier text stands again.")
    return redirect("document", found.pk)


@require_http_methods(["GET", "POST"])
def document_delete(request: HttpRequest, document_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    found = _editable(viewer, document_id)
    if request.method == "POST":
        version = request.POST.get("version", "")[:64] or "none"
        try:
            gone = delete_document(found, by=viewer.user, version=version)
        except ChangedMeanwhile as late:
            messages.error(request, str(late))
            return redirect("document", found.pk)
        request.session[DELETED] = asdict(
            Deleted(
                project=str(found.project_id),
                source=str(found.source_id),
                document=str(found.pk),
                user=str(gone.user_id or viewer.user.pk),
                path=found.path,
                commit=found.commit,
                title=gone.title,
                metadata=gone.metadata,
            )
        )
        return redirect("documents", found.project_id)
    upload = upload_of(found)
    page = {
        "project": found.project,
        "document": found,
        "version": version_of(upload) if upload else "",
        "passages": found.chunks.count(),
    }
    return render(request, "knowledge/document_delete.html", page)


@dataclass(frozen=True, slots=True)
class Deleted:
    """What brings a document back, as the session keeps it; the text is among the versions."""

    project: str
    source: str
    document: str
    user: str
    path: str
    commit: str
    title: str
    metadata: dict[str, Any]


@require_POST
def document_undo(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Bring back what this person deleted last."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    deleted = _deleted_from(request, project)
    if deleted is None:
        raise Http404
    source = get_object_or_404(Source.objects.editable_by(viewer), pk=deleted.source)
    author = User.objects.filter(pk=deleted.user).first() or viewer.user
    try:
        back = restore_document(
            source,
            by=viewer.user,
            path=deleted.path,
            title=deleted.title,
            content=_text_at(source.pk, deleted.path, deleted.commit),
            metadata=deleted.metadata,
            user=author,
            pk=UUID(deleted.document),
        )
    except (WritingRefused, ChangedMeanwhile):
        messages.error(request, "Another document stands in its place.")
        return redirect("documents", project.pk)
    finally:
        del request.session[DELETED]
    messages.success(request, f"{back} is back.")
    return redirect("document", back.pk)


def _deleted_from(request: HttpRequest, project: Project) -> Deleted | None:
    kept = request.session.get(DELETED)
    return Deleted(**kept) if kept and kept["project"] == str(project.pk) else None


def _written(viewer: Viewer) -> QuerySet[Document]:
    """Return the documents that people wrote, with when they last changed them."""
    # Reading all anew, as after an upgrade, is no change of theirs.
    given = Upload.objects.filter(source=OuterRef("source"), path=OuterRef("path"))
    rows = Document.objects.visible_to(viewer).filter(source__kind=Source.Kind.WRITTEN)
    dated = rows.annotate(given_at=Subquery(given.values("updated_at")[:1]))
    return dated.select_related("project", "source", "user")


def _editable(viewer: Viewer, document_id: UUID) -> Document:
    rows = _written(viewer).filter(project__in=Project.objects.editable_by(viewer))
    found: Document = get_object_or_404(rows, pk=document_id)
    return found


def _text_at(source_id: UUID | None, path: str, commit: str) -> str:
    versions = DocumentVersion.objects.select_related("blob")
    return get_object_or_404(versions, source=source_id, path=path, commit=commit).blob.text


def _preview(form: DocumentForm) -> SafeString:
    return render_markdown(body_of(form.cleaned_data["content"].replace("\r\n", "\n")))

"""Files that are dropped beside a question: they go where the project keeps uploaded files."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from accounts.models import User
from accounts.viewers import viewer_of
from knowledge.forms import UploadForm
from knowledge.source_views import report
from knowledge.uploads import Stored, UploadRefused, store_uploads
from projects.models import Project, Source
from projects.sourcing import SourceRefused, add_source

NAME = "Uploads"


@require_POST
def drop(request: HttpRequest, project_id: UUID) -> HttpResponse:
    """Take files in and have them indexed; answers a script with what became of them."""
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.editable_by(viewer), pk=project_id)
    form = UploadForm(request.POST, request.FILES)
    for_a_script = not request.accepts("text/html")
    try:
        if not form.is_valid() or not request.FILES:
            raise UploadRefused("Choose at least one file.")
        source = _uploads_of(project, viewer.user)
        stored = store_uploads(source, form.contents(settings.MAX_FILE_BYTES), viewer.user)
    except (UploadRefused, SourceRefused) as refusal:
        if for_a_script:
            return JsonResponse({"error": str(refusal)}, status=400)
        messages.error(request, str(refusal))
        return redirect("project", project_id)
    if for_a_script:
        return JsonResponse(_told(source, stored))
    report(request, stored)
    return redirect(source)


def _uploads_of(project: Project, by: User) -> Source:
    """Return the project's source of dropped files, made with the first of them."""
    kept = [source for source in project.sources.filter(name=NAME) if source.is_upload]
    return kept[0] if kept else add_source(project, by=by, name=NAME, kind=Source.Kind.UPLOAD)


def _told(source: Source, stored: Stored) -> dict[str, object]:
    return {
        "count": stored.count,
        "refused": [f"{path}: {sentence}" for path, sentence in stored.refused[:10]],
        "url": source.get_absolute_url(),
    }

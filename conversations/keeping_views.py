"""What a person does with a conversation from its page or from the list."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.viewers import viewer_of
from conversations import keeping
from conversations.models import Conversation
from providers.models import Provider


@require_POST
def rename(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _own(request, conversation_id)
    keeping.rename(found, request.POST.get("title", ""))
    return _back(request, found)


@require_POST
def pin(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _own(request, conversation_id)
    keeping.pin(found, pinned=request.POST.get("pinned") == "yes")
    return _back(request, found)


@require_POST
def share(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _own(request, conversation_id)
    keeping.share(found, shared=request.POST.get("shared") == "yes")
    told = f"Everybody in {found.project} can read this by its link." if found.is_shared else ""
    messages.success(request, told or "Only you can read this now.")
    return redirect(found)


@require_POST
def choose_provider(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    """Have one provider answer from now on; an empty choice follows the default."""
    found = _own(request, conversation_id)
    chosen = request.POST.get("provider", "")
    pk = _uuid(chosen)
    provider = Provider.objects.usable().filter(pk=pk).first() if pk else None
    if provider is None and chosen:
        messages.error(request, "This model answers no more. Choose another one.")
    else:
        keeping.have_answered_by(found, provider)
    return redirect(found)


@require_POST
def delete(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    found = _own(request, conversation_id)
    keeping.delete(found)
    listed = reverse("conversations", args=[found.project_id])
    return redirect(f"{listed}?deleted={found.pk}")


@require_POST
def restore(request: HttpRequest, conversation_id: UUID) -> HttpResponse:
    deleted = Conversation.objects.deleted_by(viewer_of(request))
    found = get_object_or_404(deleted, pk=conversation_id)
    keeping.restore(found)
    return redirect(found)


def _own(request: HttpRequest, conversation_id: UUID) -> Conversation:
    mine = Conversation.objects.visible_to(viewer_of(request)).select_related("project")
    return get_object_or_404(mine, pk=conversation_id)


def _back(request: HttpRequest, found: Conversation) -> HttpResponse:
    """Return to the list where that is what the form was on, else to the conversation."""
    if request.POST.get("from") == "list":
        return redirect("conversations", found.project_id)
    return redirect(found)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

"""What readers say of answers, and what of it becomes a knowledge gap."""

from django.db import transaction

from conversations.models import Message
from knowledge.gaps import note_gap, settle_gap, take_back
from knowledge.models import KnowledgeGap

LONGEST_REASON = 2000
DISLIKED, LOW_EVIDENCE = KnowledgeGap.Kind.DISLIKED, KnowledgeGap.Kind.LOW_EVIDENCE


@transaction.atomic
def give_feedback(message: Message, value: str, *, kind: str = "", reason: str = "") -> None:
    """Keep whether an answer helped; an empty value takes it back, and what followed from it."""
    kept = Message.objects.select_for_update().get(pk=message.pk)
    question = question_of(kept)
    project_id = kept.conversation.project_id
    if kept.feedback == Message.Feedback.DOWN:
        take_back(project_id, question, kind=DISLIKED)
    kept.feedback = value
    kept.feedback_kind = kind if value == Message.Feedback.DOWN else ""
    kept.feedback_reason = reason.replace("\0", "").strip()[:LONGEST_REASON] if value else ""
    if value == Message.Feedback.DOWN:
        note_gap(project_id, question, kind=DISLIKED, near=nearest_of(kept), comment=_comment(kept))
    fields = ["feedback", "feedback_kind", "feedback_reason", "updated_at"]
    kept.save(update_fields=fields)
    for field in fields:
        setattr(message, field, getattr(kept, field))


def report_gap(message: Message) -> KnowledgeGap:
    """Say as a person that the sources should answer the question; once said, it stays said."""
    gap = message.gap or note_unanswered(message, near=nearest_of(message))
    settle_gap(gap, KnowledgeGap.State.CONFIRMED)
    return gap


def note_unanswered(message: Message, *, near: str) -> KnowledgeGap:
    """Count the question before an answer that found nothing, and keep where it is counted."""
    project_id = message.conversation.project_id
    gap = note_gap(project_id, question_of(message), kind=LOW_EVIDENCE, near=near)
    Message.objects.filter(pk=message.pk).update(gap=gap)
    message.gap = gap
    return gap


def question_of(message: Message) -> str:
    """Return what an answer answers, with the subject that a follow-up left out."""
    if message.sought:
        return message.sought
    before = Message.objects.filter(
        conversation=message.conversation_id,
        position__lt=message.position,
        role=Message.Role.USER,
    )
    return before.order_by("-position").values_list("content", flat=True).first() or ""


def nearest_of(message: Message) -> str:
    sources = sorted(message.sources or [], key=lambda source: not source.get("cited"))
    return str(sources[0]["file_path"]) if sources else ""


def _comment(message: Message) -> str:
    kind = message.get_feedback_kind_display() if message.feedback_kind else ""
    return ": ".join(part for part in (kind, message.feedback_reason) if part)

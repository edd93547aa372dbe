"""Keeping what people ask in vain: questions of the same words count as one gap.

A question may be personal. Its text stays within its project, without who asked, with secrets
masked, and only the latest few wordings are kept.
"""

from hashlib import blake2b
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.utils import timezone

from knowledge.models import KnowledgeGap
from knowledge.redaction import redact
from knowledge.words import terms_of

SAMPLES = 5
LONGEST_SAMPLE = 300
LONGEST_COMMENT = 500


def cluster_of(question: str) -> str:
    """Return what questions of the same words share: stems in any order, no stop words."""
    words = sorted(set(terms_of(question))) or question.lower().split()
    return blake2b(" ".join(words).encode("utf-8", "replace"), digest_size=16).hexdigest()


@transaction.atomic
def note_gap(
    project_id: UUID, question: str, *, kind: str, near: str = "", comment: str = ""
) -> KnowledgeGap:
    """Count a question that was asked in vain; one that was dismissed stays dismissed.

    `near` is the path of the nearest file, `comment` what the reader said was wrong.
    """
    asked = _short(question, LONGEST_SAMPLE)
    gap, is_new = KnowledgeGap.objects.select_for_update().get_or_create(
        project_id=project_id,
        kind=kind,
        cluster=cluster_of(question),
        defaults={"reason": asked or "(no words)", "module": near.rpartition("/")[0][:512]},
    )
    if not is_new:
        gap.times += 1
    sample = {"question": asked, "comment": _short(comment, LONGEST_COMMENT)}
    others = [known for known in gap.samples if not _is_same(known, sample)]
    gap.samples = [{**sample, "at": timezone.now().isoformat()}, *others][:SAMPLES]
    gap.save(update_fields=["times", "samples", "last_updated", "updated_at"])
    return gap


@transaction.atomic
def take_back(project_id: UUID, question: str, *, kind: str) -> None:
    """Forget one time that a question was noted; a candidate that nothing speaks for goes."""
    gap = (
        KnowledgeGap.objects.select_for_update()
        .filter(project_id=project_id, kind=kind, cluster=cluster_of(question))
        .first()
    )
    if gap is None:
        return
    if gap.times <= 1 and gap.state == KnowledgeGap.State.CANDIDATE:
        gap.delete()
        return
    asked = _short(question, LONGEST_SAMPLE)
    gap.times = max(0, gap.times - 1)
    gap.samples = [known for known in gap.samples if known["question"] != asked]
    gap.save(update_fields=["times", "samples", "last_updated", "updated_at"])


def settle_gap(gap: KnowledgeGap, state: str) -> None:
    """Say what a gap is: dismissed, confirmed by a person, or a candidate again."""
    KnowledgeGap.objects.filter(pk=gap.pk).exclude(state=state).update(
        state=state, updated_at=timezone.now()
    )
    gap.state = state


def open_gaps_of(project_id: UUID) -> int:
    """Return how many gaps of a project wait for somebody to look at them."""
    gaps = KnowledgeGap.objects.filter(project_id=project_id)
    return gaps.exclude(state=KnowledgeGap.State.DISMISSED).count()


def newest_first() -> tuple[OrderBy, OrderBy, str]:
    """Return the order of gaps: asked most often first, then the latest."""
    return F("times").desc(), F("last_updated").desc(), "pk"


def _short(text: str, most: int) -> str:
    shown, _ = redact(" ".join(text.replace("\0", " ").split()))
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _is_same(known: dict[str, str], sample: dict[str, str]) -> bool:
    return all(known.get(name) == said for name, said in sample.items())

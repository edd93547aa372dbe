"""Keeping what people ask in vain: questions of the same words count as one gap.

A question may be personal. Its text stays within its project, without who asked, with secrets
masked, and only the latest few wordings are kept.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.db.models.expressions import OrderBy
from django.utils import timezone

from accounts.models import User
from accounts.viewers import Viewer
from knowledge.models import KnowledgeGap
from knowledge.redaction import redact
from knowledge.retrieval import search
from knowledge.words import terms_of
from projects.models import Project, Task

OPEN_STATES = (KnowledgeGap.State.CANDIDATE, KnowledgeGap.State.CONFIRMED)
# What people may say of a gap; that it is closed is seen in the sources.
SAID_BY_PEOPLE = (*OPEN_STATES, KnowledgeGap.State.DISMISSED)
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
    if gap.state == KnowledgeGap.State.CLOSED:
        gap.state, gap.closed_at = KnowledgeGap.State.CANDIDATE, None
    sample = {"question": asked, "comment": _short(comment, LONGEST_COMMENT)}
    others = [known for known in gap.samples if not _is_same(known, sample)]
    gap.samples = [{**sample, "at": timezone.now().isoformat()}, *others][:SAMPLES]
    gap.save(update_fields=["times", "samples", "state", "closed_at", "last_updated", "updated_at"])
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
        state=state, closed_at=None, updated_at=timezone.now()
    )
    gap.state, gap.closed_at = state, None


@dataclass(frozen=True, slots=True)
class Seen:
    """A gap that a look at the code found in a module."""

    module: str
    reason: str
    samples: tuple[str, ...] = ()
    times: int = 1


@transaction.atomic
def bring_in_line(project_id: UUID, kind: str, seen: Iterable[Seen]) -> int:
    """Make the gaps of a kind what a look at the code has seen; return how many are new.

    What is not seen any more is closed; what people dismissed stays dismissed.
    """
    gaps = KnowledgeGap.objects.select_for_update().filter(project_id=project_id, kind=kind)
    known = {gap.module: gap for gap in gaps}
    new = 0
    for one in seen:
        gap = known.pop(one.module, None)
        if gap is None:
            gap = KnowledgeGap(project_id=project_id, kind=kind, module=one.module)
            gap.cluster = cluster_of(f"{kind} {one.module}")
        was_closed = gap.state == KnowledgeGap.State.CLOSED
        new += was_closed or gap._state.adding
        if was_closed:
            gap.state, gap.closed_at = KnowledgeGap.State.CANDIDATE, None
        gap.reason, gap.times = one.reason[:500], one.times
        gap.samples = [{"question": text, "comment": "", "at": ""} for text in one.samples]
        gap.save()
    for gap in known.values():
        if gap.state != KnowledgeGap.State.DISMISSED:
            close_gap(gap)
    return new


def close_gap(gap: KnowledgeGap) -> None:
    """Say that the sources tell it now."""
    if gap.state != KnowledgeGap.State.CLOSED:
        gap.state, gap.closed_at = KnowledgeGap.State.CLOSED, timezone.now()
        gap.save(update_fields=["state", "closed_at", "updated_at"])


def close_answered(project: Project, *, most: int = 40) -> int:
    """Ask again what was asked in vain, and close what the sources answer by now."""
    asked = KnowledgeGap.objects.filter(
        project=project, kind=KnowledgeGap.Kind.LOW_EVIDENCE, state__in=OPEN_STATES
    )
    closed = 0
    for gap in asked.order_by("updated_at")[:most]:
        found = search(Viewer(project.owner), gap.reason, project_ids=[project.pk], limit=3)
        if found.is_answerable:
            close_gap(gap)
            closed += 1
        else:
            KnowledgeGap.objects.filter(pk=gap.pk).update(updated_at=timezone.now())
    return closed


@transaction.atomic
def make_gap_task(gap: KnowledgeGap, *, by: User) -> Task:
    """Return the task to fill a gap; made once."""
    kept = KnowledgeGap.objects.select_for_update().get(pk=gap.pk)
    if kept.task is not None:
        return kept.task
    task = Task.objects.create(
        project_id=kept.project_id,
        user=by,
        title=f"Tell: {kept.reason}"[:255],
        description=f"{kept.get_kind_display()}. {kept.module}".strip(),
        priority=Task.Priority.LOW,
    )
    kept.task = task
    if kept.state == KnowledgeGap.State.CANDIDATE:
        kept.state = KnowledgeGap.State.CONFIRMED
    kept.save(update_fields=["task", "state", "updated_at"])
    return task


def open_gaps_of(project_id: UUID) -> int:
    """Return how many gaps of a project wait for somebody to look at them."""
    return KnowledgeGap.objects.filter(project_id=project_id, state__in=OPEN_STATES).count()


def newest_first() -> tuple[OrderBy, OrderBy, str]:
    """Return the order of gaps: asked most often first, then the latest."""
    return F("times").desc(), F("last_updated").desc(), "pk"


def _short(text: str, most: int) -> str:
    shown, _ = redact(" ".join(text.replace("\0", " ").split()))
    return shown if len(shown) <= most else shown[: most - 1] + "…"


def _is_same(known: dict[str, str], sample: dict[str, str]) -> bool:
    return all(known.get(name) == said for name, said in sample.items())

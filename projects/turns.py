"""Whose turn it is: words, then meaning, then reviews; of each, who was served longest ago."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db.models import Count, Min, OuterRef, Subquery
from django.utils import timezone

from projects.models import Job, JobQuerySet, Project

_KINDS = (Job.Kind.SYNC, Job.Kind.EMBED, Job.Kind.NIGHTLY)
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, order=True)
class Turn:
    """The work of one kind that waits in one project; the smallest goes first."""

    rank: int  # of the kind of work
    running: int
    served_at: datetime
    due_at: datetime
    project_id: UUID

    @property
    def kind(self) -> Job.Kind:
        return _KINDS[self.rank]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a waiting job stands in the queue, from 1, and how many sources are before it."""

    number: int
    sources_before: int


def turns_of(jobs: JobQuerySet, *, besides: Job | None = None) -> list[Turn]:
    """Return whose work goes first; `besides` counts as not running."""
    waiting = list(jobs.order_by().values_list("project_id", "kind").annotate(due_at=Min("due_at")))
    projects = {row[0] for row in waiting}
    running, served = _running(besides), _served(projects)
    return sorted(
        Turn(_rank(kind), running[project], served[project], due_at, project)
        for project, kind, due_at in waiting
    )


def is_due_before(job: Job) -> bool:
    """Whether other work would go first if this running job stood in the queue now."""
    now = timezone.now()
    waiting = Job.objects.waiting().exclude(project=job.project_id, kind=job.kind)
    if not waiting.exists():
        return False
    own = Turn(_rank(job.kind), _running(job)[job.project_id], now, now, job.project_id)
    return turns_of(waiting, besides=job)[0] < own


def words_wait() -> bool:
    """Whether a sync waits for a runner."""
    return Job.objects.waiting().filter(kind=Job.Kind.SYNC).exists()


def places() -> dict[UUID, Place]:
    """Return the places of all waiting jobs, as if each were claimed in its turn."""
    rows = list(
        Job.objects.waiting()
        .order_by("-kind", "due_at", "pk")  # syncs first
        .values_list("pk", "project_id", "source_id", "kind", "due_at")
    )
    running = _running(None)
    served = _served({row[1] for row in rows})
    in_turn = []
    for pk, project, source, kind, due_at in rows:
        turn = Turn(_rank(kind), running[project], served[project], due_at, project)
        in_turn.append((turn, pk, source))
        running[project] += 1
    found: dict[UUID, Place] = {}
    before: set[UUID] = set()
    for number, (_, pk, source) in enumerate(sorted(in_turn), start=1):
        found[pk] = Place(number, len(before) - (source in before))
        before.add(source)
    return found


def _rank(kind: str) -> int:
    return _KINDS.index(Job.Kind(kind))


def _running(besides: Job | None) -> Counter[UUID]:
    held = Job.objects.filter(state=Job.State.RUNNING, lease_until__gt=timezone.now())
    if besides is not None:
        held = held.exclude(pk=besides.pk)
    rows = held.order_by().values_list("project_id").annotate(jobs=Count("pk"))
    return Counter(dict(rows))


def _served(projects: Collection[UUID]) -> dict[UUID, datetime]:
    """Return when each project was last given a runner."""
    last = (
        Job.objects.filter(project=OuterRef("pk"), claimed_at__isnull=False)
        .order_by("-claimed_at")
        .values("claimed_at")[:1]
    )
    rows = (
        Project.objects.filter(pk__in=projects)
        .annotate(served_at=Subquery(last))
        .values_list("pk", "served_at")
    )
    return {pk: served_at or _NEVER for pk, served_at in rows}

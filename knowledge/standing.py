"""How a source stands: what is indexed, what was left out and why, and the work that runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Count, Q
from django.utils import timezone

from knowledge.models import Chunk, Document, EmbeddingSpace, Vector
from projects.models import Job, Project, Source, WorkerBeat

PATIENCE = timedelta(seconds=15)


@dataclass(slots=True)
class Counts:
    """How many files of a source are in which state."""

    indexed: int = 0
    skipped: int = 0
    failed: int = 0

    @property
    def files(self) -> int:
        return self.indexed + self.skipped + self.failed


@dataclass(frozen=True, slots=True)
class Reason:
    """Why files were left out, with how many."""

    state: str
    sentence: str
    files: int


@dataclass(slots=True)
class Standing:
    source: Source
    counts: Counts
    jobs: list[Job]
    no_worker: bool
    chunks: int
    vectors: int
    reasons: list[Reason] = field(default_factory=list)

    @property
    def is_busy(self) -> bool:
        return bool(self.jobs)

    @property
    def meaning_percent(self) -> int:
        """How much can be found by meaning; words can be searched from the first sync on."""
        return min(100, 100 * self.vectors // self.chunks) if self.chunks else 0


def counts_of(sources: Iterable[Source]) -> dict[UUID, Counts]:
    """Return the counts of many sources from one query."""
    found = {source.pk: Counts() for source in sources}
    rows = (
        Document.objects.filter(source__in=found)
        .order_by()
        .values("source_id", "state")
        .annotate(files=Count("pk"))
    )
    for row in rows:
        setattr(found[row["source_id"]], row["state"], row["files"])
    return found


def standing_of(source: Source, *, with_reasons: bool = True) -> Standing:
    """Return what the page of a source tells."""
    jobs = list(source.jobs.open().order_by("created_at"))
    chunks = Chunk.objects.filter(document__source=source).count()
    space = (
        EmbeddingSpace.objects.filter(~Q(state=EmbeddingSpace.State.RETIRED))
        .order_by("-created_at")
        .first()
    )
    vectors = Vector.objects.filter(space=space, chunk__document__source=source).count()
    return Standing(
        source=source,
        counts=counts_of([source])[source.pk],
        jobs=jobs,
        no_worker=is_stuck(jobs),
        chunks=chunks,
        vectors=vectors if space else 0,
        reasons=_reasons(source) if with_reasons else [],
    )


def is_stuck(jobs: Iterable[Job]) -> bool:
    """Whether jobs have waited a while and nobody is there to run them."""
    long_ago = timezone.now() - PATIENCE
    waiting = [job for job in jobs if job.state == Job.State.QUEUED and job.due_at < long_ago]
    return bool(waiting) and not WorkerBeat.somebody_is_alive()


def work_is_stuck(project: Project) -> bool:
    return is_stuck(Job.objects.open().filter(project=project))


def _reasons(source: Source) -> list[Reason]:
    rows = (
        Document.objects.filter(source=source)
        .exclude(state=Document.State.INDEXED)
        .order_by()
        .values("state", "error")
        .annotate(files=Count("pk"))
        .order_by("state", "-files", "error")[:50]
    )
    return [Reason(row["state"], row["error"] or "No reason kept", row["files"]) for row in rows]

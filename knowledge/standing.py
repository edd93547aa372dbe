"""How a source stands: what is indexed, what was left out and why, and the work that runs."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from knowledge.models import Chunk, Document, EmbeddingSpace, Vector
from projects.models import Job, Project, Source, WorkerBeat
from projects.turns import Place, places

PATIENCE = timedelta(seconds=15)
NO_REASON = "No reason kept"


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


@dataclass(frozen=True, slots=True)
class Work:
    """A job that is not done, and its place in the queue while it waits for its turn."""

    job: Job
    place: Place | None

    @property
    def place_sentence(self) -> str:
        """Where it stands in the queue, in words."""
        if self.place is None:
            return ""
        before = self.place.sources_before
        if self.place.number == 1:
            return "next in the queue"
        sources = "" if not before else f", {before} source{'' if before == 1 else 's'} before it"
        return f"{ordinal(self.place.number)} in the queue{sources}"


@dataclass(frozen=True, slots=True)
class Meaning:
    """How much of a source can be found by meaning in one space of vectors."""

    space: EmbeddingSpace
    vectors: int
    chunks: int

    @property
    def percent(self) -> int:
        return min(100, 100 * self.vectors // self.chunks) if self.chunks else 0


@dataclass(slots=True)
class Standing:
    source: Source
    counts: Counts
    work: list[Work]
    no_worker: bool
    chunks: int
    meanings: list[Meaning]
    reasons: list[Reason] = field(default_factory=list)

    @property
    def is_busy(self) -> bool:
        return bool(self.work)

    @property
    def is_syncing(self) -> bool:
        return any(work.job.kind == Job.Kind.SYNC for work in self.work)

    @property
    def meaning_percent(self) -> int:
        """How much is found by meaning now; words can be searched from the first sync on."""
        active = EmbeddingSpace.State.ACTIVE
        return next((m.percent for m in self.meanings if m.space.state == active), 0)

    @property
    def built_beside(self) -> list[Meaning]:
        """The spaces that are being filled and answer nothing yet."""
        building = EmbeddingSpace.State.BUILDING
        return [meaning for meaning in self.meanings if meaning.space.state == building]


def ordinal(number: int) -> str:
    teens = number % 100 in {11, 12, 13}
    return f"{number:,}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


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
    return Standing(
        source=source,
        counts=counts_of([source])[source.pk],
        work=work_of(jobs),
        no_worker=is_stuck(jobs),
        chunks=chunks,
        meanings=_meanings(source, chunks),
        reasons=_reasons(source) if with_reasons else [],
    )


def work_of(jobs: Iterable[Job]) -> list[Work]:
    """Return open jobs with their places in the queue."""
    jobs = list(jobs)
    found = places() if any(job.state == Job.State.QUEUED for job in jobs) else {}
    return [Work(job, found.get(job.pk)) for job in jobs]


def _meanings(source: Source, chunks: int) -> list[Meaning]:
    states = (EmbeddingSpace.State.ACTIVE, EmbeddingSpace.State.BUILDING)
    spaces = list(EmbeddingSpace.objects.filter(state__in=states).order_by("state", "created_at"))
    vectors = dict(
        Vector.objects.filter(space__in=spaces, chunk__document__source=source)
        .order_by()
        .values_list("space_id")
        .annotate(count=Count("pk"))
    )
    return [Meaning(space, vectors.get(space.pk, 0), chunks) for space in spaces]


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
    return [Reason(row["state"], row["error"] or NO_REASON, row["files"]) for row in rows]

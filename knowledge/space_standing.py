"""How far a space of vectors is, how long it will still take, and what it costs."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from django.db.models import Avg, Count, Sum
from django.db.models.functions import Length
from django.utils import timezone

from knowledge.embedding import stage_of
from knowledge.models import Chunk, EmbeddedText, EmbeddingSpace, TermCount, Vector
from knowledge.spaces import living_spaces
from knowledge.words import EVERY_CHUNK
from projects.models import Job
from providers.embedding import CHARACTERS_A_TOKEN

LOOKED_AT = 1000  # passages, to guess how long all are


@dataclass(frozen=True, slots=True)
class SpaceStanding:
    space: EmbeddingSpace
    vectors: int
    chunks: int
    remaining: timedelta | None
    # None where nobody knows.
    tokens_in_all: int | None

    @property
    def percent(self) -> int:
        return min(100, 100 * self.vectors // self.chunks) if self.chunks else 100

    @property
    def is_whole(self) -> bool:
        return self.vectors >= self.chunks

    @property
    def is_local(self) -> bool:
        """Whether the model runs here and costs nothing but time."""
        return not self.space.base_url

    @property
    def cost(self) -> Decimal | None:
        """Dollars so far; None where no price is known."""
        return self._dollars(self.space.tokens_used)

    @property
    def cost_in_all(self) -> Decimal | None:
        return None if self.tokens_in_all is None else self._dollars(self.tokens_in_all)

    def _dollars(self, tokens: int) -> Decimal | None:
        if self.is_local:
            return Decimal(0)
        price = self.space.usd_per_million
        return None if price is None else price * tokens / 1_000_000


def count_chunks() -> int:
    """Return how many passages the installation has."""
    counted = TermCount.objects.filter(term=EVERY_CHUNK).aggregate(all=Sum("chunks"))
    return counted["all"] or 0


def standings(spaces: Iterable[EmbeddingSpace] | None = None) -> list[SpaceStanding]:
    """Return how spaces stand, those in use first."""
    found = living_spaces() if spaces is None else list(spaces)
    chunks = count_chunks()
    counts = Vector.objects.filter(space__in=found).order_by().values("space_id")
    vectors = dict(counts.annotate(all=Count("pk")).values_list("space_id", "all"))
    tokens = _tokens_of_a_chunk() if chunks else 0
    running = list(Job.objects.filter(state=Job.State.RUNNING, kind=Job.Kind.EMBED))
    return [_standing(space, vectors.get(space.pk, 0), chunks, tokens, running) for space in found]


def _standing(
    space: EmbeddingSpace, vectors: int, chunks: int, tokens: int, running: list[Job]
) -> SpaceStanding:
    lacking = max(0, chunks - vectors)
    is_dead = space.state == EmbeddingSpace.State.RETIRED
    return SpaceStanding(
        space=space,
        vectors=vectors,
        chunks=chunks,
        remaining=None if is_dead or not lacking else _remaining(space, lacking, running),
        tokens_in_all=None if is_dead else space.tokens_used + lacking * tokens,
    )


def _remaining(space: EmbeddingSpace, lacking: int, running: list[Job]) -> timedelta | None:
    """Guess from the jobs that fill the space now."""
    stage, now = stage_of(space), timezone.now()
    a_second = sum(
        job.done / max(0.001, (now - job.started_at).total_seconds())
        for job in running
        if job.stage == stage and job.started_at is not None
    )
    return timedelta(seconds=lacking / a_second) if a_second > 0 else None


def _tokens_of_a_chunk() -> int:
    some = Chunk.objects.order_by("pk").values("chunk_text", "header")[:LOOKED_AT]
    length = some.annotate(size=Length("chunk_text") + Length("header")).aggregate(all=Avg("size"))
    return round((length["all"] or 0) / CHARACTERS_A_TOKEN)


def what_goes_with(space: EmbeddingSpace) -> dict[str, int]:
    """Return how much a space holds that is lost when it is retired."""
    return {
        "vectors": Vector.objects.filter(space=space).count(),
        "texts": EmbeddedText.objects.filter(space=space).count(),
        "tokens": space.tokens_used,
    }

"""How far Qdrant is behind PostgreSQL: what has not been told yet, and what is being filled."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property

from django.conf import settings
from django.utils import timezone

from knowledge.models import EmbeddingSpace, Replica, Vector, VectorChange
from knowledge.spaces import living_spaces

BEHIND = timedelta(minutes=5)  # from when on it needs attention
MOST_COUNTED = 100_000


@dataclass
class ReplicaStanding:
    """One space in the store of points."""

    space: EmbeddingSpace
    serving: Replica | None
    filling: Replica | None
    waiting: int  # changes that it has not heard of, as far as they were counted
    lag: timedelta  # since the oldest of them
    error: str

    @cached_property
    def vectors(self) -> int:
        return Vector.objects.filter(space=self.space).count()

    @property
    def percent(self) -> int:
        """How far the filling is."""
        if self.filling is None or not self.vectors:
            return 100
        return min(100, 100 * self.filling.filled // self.vectors)

    @property
    def is_behind(self) -> bool:
        return self.lag > BEHIND

    @property
    def is_busy(self) -> bool:
        return self.filling is not None or bool(self.waiting) or self.is_asked

    @property
    def is_asked(self) -> bool:
        """Whether somebody waits for a comparison or another generation."""
        living = [one for one in (self.serving, self.filling) if one]
        return any(one.reconcile_asked_at or one.rebuild_asked_at for one in living)

    @property
    def sentence(self) -> str:
        if self.filling is not None:
            return f"{self.filling.filled:,} of {self.vectors:,} points are filled in."
        if self.waiting:
            return (
                f"{self.waiting:,} changes wait, the oldest for {self.lag.total_seconds():.0f} s."
            )
        return "up to date." if self.serving else "not begun yet."


def replica_standings(spaces: Iterable[EmbeddingSpace] | None = None) -> list[ReplicaStanding]:
    """Return how the living spaces stand; none where only PostgreSQL is used."""
    if not settings.QDRANT_URL:
        return []
    return [_standing(space) for space in (living_spaces() if spaces is None else spaces)]


def _standing(space: EmbeddingSpace) -> ReplicaStanding:
    replicas = list(Replica.objects.filter(space=space).order_by("generation"))
    by_state = {replica.state: replica for replica in replicas}
    changes = VectorChange.objects.filter(space_id=space.pk)
    oldest = changes.order_by("id").values_list("created_at", flat=True).first()
    lag = timezone.now() - oldest if oldest else timedelta()
    return ReplicaStanding(
        space=space,
        serving=by_state.get(Replica.State.SERVING),
        filling=by_state.get(Replica.State.FILLING),
        waiting=changes[:MOST_COUNTED].count(),
        lag=max(lag, timedelta()),
        error=next((one.error for one in reversed(replicas) if one.error), ""),
    )

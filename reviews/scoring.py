"""The scores of a review: computed from its findings by a formula that its page shows.

Both begin at 1. Each finding takes its cost times its confidence away from one of them: those of
security from `security_score`, all others from `quality_score`. Dismissed ones take nothing, and
remarks together take 0.1 at most. Neither goes below 0.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

COSTS = {
    "quality": {"critical": 0.3, "warning": 0.1, "info": 0.01},
    "security": {"critical": 0.5, "warning": 0.2, "info": 0.02},
}
MOST_OF_REMARKS = 0.1


@dataclass(frozen=True, slots=True)
class Counted:
    """A finding as the scores see it."""

    claim: str
    severity: str
    category: str
    confidence: float
    is_dismissed: bool = False

    @property
    def score(self) -> str:
        return "security" if self.category == "security" else "quality"

    @property
    def cost(self) -> float:
        if self.is_dismissed:
            return 0.0
        return COSTS[self.score][self.severity] * self.confidence


@dataclass(frozen=True, slots=True)
class Scores:
    quality: float
    security: float
    status: str
    inputs: list[dict[str, Any]]  # line by line what took how much away


def scores_of(findings: Iterable[Counted]) -> Scores:
    """Return the scores of a review and its status: what is critical asks for changes."""
    counted = list(findings)
    open_ones = {one.severity for one in counted if not one.is_dismissed}
    status = (
        "CHANGES_REQUESTED"
        if "critical" in open_ones
        else "COMMENTED"
        if "warning" in open_ones
        else "APPROVED"
    )
    inputs = [
        {**asdict(one), "score": one.score, "cost": round(one.cost, 3)}
        for one in sorted(counted, key=lambda one: -one.cost)
    ]
    return Scores(_score(counted, "quality"), _score(counted, "security"), status, inputs)


def _score(findings: list[Counted], name: str) -> float:
    mine = [one for one in findings if one.score == name]
    remarks = sum(one.cost for one in mine if one.severity == "info")
    others = sum(one.cost for one in mine if one.severity != "info")
    return round(max(0.0, 1.0 - others - min(remarks, MOST_OF_REMARKS)), 3)

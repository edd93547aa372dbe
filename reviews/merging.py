"""Making one list of what several checks say: each thing once, what matters first, few of them."""

from collections.abc import Iterable, Sequence

from reviews.observations import SEVERITIES, Observation
from reviews.verifying import Verified

SHOWN_OF_A_COMMIT = 5
KEPT_OF_A_COMMIT = 60


def weight(observation: Observation) -> tuple[int, float, bool]:
    """Return how much it matters; our own rules explain themselves better than a tool's."""
    rank = SEVERITIES.index(observation.severity)
    return rank, observation.confidence, observation.rule.startswith("nightowl/")


def merge(found: Iterable[Verified]) -> list[Verified]:
    """Return the heaviest of those that say the same of the same lines, heaviest first."""
    kept: list[Verified] = []
    for one in sorted(found, key=_order):
        if not any(_is_same(one.observation, other.observation) for other in kept):
            kept.append(one)
    return kept[:KEPT_OF_A_COMMIT]


def _order(one: Verified) -> tuple[float, float, bool, str, int, str]:
    rank, confidence, is_ours = weight(one.observation)
    at = one.observation
    return -rank, -confidence, not is_ours, at.path, at.start_line, at.rule


def _is_same(one: Observation, other: Observation) -> bool:
    if one.path != other.path or one.start_line > other.end_line or other.start_line > one.end_line:
        return False
    if one.rule == other.rule:
        return one.start_line == other.start_line or one.claim == other.claim
    return one.category == other.category or {one.category, other.category} == {"bug", "pattern"}


def shown(found: Sequence[Verified]) -> set[int]:
    """Return the positions of what a reader is shown first: few, and nothing that is a remark."""
    worth = [n for n, one in enumerate(found) if one.observation.severity != "info"]
    return set(worth[:SHOWN_OF_A_COMMIT])

"""How long searches take, as rows of a table: half of them, nearly all, the slowest."""

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import TypeVar

import numpy as np

HEAD = ("what", "least ms", "p50", "p95", "most", "floor p50", "over the floor", "goal")
WARMING = 5

T = TypeVar("T")


def times_of(act: Callable[[T], object], asked: Sequence[T]) -> list[float]:
    """Return the milliseconds of each, after a few that warm up."""
    for question in asked[:WARMING]:
        act(question)
    return [_time_of(act, question) for question in asked]


def _time_of(act: Callable[[T], object], question: T) -> float:
    started = perf_counter()
    act(question)
    return (perf_counter() - started) * 1000


def row(
    name: str, spent: Sequence[float], floor: Sequence[float] = (), goal: str = ""
) -> tuple[str, ...]:
    p50, p95 = np.percentile(spent, [50, 95])
    told = (name, f"{min(spent):.1f}", f"{p50:.1f}", f"{p95:.1f}", f"{max(spent):.0f}")
    if not floor:
        return (*told, "", "", goal)
    beneath = float(np.percentile(floor, 50))
    return (*told, f"{beneath:.1f}", f"{p50 / beneath:.1f}", goal)


def p95_of(spent: Sequence[float]) -> float:
    return float(np.percentile(spent, 95))

"""Figures over time as a line small enough to stand in a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 160
HEIGHT = 32
EDGE = 3  # so that the line and its last point are not cut off


@dataclass(frozen=True, slots=True)
class Sparkline:
    """A drawn line: the points of an SVG polyline, and where the last of them lies."""

    points: str
    last_x: float
    last_y: float
    width: int = WIDTH
    height: int = HEIGHT


def sparkline(values: Sequence[float]) -> Sparkline | None:
    """Draw shares from 0 to 1, the oldest first; one alone is no line.

    The height is the whole scale: a line that only looks steep would frighten for nothing.
    """
    if len(values) < 2:
        return None
    across = (WIDTH - 2 * EDGE) / (len(values) - 1)
    places = [
        (round(EDGE + across * place, 1), round(EDGE + (HEIGHT - 2 * EDGE) * (1 - value), 1))
        for place, value in enumerate(min(1.0, max(0.0, value)) for value in values)
    ]
    return Sparkline(" ".join(f"{x},{y}" for x, y in places), *places[-1])

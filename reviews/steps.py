"""What each step of a night took: time, how much it did, tokens and cost, kept with the run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any
from uuid import UUID

from django.db import transaction

from reviews.models import NightlyRun

# In the order in which the page shows them.
STEPS = {
    "sync": "Bring the sources here",
    "standards": "Read what the team agreed on",
    "commits": "List what was merged",
    "read": "Read what changed",
    "tools": "Run the tools",
    "checks": "Run the checks",
    "model": "Ask the model",
    "verify": "Verify and merge",
    "tests": "Suggest tests",
    "store": "Keep what was found",
    "gaps": "Look for gaps",
    "index": "Make it searchable",
    "digest": "Tell people",
}


@dataclass(frozen=True, slots=True)
class Taken:
    """What a step took so far, for the run's page."""

    name: str
    title: str
    seconds: float
    count: int
    note: str
    is_done: bool


def add_to(run_id: UUID, step: str, *, seconds: float = 0, count: int = 0, **more: Any) -> None:
    """Add to what a step took; inside the transaction that did it, so that it counts once."""
    run = NightlyRun.objects.select_for_update().get(pk=run_id)
    known = run.steps.get(step, {})
    run.steps[step] = {
        **known,
        "seconds": round(known.get("seconds", 0) + seconds, 3),
        "count": known.get("count", 0) + count,
        **more,
    }
    run.save(update_fields=["steps", "updated_at"])


@contextmanager
def timed(run_id: UUID, step: str, **more: Any) -> Iterator[dict[str, int]]:
    """Time a step that is safe to repeat; it says itself how much it did, under `count`."""
    began_at, counted = monotonic(), {"count": 0}
    yield counted
    with transaction.atomic():
        add_to(
            run_id,
            step,
            seconds=monotonic() - began_at,
            count=counted["count"],
            is_done=True,
            **more,
        )


def taken(steps: Mapping[str, Mapping[str, Any]]) -> list[Taken]:
    """Return the steps that a run has begun, in their order."""
    return [
        Taken(
            name,
            title,
            steps[name].get("seconds", 0),
            steps[name].get("count", 0),
            steps[name].get("note", ""),
            steps[name].get("is_done", False),
        )
        for name, title in STEPS.items()
        if name in steps
    ]

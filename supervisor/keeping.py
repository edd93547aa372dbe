"""Keeping children alive: one that dies is started again, slower each time."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from supervisor.output import Output
from supervisor.processes import Child
from supervisor.refusals import CannotStart

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 30.0
STEADY_AFTER = 60.0  # having lived that long, its next death is a new one


@dataclass
class Keeper:
    child: Child
    start: Callable[[], None]
    output: Output
    pause: float = 0.0
    start_again_at: float | None = None

    def look_after(self, now: float) -> None:
        """Notice that the child has died, and start it again when its pause is over."""
        if self.start_again_at is not None:
            if now >= self.start_again_at:
                self._start_again(now)
        elif self.child.has_ended():
            self._plan(now, self.child.ending())

    def _plan(self, now: float, what_happened: str) -> None:
        steady = now - self.child.started_at > STEADY_AFTER
        self.pause = FIRST_PAUSE if steady else min(LONGEST_PAUSE, self.pause * 2 or FIRST_PAUSE)
        self.start_again_at = now + self.pause
        self.child.explain()
        self.child.clear()
        name = self.child.program.name
        self.output.say(f"{name} {what_happened}; starting it again in {self.pause:.0f} s")

    def _start_again(self, now: float) -> None:
        self.start_again_at = None
        try:
            self.start()
        except CannotStart as refusal:
            self._plan(now, f"cannot start ({refusal})")


def look_after_all(keepers: list[Keeper]) -> None:
    now = time.monotonic()
    for keeper in keepers:
        keeper.look_after(now)

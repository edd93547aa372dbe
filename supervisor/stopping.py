"""Noticing Ctrl-C and SIGTERM at places where nothing is half done."""

import signal
import time
from collections.abc import Callable
from types import FrameType

from supervisor.refusals import StopRequested

PAUSE = 0.03


class StopSwitch:
    """Pressed by a signal, read by every wait."""

    def __init__(self) -> None:
        self.pressed_by: signal.Signals | None = None

    def listen(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._press)

    def _press(self, number: int, _frame: FrameType | None) -> None:
        self.pressed_by = signal.Signals(number)

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Whether the condition came true in time; StopRequested when the person gave up."""
        deadline = time.monotonic() + seconds
        while not condition():
            if self.pressed_by:
                raise StopRequested
            if time.monotonic() > deadline:
                return False
            time.sleep(PAUSE)
        return True


def wait_regardless(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether the condition came true in time, however often Ctrl-C is pressed."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(PAUSE)
    return True

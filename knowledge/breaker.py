"""Leaving alone a service that does not answer, and asking now and then whether it does again."""

from threading import Lock
from time import monotonic

FAILURES_IN_A_ROW = 3
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds


class Breaker:
    """Closed while all is well; open for a while after failures; then one may try for all."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._closed_from: float | None = None
        self._somebody_tries = False

    def allows(self) -> bool:
        """Whether the service may be asked now; who hears so says afterwards how it went."""
        with self._lock:
            if self._closed_from is None:
                return True
            if self._somebody_tries or monotonic() < self._closed_from:
                return False
            self._somebody_tries = True
            return True

    @property
    def is_open(self) -> bool:
        return self._closed_from is not None

    def went_well(self) -> None:
        with self._lock:
            self._failures, self._pause = 0, FIRST_PAUSE
            self._closed_from, self._somebody_tries = None, False

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._somebody_tries:
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            if self._somebody_tries or self._failures >= FAILURES_IN_A_ROW:
                self._closed_from = monotonic() + self._pause
            self._somebody_tries = False

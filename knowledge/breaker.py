"""Leaving alone a service that does not answer, and asking now and then whether it does again."""

from threading import Lock, get_ident
from time import monotonic

FAILURES_IN_A_ROW = 3
FIRST_PAUSE, LONGEST_PAUSE = 5.0, 60.0  # seconds


class Breaker:
    """Closed while all is well; open for a while after failures; then one may try for all."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._failures = 0
        self._pause = FIRST_PAUSE
        self._may_be_tried_at: float | None = None
        self._who_tries: int | None = None  # a thread

    def allows(self) -> bool:
        """Whether the service may be asked now; who hears so says afterwards how it went."""
        with self._lock:
            if self._may_be_tried_at is None:
                return True
            if self._who_tries is not None or monotonic() < self._may_be_tried_at:
                return False
            self._who_tries = get_ident()
            return True

    def went_well(self) -> None:
        with self._lock:
            if self._is_late():
                return
            self._failures, self._pause = 0, FIRST_PAUSE
            self._may_be_tried_at = self._who_tries = None

    def failed(self) -> None:
        with self._lock:
            if self._is_late():
                return
            self._failures += 1
            if self._who_tries is not None:
                self._pause = min(2 * self._pause, LONGEST_PAUSE)
            if self._who_tries is not None or self._failures >= FAILURES_IN_A_ROW:
                self._may_be_tried_at = monotonic() + self._pause
            self._who_tries = None

    def _is_late(self) -> bool:
        """Whether this is told by somebody who asked before the breaker opened."""
        return self._may_be_tried_at is not None and self._who_tries != get_ident()

"""How many searches this process works on at the moment: who is alone may use both cores."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock


class Crowd:
    def __init__(self) -> None:
        self.size = 0
        self._lock = Lock()

    @property
    def is_more_than_one(self) -> bool:
        return self.size > 1

    @contextmanager
    def joined(self) -> Iterator[None]:
        with self._lock:
            self.size += 1
        try:
            yield
        finally:
            with self._lock:
                self.size -= 1


searching = Crowd()

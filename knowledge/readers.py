"""The processes that read files for this worker: started when needed, replaced when they break."""

import atexit
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import nullcontext, suppress
from dataclasses import replace
from signal import SIGALRM

from django.conf import settings

from knowledge.frames import ConnectionEnded, receive_content, send_question
from knowledge.reader import TOO_LARGE
from knowledge.reading import Asked, Content

TOO_SLOW = "it took too long to read"
BROKE = "reading it broke its parser"
IDLE_SECONDS = 30.0
LARGE = 256 * 1024  # bytes; such files are read one at a time, so that their memory does not add up


def _limits() -> tuple[str, str]:
    return str(settings.READER_MEGABYTES), str(settings.READER_SECONDS)


class Reader:
    """One process; asked one file at a time, it either answers or is gone."""

    def __init__(self) -> None:
        self._limits = _limits()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "knowledge.reader", *self._limits],
            cwd=settings.BASE_DIR,
            # Nothing of ours: files that people wrote are parsed there.
            env={"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def ask(self, asked: Asked) -> Content:
        """Return what was made of a file; says in `failed` when the process broke over it."""
        questions, answers = self._process.stdin, self._process.stdout
        if questions is None or answers is None:
            return Content(failed=BROKE)
        try:
            send_question(questions, asked)
            return receive_content(answers)
        except (BrokenPipeError, ConnectionEnded, ValueError, TypeError, KeyError):
            self.close()
            return Content(failed=TOO_SLOW if self._process.returncode == -SIGALRM else BROKE)

    @property
    def is_usable(self) -> bool:
        return self._process.poll() is None and self._limits == _limits()

    def close(self) -> None:
        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.close()
        if self._process.stdout:
            self._process.stdout.close()
        try:
            self._process.wait(timeout=1)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class _Shelf:
    """Readers that wait for the next sync, for a little while: starting one takes 0.2 s."""

    def __init__(self) -> None:
        self._readers: list[Reader] = []
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take(self) -> Reader:
        with self._lock:
            while self._readers:
                reader = self._readers.pop()
                if reader.is_usable:
                    return reader
                reader.close()
        return Reader()

    def put_back(self, reader: Reader) -> None:
        with self._lock:
            if not reader.is_usable or len(self._readers) >= settings.READERS:
                reader.close()
                return
            self._readers.append(reader)
            if self._timer is not None:
                self._timer.cancel()
            self._timer = threading.Timer(IDLE_SECONDS, self.clear)
            self._timer.daemon = True
            self._timer.start()

    def clear(self) -> None:
        with self._lock:
            while self._readers:
                self._readers.pop().close()


_shelf = _Shelf()
_large_file = threading.Lock()
atexit.register(_shelf.clear)


def read_apart(batches: Iterable[Sequence[Asked]]) -> Iterator[list[Content]]:
    """Yield what was made of each batch, in order; later batches are read meanwhile."""
    with ThreadPoolExecutor(settings.READERS, thread_name_prefix="reading") as threads:
        waiting: deque[Future[list[Content]]] = deque()
        try:
            for batch in batches:
                waiting.append(threads.submit(_read_batch, batch))
                if len(waiting) > 2 * settings.READERS:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _read_batch(batch: Sequence[Asked]) -> list[Content]:
    contents = []
    reader = _shelf.take()
    for asked in batch:
        with _large_file if len(asked.data) > LARGE else nullcontext():
            content = reader.ask(asked)
            if content.failed:
                content, reader = _read_again(asked, content, reader)
        contents.append(content)
    _shelf.put_back(reader)
    return contents


def _read_again(asked: Asked, content: Content, reader: Reader) -> tuple[Content, Reader]:
    """Read once more in a process that nothing has touched, then without the parser that broke."""
    reader.close()
    # Whoever ended a reader may have meant another file, or none: that must not show in the index.
    for by_lines in (False, True) if content.failed == BROKE else (True,):
        fresh = Reader()
        again = fresh.ask(replace(asked, by_lines=by_lines))
        if not again.failed:
            return again, fresh
        fresh.close()
    return content, Reader()


__all__ = ["BROKE", "TOO_LARGE", "TOO_SLOW", "read_apart"]

"""Whether this worker was asked to end: a byte that its processes share, and one's own answer."""

import mmap
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Anonymous and shared: what the main process writes after the fork, its children read.
_worker = mmap.mmap(-1, 1)
_process = bytearray(1)


def end_worker() -> None:
    """Let every process of this worker stop at the next border between two batches."""
    _worker[0] = 1


def is_ending() -> bool:
    return bool(_worker[0] or _process[0])


def is_process_ending() -> bool:
    """Whether a signal asked for the end of this one process."""
    return bool(_process[0])


def start_anew() -> None:
    """Forget that anybody asked."""
    _worker[0] = _process[0] = 0


@contextmanager
def heeded(*numbers: signal.Signals) -> Iterator[None]:
    """Within it, these signals let this process stop at the next border, and kill nothing."""
    before = {number: signal.signal(number, _end_process) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end_process(_number: int, _frame: FrameType | None) -> None:
    _process[0] = 1

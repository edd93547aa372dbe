"""Clocks, memory and a plain table."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(slots=True)
class Span:
    """How long something took, and the most memory that it took, in seconds and megabytes."""

    seconds: float = 0.0
    megabytes: float = 0.0


@contextmanager
def clocked(*, with_memory: bool = False) -> Iterator[Span]:
    span = Span()
    stop = threading.Event()
    watcher = threading.Thread(target=_watch, args=(span, stop), daemon=True)
    if with_memory:
        watcher.start()
    started = time.perf_counter()
    try:
        yield span
    finally:
        span.seconds = time.perf_counter() - started
        stop.set()
        if with_memory:
            watcher.join()


def _watch(span: Span, stop: threading.Event) -> None:
    while not stop.wait(0.25):
        span.megabytes = max(span.megabytes, memory_of_tree())


def memory_of_tree() -> float:
    """Return the megabytes of this process and those below it, shared pages counted once."""
    total = 0.0
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
            except OSError:  # it ended meanwhile
                continue
            parents[int(entry.name)] = int(stat.rpartition(")")[2].split()[1])
    for pid in parents:
        if _is_ours(pid, parents):
            total += _proportional(pid)
    return total


def _is_ours(pid: int, parents: dict[int, int]) -> bool:
    own = int(Path("/proc/self").resolve().name)
    while pid and pid != own:
        pid = parents.get(pid, 0)
    return pid == own


def _proportional(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    except OSError:
        return 0.0
    return 0.0


def show(title: str, rows: list[tuple[str, ...]]) -> None:
    """Print rows under a title, the first one being the heads of the columns."""
    print(f"\n{title}\n")
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        first, *rest = zip(row, widths, strict=True)
        cells = [first[0].ljust(first[1]), *(text.rjust(width) for text, width in rest)]
        print("  " + "   ".join(cells).rstrip())
        if number == 0:
            print("  " + "-" * (sum(widths) + 3 * (len(widths) - 1)))


def rate(count: int, seconds: float) -> str:
    return f"{count / max(seconds, 1e-9):,.0f}"

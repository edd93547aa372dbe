"""A process that inspects files for a worker, so that none can exhaust or hang the worker itself.

Started as `python -m reviews.inspector MEGABYTES SECONDS`. It has no settings, no database and no
secrets: it takes one JSON line for each file, the rules of the project first, and answers likewise.
"""

import json
import os
import resource
import signal
import sys
from collections.abc import Iterable

from reviews.inspecting import Asked, Inspection, inspect, packed
from reviews.rule_files import Rule, read_rule, rules


def main(megabytes: int, seconds: float) -> None:
    """Answer until the worker is gone; the kernel ends what takes too much time or memory."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints must not end up among the answers
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is the worker's to answer
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    limit = megabytes * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    own = [read_rule(text, by="standard") for text in json.loads(sys.stdin.readline() or "[]")]
    for line in sys.stdin:
        said = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, seconds)
        found = _inspect(Asked(**{**said, "added": frozenset(said["added"])}), [*rules(), *own])
        signal.setitimer(signal.ITIMER_REAL, 0)
        try:
            answers.write(json.dumps(packed(found)) + "\n")
            answers.flush()
        except BrokenPipeError:
            return


def _inspect(asked: Asked, wanted: Iterable[Rule]) -> Inspection:
    try:
        return inspect(asked, wanted)
    except (MemoryError, RecursionError):
        return Inspection(failed="it needs too much memory to inspect")


if __name__ == "__main__":
    main(int(sys.argv[1]), float(sys.argv[2]))

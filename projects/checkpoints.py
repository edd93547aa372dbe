"""Places where a test may kill the process, to prove that nothing is lost there."""

import os
import signal
from collections import Counter

_reached: Counter[str] = Counter()


def checkpoint(name: str) -> None:
    """Do nothing, unless the environment says `CRASH_AT=name:n`: then die at the n-th time."""
    target = os.environ.get("CRASH_AT", "")
    if not target:
        return
    wanted, _, times = target.partition(":")
    if wanted == name:
        _reached[name] += 1
        if _reached[name] >= int(times or 1):
            os.kill(os.getpid(), signal.SIGKILL)

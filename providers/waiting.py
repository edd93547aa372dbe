"""How long a server asks to wait."""

import time
from email.utils import parsedate_to_datetime

LONGEST = 10 * 24 * 3600.0


def seconds_asked_for(text: str) -> float:
    """Read Retry-After, which is a number of seconds or a date; 0 where it is neither."""
    try:
        return max(0.0, min(float(text), LONGEST))
    except ValueError:
        pass
    try:
        return max(0.0, min(parsedate_to_datetime(text).timestamp() - time.time(), LONGEST))
    except (ValueError, OverflowError):
        return 0.0


def in_words(seconds: float) -> str:
    """Say a time for people: “2 s”, “5 min”, “3 h”."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    return f"{round(seconds / 3600)} h"

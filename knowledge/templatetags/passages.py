"""Showing passages of code and text."""

from datetime import datetime, timedelta
from functools import lru_cache

from django import template
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from knowledge import highlighting
from knowledge.highlighting import highlight_lines

register = template.Library()


@register.simple_tag
def passage(text: str, language: str, start_line: int) -> SafeString:
    """Draw a passage with the numbers of its lines."""
    return _drawn(text or "", language or "", start_line or 1)


# An answer is drawn when its passages are found, when it ends, and each time it is read again.
@lru_cache(maxsize=512)
def _drawn(text: str, language: str, start_line: int) -> SafeString:
    lines = enumerate(highlight_lines(text, language), start=start_line)
    return render_to_string("knowledge/_passage.html", {"lines": list(lines)})


@register.filter(is_safe=True)
def shown(text: str) -> SafeString:
    """Escape a name, and show the characters in it that hide or turn what follows."""
    return SafeString(highlighting.shown(text or ""))


@register.filter
def percent(share: float) -> int:
    """Turn a share of 1 into whole percents."""
    return round(100 * share)


@register.filter
def with_lines(number: int) -> str:
    return f"{number:,} line" if number == 1 else f"{number:,} lines"


@register.filter
def grouped(number: int | None) -> str:
    """Write a number with its thousands apart."""
    return f"{number or 0:,}".replace(",", "\u202f")


@register.filter
def duration(span: timedelta | None) -> str:
    """Say roughly how long something takes."""
    if span is None:
        return ""
    seconds = int(span.total_seconds())
    if seconds < 90:
        return f"{max(1, seconds)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


@register.filter
def until(moment: datetime) -> str:
    """Say in how long something comes."""
    left = moment - timezone.now()
    return "any moment" if left < timedelta(seconds=5) else f"in {duration(left)}"


@register.filter
def size(number: int | None) -> str:
    """Say how large a file is, in the unit that suits it."""
    amount = float(number or 0)
    for unit in ("bytes", "kB", "MB"):
        if amount < 1000:
            return (
                f"{amount:.0f} {unit}"
                if amount >= 10 or unit == "bytes"
                else f"{amount:.1f} {unit}"
            )
        amount /= 1000
    return f"{amount:.1f} GB"

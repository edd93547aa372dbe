"""Showing commits and scores."""

from collections.abc import Sequence

from django import template

from knowledge.sparklines import Sparkline, sparkline
from projects.models import Source
from reviews.models import Finding

register = template.Library()


@register.filter
def first_line(text: str) -> str:
    return text.partition("\n")[0]


@register.filter
def with_commits(number: int) -> str:
    return f"{number:,} commit{'s' * (number != 1)}"


@register.inclusion_tag("reviews/_spark.html")
def spark(values: Sequence[float]) -> dict[str, Sparkline | None]:
    """Draw shares over time, the oldest first."""
    return {"line": sparkline(values)}


@register.simple_tag
def open_findings_in(source: Source, path: str) -> int:
    """Return how many findings of a file wait for somebody, for who may see its source."""
    waiting = Finding.objects.told().filter(state=Finding.State.OPEN)
    return waiting.filter(source=source, current_path=path).count()

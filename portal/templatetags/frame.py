"""Pieces of the frame that stand on every page."""

from dataclasses import dataclass
from datetime import datetime

from django import template
from django.db.models import F
from django.forms import BoundField
from django.utils import timezone
from django.utils.timesince import timesince

from projects.models import Project, Source

register = template.Library()


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a project was last indexed, and at which commit when it has a single source."""

    synced_at: datetime | None
    commit: str
    is_busy: bool
    failed: int


@register.simple_tag
def freshness_of(project: Project) -> Freshness | None:
    """Return how fresh the index of a project is; nothing when it has no sources."""
    rows = list(
        Source.objects.filter(project=project)
        .order_by(F("last_synced_at").desc(nulls_last=True))
        .values_list("last_synced_at", "head", "state")
    )
    if not rows:
        return None
    states = [state for _, _, state in rows]
    return Freshness(
        synced_at=rows[0][0],
        commit=rows[0][1][:7] if len(rows) == 1 else "",
        is_busy=Source.State.SYNCING in states,
        failed=states.count(Source.State.FAILED),
    )


@register.inclusion_tag("portal/_icon.html")
def icon(name: str, label: str = "") -> dict[str, str]:
    """Draw an icon of `static/icons.svg`; without a label it is decoration."""
    return {"name": name, "label": label}


@register.inclusion_tag("portal/_age.html")
def age(moment: datetime | None, otherwise: str = "never") -> dict[str, object]:
    """Say how long ago something was, with the exact time for those who point at it."""
    is_new = moment is not None and (timezone.now() - moment).total_seconds() < 60
    ago = "" if moment is None else timesince(moment, depth=1)
    return {"moment": moment, "otherwise": otherwise, "ago": "just now" if is_new else f"{ago} ago"}


@register.inclusion_tag("portal/_field.html")
def field(bound_field: BoundField, *, needed: bool = False) -> dict[str, object]:
    """Draw a form's field; `needed` where the form itself can't know that it is."""
    is_choice = bound_field.widget_type in {"select", "checkbox"}
    is_optional = not (needed or is_choice or bound_field.field.required)
    return {"field": bound_field, "is_optional": is_optional}

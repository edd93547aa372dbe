"""Conversations in the order in which people look for them: pinned, then by day."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.utils import timezone

from conversations.models import Conversation

DAYS_NAMED = 7


@dataclass(slots=True)
class Day:
    name: str
    conversations: list[Conversation] = field(default_factory=list)


def by_day(found: Iterable[Conversation]) -> list[Day]:
    """Return conversations, which come pinned and latest first, under the names of their days."""
    days: list[Day] = []
    for conversation in found:
        name = "Pinned" if conversation.is_pinned else _name_of(conversation)
        if not days or days[-1].name != name:
            days.append(Day(name))
        days[-1].conversations.append(conversation)
    return days


def _name_of(conversation: Conversation) -> str:
    day, today = timezone.localdate(conversation.updated_at), timezone.localdate()
    if day >= today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    if day > today - timedelta(days=DAYS_NAMED):
        return f"{day:%A}"
    return f"{day:%B}" if day.year == today.year else f"{day:%B %Y}"

"""How fresh an answer's passages are: when it was written, and whenever it is read again."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import OuterRef, Subquery

from conversations.models import Message
from knowledge.models import Document, DocumentVersion
from projects.models import Source

CHANGED = "The file has changed since."
GONE = "The file is not in the source any more."
SOURCE_GONE = "The source was removed."
BEHIND = "The repository has newer commits that are not indexed yet."

Place = tuple[str, str, str]


def indexed_at(project_id: UUID, source_ids: Iterable[str] = ()) -> list[dict[str, str]]:
    """Return the commits that sources are indexed at: those named, else all of a project."""
    sources = Source.objects.filter(project=project_id).exclude(head="")
    if named := {source_id for source_id in source_ids if source_id}:
        sources = sources.filter(pk__in=named)
    rows = sources.order_by("name", "pk").values_list("pk", "name", "head", "last_synced_at")
    return [
        {
            "source_id": str(pk),
            "source": name,
            "commit": head,
            "at": at.isoformat() if at else "",
        }
        for pk, name, head, at in rows[:20]
    ]


def mark_stale(messages: Iterable[Message]) -> None:
    """Note on each passage of the messages whether its file says something else now, and why.

    One query for all of them; what is noted is for the reader and is not saved.
    """
    sources = [source for message in messages for source in message.sources or []]
    found = _why_stale({_place(source) for source in sources})
    for source in sources:
        place = _place(source)
        why = found.get(place, SOURCE_GONE if place[0] else "")
        source["stale"], source["stale_because"] = bool(why), why


def _place(source: dict[str, Any]) -> Place:
    source_id, path, commit = (source.get(n) for n in ("source_id", "file_path", "commit"))
    return str(source_id or ""), str(path), str(commit)


def _why_stale(places: set[Place]) -> dict[Place, str]:
    known = [place for place in places if place[0]]
    if not known:
        return {}
    now = Document.objects.filter(
        source=OuterRef("source"), path=OuterRef("path"), state=Document.State.INDEXED
    )
    rows = (
        DocumentVersion.objects.filter(
            source__in={place[0] for place in known},
            path__in={place[1] for place in known},
            commit__in={place[2] for place in known},
        )
        .annotate(now=Subquery(now.values("blob_id")[:1]))
        .values_list(
            "source_id", "path", "commit", "blob_id", "now", "source__head", "source__forge"
        )
    )
    return {
        (str(source_id), path, commit): _why(then, is_now, head, forge)
        for source_id, path, commit, then, is_now, head, forge in rows
    }


def _why(then: str, now: str | None, head: str, forge: dict[str, Any]) -> str:
    if now is None:
        return GONE
    if now != then:
        return CHANGED
    seen = forge.get("head", "")
    return BEHIND if seen and seen != head else ""

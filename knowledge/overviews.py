"""Keeping an overview of each project: made when its sources have moved, or when somebody asks."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerAway

from accounts.models import User
from knowledge.describing import describe
from knowledge.models import Overview
from knowledge.overview_writing import WritingFailed, Written, write_words
from projects.checkpoints import checkpoint
from projects.models import Project, Source
from providers.chat import default_provider

logger = logging.getLogger(__name__)

# Who died over an overview holds it no longer than this; making one takes seconds.
HELD_FOR = timedelta(minutes=10)
WORDS_KEPT = timedelta(days=7)  # of a model, while the areas stay the same


@dataclass(frozen=True, slots=True)
class Behind:
    """A source that has moved since an overview was made."""

    source: str
    made_at: str
    now_at: str
    since: datetime | None


def overview_of(project: Project) -> Overview | None:
    """Return a project's overview, once it has been made."""
    return Overview.objects.filter(project=project, made_at__isnull=False).first()


def heads_of(project: Project) -> dict[str, str]:
    """Return the commit of each source that has been indexed, by the source's id."""
    rows = Source.objects.filter(project=project).exclude(head="").values_list("pk", "head")
    return {str(pk): head for pk, head in rows}


def behind(overview: Overview) -> list[Behind]:
    """Return the sources that have moved, come or gone since the overview was made."""
    sources = Source.objects.filter(project=overview.project_id).exclude(head="").order_by("name")
    moved = [
        Behind(
            source.name,
            overview.heads.get(str(source.pk), "")[:7],
            source.head[:7],
            source.last_synced_at,
        )
        for source in sources
        if overview.heads.get(str(source.pk)) != source.head
    ]
    gone = overview.heads.keys() - {str(source.pk) for source in sources}
    return moved + [Behind("a source", overview.heads[key][:7], "", None) for key in sorted(gone)]


def ask_for_overview(project: Project, *, by: User) -> Overview:
    """Have a project's overview made anew, its words too, by the next worker that is free."""
    overview, _ = Overview.objects.update_or_create(
        project=project, defaults={"asked_at": timezone.now(), "asked_by": by}
    )
    transaction.on_commit(_ring)
    return overview


def _ring() -> None:
    try:
        current_app.send_task("knowledge.tasks.tend_overviews", retry=False, expires=55)
    except BrokerAway:
        logger.warning("The broker does not answer; the clock will see to the overview.")


def tend_overviews() -> int:
    """Make what is behind or was asked for, and return how many; safe to run twice at once."""
    made = 0
    for project in _projects_behind():
        overview, _ = Overview.objects.get_or_create(project=project)
        made += make_overview(overview)
    return made


def _projects_behind() -> list[Project]:
    heads: dict[UUID, dict[str, str]] = {}
    rows = Source.objects.exclude(head="").values_list("project", "pk", "head")
    for project, source, head in rows:
        heads.setdefault(project, {})[str(source)] = head
    overviews = {
        overview.project_id: overview for overview in Overview.objects.defer("content").iterator()
    }
    wanted = []
    for project in heads.keys() | overviews.keys():
        overview = overviews.get(project)
        is_fresh = overview is not None and overview.heads == heads.get(project, {})
        if overview is None or not is_fresh or overview.asked_at is not None:
            wanted.append(project)
    return list(Project.objects.filter(pk__in=wanted).order_by("created_at", "pk"))


def make_overview(overview: Overview) -> bool:
    """Make one anew unless somebody else is at it; first by itself, then with a model's words."""
    claimed_at = timezone.now()
    free = Q(claimed_at=None) | Q(claimed_at__lt=claimed_at - HELD_FOR)
    mine = Overview.objects.filter(pk=overview.pk)
    if not mine.filter(free).update(claimed_at=claimed_at):
        return False
    mine = mine.filter(claimed_at=claimed_at)
    overview.refresh_from_db()
    project, before, asked_at = overview.project, overview.content, overview.asked_at
    # Read first: what moves while it is made leaves it behind, and it is made again.
    heads = heads_of(project)
    content = describe(project)
    checkpoint("overview.described")
    kept = None if asked_at else _words_that_hold(before, content)
    if kept is not None:
        content["written"] = kept
    mine.update(content=content, heads=heads, made_at=timezone.now(), error="")
    if content and kept is None:
        mine.update(**_with_words(overview, content))
    mine.filter(asked_at=asked_at).update(asked_at=None)
    return bool(mine.update(claimed_at=None, updated_at=timezone.now()))


def _words_that_hold(before: Mapping[str, Any], content: Mapping[str, Any]) -> Any:
    """Return what a model wrote of the same areas not long ago: each sync need not cost a call."""
    written = before.get("written")
    if not written or _names(before) != _names(content):
        return None
    is_old = datetime.fromisoformat(written["at"]) < timezone.now() - WORDS_KEPT
    return None if is_old else written


def _names(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    return sorted((area["role"], area["name"]) for area in content.get("areas", ()))


def _with_words(overview: Overview, content: dict[str, Any]) -> dict[str, Any]:
    """Return what changes by the words of the model that answers here, if there is one."""
    provider = default_provider()
    if provider.is_offline:
        return {}
    by = overview.asked_by or overview.project.owner
    try:
        written: Written = write_words(overview, content, provider, by=by)
    except WritingFailed as failure:
        return {"error": str(failure)[:500]}
    return {"content": {**content, "written": written.as_dict()}}

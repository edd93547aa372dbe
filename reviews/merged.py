"""Which commits a night has to look at: what was merged since the last one, each of them once."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from projects.diffs import Step, find_commit, leads_to, main_line
from projects.git_errors import GitError
from projects.models import Source
from reviews.models import NightlyRun, Review

logger = logging.getLogger(__name__)

# Of the checks, the prompts and the formula of the scores together: a new one reviews again.
REVIEWER_VERSION = "1"
FIRST_NIGHT = 10  # commits that a project's first run looks at, so that it has something to tell
MOST_AT_ONCE = 2_000  # of a range that somebody asked for
FORGOTTEN = timedelta(days=2)  # how far back to look where a history was rewritten


@dataclass(frozen=True, slots=True)
class Merged:
    """The steps to review of a source, oldest first, and up to which commit they reach."""

    steps: list[Step]
    head: str
    note: str = ""

    @property
    def base(self) -> str:
        """The commit before all of them: what the team had agreed on then is what counts."""
        return self.steps[0].parent if self.steps else self.head


def reviewed_sources(run: NightlyRun) -> list[Source]:
    """Return the sources of a project that have a history."""
    sources = Source.objects.filter(project=run.project_id).exclude(kind__in=Source.GIVEN_KINDS)
    return list(sources.exclude(head="").order_by("created_at", "pk"))


def merged_since(run: NightlyRun, source: Source, *, most: int) -> Merged:
    """Return what was merged into a source since the run before, or since what a run names."""
    try:
        return _asked_for(run, source) if run.since else _since_last(run, source, most)
    except (GitError, ValueError) as error:
        logger.warning("The history of %s can't be read: %s", source.pk, error)
        return Merged([], "", f"{source.name}: its history can't be read.")


def _asked_for(run: NightlyRun, source: Source) -> Merged:
    since = find_commit(source.mirror, run.since)
    if not since:
        return Merged([], source.head, f"{source.name} has no commit called {run.since}.")
    steps = list(_new(source, main_line(source.mirror, source.head, since=since)))
    if len(steps) > MOST_AT_ONCE:
        note = f"{source.name}: {len(steps) - MOST_AT_ONCE:,} older commits were left out."
        return Merged(steps[-MOST_AT_ONCE:], source.head, note)
    return Merged(steps, source.head)


def _since_last(run: NightlyRun, source: Source, most: int) -> Merged:
    last = _last_head(run, source)
    if not last:
        steps = main_line(source.mirror, source.head, most=FIRST_NIGHT)
        return Merged(list(_new(source, steps)), source.head)
    note = ""
    if leads_to(source.mirror, last, source.head):
        steps = main_line(source.mirror, source.head, since=last)
    else:
        after = timezone.now() - FORGOTTEN
        steps = main_line(source.mirror, source.head, after=after)
        note = f"{source.name}: its history was rewritten; the commits of two days were looked at."
    steps = list(_new(source, steps))
    if len(steps) > most:
        left = len(steps) - most
        note = f"{source.name}: {left:,} more commits wait for the next night."
        return Merged(steps[:most], steps[most - 1].sha, note)
    return Merged(steps, source.head, note)


def _last_head(run: NightlyRun, source: Source) -> str:
    """Return up to which commit earlier runs have looked; a range asked for says nothing of it."""
    runs = NightlyRun.objects.filter(
        project=run.project_id, state=NightlyRun.State.DONE, since=""
    ).exclude(pk=run.pk)
    for heads in runs.order_by("-finished_at").values_list("heads", flat=True)[:50]:
        if head := heads.get(str(source.pk)):
            return str(head)
    return ""


def _new(source: Source, steps: list[Step]) -> Iterator[Step]:
    """Yield the steps that this version of the reviewer has not seen yet."""
    seen = set(
        Review.objects.filter(
            source=source,
            reviewer_version=REVIEWER_VERSION,
            commit__sha__in=[step.sha for step in steps],
        ).values_list("commit__sha", flat=True)
    )
    return (step for step in steps if step.sha not in seen)

"""Looking at remote repositories again and again, and syncing what has changed there."""

import logging
import random
from collections import Counter
from collections.abc import Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from time import monotonic
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Count, Exists, F, Func, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, Lower
from django.utils import timezone

from projects.checkpoints import checkpoint
from projects.jobs import enqueue
from projects.models import ForgeQuota, Job, Project, Source
from projects.remotes import API_SECONDS, GIT_SECONDS, Blocked, Seen, forge_of, look
from projects.shutdown import is_ending

logger = logging.getLogger(__name__)

RUN_SECONDS = 40.0  # after which what is left waits for the next minute
PATIENCE = API_SECONDS + GIT_SECONDS + 5  # names that nobody resolves have no limit of their own
AT_ONCE = 8
AT_ONCE_PER_HOST = 4
LONGEST_BACKOFF = timedelta(days=1)
_TOO_LATE = Seen(trouble="The server did not answer in time.", is_host_down=True)
_BROKEN = Seen(trouble="Something broke here; the log of the worker has it.")


@dataclass(frozen=True, slots=True)
class Polling:
    """How a source is watched, for its page."""

    minutes: int  # between two looks, 0 for never
    next_at: datetime | None
    last_at: datetime | None
    failures: int
    trouble: str
    note: str
    quota: ForgeQuota | None
    repository_id: int | None
    repository_name: str
    default_branch: str
    is_archived: bool


@dataclass(frozen=True, slots=True)
class Watched:
    """How many repositories are looked at, how many in vain, and when the next; None for now."""

    sources: int
    failing: int
    next_at: datetime | None


def polling_of(source: Source) -> Polling:
    """Return how a source is watched and what its forge says of it."""
    kept = source.forge
    repository = kept.get("repository", {})
    minutes = 0 if source.is_given else _minutes(source)
    last = kept.get("checked_at")
    return Polling(
        minutes=minutes,
        next_at=source.next_poll_at if minutes else None,
        last_at=datetime.fromisoformat(last) if last else None,
        failures=source.poll_failures,
        trouble=kept.get("poll_error", ""),
        note=kept.get("poll_note", ""),
        quota=_quota_of(source),
        repository_id=repository.get("id"),
        repository_name=repository.get("full_name", ""),
        default_branch=repository.get("default_branch")
        or ("" if source.branch else kept.get("branch", "")),
        is_archived=repository.get("is_archived", False),
    )


def watch_kept() -> Watched:
    """Return how all that is looked at stands."""
    found = _watched().aggregate(
        sources=Count("pk"),
        failing=Count("pk", filter=Q(poll_failures__gt=0)),
        waiting=Count("next_poll_at"),
        next_at=Min("next_poll_at"),
    )
    soonest = found["next_at"]
    is_later = found["waiting"] == found["sources"] and soonest and soonest > timezone.now()
    return Watched(found["sources"], found["failing"], soonest if is_later else None)


def poll() -> int:
    """Look at the sources whose time has come, and return how many those were."""
    ends, looked = monotonic() + RUN_SECONDS, 0
    down: set[str] = set()
    while monotonic() < ends and not is_ending() and (sources := claim(avoided=down)):
        for source, seen in _look_at_all(sources):
            looked += 1
            if seen.is_host_down:
                down.add(_host(source))
            if _record(source, seen):
                # Outside of the transaction: a sync locks its job first and then the source.
                with suppress(Job.DoesNotExist):  # the source was deleted at this moment
                    enqueue(source)
    return looked


def wait_until_next(minutes: int, failures: int) -> timedelta:
    """Return how long to wait: more with each failure, and never all sources at once."""
    interval = timedelta(minutes=minutes)
    grown = interval * (1 << min(failures, 12))
    kept_short = min(grown, max(interval, LONGEST_BACKOFF))
    return kept_short * random.uniform(0.9, 1.1)


@transaction.atomic
def claim(*, avoided: Collection[str] = ()) -> list[Source]:
    """Return sources that are due and now ours to look at; no other poller gets them."""
    due = (
        _due()
        .annotate(host=Func(Lower("url"), Value("^[a-z]+://([^/]+)"), function="substring"))
        .exclude(host__in=avoided)
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by(F("next_poll_at").asc(nulls_first=True), "pk")
    )
    claimed: list[Source] = []
    of_host: Counter[str] = Counter()
    for source in due[: AT_ONCE * 10]:
        of_host[_host(source)] += 1
        if of_host[_host(source)] <= AT_ONCE_PER_HOST and len(claimed) < AT_ONCE:
            claimed.append(source)
    for taken in claimed:
        # Ahead of the look: whoever dies during it delays the next one and loses nothing.
        wait = wait_until_next(_minutes(taken), taken.poll_failures)
        Source.objects.filter(pk=taken.pk).update(next_poll_at=timezone.now() + wait)
    return claimed


def _watched() -> QuerySet[Source]:
    return (
        Source.objects.exclude(kind__in=Source.GIVEN_KINDS)
        .annotate(minutes=Coalesce("poll_minutes", Value(settings.POLL_MINUTES)))
        .filter(minutes__gt=0)
    )


def _due() -> QuerySet[Source]:
    at_work = Job.objects.open().filter(source=OuterRef("pk"), kind=Job.Kind.SYNC)
    is_time = Q(next_poll_at=None) | Q(next_poll_at__lte=timezone.now())
    return _watched().filter(is_time, ~Exists(at_work))


def _minutes(source: Source) -> int:
    own = source.poll_minutes
    return settings.POLL_MINUTES if own is None else own


def _host(source: Source) -> str:
    return urlsplit(source.url).netloc.lower()


def _look_at_all(sources: list[Source]) -> Iterator[tuple[Source, Seen]]:
    """Yield what was seen of each as it comes, so that a dead server delays nobody else's."""
    now = timezone.now()
    blocked: Blocked = {
        (quota.host, quota.is_anonymous): quota.resets_at
        for quota in ForgeQuota.objects.filter(remaining=0, resets_at__gt=now)
    }
    checkpoint("poll.claimed")
    pool = ThreadPoolExecutor(AT_ONCE)
    waiting = {pool.submit(look, source, blocked): source for source in sources}
    try:
        for done in as_completed(list(waiting), timeout=PATIENCE):
            source = waiting.pop(done)
            yield source, _outcome(done)
    except TimeoutError:
        for source in waiting.values():
            yield source, _TOO_LATE
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _outcome(done: Future[Seen]) -> Seen:
    fault = done.exception()
    if fault is None:
        return done.result()
    logger.error("A poll broke.", exc_info=fault)
    return _BROKEN


@transaction.atomic
def _record(asked: Source, seen: Seen) -> bool:
    """Keep what was seen, and return whether the source wants a sync for it."""
    _keep_quota(seen)
    sources = Source.objects.select_for_update(of=("self",), no_key=True)
    source = sources.select_related("project").filter(pk=asked.pk).first()
    if source is None or _place(source) != _place(asked):
        return False  # deleted, or turned to another branch meanwhile: what was seen is of no use
    before = source.forge
    source.forge = {**before, **_kept(seen)}
    if seen.told and seen.told.committed_at:
        source.last_commit_date = seen.told.committed_at
    source.poll_failures = _failures(source, before, seen)
    wait = wait_until_next(_minutes(source), source.poll_failures)
    source.next_poll_at = timezone.now() + wait
    source.save(update_fields=["forge", "last_commit_date", "poll_failures", "next_poll_at"])
    if seen.trouble:
        logger.info("Poll of %s: %s", source.pk, seen.trouble)
    if seen.told and seen.told.repository:
        _tell_project(source.project, source, seen.told.repository)
    return _wants_sync(source, before, seen)


def _place(source: Source) -> tuple[str, ...]:
    return source.url, source.path, source.branch, source.folder_path


def _kept(seen: Seen) -> dict[str, Any]:
    kept: dict[str, Any] = {
        "checked_at": timezone.now().isoformat(),
        "poll_error": seen.trouble,
        "poll_note": seen.note,
    }
    if seen.head is not None:
        kept |= {"head": seen.head.commit or "", "branch": seen.head.branch}
    if seen.told is not None and seen.told.answers:
        kept["answers"] = seen.told.answers
    if seen.told is not None and seen.told.repository:
        kept["repository"] = seen.told.repository
    return kept


def _failures(source: Source, before: dict[str, Any], seen: Seen) -> int:
    """Count looks in a row that were of no use, and syncs of the same commit that fail."""
    in_vain = source.state == Source.State.FAILED and not _is_news(before, seen)
    return min(source.poll_failures + 1, 1000) if seen.trouble or in_vain else 0


def _is_news(before: dict[str, Any], seen: Seen) -> bool:
    return seen.head is not None and before.get("head") != (seen.head.commit or "")


def _wants_sync(source: Source, before: dict[str, Any], seen: Seen) -> bool:
    if seen.head is None:
        return False
    if before.get("asked_at") == (seen.head.commit or ""):
        return False  # the same commit would only ask the same again
    known = before.get("branch")
    is_renamed = not source.branch and bool(known) and known != seen.head.branch
    is_behind = (seen.head.commit or "") != source.head
    return is_behind or is_renamed or source.state == Source.State.FAILED


def _keep_quota(seen: Seen) -> None:
    if seen.told is None or seen.told.quota is None or seen.quota_of is None:
        return
    quota = seen.told.quota
    host, is_anonymous = seen.quota_of
    ForgeQuota.objects.update_or_create(
        host=host,
        is_anonymous=is_anonymous,
        defaults={
            "limit": quota.limit,
            "remaining": quota.remaining,
            "resets_at": quota.resets_at,
        },
    )


def _quota_of(source: Source) -> ForgeQuota | None:
    forge = forge_of(source)
    if forge is None:
        return None
    host, token = forge
    return ForgeQuota.objects.filter(host=host, is_anonymous=token is None).first()


def _tell_project(project: Project, source: Source, repository: dict[str, Any]) -> None:
    """Note which repository the project is, where nothing speaks against it."""
    number, branch = repository["id"], repository["default_branch"]
    named = project.repository_url.removesuffix(".git").rstrip("/").lower()
    is_it = not named or named == source.url.removesuffix(".git").rstrip("/").lower()
    taken = Project.objects.filter(github_repo_id=number).exists()
    if project.github_repo_id is None and is_it and not taken:
        free = Project.objects.filter(pk=project.pk, github_repo_id=None)
        try:
            with transaction.atomic():
                free.update(github_repo_id=number)
        except IntegrityError:  # another project took it between the look and the leap
            return
        project.github_repo_id = number
    if project.github_repo_id == number and project.default_branch != branch:
        Project.objects.filter(pk=project.pk).update(default_branch=branch)

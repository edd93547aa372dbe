"""A night's work for a project, step by step; whoever takes over from a dead runner goes on.

Every step is safe to run twice. A commit is reviewed in one transaction that also counts what it
took; what was reviewed is not reviewed again.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from time import monotonic

from django.db import transaction
from django.utils import timezone

from projects.checkpoints import checkpoint
from projects.companions import Companions, companions_before
from projects.diffs import Step, main_line
from projects.git_errors import GitError
from projects.jobs import enqueue
from projects.leases import JobCancelled, JobFailed, JobYielded, Lease
from projects.models import Job, Source
from reviews import asking, digests, gaps, indexing, standards
from reviews.examining import Examined, examine
from reviews.inspectors import Inspector, inspector
from reviews.merged import REVIEWER_VERSION, merged_since, reviewed_sources
from reviews.models import NightlyPlan, NightlyRun, Review, Standard
from reviews.planning import plan_of
from reviews.recording import keep_commit, keep_review
from reviews.steps import add_to, timed
from reviews.suggesting import Suggested, suggest_tests

logger = logging.getLogger(__name__)

SYNC_PATIENCE = timedelta(minutes=15)
LOOK_AGAIN = 2.0  # seconds, while sources are brought here
SUGGESTIONS = 3  # of a commit
COUNTED_STEPS = ("read", "tools", "checks", "model", "verify", "tests")


def run_nightly(lease: Lease) -> None:
    """Do what is left of a project's open run."""
    run = NightlyRun.objects.filter(
        project=lease.job.project_id, state__in=NightlyRun.OPEN_STATES
    ).first()
    if run is None:
        return
    try:
        Night(run, lease).go()
    except JobCancelled:
        _end(run, NightlyRun.State.CANCELLED)
        raise
    except JobFailed as failure:
        if not failure.retry:
            _end(run, NightlyRun.State.FAILED, failure.message)
        raise


def _end(run: NightlyRun, state: NightlyRun.State, error: str = "") -> None:
    now = timezone.now()
    NightlyRun.objects.filter(pk=run.pk, state__in=NightlyRun.OPEN_STATES).update(
        state=state, error=error[:500], finished_at=now, updated_at=now
    )


class Night:
    """One run of one project's nightly work."""

    def __init__(self, run: NightlyRun, lease: Lease) -> None:
        self.run = run
        self.lease = lease
        self.plan: NightlyPlan = plan_of(run.project)

    def go(self) -> None:
        self._begin()
        self._sync()
        self._list()
        self._review()
        self._after()
        with self._holding():
            NightlyRun.objects.filter(pk=self.run.pk).update(
                state=NightlyRun.State.DONE, finished_at=timezone.now(), error=""
            )
        checkpoint("night.finished")

    @contextmanager
    def _holding(self) -> Iterator[None]:
        """A transaction that nobody else writes in meanwhile."""
        with transaction.atomic():
            self.lease.hold()
            yield

    def _is_done(self, step: str) -> bool:
        return bool(self.run.steps.get(step, {}).get("is_done"))

    def _begin(self) -> None:
        with self._holding():
            waiting = NightlyRun.objects.filter(pk=self.run.pk, state=NightlyRun.State.WAITING)
            waiting.update(state=NightlyRun.State.RUNNING, started_at=timezone.now())
        self.run.refresh_from_db()
        checkpoint("night.begun")

    def _sync(self) -> None:
        """Have the sources brought here, and let that work go first."""
        if self._is_done("sync"):
            return
        self.lease.progress("bringing the sources here")
        sources = Source.objects.filter(project=self.run.project_id).exclude(
            kind__in=Source.GIVEN_KINDS
        )
        if "sync" not in self.run.steps:
            with self._holding():
                for source in sources:
                    enqueue(source, requested_by=self.run.requested_by)
                add_to(self.run.pk, "sync", since=timezone.now().isoformat())
            checkpoint("night.sync_asked")
            raise JobYielded(LOOK_AGAIN)
        started_at = self.run.started_at or timezone.now()
        syncing = Job.objects.open().filter(source__in=sources, kind=Job.Kind.SYNC)
        if syncing.exists() and timezone.now() - started_at < SYNC_PATIENCE:
            raise JobYielded(LOOK_AGAIN)
        failed = [source.name for source in sources if source.state == Source.State.FAILED]
        note = f"Could not be synced: {', '.join(failed)}." if failed else ""
        with self._holding():
            took = (timezone.now() - started_at).total_seconds()
            add_to(self.run.pk, "sync", seconds=took, count=len(sources), is_done=True, note=note)
        self.run.refresh_from_db()
        checkpoint("night.synced")

    def _list(self) -> None:
        """Read the team's standards and list what was merged, as rows that wait for a review."""
        if self._is_done("commits"):
            return
        self.lease.progress("listing what was merged")
        began_at, listed, notes, heads = monotonic(), 0, [], {}
        most = self.plan.commits_a_night
        found = [
            (one, merged_since(self.run, one, most=most)) for one in reviewed_sources(self.run)
        ]
        with self._holding(), timed(self.run.pk, "standards") as counted:
            for source, merged in found:
                counted["count"] += (
                    standards.read_standards(source, merged.base) if merged.base else 0
                )
        with self._holding():
            for source, merged in found:
                listed += self._wait_for(source, merged.steps, listed)
                heads[str(source.pk)] = merged.head
                notes += [merged.note] if merged.note else []
            NightlyRun.objects.filter(pk=self.run.pk).update(heads=heads, notes=notes)
            seconds = monotonic() - began_at
            add_to(self.run.pk, "commits", seconds=seconds, count=listed, is_done=True)
            checkpoint("night.listing")
        self.run.refresh_from_db()
        checkpoint("night.listed")

    def _wait_for(self, source: Source, steps: list[Step], position: int) -> int:
        reviews = [
            Review(
                project_id=source.project_id,
                source=source,
                commit=keep_commit(source, step),
                run=self.run,
                reviewer_version=REVIEWER_VERSION,
                parent_sha=step.parent,
                is_merge=step.is_merge,
                position=position + number,
            )
            for number, step in enumerate(steps)
        ]
        return len(Review.objects.bulk_create(reviews, ignore_conflicts=True))

    def _review(self) -> None:
        waiting = Review.objects.filter(run=self.run, status=Review.Status.PENDING)
        total = Review.objects.filter(run=self.run).count()
        by_source: dict[Source, list[Review]] = {}
        rows = waiting.select_related("source", "commit", "project").order_by("position", "pk")
        for review in rows:
            by_source.setdefault(review.source, []).append(review)
        done = total - sum(len(reviews) for reviews in by_source.values())
        for source, reviews in by_source.items():
            for _ in self._reviewed(source, reviews):
                done += 1
                self.lease.progress("reviewing", done, total)
                self.lease.make_way()

    def _reviewed(self, source: Source, reviews: list[Review]) -> Iterator[Review]:
        """Review the commits of a source, oldest first, and yield each when it is kept."""
        self.lease.progress("reviewing", 0, len(reviews))
        agreed = list(standards.enabled_of(source.project_id))
        steps = _steps_of(source, reviews)
        first = reviews[0].parent_sha
        companions = companions_before(source.mirror, first) if first else Companions()
        with inspector(standards.tree_rules(agreed)) as lent:
            for review in reviews:
                step = steps.get(review.commit.sha)
                if step is None:
                    self._give_up(review, "The commit is no longer there.")
                else:
                    found = self._examined(review, step, companions, lent, agreed)
                    self._keep(review, found, agreed)
                yield review

    def _examined(
        self,
        review: Review,
        step: Step,
        companions: Companions,
        lent: Inspector,
        agreed: list[Standard],
    ) -> "tuple[Examined, list[Suggested]] | None":
        try:
            examined = examine(
                review.source.mirror,
                step,
                companions,
                lent,
                folder=review.source.folder_path,
                more=standards.checks_of(agreed),
            )
        except GitError as error:
            logger.warning("%s could not be read: %s", review, error.message)
            self._give_up(review, error.message)
            return None
        checkpoint("night.examined")
        with examined.timed("model"):
            asking.ask_about(self.run, review, examined, self.plan, self.lease)
        with examined.timed("tests"):
            suggested = _suggested(examined)
        companions.add(examined.change.paths)
        return examined, suggested

    def _keep(
        self,
        review: Review,
        found: "tuple[Examined, list[Suggested]] | None",
        agreed: list[Standard],
    ) -> None:
        if found is None:
            return
        examined, suggested = found
        began_at = monotonic()
        with self._holding():
            new = keep_review(review, examined, suggested, agreed)
            for step in COUNTED_STEPS:
                counts = {"tests": len(suggested), "verify": len(examined.findings)}
                add_to(self.run.pk, step, seconds=examined.seconds[step], count=counts.get(step, 1))
            add_to(self.run.pk, "store", seconds=monotonic() - began_at, count=new)
            checkpoint("night.storing")
        checkpoint("night.stored")

    def _give_up(self, review: Review, reason: str) -> None:
        with self._holding():
            Review.objects.filter(pk=review.pk, status=Review.Status.PENDING).update(
                status=Review.Status.COMMENTED,
                summary=f"Not reviewed. {reason}",
                reviewed_at=timezone.now(),
            )

    def _after(self) -> None:
        """What follows when all is reviewed: gaps, the index, and telling people."""
        for step, activity in (
            ("gaps", gaps.find_gaps),
            ("index", indexing.index_reviews),
            ("digest", digests.tell),
        ):
            self.run.refresh_from_db()
            if self._is_done(step):
                continue
            self.lease.progress(f"{step}")
            with self._holding(), timed(self.run.pk, step) as counted:
                counted["count"] = activity(self.run)
            checkpoint(f"night.{step}")


def _steps_of(source: Source, reviews: list[Review]) -> dict[str, Step]:
    wanted = {review.commit.sha for review in reviews}
    found: dict[str, Step] = {}
    try:
        for step in main_line(source.mirror, source.head):
            if step.sha in wanted:
                found[step.sha] = step
    except GitError as error:
        raise JobFailed(error.message, retry=True) from error
    return found


def _suggested(examined: Examined) -> list[Suggested]:
    found: list[Suggested] = []
    for file in examined.change.product():
        if len(found) >= SUGGESTIONS:
            break
        if file.added and file.after:
            found += suggest_tests(
                examined.change.tree, file.path, file.added.keys(), most=SUGGESTIONS - len(found)
            )
    return found

"""What people decide about findings, and how the reviewer grows quieter by it."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from accounts.auditing import record
from accounts.models import User
from projects.models import Project, Task
from reviews.models import Finding, Mute, TestSuggestion
from reviews.recording import rescore_review

ENOUGH = 3  # dismissals of a kind, after which it is not told of any more
PRIORITIES = {
    Finding.Severity.CRITICAL: Task.Priority.CRITICAL,
    Finding.Severity.WARNING: Task.Priority.MEDIUM,
    Finding.Severity.INFO: Task.Priority.LOW,
}


class DecisionRefused(Exception):
    """This can't be decided so; the message says why."""


@transaction.atomic
def decide(
    finding: Finding, state: str, *, by: User, reason: str = "", comment: str = ""
) -> Finding:
    """Accept or dismiss a finding, or open it again; three dismissals of a kind mute that kind."""
    kept = Finding.objects.select_for_update().get(pk=finding.pk)
    if state not in {Finding.State.OPEN, Finding.State.ACCEPTED, Finding.State.DISMISSED}:
        raise DecisionRefused("A finding is accepted, dismissed, or open.")
    if reason not in Finding.Reason.values:
        raise DecisionRefused("This is no reason to dismiss a finding.")
    if kept.state == Finding.State.FIXED and _came_again(kept):
        raise DecisionRefused("It was fixed and came again later: decide about that one.")
    was_dismissed = kept.state == Finding.State.DISMISSED
    kept.state = Finding.State(state)
    is_dismissed = kept.state == Finding.State.DISMISSED
    kept.reason = reason if is_dismissed else ""
    kept.comment = comment.replace("\0", " ")[:500] if is_dismissed else ""
    is_decided = kept.state != Finding.State.OPEN
    kept.decided_by = by if is_decided else None
    kept.decided_at = timezone.now() if is_decided else None
    if not is_decided:
        kept.fixed_in = None
    kept.save()
    if was_dismissed != is_dismissed:
        _count_dismissals(kept)
    rescore_review(kept.review_id)
    record(by, f"{kept.state} a finding", kept, project_id=kept.project_id, rule=kept.rule)
    return kept


def _came_again(fixed: Finding) -> bool:
    same = Finding.objects.filter(source=fixed.source_id, fingerprint=fixed.fingerprint)
    return same.exclude(state=Finding.State.FIXED).exists()


def _count_dismissals(finding: Finding) -> None:
    """Mute a kind that was dismissed often enough since it was last heard; never of security."""
    if finding.category == Finding.Category.SECURITY:
        return
    mute = (
        Mute.objects.select_for_update()
        .filter(project=finding.project_id, rule=finding.rule)
        .first()
    )
    dismissed = Finding.objects.filter(
        project=finding.project_id, rule=finding.rule, state=Finding.State.DISMISSED
    ).exclude(reason=Finding.Reason.DUPLICATE)
    if mute is not None and mute.lifted_at is not None:
        dismissed = dismissed.filter(decided_at__gt=mute.lifted_at)
    count = dismissed.count()
    if count >= ENOUGH and (mute is None or mute.lifted_at is not None):
        _mute(finding.project_id, finding.rule, by=None, dismissals=count)
    elif mute is not None and mute.lifted_at is None and mute.muted_by_id is None:
        Mute.objects.filter(pk=mute.pk).update(dismissals=count)


def _mute(project_id: UUID, rule: str, *, by: User | None, dismissals: int) -> None:
    Mute.objects.update_or_create(
        project_id=project_id,
        rule=rule,
        defaults={
            "muted_by": by,
            "dismissals": dismissals,
            "lifted_at": None,
            "lifted_by": None,
        },
    )
    quiet = Finding.objects.filter(project=project_id, rule=rule, state=Finding.State.OPEN)
    quiet.exclude(category=Finding.Category.SECURITY).update(is_muted=True)


@transaction.atomic
def mute_rule(project: Project, rule: str, *, by: User) -> None:
    """Tell no more of a kind of finding; those of security are told all the same."""
    findings = Finding.objects.filter(project=project, rule=rule)
    if not findings.exists():
        raise DecisionRefused("Nothing of this kind was ever found here.")
    if not findings.exclude(category=Finding.Category.SECURITY).exists():
        raise DecisionRefused("Findings of security are never muted.")
    _mute(project.pk, rule, by=by, dismissals=0)
    record(by, "muted", project, project_id=project.pk, rule=rule)


@transaction.atomic
def lift_mute(mute: Mute, *, by: User) -> None:
    """Tell of a kind of finding again; dismissals count anew from now on."""
    now = timezone.now()
    Mute.objects.filter(pk=mute.pk, lifted_at=None).update(
        lifted_at=now, lifted_by=by, updated_at=now
    )
    Finding.objects.filter(project=mute.project_id, rule=mute.rule).update(is_muted=False)
    record(by, "unmuted", mute.project, project_id=mute.project_id, rule=mute.rule)


@transaction.atomic
def make_task(finding: Finding, *, by: User) -> Task:
    """Return the task to put a finding right; made once, and the finding accepted with it."""
    kept = Finding.objects.select_for_update().get(pk=finding.pk)
    if kept.task is not None:
        return kept.task
    sha = kept.review.commit.sha
    task = Task.objects.create(
        project_id=kept.project_id,
        user=by,
        title=f"{kept.claim}"[:255],
        description=(f"{kept.path}:{kept.lines} at {sha[:8]}\n\n{kept.evidence}\n\n{kept.quote}"),
        priority=PRIORITIES[Finding.Severity(kept.severity)],
        prompt=(
            f"In {kept.path}, near line {kept.start_line} as of commit {sha[:8]}: {kept.claim}"
            f" {kept.evidence}"
        ),
    )
    Finding.objects.filter(pk=kept.pk).update(task=task, updated_at=timezone.now())
    if kept.state == Finding.State.OPEN:
        decide(kept, Finding.State.ACCEPTED, by=by)
    record(by, "made a task of", kept, project_id=kept.project_id, task=str(task.pk))
    return task


@transaction.atomic
def make_test_task(suggestion: TestSuggestion, *, by: User) -> Task:
    """Return the task to add a suggested test; made once."""
    kept = TestSuggestion.objects.select_for_update().get(pk=suggestion.pk)
    if kept.task is not None:
        return kept.task
    task = Task.objects.create(
        project_id=kept.project_id,
        user=by,
        title=f"Test {kept.symbol}"[:255],
        description=f"{kept.reason}\n\nIn {kept.test_file or 'a new file'}:\n\n{kept.code}",
        priority=Task.Priority.LOW,
        prompt=f"Add this {kept.test_type} test for {kept.symbol} in {kept.target_file}.",
    )
    TestSuggestion.objects.filter(pk=kept.pk).update(
        task=task, state=TestSuggestion.State.USED, updated_at=timezone.now()
    )
    record(by, "made a task of", kept, project_id=kept.project_id, task=str(task.pk))
    return task


def settle_suggestion(suggestion: TestSuggestion, state: str) -> None:
    """Say what became of a suggested test: used, dismissed, or open again."""
    if state not in TestSuggestion.State.values:
        raise DecisionRefused("A suggestion is open, used or dismissed.")
    TestSuggestion.objects.filter(pk=suggestion.pk).update(state=state, updated_at=timezone.now())
    suggestion.state = state

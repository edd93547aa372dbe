"""People decide about findings, and the reviewer grows quieter by it; never about security."""

import pytest
from django.db import IntegrityError, transaction

from projects.models import Task
from reviews.deciding import (
    DecisionRefused,
    decide,
    lift_mute,
    make_task,
    mute_rule,
)
from reviews.models import Finding, Mute
from reviews.track_record import record_of

pytestmark = pytest.mark.django_db
IN_EARNEST = pytest.mark.django_db(transaction=True)  # a night commits what it does


@pytest.fixture
def several(swallowed) -> list[Finding]:
    """Findings of one kind in files of their own."""
    made = []
    for number in range(5):
        copy = Finding.objects.get(pk=swallowed.pk)
        copy.pk, copy.fingerprint, copy._state.adding = None, f"f{number}", True
        copy.id = None
        copy = Finding(
            **{
                field.attname: getattr(copy, field.attname)
                for field in Finding._meta.concrete_fields
                if field.name not in {"id", "created_at", "updated_at"}
            }
        )
        copy.save()
        made.append(copy)
    return made


def test_a_decision_is_kept_with_who_and_why_and_can_be_undone(swallowed, alice):
    decided = decide(swallowed, "dismissed", by=alice, reason="meant", comment="on purpose")
    assert (decided.state, decided.reason, decided.comment) == ("dismissed", "meant", "on purpose")
    assert decided.decided_by == alice

    undone = decide(swallowed, "open", by=alice)
    assert (undone.state, undone.reason, undone.decided_by) == ("open", "", None)


def test_what_is_dismissed_costs_the_commit_nothing(swallowed, alice):
    before = swallowed.review.quality_score
    decide(swallowed, "dismissed", by=alice)
    swallowed.review.refresh_from_db()
    assert swallowed.review.quality_score > before
    assert swallowed.review.status == "APPROVED"


@pytest.mark.parametrize(("state", "reason"), [("fixed", ""), ("gone", ""), ("dismissed", "why")])
def test_what_is_no_decision_is_refused(swallowed, alice, state, reason):
    with pytest.raises(DecisionRefused):
        decide(swallowed, state, by=alice, reason=reason)


def test_three_dismissals_of_a_kind_mute_it(several, alice, project):
    for finding in several[:2]:
        decide(finding, "dismissed", by=alice, reason="false")
    assert not Mute.objects.exists()

    decide(several[2], "dismissed", by=alice, reason="false")

    mute = Mute.objects.get(project=project)
    assert (mute.rule, mute.dismissals, mute.muted_by) == ("nightowl/swallowed-error", 3, None)
    several[3].refresh_from_db()
    assert several[3].is_muted


def test_a_mute_can_be_lifted_and_dismissals_count_anew(several, alice, project):
    for finding in several[:3]:
        decide(finding, "dismissed", by=alice, reason="false")
    lift_mute(Mute.objects.get(), by=alice)
    several[3].refresh_from_db()
    assert not several[3].is_muted

    decide(several[3], "dismissed", by=alice, reason="false")
    assert Mute.objects.get().lifted_at is not None


def test_what_is_known_already_is_no_reason_to_mute(several, alice):
    for finding in several:
        decide(finding, "dismissed", by=alice, reason="duplicate")
    assert not Mute.objects.exists()


def test_security_is_never_muted(several, alice, project):
    Finding.objects.filter(project=project).update(category="security")
    for finding in several:
        decide(finding, "dismissed", by=alice, reason="false")

    assert not Mute.objects.exists()
    with pytest.raises(DecisionRefused, match="never muted"):
        mute_rule(project, "nightowl/swallowed-error", by=alice)
    with pytest.raises(IntegrityError, match="security_is_never_muted"), transaction.atomic():
        Finding.objects.filter(project=project).update(is_muted=True)


@IN_EARNEST
def test_a_muted_kind_is_found_and_not_told(night, history, swallowed, alice, project):
    mute_rule(project, swallowed.rule, by=alice)
    other = "def f(a):\n    try:\n        g(a)\n        h(a)\n    except OSError:\n        pass\n"
    history.change("More", files={"more.py": other})

    night()

    found = Finding.objects.get(path="more.py", rule=swallowed.rule)
    assert found.is_muted
    assert not Finding.objects.told().filter(pk=found.pk).exists()


def test_a_task_is_made_once_and_accepts_the_finding(swallowed, alice):
    task = make_task(swallowed, by=alice)

    assert make_task(swallowed, by=alice) == task
    assert Task.objects.count() == 1
    assert "sending.py:11-12" in task.description
    swallowed.refresh_from_db()
    assert swallowed.state == Finding.State.ACCEPTED


def test_what_is_not_verified_can_not_be_more_than_a_remark(swallowed):
    with pytest.raises(IntegrityError, match="what_matters_is_verified"), transaction.atomic():
        Finding.objects.filter(pk=swallowed.pk).update(is_verified=False)


def test_the_record_counts_what_became_of_each_kind(several, alice, project, swallowed):
    decide(several[0], "accepted", by=alice)
    decide(several[1], "dismissed", by=alice)

    record = record_of(project)

    (row,) = [one for one in record.by_rule if one.name == "nightowl/swallowed-error"]
    assert (row.total, row.open, row.accepted, row.dismissed) == (6, 4, 1, 1)
    assert row.share == 0.5

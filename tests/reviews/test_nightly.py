"""A night: what was merged is examined once, and what was found is kept with its evidence."""

import pytest

from knowledge.models import Document
from knowledge.retrieval import Filters, search
from projects.jobs import claim
from projects.leases import Lease, LeaseLost
from projects.models import Commit, Job
from reviews import nightly
from reviews.deciding import DecisionRefused, decide
from reviews.models import ConventionScore, Finding, NightlyRun, Review, TestSuggestion
from reviews.planning import AlreadyRunning, begin_run, cancel_run
from tests.reviews.conftest import work
from tests.reviews.rows import SENDING

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_night_reviews_what_was_merged_and_says_what_it_found(night, history):
    sha = history.change("Send reminders", author="Cai", files={"sending.py": SENDING})

    run = night()

    review = Review.objects.get(commit__sha=sha)
    assert review.status == Review.Status.COMMENTED
    assert review.run == run
    finding = Finding.objects.get(review=review, rule="nightowl/swallowed-error")
    assert (finding.path, finding.start_line, finding.end_line) == ("sending.py", 11, 12)
    assert finding.quote == "        except OSError:\n            continue"
    assert finding.is_verified
    assert finding.is_shown
    assert [row["is_lit"] for row in finding.hunk].count(True) == 2
    commit = Commit.objects.get(sha=sha)
    assert (commit.author, commit.files_changed, commit.deletions) == ("Cai", 1, 0)
    assert review.quality_score == pytest.approx(0.92, abs=0.02)
    assert review.security_score == 1.0


def test_a_second_night_looks_at_what_came_since_only(night, history):
    history.change("Send reminders", files={"sending.py": SENDING})
    night()
    sha = history.change("Say thanks", files={"thanks.txt": "Thanks.\n"})

    second = night()

    assert [one.commit.sha for one in Review.objects.filter(run=second)] == [sha]
    assert Review.objects.count() == 3


def test_a_night_without_news_tells_that(night, history):
    night()

    assert not Review.objects.filter(run=night()).exists()


def test_a_merge_is_one_step_against_its_first_parent(night, history):
    night()
    side = history.repository.commit(
        {**history.files, "sending.py": SENDING},
        branch="side",
        parents=[history.head],
        message="Send reminders",
    )
    sha = history.change("Merge branch side", files={"sending.py": SENDING}, also=[side])

    run = night()

    (review,) = Review.objects.filter(run=run)
    assert review.commit.sha == sha
    assert review.is_merge
    assert review.findings.filter(path="sending.py").exists()


def test_what_was_renamed_is_not_new(night, history):
    history.change("Send reminders", files={"sending.py": SENDING})
    night()
    sha = history.change("Rename it", files={"sending.py": None, "telling.py": SENDING})

    night()

    assert not Finding.objects.filter(review__commit__sha=sha).exists()
    assert Finding.objects.get(rule="nightowl/swallowed-error").current_path == "telling.py"


def test_what_a_later_commit_puts_right_is_fixed(night, history, found):
    better = SENDING.replace("            continue", "            log(person)")
    sha = history.change("Log who was not reached", files={"sending.py": better})

    night()

    found.refresh_from_db()
    assert found.state == Finding.State.FIXED
    assert found.fixed_in.sha == sha


def test_what_comes_again_after_it_was_fixed_is_told_again(night, history, found, alice):
    history.change("Take it out", files={"sending.py": None})
    sha = history.change("Bring it back", files={"sending.py": SENDING})

    night()

    found.refresh_from_db()
    assert found.state == Finding.State.FIXED
    again = Finding.objects.get(review__commit__sha=sha, rule=found.rule)
    assert again.fingerprint == found.fingerprint
    assert again.state == Finding.State.OPEN
    with pytest.raises(DecisionRefused, match="came again"):
        decide(found, Finding.State.OPEN, by=alice)


def test_moved_lines_are_the_same_finding(night, history, found):
    history.change("Say more", files={"sending.py": '"""Letters."""\n\n' + SENDING})

    night()

    assert Finding.objects.filter(rule="nightowl/swallowed-error").count() == 1
    found.refresh_from_db()
    assert found.state == Finding.State.OPEN


def test_a_range_can_be_looked_at_again_from_any_commit(night, history, project):
    first = history.head
    history.change("Send reminders", files={"sending.py": SENDING})
    history.change("Say thanks", files={"thanks.txt": "Thanks.\n"})

    run = night(since=first)

    assert Review.objects.filter(run=run).count() == 2
    assert not Review.objects.filter(run=night(since=first)).exists()


def test_a_commit_that_nobody_has_is_said(night):
    assert "no commit called nonsense" in night(since="nonsense").notes[0]


def test_the_oldest_come_first_when_there_are_too_many(night, history, project):
    night()
    project.nightly_plan.commits_a_night = 2
    project.nightly_plan.save()
    shas = [history.change(f"Step {n}", files={"n.txt": str(n)}) for n in range(5)]

    run = night()

    assert [one.commit.sha for one in run.reviews.order_by("position")] == shas[:2]
    assert "3 more commits wait" in run.notes[0]
    assert [one.commit.sha for one in night().reviews.order_by("position")] == shas[2:4]


def test_a_rewritten_history_is_said_and_stops_nothing(night, history):
    night()
    history.head = history.repository.commit(history.files, message="Begin anew")

    assert "rewritten" in night().notes[0]


def test_findings_are_searched_in_their_collection(night, history, viewer, project, found):
    results = search(
        viewer,
        "an error is caught and nothing is done",
        project_ids=[project.pk],
        filters=Filters(collection="reviews"),
    )

    assert any("sending.py" in hit.text for hit in results.hits)
    metadata = Document.objects.get(title=found.claim).metadata
    assert metadata["severity"] == "warning"
    assert metadata["filePath"] == "sending.py"
    assert metadata["commitSha"] == found.review.commit.sha
    assert metadata["author"] == "Cai"


def test_the_lines_of_a_finding_open_though_the_index_has_gone_on(
    night, history, found, client_for, alice
):
    history.change("Start anew", files={"sending.py": '"""Nothing."""\n'})
    night()
    sha = found.review.commit.sha

    page = client_for(alice).get(f"/sources/{found.source_id}/at/{sha}/sending.py?lines=11-12")

    assert page.status_code == 200
    assert "except" in page.content.decode()


def test_a_file_says_how_many_findings_of_it_wait(found, client_for, alice):
    address = f"/sources/{found.source_id}/at/{found.review.commit.sha}/sending.py"
    browser = client_for(alice)
    assert "?path=sending.py" in browser.get(address).content.decode()
    decide(found, Finding.State.DISMISSED, by=alice)
    assert "?path=sending.py" not in browser.get(address).content.decode()


def test_modules_are_scored_and_tests_suggested(night, history):
    sha = history.change(
        "Split",
        files={
            "money.py": (
                "def split(cents: int, months: int) -> int:\n    if months < 1:\n"
                "        raise ValueError(months)\n    return cents // months\n"
            )
        },
    )

    night()

    assert ConventionScore.objects.filter(review__commit__sha=sha, module=".").exists()
    suggestion = TestSuggestion.objects.get(review__commit__sha=sha)
    assert (suggestion.target_file, suggestion.framework) == ("money.py", "pytest")


def test_each_step_says_what_it_took(night, history):
    history.change("Send reminders", files={"sending.py": SENDING})

    steps = night().steps

    assert steps["commits"]["count"] == 2
    assert steps["tools"]["count"] == 2
    assert all(step["seconds"] >= 0 for step in steps.values())
    assert {"sync", "checks", "verify", "store", "gaps", "index", "digest"} <= steps.keys()


def test_two_runs_at_once_are_one(project, ledger, alice):
    begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=alice)

    with pytest.raises(AlreadyRunning):
        begin_run(project, trigger=NightlyRun.Trigger.CLOCK)


def test_who_takes_over_goes_on_and_counts_once(project, ledger, history, alice, monkeypatch):
    history.change("Send reminders", files={"sending.py": SENDING})
    run = begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=alice)
    stop = KeyboardInterrupt  # as a worker that is killed: nothing of ours catches it

    def die(name: str) -> None:
        if name == "night.stored":
            raise stop

    monkeypatch.setattr(nightly, "checkpoint", die)
    with pytest.raises(stop):
        work()
    monkeypatch.undo()
    Job.objects.filter(kind=Job.Kind.NIGHTLY).update(lease_until="2026-01-01T00:00:00Z")
    work()

    run.refresh_from_db()
    assert run.state == NightlyRun.State.DONE
    assert Review.objects.filter(run=run).count() == 2
    assert run.steps["tools"]["count"] == 2


def test_a_runner_that_lost_its_lease_writes_nothing(project, ledger, history, alice):
    run = begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=alice)
    job = claim(run.job_id)
    assert job is not None
    Job.objects.filter(pk=job.pk).update(fence=job.fence + 1)

    with Lease(job) as lease, pytest.raises(LeaseLost):
        nightly.run_nightly(lease)

    run.refresh_from_db()
    assert run.state == NightlyRun.State.WAITING


def test_a_night_can_be_stopped_while_it_waits(project, ledger, alice):
    run = begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=alice)

    cancel_run(run)

    run.refresh_from_db()
    assert run.state == NightlyRun.State.CANCELLED


def test_a_run_whose_job_died_gives_the_project_back(project, ledger, alice):
    run = begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=alice)
    Job.objects.filter(pk=run.job_id).update(state=Job.State.FAILED, error="Gave up.")

    cancel_run(run)

    run.refresh_from_db()
    assert (run.state, run.error) == (NightlyRun.State.FAILED, "Gave up.")
    assert begin_run(project, trigger=NightlyRun.Trigger.BUTTON, by=alice).pk != run.pk

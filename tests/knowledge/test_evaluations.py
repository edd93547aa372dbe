"""Runs on the golden questions: asked for, measured, compared with the one before, kept."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.models import AuditEntry
from knowledge.evaluations import (
    HELD_FOR,
    KEPT,
    OUTCOMES_OF,
    _night_began_at,
    ask_for_evaluation,
    ask_for_tonight,
    changes_between,
    dismiss,
    failed_last,
    history_of,
    last_of,
    open_of,
    run_before,
    run_evaluation,
    tend_evaluations,
    worsened,
)
from knowledge.golden_questions import keep_golden_question
from knowledge.models import Evaluation
from knowledge.tasks import tend_evaluations as ring
from projects.models import Project
from tests.knowledge.space_samples import embed, the_active

WORDS = ("mail", "cache", "owl", "mouse", "barn", "moon")


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.GOLDEN_HOUR = -1


def text_about(word: str) -> str:
    return f"def keep_{word}({word}):\n    return {word}.kept_in_{word}()\n"


@pytest.fixture
def golden(project, source, index, alice):
    """Six files, and for each a question that finds it first."""
    for word in WORDS:
        index(source, f"src/{word}.py", text_about(word))
        keep_golden_question(project, f"what does keep_{word} do?", [f"src/{word}.py"], alice)
    return project


def measured(project: Project, alice) -> Evaluation:
    ask_for_evaluation(project, by=alice)
    assert tend_evaluations() == 1
    found = last_of(project)
    assert found is not None
    return found


def spoil(index, source) -> None:
    """Let other files be about the same words, and more so."""
    for word in WORDS:
        index(source, f"src/{word}.py", "nothing = 1\n")
        index(source, f"lib/{word}.py", text_about(word))


def test_a_run_keeps_figures_questions_and_what_was_searched(golden, source, alice):
    run = measured(golden, alice)
    assert (run.method, run.trigger, run.user) == ("usual", "person", alice)
    assert run.figures["by_file"]["questions"] == 6
    assert run.figures["by_file"]["mrr"] == 1
    assert run.figures["by_chunk"]["hit_at_1"] == 1
    assert [outcome["first"] for outcome in run.outcomes] == [1] * 6
    assert run.heads == {str(source.pk): "c" * 40}
    assert run.seconds > 0
    assert (run.verdict, run.comparison) == ("", {})
    assert open_of(golden) is None


def test_the_second_run_is_compared_with_the_first(golden, alice):
    first = measured(golden, alice)
    second = measured(golden, alice)
    assert second.verdict == "as well"
    assert second.comparison["against"] == str(first.pk)
    assert second.comparison["mrr"] == {"mean": 0, "low": 0, "high": 0}
    assert second.comparison["sentence"].startswith("Finds about as well")
    assert worsened(golden) is None


def test_what_finds_less_is_worse_and_stays_so_until_it_is_better(golden, source, index, alice):
    measured(golden, alice)
    spoil(index, source)
    fallen = measured(golden, alice)
    assert fallen.verdict == "worse"
    assert fallen.comparison["ndcg_at_10"]["high"] < 0
    assert worsened(golden) == fallen

    assert measured(golden, alice).verdict == "as well"
    assert worsened(golden) == fallen

    for word in WORDS:
        index(source, f"src/{word}.py", text_about(word))
        index(source, f"lib/{word}.py", "nothing = 1\n")
    assert measured(golden, alice).verdict == "better"
    assert worsened(golden) is None


def test_whoever_has_seen_it_may_dismiss_it(golden, source, index, alice):
    measured(golden, alice)
    spoil(index, source)
    dismiss(measured(golden, alice), by=alice)
    assert worsened(golden) is None
    assert AuditEntry.objects.filter(actor_id=alice.pk, action="dismissed").count() == 1


def test_only_questions_of_both_runs_are_compared(golden, alice, index, source):
    measured(golden, alice)
    keep_golden_question(golden, "what is nowhere?", ["gone.py"], alice)
    second = measured(golden, alice)
    assert second.comparison["questions"] == 6
    assert second.verdict == "as well"
    golden.golden_questions.all().delete()
    keep_golden_question(golden, "what else?", ["src/owl.py"], alice)
    assert measured(golden, alice).comparison == {}


def test_the_questions_that_moved_are_told(golden, source, index, alice):
    before = measured(golden, alice)
    index(source, "src/owl.py", "nothing = 1\n")
    index(source, "lib/owl.py", text_about("owl"))
    now = measured(golden, alice)
    assert run_before(now) == before
    assert run_before(before) is None
    assert run_before(before, now.pk) == now
    better, worse = changes_between(now, before)
    assert better == []
    assert [(change.query, change.before) for change in worse] == [("what does keep_owl do?", 1)]
    assert worse[0].now != 1
    better, worse = changes_between(before, now)
    assert (len(better), worse) == (1, [])


def test_what_waits_is_not_asked_for_twice(golden, alice):
    first = ask_for_evaluation(golden, by=alice)
    assert ask_for_evaluation(golden, by=alice) == first
    assert open_of(golden) == first
    ring()
    assert open_of(golden) is None
    assert tend_evaluations() == 0


def test_a_run_is_made_by_one_worker_and_taken_over_from_a_dead_one(golden, alice):
    run = ask_for_evaluation(golden, by=alice)
    Evaluation.objects.update(claimed_at=timezone.now())
    assert not run_evaluation(run)
    Evaluation.objects.update(claimed_at=timezone.now() - HELD_FOR - timedelta(seconds=1))
    assert run_evaluation(run)
    assert not run_evaluation(run)


def test_every_night_each_project_with_golden_questions_is_measured_once(golden, alice, settings):
    Project.objects.create(name="without questions", owner=alice)
    settings.GOLDEN_HOUR = timezone.now().hour
    assert ask_for_tonight() == 1
    waiting = Evaluation.objects.get(finished_at=None)
    assert (waiting.project, waiting.trigger, waiting.user) == (golden, "nightly", None)
    assert tend_evaluations() == 1
    assert ask_for_tonight() == 0
    assert tend_evaluations() == 0
    assert Evaluation.objects.count() == 1


def test_a_run_that_waits_already_is_not_opened_twice(golden, alice, settings):
    asked = ask_for_evaluation(golden, by=alice)
    settings.GOLDEN_HOUR = timezone.now().hour
    ask_for_tonight()
    assert Evaluation.objects.get() == asked


@pytest.mark.parametrize(
    ("hour", "now", "began"),
    [
        (2, (27, 2, 0), (27, 2)),
        (2, (27, 5, 59), (27, 2)),
        (2, (27, 6, 0), None),
        (2, (27, 1, 59), None),
        (23, (27, 1, 0), (26, 23)),
        (23, (27, 22, 59), None),
        (-1, (27, 2, 0), None),
    ],
)
def test_the_night_is_four_hours_long(settings, hour, now, began):
    settings.GOLDEN_HOUR = hour
    day, clock, minute = now
    found = _night_began_at(datetime(2026, 11, day, clock, minute, tzinfo=UTC))
    assert found == (began and datetime(2026, 11, *began, tzinfo=UTC))


def test_a_run_tells_how_far_it_is(golden, alice):
    run = measured(golden, alice)
    assert (run.done, run.total) == (6, 6)


def test_what_cannot_be_measured_says_why_and_is_no_run(golden, alice):
    measured(golden, alice)
    golden.golden_questions.all().delete()
    ask_for_evaluation(golden, by=alice)
    tend_evaluations()
    failed = failed_last(golden)
    assert failed is not None
    assert failed.error == "There are no golden questions to ask."
    assert len(history_of(golden, 10)) == 1


def test_vectors_are_used_where_there_are_some(golden, source, alice):
    embed(source)
    assert the_active()
    run = measured(golden, alice)
    assert run.figures["notes"] == []
    assert run.figures["by_file"]["mrr"] == 1


def test_old_runs_lose_their_questions_and_then_go(golden, alice):
    long_ago = timezone.now() - timedelta(days=300)
    Evaluation.objects.bulk_create(
        Evaluation(
            project=golden,
            finished_at=long_ago + timedelta(minutes=n),
            outcomes=[{"id": "1", "query": "q", "first": 1, "mrr": 1, "ndcg_at_10": 1}],
        )
        for n in range(KEPT + 5)
    )
    measured(golden, alice)
    runs = history_of(golden, KEPT + 10)
    assert len(runs) == KEPT
    assert sum(bool(run.outcomes) for run in runs) == OUTCOMES_OF


def test_runs_are_seen_by_members_alone(golden, alice, bob, charlie, viewer):
    measured(golden, alice)
    seen = Evaluation.objects.visible_to
    assert seen(viewer).count() == 1
    assert seen(type(viewer)(bob)).count() == 1
    assert seen(type(viewer)(charlie)).count() == 0

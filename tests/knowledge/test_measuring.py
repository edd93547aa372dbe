"""Asking a project questions by each method that has a name, and comparing what came out."""

import pytest

from knowledge.evaluation import judge
from knowledge.golden_sets import Golden, Passage
from knowledge.measuring import BASELINES, CannotMeasure, compare_runs, measure
from knowledge.verdicts import Word
from tests.knowledge.space_samples import build_beside, embed, know_other_words

QUESTIONS = [
    Golden("1", "who delivers a letter?", frozenset({"mail.py"})),
    Golden("2", "what evicts the oldest of the cache?", frozenset({"cache.py"})),
]


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.NIGHTOWL_HOME = tmp_path / "home"


@pytest.fixture
def indexed(source, index):
    index(source, "cache.py", "def evict(cache):\n    return cache.drop_oldest()\n")
    index(source, "mail.py", "def send_mail(letter):\n    return relay.deliver(letter)\n")
    return source


@pytest.mark.parametrize("method", ["usual", *BASELINES])
def test_each_method_that_has_a_name_is_asked(indexed, project, method):
    embed(indexed)
    run = measure(project, QUESTIONS, method)
    assert run.method == method
    assert [outcome.id for outcome in run.outcomes] == ["1", "2"]
    assert run.by_file.hit_at_1 == run.by_chunk.hit_at_1 == 1
    assert run.notes == []


def test_whoever_watches_hears_of_each_question(indexed, project):
    steps = []
    measure(project, QUESTIONS, step=lambda done, total: steps.append((done, total)))
    assert steps == [(1, 2), (2, 2)]


def test_without_vectors_the_usual_search_is_measured_and_says_so_once(indexed, project):
    run = measure(project, QUESTIONS)
    assert run.by_file.mrr == 1
    assert run.notes == ["Searched by words only: nothing is embedded yet."]


@pytest.mark.parametrize("method", ["vectors", "rrf", "naive"])
def test_a_method_of_vectors_is_not_measured_without_any(indexed, project, method):
    with pytest.raises(CannotMeasure, match="Nothing is embedded yet"):
        measure(project, QUESTIONS, method)


def test_words_alone_need_no_vectors(indexed, project):
    assert measure(project, QUESTIONS, "words").by_file.mrr == 1


def test_another_space_may_be_asked(indexed, project, settings):
    embed(indexed)
    other = build_beside(indexed, know_other_words(settings))
    for method in ("usual", "naive"):
        assert measure(project, QUESTIONS, method, space=other).by_file.hit_at_10 == 1


def outcome(pk: str, rank: int):
    found = [*(Passage(f"x{place}") for place in range(rank - 1)), Passage("a")]
    return judge(Golden(pk, "q", frozenset({"a"})), found)


def test_runs_are_compared_on_the_questions_that_both_were_asked():
    these = [outcome(str(n), 1) for n in range(30)]
    those = [outcome(str(n), 2) for n in range(5, 40)]
    verdict = compare_runs(these, those)
    assert (verdict.questions, verdict.word) == (25, Word.BETTER)
    assert verdict.mrr.mean == pytest.approx(0.5)
    assert compare_runs(those, these).word == Word.WORSE


def test_runs_without_a_common_question_say_so():
    assert compare_runs([outcome("1", 1)], [outcome("2", 1)]).questions == 0

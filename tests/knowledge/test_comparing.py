"""Whether another model finds more: on golden questions, or without any."""

import pytest

from knowledge.comparing import ask_to_compare, compare, compare_what_was_asked
from knowledge.golden_questions import keep_golden
from knowledge.golden_sets import Golden
from knowledge.models import EmbeddingSpace, GoldenQuestion
from knowledge.spaces import SpaceRefused, activate, declare, retire
from projects.models import Membership, Project, Source
from tests.knowledge.space_samples import (
    build_beside,
    embed,
    know_other_words,
    reach_of_server,
    the_active,
)
from tests.model_server import model_server


@pytest.fixture
def embedded(source, index):
    index(source, "src/cache.py", "def evict(cache):\n    return cache.drop_oldest()\n")
    index(source, "src/mail.py", "def send_mail(letter):\n    return relay.deliver(letter)\n")
    index(source, "docs/guide.md", "# Caching\n\nThe cache evicts what is oldest.\n")
    embed(source)
    return source


@pytest.fixture
def other(embedded, settings) -> EmbeddingSpace:
    return build_beside(embedded, know_other_words(settings))


QUESTIONS = [
    Golden("1", "who delivers a letter?", frozenset({"src/mail.py"})),
    Golden("2", "what evicts the oldest of the cache?", frozenset({"src/cache.py"})),
]


def test_two_spaces_are_compared_on_the_golden_questions(other, project, alice):
    assert keep_golden(project, QUESTIONS, by=alice) == 2
    found = compare(other)
    assert (found["questions"], found["against"]) == (2, str(the_active()))
    for figures in (found["this"], found["other"]):
        assert {"hit_at_1", "hit_at_5", "hit_at_10", "mrr", "ndcg_at_10"} <= set(figures)
        assert figures["hit_at_10"] == 1
    assert "on 2 questions" in found["verdict"]
    other.refresh_from_db()
    assert other.comparison == found


def test_the_same_words_may_be_asked_of_two_projects(other, project, alice, index, tmp_path):
    barn = Project.objects.create(name="barn", owner=alice)
    Membership.objects.create(project=barn, user=alice, role=Membership.Role.OWNER)
    theirs = Source.objects.create(project=barn, name="theirs", path=str(tmp_path))
    index(theirs, "barn/post.py", "def deliver(letter):\n    return letter\n")
    embed(theirs)
    keep_golden(project, QUESTIONS[:1])
    keep_golden(barn, [Golden("1", QUESTIONS[0].query, frozenset({"barn/post.py"}))])
    found = compare(other)
    assert (found["questions"], found["this"]["hit_at_1"]) == (2, 1)


def test_without_golden_questions_only_agreement_is_told(other):
    found = compare(other)
    assert found["questions"] == 0
    assert 0 <= found["agreement"] <= 1
    assert found["verdict"].startswith("No golden question says which is better.")


def test_a_set_that_is_kept_again_replaces_the_answers(project, db):
    keep_golden(project, QUESTIONS)
    changed = Golden("9", QUESTIONS[0].query, frozenset({"src/post.py"}))
    assert keep_golden(project, [changed]) == 0
    assert GoldenQuestion.objects.get(query=changed.query).relevant == ["src/post.py"]
    assert GoldenQuestion.objects.count() == 2


def test_the_active_space_is_compared_with_the_one_before(other):
    before = the_active()
    activate(other)
    other.refresh_from_db()
    assert compare(other)["against"] == str(before)


def test_there_may_be_nothing_to_compare_with(embedded):
    with pytest.raises(SpaceRefused, match="no other space"):
        compare(the_active())


def test_a_retired_space_is_not_compared(other):
    retire(other)
    other.refresh_from_db()
    with pytest.raises(SpaceRefused, match="no vectors to compare"):
        compare(other)


def test_what_was_asked_for_is_done_by_and_by(other, project, admin):
    keep_golden(project, QUESTIONS)
    ask_to_compare(other, by=admin)
    assert "asked_at" in other.comparison
    compare_what_was_asked()
    other.refresh_from_db()
    assert other.comparison["questions"] == 2
    assert "asked_at" not in other.comparison


def test_a_model_that_does_not_answer_is_not_judged(embedded, project):
    keep_golden(project, QUESTIONS)
    with model_server() as server:
        space = declare(reach_of_server(server))
        server.mode = "broken"
        ask_to_compare(space)
        compare_what_was_asked()
    space.refresh_from_db()
    assert space.comparison == {"verdict": "owl-1 does not answer: nothing was compared."}

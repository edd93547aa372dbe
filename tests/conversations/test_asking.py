from datetime import timedelta
from time import monotonic

import pytest
from django.db import IntegrityError
from django.utils import timezone

from accounts.viewers import Viewer
from conversations import asking
from conversations.models import Conversation, Message


def test_a_question_and_its_answer_stand_in_order(conversation):
    answer = asking.ask(conversation, "  Why?  ")
    question, waiting = conversation.messages.order_by("position")
    assert (question.role, question.content, question.position) == ("user", "Why?", 1)
    assert (waiting, waiting.position, waiting.state) == (answer, 2, Message.State.STREAMING)


@pytest.mark.parametrize("question", ["", "   ", "\0", "\n"])
def test_an_empty_question_is_refused(conversation, question):
    with pytest.raises(asking.QuestionRefused, match="Type a question"):
        asking.ask(conversation, question)
    assert not conversation.messages.exists()


def test_an_endless_question_is_refused(conversation):
    with pytest.raises(asking.QuestionRefused, match="at most"):
        asking.ask(conversation, "x" * 20_001)


def test_a_second_question_waits_for_the_first_answer(conversation):
    answer = asking.ask(conversation, "one")
    with pytest.raises(asking.QuestionRefused, match="still being written"):
        asking.ask(conversation, "two")
    asking.settle(answer, Message.State.COMPLETE, "done")
    asking.ask(conversation, "two")
    assert conversation.messages.count() == 4


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("Why?", "Why?"),
        ("First line\nsecond line", "First line"),
        ("word " * 40, "word " * 14 + "word…"),
    ],
)
def test_the_title_comes_from_the_first_question(conversation, question, title):
    asking.ask(conversation, question)
    conversation.refresh_from_db()
    assert conversation.title.startswith(title[:70])
    assert len(conversation.title) <= 80


def test_a_title_that_a_person_chose_stays(conversation):
    Conversation.objects.update(title="Mine")
    conversation.refresh_from_db()
    asking.ask(conversation, "another")
    conversation.refresh_from_db()
    assert conversation.title == "Mine"


def test_one_process_answers_a_question(conversation):
    answer = asking.ask(conversation, "one")
    assert asking.take(answer.pk) == answer
    assert asking.take(answer.pk) is None


def test_an_answer_whose_writer_died_is_interrupted_with_its_text(conversation):
    answer = asking.ask(conversation, "one")
    asking.take(answer.pk)
    asking.save_progress({answer.pk: "so far"})
    assert not asking.interrupt_if_abandoned(answer)
    Message.objects.filter(pk=answer.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert asking.interrupt_if_abandoned(answer)
    answer.refresh_from_db()
    assert (answer.state, answer.content) == (Message.State.INTERRUPTED, "so far")
    assert "kept" in answer.error


def test_a_stop_that_came_first_stays_a_stop(conversation):
    answer = asking.ask(conversation, "one")
    asking.stop(answer)
    assert asking.save_progress({answer.pk: "more"}) == set()
    asking.settle(answer, Message.State.COMPLETE, "text so far")
    answer.refresh_from_db()
    assert (answer.state, answer.content) == (Message.State.STOPPED, "text so far")


def test_whoever_stops_an_answer_waits_for_its_text_but_not_for_ever(conversation, monkeypatch):
    monkeypatch.setattr(asking, "PATIENCE", 0.3)
    answer = asking.ask(conversation, "one")
    asking.take(answer.pk)
    asking.stop(answer)
    started = monotonic()
    asking.wait_until_settled(answer)
    assert 0.3 <= monotonic() - started < 3
    asking.settle(answer, Message.State.COMPLETE, "text")
    asking.wait_until_settled(answer)
    assert monotonic() - started < 3


def test_a_conversation_belongs_to_one_person(conversation, viewer, bob, charlie):
    assert Conversation.objects.visible_to(viewer).get() == conversation
    assert not Conversation.objects.visible_to(Viewer(bob)).exists()
    assert not Conversation.objects.visible_to(Viewer(charlie)).exists()


def test_who_leaves_a_project_leaves_its_conversations(conversation, viewer, project, alice):
    project.memberships.filter(user=alice).delete()
    assert not Conversation.objects.visible_to(viewer).exists()


def test_the_database_knows_only_three_roles(conversation):
    with pytest.raises(IntegrityError):
        conversation.messages.create(position=9, role="robot")

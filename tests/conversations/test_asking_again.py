"""Every answer offers to be written once more, and one that did not come to its end says so."""

import pytest
from django.urls import reverse

from conversations import asking, branches
from conversations.models import Message


def page_of(client_for, conversation) -> str:
    browser = client_for(conversation.user)
    return browser.get(reverse("conversation", args=[conversation.pk])).content.decode()


@pytest.mark.parametrize("state", Message.UNFINISHED)
def test_an_unfinished_answer_can_be_asked_for_again(client_for, conversation, state):
    answer = asking.ask(conversation, "how is <it> evicted?")
    Message.objects.filter(pk=answer.pk).update(state=state, error="The model is gone.")
    page = page_of(client_for, conversation)
    assert reverse("message-anew", args=[answer.pk]) in page
    assert ">Ask again</span>" in page


def test_a_whole_answer_can_be_written_once_more_beside_it(client_for, conversation):
    answer = asking.ask(conversation, "how is it evicted?")
    asking.settle(answer, Message.State.COMPLETE, "So.")
    assert ">Again</span>" in page_of(client_for, conversation)

    anew = asking.answer_anew(answer)
    asking.settle(anew, Message.State.COMPLETE, "Otherwise.")
    assert anew.parent_id == answer.parent_id
    page = page_of(client_for, conversation)
    assert "Otherwise." in page
    assert "So." not in page
    assert reverse("message-show", args=[answer.pk]) in page


def test_a_question_in_other_words_begins_a_branch_and_leaves_the_other(conversation):
    first = asking.ask(conversation, "how is it evicted?")
    asking.settle(first, Message.State.COMPLETE, "So.")
    second = asking.ask(conversation, "and then?")
    asking.settle(second, Message.State.COMPLETE, "Then.")

    other = asking.ask(conversation, "how is it kept?", in_place_of=first.parent)
    asking.settle(other, Message.State.COMPLETE, "Thus.")
    conversation.refresh_from_db()
    assert [m.content for m in branches.shown(conversation)] == ["how is it kept?", "Thus."]
    assert [m.content for m in branches.before(other)] == ["how is it kept?"]

    branches.show(first.parent)
    conversation.refresh_from_db()
    told = ["how is it evicted?", "So.", "and then?", "Then."]
    assert [m.content for m in branches.shown(conversation)] == told


def test_what_is_asked_next_follows_the_branch_that_is_shown(conversation):
    first = asking.ask(conversation, "one?")
    asking.settle(first, Message.State.COMPLETE, "One.")
    other = asking.ask(conversation, "two?", in_place_of=first.parent)
    asking.settle(other, Message.State.COMPLETE, "Two.")
    branches.show(first)
    conversation.refresh_from_db()
    further = asking.ask(conversation, "three?")
    assert [m.content for m in branches.before(further)] == ["one?", "One.", "three?"]


def test_each_message_knows_its_place_among_its_versions(conversation):
    first = asking.ask(conversation, "one?")
    asking.settle(first, Message.State.COMPLETE, "One.")
    second = asking.answer_anew(first)
    asking.settle(second, Message.State.COMPLETE, "Eins.")
    third = asking.answer_anew(second)
    asking.settle(third, Message.State.COMPLETE, "Uno.")
    conversation.refresh_from_db()
    [question, answer] = branches.shown(conversation)
    assert (question.place.number, question.place.before, question.place.after) == (1, None, None)
    assert answer.place.ids == [first.pk, second.pk, third.pk]
    assert (answer.place.number, answer.place.before, answer.place.after) == (3, second.pk, None)


def test_only_answers_are_written_anew_and_only_questions_asked_in_other_words(conversation):
    answer = asking.ask(conversation, "one?")
    asking.settle(answer, Message.State.COMPLETE, "One.")
    with pytest.raises(asking.QuestionRefused):
        asking.answer_anew(answer.parent)
    with pytest.raises(asking.QuestionRefused):
        asking.ask(conversation, "two?", in_place_of=answer)


def test_a_person_has_so_many_answers_written_at_once(viewer, project, settings):
    settings.ANSWERS_PER_PERSON = 2
    for _ in range(2):
        asking.ask(asking.begin(viewer, project), "why?")
    with pytest.raises(asking.TooManyAnswers, match="2 answers are being written for you"):
        asking.ask(asking.begin(viewer, project), "why?")
    Message.objects.filter(role="assistant").update(state="complete")
    assert asking.ask(asking.begin(viewer, project), "why?").is_streaming


def test_an_answer_that_nobody_took_up_is_in_the_way_of_nothing(conversation):
    answer = asking.ask(conversation, "one?")
    Message.objects.filter(pk=answer.pk).update(updated_at="2001-01-01T00:00:00Z")
    assert asking.ask(conversation, "two?").is_streaming
    answer.refresh_from_db()
    assert answer.state == Message.State.INTERRUPTED

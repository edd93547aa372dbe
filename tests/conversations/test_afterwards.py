"""What a model does once an answer is there: a title, and a summary of what grew too long."""

import pytest
from asgiref.sync import async_to_sync

from conversations import afterwards, asking, keeping
from conversations.history import within_budget
from conversations.models import Conversation, Message
from providers.models import Budget, Call

pytestmark = pytest.mark.django_db(transaction=True)


def answered(conversation, question="How do owls hunt at night?", text="By ear [1].") -> Message:
    answer = asking.ask(conversation, question)
    asking.settle(answer, Message.State.COMPLETE, text)
    answer.refresh_from_db()
    return answer


def tidied(answer: Message) -> Conversation:
    async_to_sync(afterwards.tidy)(answer.pk)
    return Conversation.objects.get(pk=answer.conversation_id)


@pytest.mark.parametrize(
    ("pieces", "title"),
    [
        (["Owls ", "at night"], "Owls at night"),
        (['"Owls at night."'], "Owls at night"),
        (["Title: **Owls**"], "Owls"),
        (["<b>Owls</b>"], "<b>Owls</b>"),
    ],
)
def test_a_model_gives_a_better_title(conversation, model, server, pieces, title):
    server.pieces = pieces
    kept = tidied(answered(conversation))
    assert (kept.title, kept.titled_by) == (title, "model")
    assert Call.objects.get().purpose == "title"
    quoted = server.requests[0]["messages"][-1]["content"]
    assert "How do owls hunt at night?" in quoted
    assert "By ear." in quoted


@pytest.mark.parametrize("reply", ["", "   ", "one\ntwo", "x" * 200])
def test_what_is_no_title_is_not_used(conversation, model, server, reply):
    server.pieces = [reply]
    assert tidied(answered(conversation)).title == "How do owls hunt at night?"


def test_a_title_is_improved_once(conversation, model, server):
    server.pieces = ["Owls"]
    tidied(answered(conversation))
    server.pieces = ["Mice"]
    assert tidied(answered(conversation, "and mice?")).title == "Owls"


def test_a_title_that_a_person_gave_stays(conversation, model, server):
    answer = answered(conversation)
    keeping.rename(conversation, "Mine")
    assert tidied(answer).title == "Mine"
    assert server.requests == []


def test_a_name_given_while_the_model_thinks_stays(conversation, model):
    answer = answered(conversation)
    [errand] = afterwards.errands_of(answer.pk)
    keeping.rename(conversation, "Mine")
    errand.keep(answer, "Owls")
    assert Conversation.objects.get().title == "Mine"


def test_without_a_model_or_money_nothing_is_asked(conversation, server, request):
    answer = answered(conversation)
    assert tidied(answer).titled_by == "question"
    request.getfixturevalue("model")
    Budget.objects.create(limit_usd=0)
    assert tidied(answer).titled_by == "question"
    assert server.requests == []


def test_what_grew_too_long_is_summed_up_for_the_next_answer(conversation, model, server):
    conversation.titled_by = "person"
    conversation.save()
    for number in range(12):
        last = answered(conversation, f"question {number}?", "It hunts. " * 150)
    server.pieces = ["They spoke of ", "owls."]
    tidied(last)
    last.refresh_from_db()
    assert last.summary == "They spoke of owls."
    assert Call.objects.get().purpose == "summary"
    said = list(Message.objects.order_by("position"))
    history = within_budget(said)
    assert history.summary == "They spoke of owls."
    assert last.summarised_to == said[history.summarised - 1].position

    asked = len(server.requests)
    tidied(last)
    assert len(server.requests) == asked


def test_a_summary_goes_on_from_the_one_before(conversation, model, server):
    conversation.titled_by = "person"
    conversation.save()
    server.pieces = ["They spoke of owls."]
    for number in range(12):
        tidied(answered(conversation, f"question {number}?", "It hunts. " * 150))
    quoted = server.requests[-1]["messages"][-1]["content"]
    assert "earlier: They spoke of owls." in quoted
    assert "question 0?" not in quoted


def test_a_model_that_fails_changes_nothing(conversation, model, server):
    server.mode = "broken"
    assert tidied(answered(conversation)).titled_by == "question"
    assert "error 500" in Call.objects.get().error

"""An answer that did not come to its end offers to be tried once more."""

import pytest
from django.urls import reverse

from conversations import asking
from conversations.models import Message


def page_of(client_for, conversation) -> str:
    browser = client_for(conversation.user)
    return browser.get(reverse("conversation", args=[conversation.pk])).content.decode()


@pytest.mark.parametrize("state", Message.UNFINISHED)
def test_an_unfinished_answer_can_be_asked_for_again(client_for, conversation, state):
    answer = asking.ask(conversation, "how is <it> evicted?")
    Message.objects.filter(pk=answer.pk).update(state=state, error="The model is gone.")
    page = page_of(client_for, conversation)
    assert "Ask again</button>" in page
    assert 'name="question" value="how is &lt;it&gt; evicted?"' in page


def test_a_whole_answer_is_not(client_for, conversation):
    answer = asking.ask(conversation, "how is it evicted?")
    asking.settle(answer, Message.State.COMPLETE, "So.")
    assert "Ask again</button>" not in page_of(client_for, conversation)


def test_only_the_last_answer_is(client_for, conversation):
    first = asking.ask(conversation, "the first question")
    asking.settle(first, Message.State.FAILED, "", error="The model is gone.")
    second = asking.ask(conversation, "the second question")
    asking.settle(second, Message.State.COMPLETE, "So.")
    assert "Ask again</button>" not in page_of(client_for, conversation)

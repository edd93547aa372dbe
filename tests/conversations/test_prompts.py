import re

from conversations.history import History, tokens_in
from conversations.prompts import prompt_for
from providers.chat import ChatMessage
from tests.conversations.test_extraction import passage


def messages_for(question, passages):
    return prompt_for(question, passages, History([])).messages


def test_passages_stand_numbered_between_fences_that_nobody_can_guess():
    first = messages_for("why?", [passage(1, text="alpha"), passage(2, text="beta")])
    again = messages_for("why?", [passage(1)])
    fence, other = (re.search(r"=== passages \w+ ===", m[-1].content)[0] for m in (first, again))
    assert fence != other
    quoted = first[-1].content.split(fence)[1]
    assert "[1] src/file1.py lines 10-20\nalpha" in quoted
    assert "[2] src/file2.py lines 10-20\nbeta" in quoted
    assert fence in first[0].content


def test_the_question_stands_outside_the_fence():
    message = messages_for("what is alpha?", [passage()])[-1].content
    assert message.endswith("Question: what is alpha?")


def test_invisible_characters_do_not_reach_the_model():
    hidden = "safe\u200b\u202e\U000e0041text"
    assert "safetext" in messages_for("q", [passage(text=hidden)])[-1].content


def test_braces_in_code_are_left_alone():
    assert "{x}" in messages_for("{q}", [passage(text="f'{x}'")])[-1].content


def test_what_was_said_before_stands_between_the_rules_and_the_question():
    history = History([ChatMessage("user", "why?"), ChatMessage("assistant", "because")])
    sent = prompt_for("q", [passage()], history).messages
    assert [(m.role, m.content) for m in sent[1:-1]] == [("user", "why?"), ("assistant", "because")]


def test_a_summary_is_quoted_as_data():
    [rules, summary, _] = prompt_for("q", [passage()], History([], "owls hunt mice", 4)).messages
    fence = re.search(r"=== passages \w+ ===", rules.content)[0]
    assert "owls hunt mice" in summary.content.split(fence)[1]


def test_the_tokens_that_are_sent_are_counted():
    turns = [ChatMessage("user", "why does it hunt?")]
    prompt = prompt_for("q", [passage(text="alpha")], History(turns, "owls hunt mice", 4))
    whole = sum(tokens_in(message.content) for message in prompt.messages)
    assert prompt.sent == {
        "passages": tokens_in("alpha"),
        "turns": 1,
        "history": tokens_in("why does it hunt?"),
        "summarised": 4,
        "summary": tokens_in("owls hunt mice"),
        "total": whole,
    }


def test_passages_of_a_file_stand_beneath_its_name_with_what_they_are_in():
    first = passage(1, file_path="a.py", header="a.py > class Owl > def hunt(self) : mouse")
    message = messages_for("q", [first, passage(2, file_path="a.py"), passage(3)])[-1].content
    assert message.count("--- file a.py") == 1
    assert "[1] a.py lines 10-20 in class Owl > def hunt(self)\n" in message
    assert "--- file src/file3.py" in message

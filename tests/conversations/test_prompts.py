import re

from conversations.prompts import HISTORY_TOKENS, messages_for
from knowledge.pieces import tokens_of
from providers.chat import ChatMessage
from tests.conversations.test_extraction import passage


def test_passages_stand_numbered_between_fences_that_nobody_can_guess():
    first = messages_for("why?", [passage(1, text="alpha"), passage(2, text="beta")], [])
    again = messages_for("why?", [passage(1)], [])
    fence, other = (re.search(r"=== passages \w+ ===", m[-1].content)[0] for m in (first, again))
    assert fence != other
    quoted = first[-1].content.split(fence)[1]
    assert "[1] src/file1.py lines 10-20\nalpha" in quoted
    assert "[2] src/file2.py lines 10-20\nbeta" in quoted
    assert fence in first[0].content


def test_the_question_stands_outside_the_fence():
    message = messages_for("what is alpha?", [passage()], [])[-1].content
    assert message.endswith("Question: what is alpha?")


def test_invisible_characters_do_not_reach_the_model():
    hidden = "safe\u200b\u202e\U000e0041text"
    assert "safetext" in messages_for("q", [passage(text=hidden)], [])[-1].content


def test_braces_in_code_are_left_alone():
    assert "{x}" in messages_for("{q}", [passage(text="f'{x}'")], [])[-1].content


def test_of_a_long_history_the_last_turns_are_kept_whole():
    turns = [ChatMessage("user", f"turn {i} " + "x" * 900) for i in range(30)]
    kept = messages_for("q", [passage()], turns)[1:-1]
    assert kept == turns[-len(kept) :]
    assert 0 < sum(tokens_of(turn.content.encode()) for turn in kept) <= HISTORY_TOKENS


def test_the_numbers_of_earlier_answers_do_not_come_along():
    turns = [ChatMessage("assistant", "It evicts [1], as `a[1]` says [2].")]
    assert messages_for("q", [passage()], turns)[1].content == "It evicts, as `a[1]` says."


def test_passages_of_a_file_stand_beneath_its_name_with_what_they_are_in():
    first = passage(1, file_path="a.py", header="a.py > class Owl > def hunt(self) : mouse")
    message = messages_for("q", [first, passage(2, file_path="a.py"), passage(3)], [])[-1].content
    assert message.count("--- file a.py") == 1
    assert "[1] a.py lines 10-20 in class Owl > def hunt(self)\n" in message
    assert "--- file src/file3.py" in message

import re

from conversations.prompts import HISTORY_CHARACTERS, PASSAGE_CHARACTERS, messages_for
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


def test_of_a_long_history_the_last_turns_are_kept():
    turns = [ChatMessage("user", f"turn {i} " + "x" * 900) for i in range(30)]
    kept = messages_for("q", [passage()], turns)[1:-1]
    assert kept == turns[-len(kept) :]
    assert 0 < sum(len(turn.content) for turn in kept) <= HISTORY_CHARACTERS


def test_passages_are_cut_to_the_room_there_is():
    long = [passage(n, text="y" * 9_000) for n in range(1, 5)]
    message = messages_for("q", long, [])[-1].content
    assert message.count("y") <= PASSAGE_CHARACTERS + 10

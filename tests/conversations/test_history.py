from conversations.history import SUMMARY_TOKENS, TOKENS, tokens_in, within_budget
from conversations.models import Message

USER, ASSISTANT = Message.Role.USER, Message.Role.ASSISTANT


def talk(exchanges: int, *, words: int = 1) -> list[Message]:
    said = []
    for number in range(exchanges):
        position = 2 * number + 1
        said.append(Message(role=USER, content=f"Question {number}?", position=position))
        answer = f"Reply {number} says. " + "word " * words
        said.append(Message(role=ASSISTANT, content=answer, position=position + 1))
    return said


def test_what_fits_is_sent_word_for_word():
    history = within_budget(talk(3))
    assert [turn.role for turn in history.turns] == ["user", "assistant"] * 3
    assert history.turns[0].content == "Question 0?"
    assert (history.summary, history.summarised) == ("", 0)


def test_of_a_long_history_the_last_turns_are_kept_whole_and_the_others_in_short():
    said = talk(20, words=400)
    history = within_budget(said)
    assert 0 < sum(tokens_in(turn.content) for turn in history.turns) <= TOKENS
    assert history.turns[-1].content.startswith("Reply 19 says.")
    assert history.summarised == len(said) - len(history.turns)
    assert "- Asked: Question 0? Answered: Reply 0 says." in history.summary
    assert history.turns[0].content not in history.summary


def test_the_short_form_has_a_budget_and_keeps_what_came_last():
    history = within_budget(talk(300, words=300))
    assert tokens_in(history.summary) <= SUMMARY_TOKENS + 50  # the ends of the lines
    last_told = (history.summarised - 1) // 2
    assert f"Reply {last_told} says." in history.summary
    assert "Question 0?" not in history.summary


def test_the_numbers_of_earlier_passages_do_not_come_along():
    said = [Message(role=ASSISTANT, content="It evicts [1], as `a[1]` says [2].", position=1)]
    assert within_budget(said).turns[0].content == "It evicts, as `a[1]` says."


def test_what_a_model_summed_up_takes_the_place_of_what_it_covers():
    said = talk(20, words=400)
    said[7].summary, said[7].summarised_to = "They spoke of owls.", 6
    history = within_budget(said)
    assert history.summary.startswith("They spoke of owls.\n- Asked: Question 3?")
    assert "Question 2?" not in history.summary


def test_a_summary_of_what_is_sent_whole_is_not_used():
    said = talk(20, words=400)
    said[-1].summary, said[-1].summarised_to = "They spoke of owls.", 39
    assert "owls" not in within_budget(said).summary


def test_answers_without_a_text_are_left_out():
    said = [*talk(1), Message(role=USER, content="and?", position=3)]
    said.append(Message(role=ASSISTANT, content="", position=4))
    assert len(within_budget(said).turns) == 3

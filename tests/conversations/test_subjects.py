"""What a follow-up is about, and which questions are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.subjects import (
    Turn,
    asks_for_uses,
    leans_on_what_was_said,
    names_in,
    understand,
)

NAMED = Turn("How does `evict_oldest` choose a value?", "Cache.evict_oldest")
IN_WORDS = Turn("how is the oldest value evicted from the cache?", "Cache.evict_oldest")
IN_PROSE = Turn("how are releases made?")


@pytest.mark.parametrize(
    ("question", "sought"),
    [
        ("and who calls it?", "who calls evict_oldest?"),
        ("And who calls it", "who calls evict_oldest"),
        ("who uses that?", "who uses evict_oldest?"),
        ("what about tests?", "tests of evict_oldest?"),
        ("How about the tests?", "the tests of evict_oldest?"),
        ("why?", "why of evict_oldest?"),
        ("Why", "Why of evict_oldest?"),
        ("where is that?", "where is evict_oldest?"),
        ("what are its arguments?", "what are evict_oldest arguments?"),
        ("is it tested?", "is evict_oldest tested?"),
        ("can you show an example?", "can you show an example of evict_oldest?"),
        ("does it handle expiry?", "does evict_oldest handle expiry?"),
        ("what does this function return?", "what does evict_oldest function return?"),
    ],
)
def test_a_question_that_leans_gets_the_name_that_was_asked_about(question, sought):
    understood = understand(question, [IN_PROSE, NAMED])
    assert understood.text == sought
    assert understood.names == ("evict_oldest",)
    assert understood.is_carried


@pytest.mark.parametrize(
    "question",
    [
        "how does the cache expire?",
        "How are redirects followed?",
        "where is get_json defined?",
        "and what about getUserById?",
        "what is `Session`?",
        "Which functions that return JSON are deprecated?",
        "when a session is closed, what happens to it?",
        "how do I configure logging handlers?",
        "list all configuration keys",
        "explain the request context",
    ],
)
def test_a_question_that_stands_on_its_own_stays_as_it_is(question):
    understood = understand(question, [NAMED])
    assert understood.text == question
    assert not understood.is_carried


def test_without_a_name_the_words_and_the_symbol_of_the_answer_are_carried():
    understood = understand("and who calls it?", [IN_WORDS])
    assert understood.text == "who calls oldest value evicted cache evict_oldest?"
    assert understood.names == ("evict_oldest",)
    assert understood.asks_for_uses


def test_prose_without_symbols_is_carried_by_its_words():
    understood = understand("what about tests?", [IN_PROSE])
    assert (understood.text, understood.names) == ("tests of releases?", ())


def test_the_subject_goes_on_over_several_turns():
    first = understand("and who calls it?", [NAMED])
    second = understand("why?", [NAMED, Turn(first.text, "main")])
    assert second.text == "why of evict_oldest?"


@pytest.mark.parametrize("before", [[], [Turn("")], [Turn("why?")]])
def test_where_nothing_was_said_there_is_nothing_to_carry(before):
    assert understand("and who calls it?", before).text == "and who calls it?"


@pytest.mark.parametrize(
    ("question", "wanted"),
    [
        ("who calls get_json?", True),
        ("where is get_json used?", True),
        ("what uses the cache", True),
        ("callers of evict_oldest", True),
        ("which modules import evict_oldest?", True),
        ("how is get_json used?", False),
        ("how do I use the cache?", False),
        ("what is get_json?", False),
        ("where is get_json defined?", False),
        ("why is get_json called twice?", False),
    ],
)
def test_asking_for_the_places_that_use_a_thing_is_told_from_asking_for_the_thing(question, wanted):
    assert asks_for_uses(question) is wanted


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("where is get_user_by_id and `Cache`", ("Cache", "get_user_by_id")),
        ("flask.Flask.route() is what?", ("flask.Flask.route",)),
        ("getUserById HTTPAdapter", ("getUserById", "HTTPAdapter")),
        ("what does the “release plan” say", ("release plan",)),
        ("Nothing here is a Name.", ()),
        ("", ()),
    ],
)
def test_names_are_what_is_quoted_or_looks_like_code(text, names):
    assert names_in(text) == names


@given(st.text(max_size=200), st.text(max_size=80), st.text(max_size=30))
def test_any_text_is_understood_and_carried_only_when_it_leans(question, sought, symbol):
    understood = understand(question, [Turn(sought, symbol)])
    if not leans_on_what_was_said(question):
        assert understood.text == question
    assert len(understood.text) <= len(question) + len(sought) + len(symbol) + 10

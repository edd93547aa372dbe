"""What is shown of a passage is what matters, and stands there word for word."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conversations.excerpts import (
    Wanted,
    best_sentences,
    definition_for,
    definitions_in,
    explanation_of,
    lines_of_definition,
    lines_that_matter,
    mentions_of,
    sentences_of,
    telling_row,
)

PYTHON = '''@final
class Cache(
    Base,
):
    """Keeps values until they expire.

    def example():
        pass
    """

    def evict(self, limit=10):
        """Drop the oldest values first.

        Younger ones stay. See also :meth:`keep`.

        :param limit: How many at most.
        """
        def age_of(value):
            return value.age

        for value in sorted(self.values, key=age_of)[:limit]:
            self.values.remove(value)

    # Keeps a value for as long as it is asked for.
    def keep(self, value):
        self.values.append(value)
'''
TYPESCRIPT = """/**
 * Parses a string as JSON.
 * Throws where it is none.
 */
export async function parseJson<T>(text: string): Promise<T> {
  return JSON.parse(text);
}

export interface Owl {
  hunt(at: Night): Mouse;
}
"""


def wanted(question: str, *texts: str) -> Wanted:
    return Wanted.of(question, texts or (question,))


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (PYTHON, ["Cache", "evict", "keep"]),
        (TYPESCRIPT, ["parseJson", "Owl"]),
        ("func (s *Server) Listen(port int) error {\n\treturn nil\n}\n", ["Listen"]),
        ("pub(crate) fn hunt() {}\nstruct Owl;\n", ["hunt", "Owl"]),
        ("x = 1\ny = 2\n", []),
        ("", []),
    ],
)
def test_definitions_are_found_but_not_those_of_examples_or_within_functions(text, names):
    assert [one.name for one in definitions_in(text)] == names


def test_a_definition_goes_from_its_decorators_to_the_next():
    cache, evict, keep = definitions_in(PYTHON)
    rows = PYTHON.split("\n")
    assert rows[cache.first] == "@final"
    assert rows[evict.end - 1].strip() == ""
    assert rows[keep.signature].strip().startswith("def keep")


@pytest.mark.parametrize(
    ("question", "name"),
    [
        ("what does the cache do", "Cache"),
        ("how does evict work", "evict"),
        ("which values are dropped first", "evict"),
        ("how long is a value asked for", "keep"),
    ],
)
def test_the_definition_is_the_one_that_is_named_or_says_most(question, name):
    assert definition_for(question, "", PYTHON, wanted(question, PYTHON)).name == name


def test_code_explains_itself_by_its_docstring_or_the_comment_above_it():
    _, evict, keep = definitions_in(PYTHON)
    assert explanation_of(PYTHON, evict)[0] == "Drop the oldest values first."
    assert not any("param" in sentence for sentence in explanation_of(PYTHON, evict))
    assert explanation_of(PYTHON, keep) == ["Keeps a value for as long as it is asked for."]
    assert explanation_of(TYPESCRIPT, definitions_in(TYPESCRIPT)[0]) == [
        "Parses a string as JSON.",
        "Throws where it is none.",
    ]
    assert explanation_of("x = 1  # no\ny = 2", None) == []


def test_a_definition_is_shown_without_its_docstring_and_says_what_is_left_out():
    evict = definitions_in(PYTHON)[1]
    shown = lines_of_definition(PYTHON, evict, wanted("remove value"))
    assert shown.split("\n")[:2] == ["    def evict(self, limit=10):", "        …"]
    assert "oldest" not in shown
    assert "self.values.remove(value)" in shown


def test_of_many_lines_those_that_share_words_with_the_question_are_shown():
    text = "\n".join(f"line_{n} = {n}" for n in range(60)).replace("line_40", "timeout")
    shown = lines_that_matter(text, wanted("timeout", text))
    assert shown.split("\n") == ["line_39 = 39", "timeout = 40", "line_41 = 41", "…"]
    assert lines_that_matter("a = 1\nb = 2", wanted("c")) == "a = 1\nb = 2"


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One thing is said here. Another is said there.", 2),
        ("See e.g. the relay of mails. It sends all of them on.", 2),
        ("Heading of it\n\nA sentence that goes\nover two lines.", 1),
        ("Template Rendering\n------------------\n\nIt renders what it is given.", 1),
        ("Like this::\n\n    a = Relay(1, 2)\n    b = a.send()\n\nAnd that is all of it.", 1),
        ("```python\nThis is code and no sentence at all.\n```\n", 0),
        ("| a table | of things | that are rows |", 0),
        ("![badge](https://example.org/a.svg) and so on", 0),
        ("An odd ` backtick is never quoted here.", 0),
        ("Somebody cites [3] in here already.", 0),
        ("It is “quoted” already in this one.", 0),
        ("client . messages ( a = [ { b } ] ) ; ( c ) [ d ] { e }", 0),
        ("Too short.", 0),
        ("", 0),
    ],
)
def test_sentences_are_what_can_be_quoted(text, sentences):
    assert len(sentences_of(text)) == sentences


def test_sentences_are_chosen_by_rare_words_and_do_not_say_the_same_twice():
    texts = ["The relay sends mail.", "The relay sends mail again.", "A spool keeps mail."]
    chosen = best_sentences(texts, wanted("how do relay and spool handle mail", *texts), 2)
    assert chosen == ["The relay sends mail.", "A spool keeps mail."]
    assert best_sentences([], wanted("x"), 3) == []
    assert best_sentences(["Nothing of it.", "And no."], wanted("zebra"), 2) == ["Nothing of it."]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("def a():\n    b()\n\ndef c():\n    b(1)\n", [(1, "a"), (4, "c")]),
        ("from x import b\n\nvalue = b(1)\n", [(2, "")]),
        ("from x import b\n", [(0, "")]),
        ("def b():\n    return 1\n", []),
        ("# b() is not called\n'''\nb()\n'''\n", []),
        ("  b(at: Night): Mouse;\n  x.b(1);\n", [(1, "")]),
        ("bb()\nb2()\n_b()\n", []),
    ],
)
def test_uses_are_calls_first_and_never_words_about_it(text, rows):
    assert [(row, around) for row, _, around in mentions_of("b", text)] == rows


def test_one_row_tells_most():
    assert telling_row("# timeout\na = 1\nb = timeout\n", wanted("timeout")) == "b = timeout"
    assert telling_row("", wanted("timeout")) == ""


texts = st.text(alphabet="ab \n.:()\"'`#=/*@{}[1]…-\t", max_size=200) | st.sampled_from(
    [PYTHON, TYPESCRIPT]
)


@given(texts, st.text(max_size=30))
def test_any_text_has_excerpts_that_stand_in_it(text, question):
    asked = wanted(question, text)
    flat = " ".join(text.split())
    for sentence in sentences_of(text):
        assert sentence in flat
    definition = definition_for(question, "", text, asked)
    for sentence in explanation_of(text, definition):
        assert sentence in flat
    shown = lines_that_matter(text, asked)
    if definition is not None:
        shown += "\n" + lines_of_definition(text, definition, asked)
    rows = {row.strip() for row in text.split("\n")} | {"…", ""}
    assert {row.strip() for row in shown.split("\n")} <= rows


def test_what_a_module_says_of_itself_comes_before_its_comments():
    rows = ['"""Cuts a document into chunks."""', "", "# Raise it when texts change much.", "V = 3"]
    text = "\n".join(rows)
    assert explanation_of(text, None) == [
        "Cuts a document into chunks.",
        "Raise it when texts change much.",
    ]

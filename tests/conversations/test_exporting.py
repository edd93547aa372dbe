"""A conversation as a document to keep."""

import pytest

from conversations.exporting import as_markdown, citation_line
from conversations.models import Conversation, Message
from projects.models import Project

SOURCE = {"number": 2, "file_path": "a.py", "start_line": 3, "end_line": 9, "commit": "f" * 40}


def kept(*messages: Message, title: str = "Owls") -> str:
    return as_markdown(Conversation(title=title, project=Project(name="barn")), messages)


def test_a_conversation_without_messages_has_its_name() -> None:
    assert kept() == "# Owls\n\nProject: barn\n"


def test_a_title_can_not_begin_another_section() -> None:
    assert kept(title="Owls\n# and mice").startswith("# Owls # and mice\n")


def test_a_question_of_many_lines_is_one_quotation() -> None:
    text = kept(Message(role="user", content="one\n\n# two"))
    assert text.endswith("> one\n>\n> # two\n")


@pytest.mark.parametrize("state", ["stopped", "interrupted", "failed"])
def test_an_answer_that_was_not_ended_says_so(state: str) -> None:
    text = kept(Message(role="assistant", content="So far", state=state))
    assert text.endswith(f"So far\n\n*The answer is {state}.*\n")


def test_an_empty_answer_is_named() -> None:
    assert "(no text)" in kept(Message(role="assistant", state="failed"))


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({}, "[2] a.py:L3-L9 @ffffffffffff"),
        ({"file_path": "odd\nname.py"}, "[2] odd name.py:L3-L9 @ffffffffffff"),
        ({"commit": ""}, "[2] a.py:L3-L9 @"),
    ],
)
def test_a_citation_is_one_line(changed: dict[str, object], line: str) -> None:
    assert citation_line({**SOURCE, **changed}) == line

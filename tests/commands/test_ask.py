"""`manage.py ask`."""

import json
from collections.abc import Callable
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from conversations.models import Conversation
from knowledge.models import Document
from projects.models import Source

pytestmark = pytest.mark.django_db(transaction=True)


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("ask", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_an_answer_ends_with_its_citations(source: Source, index: Callable[..., Document]) -> None:
    index(source, "owl.py", "def hunt(mouse):\n    '''Hunt at night.'''\n    return mouse\n")
    told = run("Where is hunt defined?", "--project", "nightowl")
    assert told.rstrip().splitlines()[-1] == f"[1] owl.py:L1-L3 @{'c' * 12}"
    conversation = Conversation.objects.get()
    assert conversation.user == source.project.owner
    assert conversation.messages.count() == 2


def test_an_answer_can_be_read_by_a_program(source: Source, index: Callable[..., Document]) -> None:
    index(source, "owl.py", "def hunt():\n    return 1\n")
    answer = json.loads(run("Where is hunt defined?", "--project", "nightowl", "--json"))
    assert set(answer) == {"answer", "state", "note", "error", "conversation", "sources"}
    assert (answer["state"], answer["sources"][0]["file_path"]) == ("complete", "owl.py")


def test_what_nothing_tells_is_said(source: Source) -> None:
    assert "not in the indexed sources" in run("Where is the moon?", "--project", "nightowl")


@pytest.mark.parametrize(
    ("question", "name", "sentence"),
    [
        ("why?", "attic", "There is no project “attic”"),
        ("  ", "nightowl", "Ask something"),
        ("x" * 20_001, "nightowl", "20,000 characters"),
    ],
)
def test_what_can_not_be_asked_leaves_nothing(
    question: str, name: str, sentence: str, source: Source
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(question, "--project", name)
    assert not Conversation.objects.exists()

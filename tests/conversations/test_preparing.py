"""Passages are lines as they stand, and who asks for uses gets uses."""

import pytest

from conversations import asking
from conversations.finishing import answer_now
from conversations.models import Message
from knowledge.models import DocumentVersion

pytestmark = pytest.mark.django_db(transaction=True)

STORE = '''class Store:
    def save_all(self, rows):
        """Write every row to the disk, the oldest first."""
        for row in rows:
            self.write(row)

'''
FILLER = "".join(
    f'''
def step_{n}(value):
    """Do step {n} of the long way of a value through the machine."""
    first = value + {n}
    second = first * {n}
    third = second - value
    return [first, second, third, "step {n} is done and said so"]

'''
    for n in range(40)
)
JOBS = "from store import Store\n\n\ndef nightly(rows):\n    Store().save_all(rows)\n"
GUIDE = "# Store\n\nRows are kept by `save_all` each night.\n"
TESTS = "def test_save_all():\n    assert Store().save_all([]) is None\n"


@pytest.fixture
def indexed(source, index):
    index(source, "store.py", STORE)
    index(source, "machine.py", FILLER)
    index(source, "jobs.py", JOBS)
    index(source, "docs/store.md", GUIDE)
    index(source, "tests/test_store.py", TESTS)
    return source


@pytest.fixture
def ask(indexed, conversation):
    def ask(question: str) -> Message:
        return answer_now(asking.ask(conversation, question))

    return ask


def text_of(source: dict) -> str:
    version = DocumentVersion.objects.select_related("blob").get(path=source["file_path"])
    rows = version.blob.text.split("\n")
    return "\n".join(rows[source["start_line"] - 1 : source["end_line"]])


def test_a_passage_is_its_lines_also_when_it_grew(ask):
    answer = ask("what does step_20 do with a value?")
    grown = answer.sources[0]
    assert grown["file_path"] == "machine.py"
    assert grown["end_line"] - grown["start_line"] > grown["found_end"] - grown["found_start"]
    for source in answer.sources:
        assert source["text"] == text_of(source)


def test_a_part_of_an_enormous_line_stays_that_part(ask, source, index):
    index(source, "data.json", '{"zebra": "' + "stripes and hooves " * 900 + '"}')
    answer = ask("zebra stripes hooves")
    found = next(s for s in answer.sources if s["file_path"] == "data.json")
    assert found["text"] in text_of(found)
    assert len(found["text"]) < len(text_of(found))


def test_who_asks_for_callers_gets_the_places_and_the_definition_first(ask):
    answer = ask("who calls save_all?")
    paths = [source["file_path"] for source in answer.sources]
    assert paths[0] == "store.py"
    assert paths[1] == "jobs.py"
    assert "Store().save_all(rows)" in answer.content
    assert answer.sought == ""


def test_a_follow_up_asks_for_the_callers_of_what_was_found(ask):
    ask("what writes every row to the disk?")
    answer = ask("and who calls it?")
    assert "save_all" in answer.sought
    assert "jobs.py" in [source["file_path"] for source in answer.sources]


def test_a_name_that_nobody_uses_is_answered_by_its_definition(ask):
    answer = ask("who calls step_20?")
    assert answer.sources[0]["file_path"] == "machine.py"


def test_what_is_not_there_is_said_with_what_was_searched(ask):
    answer = ask("zeppelin gondola mooring procedure")
    assert answer.is_unanswered
    assert "Searched by words: code at cccccccc." in answer.content
    assert "`" not in answer.content
    assert answer.gap.reason == "zeppelin gondola mooring procedure"


def test_a_project_without_sources_says_so_and_counts_nothing(conversation):
    answer = answer_now(asking.ask(conversation, "anything?"))
    assert "no indexed source yet" in answer.content
    assert answer.gap is None

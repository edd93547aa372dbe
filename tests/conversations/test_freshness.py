"""Readers see what an answer was made from, and whether that has changed since."""

from datetime import UTC, datetime

import pytest
from django.urls import reverse

from conversations import asking
from conversations.finishing import answer_now
from conversations.freshness import BEHIND, CHANGED, GONE, SOURCE_GONE, indexed_at, mark_stale
from conversations.models import Message
from knowledge.models import Document
from projects.models import Source

QUESTION = "how is the oldest value evicted from the cache?"


@pytest.fixture
def answer(indexed, conversation, transactional_db) -> Message:
    return answer_now(asking.ask(conversation, QUESTION))


def stale(message: Message) -> dict[str, str]:
    mark_stale([message])
    return {source["file_path"]: source["stale_because"] for source in message.sources}


def test_a_fresh_answer_has_no_stale_passage_and_names_the_commit(answer, source):
    assert set(stale(answer).values()) == {""}
    assert [(one["source"], one["commit"]) for one in answer.indexed] == [("code", "c" * 40)]


def test_a_passage_of_a_changed_file_is_stale_and_others_are_not(answer, source, index):
    index(source, "src/cache.py", "def other():\n    return 1\n", commit="d" * 40)
    found = stale(answer)
    assert found["src/cache.py"] == CHANGED
    assert {why for path, why in found.items() if path != "src/cache.py"} <= {""}


def test_a_file_that_was_read_again_without_a_change_is_not_stale(answer, source, index):
    text = Document.objects.get(path="src/cache.py").content
    index(source, "src/cache.py", text, commit="d" * 40)
    assert stale(answer)["src/cache.py"] == ""


def test_a_passage_of_a_file_that_is_gone_is_stale(answer):
    Document.objects.filter(path="src/cache.py").delete()
    assert stale(answer)["src/cache.py"] == GONE


def test_a_passage_of_a_source_that_was_removed_is_stale(answer):
    Source.objects.all().delete()
    assert set(stale(answer).values()) == {SOURCE_GONE}


def test_a_repository_that_is_ahead_makes_its_passages_stale(answer, source):
    Source.objects.update(forge={"head": "e" * 40})
    assert set(stale(answer).values()) == {BEHIND}
    Source.objects.update(forge={"head": source.head})
    assert set(stale(answer).values()) == {""}


def test_one_query_marks_a_whole_conversation(answer, django_assert_num_queries):
    with django_assert_num_queries(1):
        mark_stale([answer, answer, Message(sources=None)])
    with django_assert_num_queries(0):
        mark_stale([Message(sources=None), Message(sources=[])])


def test_the_page_and_the_export_say_what_is_stale(answer, source, index, client_for, alice):
    Source.objects.update(last_synced_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    index(source, "src/cache.py", "def other():\n    return 1\n", commit="d" * 40)
    page = client_for(alice).get(reverse("conversation", args=[answer.conversation_id]))
    assert CHANGED in page.content.decode()
    assert "code at <code>cccccccc</code>" in page.content.decode()
    path = f"/api/v1/conversations/{answer.conversation_id}"
    kept = client_for(alice).get(f"{path}/export?to=markdown").content.decode()
    assert "(changed since)" in kept
    assert "Sources: code at cccccccccccc" in kept
    (told,) = [
        message
        for message in client_for(alice).get(f"{path}/messages").json()["results"]
        if message["role"] == "assistant"
    ]
    assert told["sources"][0]["stale"] is True


def test_sources_are_told_of_their_own_project_alone(project, source, alice):
    Source.objects.update(head="c" * 40)
    assert indexed_at(project.pk, [str(source.pk)])[0]["commit"] == "c" * 40
    assert indexed_at(project.pk)[0]["source"] == "code"
    other = type(project).objects.create(name="other", owner=alice)
    assert indexed_at(other.pk, [str(source.pk)]) == []

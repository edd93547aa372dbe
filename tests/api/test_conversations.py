"""Conversations over REST."""

import json
from typing import Any
from uuid import uuid4

import pytest

from accounts.models import User
from conversations.models import Conversation, Message
from providers.models import Provider
from tests.api.conftest import Caller, World


def test_a_conversation_is_begun_renamed_and_deleted(world: World, bob: User, browser: Any) -> None:
    caller = browser(bob)
    made = caller.post("/conversations", {"project": str(world.project.pk)}).json()
    assert (made["title"], made["provider"]) == ("New conversation", None)
    path = f"/conversations/{made['id']}"
    assert caller.patch(path, {"title": "Owls"}).json()["title"] == "Owls"
    assert caller.get(f"/conversations?project={world.project.pk}").json()["count"] == 1
    assert caller.delete(path).status_code == 204
    assert caller.get(path).status_code == 404


def test_a_conversation_stays_in_its_project_and_with_its_person(
    world: World, alice: User, bob: User, browser: Any
) -> None:
    before = Conversation.objects.values().get(pk=world.conversation.pk)
    wanted = {
        "project": str(world.other_project.pk),
        "project_id": str(world.other_project.pk),
        "user": str(bob.pk),
        "user_id": str(bob.pk),
        "id": str(uuid4()),
        "title": "New",
    }
    path = f"/conversations/{world.conversation.pk}"
    assert browser(alice).patch(path, wanted).status_code == 200
    after = Conversation.objects.values().get(pk=world.conversation.pk)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"title", "titled_by"}


def test_only_a_provider_that_answers_can_be_chosen(
    world: World, alice: User, browser: Any
) -> None:
    path, chosen = f"/conversations/{world.conversation.pk}", str(world.provider.pk)
    assert browser(alice).patch(path, {"provider": chosen}).json()["provider"] == chosen
    Provider.objects.update(is_enabled=False)
    assert browser(alice).patch(path, {"provider": chosen}).status_code == 400
    assert browser(alice).patch(path, {"provider": str(uuid4())}).status_code == 400
    assert browser(alice).patch(path, {"provider": None}).json()["provider"] is None


def test_messages_come_in_order_with_their_sources(world: World, alice: User, browser: Any) -> None:
    path = f"/conversations/{world.conversation.pk}/messages"
    question, answer = browser(alice).get(path).json()["results"]
    assert (question["role"], question["sources"]) == ("user", None)
    assert (answer["role"], answer["content"]) == ("assistant", "At night [1].")
    assert answer["sources"][0]["file_path"] == "owl.py"
    assert browser(alice).get(f"/messages/{answer['id']}").json() == answer


def test_an_answer_whose_writer_died_is_told_to_be_interrupted(
    world: World, alice: User, browser: Any
) -> None:
    Message.objects.filter(pk=world.message.pk).update(
        state="streaming", lease_until="2001-01-01T00:00:00Z"
    )
    path = f"/conversations/{world.conversation.pk}/messages"
    assert browser(alice).get(path).json()["results"][1]["state"] == "interrupted"


def test_stopping_keeps_the_text_and_an_ended_answer(
    world: World, alice: User, browser: Any
) -> None:
    path = f"/messages/{world.message.pk}/stop"
    assert browser(alice).post(path).json()["state"] == "complete"
    Message.objects.filter(pk=world.message.pk).update(state="streaming")
    stopped = browser(alice).post(path).json()
    assert (stopped["state"], stopped["content"]) == ("stopped", "At night [1].")


def test_feedback_is_kept_and_can_be_taken_back(world: World, alice: User, browser: Any) -> None:
    path = f"/messages/{world.message.pk}/feedback"
    kept = browser(alice).post(path, {"value": "down", "reason": "It is day."}).json()
    assert (kept["feedback"], kept["feedback_reason"]) == ("down", "It is day.")
    assert browser(alice).post(path, {"value": ""}).json()["feedback"] == ""
    assert browser(alice).post(path, {"value": "sideways"}).status_code == 400
    assert browser(alice).post(path, {"value": "up", "reason": "x" * 2001}).status_code == 400


def test_a_conversation_can_be_kept_as_json(world: World, alice: User, browser: Any) -> None:
    answer = browser(alice).get(f"/conversations/{world.conversation.pk}/export")
    assert "attachment" in answer["Content-Disposition"]
    kept = answer.json()
    assert kept["conversation"]["title"] == "Hunting"
    assert [message["position"] for message in kept["messages"]] == [1, 2]


def test_a_conversation_can_be_kept_as_markdown(world: World, alice: User, browser: Any) -> None:
    world.message.state = "stopped"
    world.message.save()
    path = f"/conversations/{world.conversation.pk}/export?to=markdown"
    answer = browser(alice).get(path)
    assert answer["Content-Type"] == "text/markdown; charset=utf-8"
    assert answer.content.decode() == (
        "# Hunting\n\nProject: nightowl\n\n> How do owls hunt?\n\nAt night [1].\n\n"
        "*The answer is stopped.*\n\n[1] owl.py:L1-L3 @cccccccccccc\n"
    )
    assert browser(alice).get(path.replace("markdown", "pdf")).status_code == 400


@pytest.mark.parametrize(
    ("question", "status"),
    [("", 400), ("  ", 400), ("x" * 20_001, 400), (None, 400), (["why?"], 400), ("x" * 10**7, 413)],
)
def test_a_question_that_can_not_be_taken_leaves_nothing(
    question: Any, status: int, world: World, alice: User, browser: Any
) -> None:
    path = f"/conversations/{world.conversation.pk}/ask"
    assert browser(alice).post(path, {"question": question}).status_code == status
    assert world.conversation.messages.count() == 2


def test_one_question_at_a_time(world: World, alice: User, browser: Any) -> None:
    Message.objects.filter(pk=world.message.pk).update(state="streaming")
    path = f"/conversations/{world.conversation.pk}/ask"
    answer = browser(alice).post(path, {"question": "why?"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "refused")


@pytest.mark.django_db(transaction=True)
def test_an_answer_comes_whole(world: World, alice: User, program: Any) -> None:
    caller: Caller = program(alice, "ask")
    path = f"/conversations/{world.conversation.pk}/ask"
    answer = caller.post(path, {"question": "Where is hunt defined?"}).json()
    assert (answer["state"], answer["role"]) == ("complete", "assistant")
    assert "owl.py" in {source["file_path"] for source in answer["sources"]}
    assert answer["content"]
    assert answer["position"] == 4


def test_an_answer_streams_when_asked_to(world: World, alice: User, browser: Any) -> None:
    path = f"/conversations/{world.conversation.pk}/ask"
    answer = browser(alice).post(path, {"question": "why?"}, accept="text/event-stream")
    assert answer["Content-Type"] == "text/event-stream"
    assert answer["X-Accel-Buffering"] == "no"
    assert answer["Cache-Control"] == "no-store"
    assert answer.streaming
    answer.close()


def test_a_refusal_is_json_even_where_events_were_asked_for(
    world: World, alice: User, browser: Any
) -> None:
    path = f"/conversations/{world.conversation.pk}/ask"
    answer = browser(alice).post(path, {"question": ""}, accept="text/event-stream")
    assert answer.status_code == 400
    assert set(json.loads(answer.content)["error"]["fields"]) == {"question"}


def test_a_reason_has_a_kind_and_goes_with_the_thumb(
    world: World, alice: User, browser: Any
) -> None:
    path = f"/messages/{world.message.pk}/feedback"
    kept = browser(alice).post(path, {"value": "down", "kind": "outdated"}).json()
    assert (kept["feedback"], kept["feedback_kind"]) == ("down", "outdated")
    assert browser(alice).post(path, {"value": ""}).json()["feedback_kind"] == ""
    assert browser(alice).post(path, {"value": "down", "kind": "odd"}).status_code == 400


def test_only_what_was_not_answered_is_reported_as_a_gap(
    world: World, alice: User, browser: Any
) -> None:
    path = f"/messages/{world.message.pk}/report-gap"
    assert browser(alice).post(path).status_code == 400
    Message.objects.filter(pk=world.message.pk).update(note=Message.NOT_IN_SOURCES)
    gap = browser(alice).post(path).json()["gap"]
    assert browser(alice).get(f"/knowledge-gaps/{gap}").json()["state"] == "confirmed"


def test_a_conversation_is_pinned_shared_and_found(
    world: World, alice: User, bob: User, browser: Any
) -> None:
    path = f"/conversations/{world.conversation.pk}"
    changed = browser(alice).patch(path, {"pinned": True, "shared": True}).json()
    assert (changed["pinned"], changed["shared"]) == (True, True)
    assert browser(alice).get("/conversations?q=night").json()["count"] == 1
    assert browser(alice).get("/conversations?q=zeppelin").json()["count"] == 0
    assert browser(bob).get("/conversations").json()["count"] == 0
    assert browser(bob).get("/conversations?shared=true").json()["count"] == 1
    assert browser(alice).get("/conversations?shared=true").json()["count"] == 0


def test_a_shared_conversation_is_read_without_its_persons_opinions(
    world: World, alice: User, bob: User, charlie: User, browser: Any
) -> None:
    path = f"/conversations/{world.conversation.pk}"
    browser(alice).post(f"/messages/{world.message.pk}/feedback", {"value": "up"})
    browser(alice).patch(path, {"shared": True})
    for read in (path, f"{path}/messages", f"{path}/export", f"/messages/{world.message.pk}"):
        assert browser(bob).get(read).status_code == 200
        assert browser(charlie).get(read).status_code == 404
    assert browser(bob).get(f"/messages/{world.message.pk}").json()["feedback"] == ""
    assert browser(bob).get(f"{path}/messages").json()["results"][1]["feedback"] == ""
    assert browser(bob).get(f"{path}/export").json()["messages"][1]["feedback"] == ""
    assert browser(alice).get(f"/messages/{world.message.pk}").json()["feedback"] == "up"
    assert browser(bob).patch(path, {"title": "Mine"}).status_code == 404
    assert browser(bob).post(f"{path}/ask", {"question": "why?"}).status_code == 404
    assert browser(bob).delete(path).status_code == 404


def test_a_deleted_conversation_is_brought_back(world: World, alice: User, browser: Any) -> None:
    path = f"/conversations/{world.conversation.pk}"
    assert browser(alice).delete(path).status_code == 204
    assert browser(alice).get(f"/messages/{world.message.pk}").status_code == 404
    assert browser(alice).post(f"{path}/restore").json()["title"] == world.conversation.title
    assert browser(alice).get(path).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_question_in_other_words_is_a_branch(world: World, alice: User, browser: Any) -> None:
    path = f"/conversations/{world.conversation.pk}"
    first = browser(alice).get(f"{path}/messages").json()["results"]
    body = {"question": "What do owls eat?", "in_place_of": first[0]["id"]}
    answer = browser(alice).post(f"{path}/ask", body).json()
    assert answer["state"] == "complete"
    shown = browser(alice).get(f"{path}/messages").json()["results"]
    assert shown[0]["content"] == "What do owls eat?"
    assert shown[0]["alternatives"] == [first[0]["id"], shown[0]["id"]]
    assert browser(alice).get(f"{path}/messages?branches=all").json()["count"] == 4

    assert browser(alice).post(f"/messages/{first[1]['id']}/show").status_code == 200
    assert browser(alice).get(f"{path}/messages").json()["results"] == [
        {**message, "alternatives": now["alternatives"]}
        for message, now in zip(
            first, browser(alice).get(f"{path}/messages").json()["results"], strict=True
        )
    ]
    foreign = {"question": "Why?", "in_place_of": str(uuid4())}
    assert browser(alice).post(f"{path}/ask", foreign).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_written_anew_and_can_be_followed(
    world: World, alice: User, browser: Any
) -> None:
    anew = browser(alice).post(f"/messages/{world.message.pk}/regenerate", {}).json()
    assert anew["parent"] == str(world.message.parent_id)
    assert anew["alternatives"] == [str(world.message.pk), anew["id"]]
    assert browser(alice).get(f"/messages/{anew['id']}").json() == anew
    answer = browser(alice).post(f"/messages/{anew['parent']}/regenerate", {})
    assert answer.status_code == 400

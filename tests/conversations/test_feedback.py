"""What readers say of answers is kept, can be taken back, and shows where knowledge is missing."""

import pytest
from django.urls import reverse

from conversations import asking
from conversations.feedback import give_feedback, note_unanswered, question_of, report_gap
from conversations.models import Message
from knowledge.models import KnowledgeGap


@pytest.fixture
def answer(conversation) -> Message:
    answer = asking.ask(conversation, "How do owls moor zeppelins?")
    lines = {"commit": "c" * 40, "start_line": 1, "end_line": 2}
    sources = [
        {"number": 1, "file_path": "a.py", "cited": False, "url": "/a", **lines},
        {"number": 2, "file_path": "docs/air/owls.md", "cited": True, "url": "/b", **lines},
    ]
    asking.settle(answer, Message.State.COMPLETE, "So [2].", sources=sources)
    answer.refresh_from_db()
    return answer


@pytest.fixture
def unanswered(conversation) -> Message:
    answer = asking.ask(conversation, "How do owls moor zeppelins?")
    asking.settle(answer, Message.State.COMPLETE, "No.", note=Message.NOT_IN_SOURCES, sources=[])
    answer.refresh_from_db()
    note_unanswered(answer, near="docs/owls.md")
    return answer


def gaps() -> list[tuple[str, int]]:
    return list(KnowledgeGap.objects.order_by("kind").values_list("kind", "times"))


def test_a_disliked_answer_makes_its_question_a_gap_near_what_was_cited(answer):
    give_feedback(answer, "down", kind="outdated", reason=" It was renamed. ")
    answer.refresh_from_db()
    assert (answer.feedback, answer.feedback_kind) == ("down", "outdated")
    assert answer.feedback_reason == "It was renamed."
    gap = KnowledgeGap.objects.get()
    assert (gap.kind, gap.reason) == ("disliked", "How do owls moor zeppelins?")
    assert gap.module == "docs/air"
    assert gap.samples[0]["comment"] == "Outdated: It was renamed."


def test_disliking_twice_counts_once_and_taking_it_back_leaves_nothing(answer):
    give_feedback(answer, "down", kind="wrong")
    give_feedback(answer, "down", kind="other", reason="no")
    assert gaps() == [("disliked", 1)]
    give_feedback(answer, "")
    answer.refresh_from_db()
    assert (answer.feedback, answer.feedback_kind, answer.feedback_reason) == ("", "", "")
    assert gaps() == []


def test_a_change_of_mind_takes_the_gap_along(answer):
    give_feedback(answer, "down")
    give_feedback(answer, "up", kind="wrong")
    answer.refresh_from_db()
    assert (answer.feedback, answer.feedback_kind) == ("up", "")
    assert gaps() == []


def test_a_follow_up_is_counted_by_what_it_meant(answer):
    Message.objects.filter(pk=answer.pk).update(sought="who calls moor_owl?")
    answer.refresh_from_db()
    assert question_of(answer) == "who calls moor_owl?"
    give_feedback(answer, "down")
    assert KnowledgeGap.objects.get().reason == "who calls moor_owl?"


def test_reporting_confirms_the_gap_and_again_changes_nothing(unanswered):
    assert unanswered.gap.state == "candidate"
    report_gap(unanswered)
    report_gap(unanswered)
    assert KnowledgeGap.objects.get().state == "confirmed"
    assert gaps() == [("low_evidence", 1)]


def test_reporting_what_was_forgotten_counts_it_anew(unanswered):
    KnowledgeGap.objects.all().delete()
    unanswered.refresh_from_db()
    assert report_gap(unanswered).state == "confirmed"


def test_thumbs_on_the_page_with_a_reason_and_back(client_for, answer, alice):
    browser, address = client_for(alice), reverse("message-feedback", args=[answer.pk])
    page = reverse("conversation", args=[answer.conversation_id])
    assert 'value="incomplete"' in browser.get(page).content.decode()
    browser.post(address, {"value": "down", "kind": "incomplete", "reason": "Half of it."})
    shown = browser.get(page).content.decode()
    assert "You found this not helpful: incomplete" in shown
    assert "Not helpful, take back" in shown
    browser.post(address, {"value": "down", "kind": "nonsense"})
    browser.post(address, {"value": "sideways"})
    answer.refresh_from_db()
    assert answer.feedback_kind == "incomplete"
    browser.post(address, {"value": ""})
    assert "You found this" not in browser.get(page).content.decode()


def test_an_unanswered_question_is_reported_on_the_page(client_for, unanswered, alice):
    browser = client_for(alice)
    page = reverse("conversation", args=[unanswered.conversation_id])
    assert "Report as a gap" in browser.get(page).content.decode()
    browser.post(reverse("message-gap", args=[unanswered.pk]))
    shown = browser.get(page).content.decode()
    assert "Report as a gap" not in shown
    assert "Reported." in shown


def test_an_answered_question_is_no_gap_to_report(client_for, answer, alice):
    client_for(alice).post(reverse("message-gap", args=[answer.pk]))
    assert gaps() == []


def test_nobody_else_can_say_anything_of_an_answer(client_for, answer, bob, charlie):
    for person in (bob, charlie):
        for name in ("message-feedback", "message-gap"):
            address = reverse(name, args=[answer.pk])
            assert client_for(person).post(address, {"value": "up"}).status_code == 404


def test_markup_in_a_reason_is_shown_not_run(client_for, answer, alice):
    give_feedback(answer, "down", reason="</textarea><script>owl()</script>")
    page = reverse("conversation", args=[answer.conversation_id])
    assert "<script>owl()" not in client_for(alice).get(page).content.decode()

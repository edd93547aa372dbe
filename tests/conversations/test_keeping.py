"""Naming, pinning, sharing, finding and deleting conversations."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from conversations import asking, keeping
from conversations.listing import by_day
from conversations.models import Conversation, Message


@pytest.fixture
def answered(conversation) -> Conversation:
    answer = asking.ask(conversation, "How do owls hunt?")
    asking.settle(answer, Message.State.COMPLETE, "At night, by ear.")
    conversation.refresh_from_db()
    return conversation


def names_of(days) -> list[tuple[str, list[str]]]:
    return [(day.name, [c.title for c in day.conversations]) for day in days]


def test_a_name_is_a_line_of_a_person(answered):
    keeping.rename(answered, " Owls\n at\0 night ")
    assert (answered.title, answered.titled_by) == ("Owls at night", "person")
    keeping.rename(answered, "  ")
    assert answered.title == "Owls at night"


def test_what_is_pinned_stands_first_and_the_rest_by_day(viewer, project):
    now = timezone.now()
    ages = [timedelta(0), timedelta(days=1), timedelta(days=3), timedelta(days=400)]
    for number, age in enumerate(ages):
        made = Conversation.objects.create(project=project, user=viewer.user, title=f"c{number}")
        Conversation.objects.filter(pk=made.pk).update(updated_at=now - age)
    keeping.pin(Conversation.objects.get(title="c2"), pinned=True)
    days = names_of(by_day(Conversation.objects.latest_first()))
    old = timezone.localdate(now - ages[3])
    assert days == [
        ("Pinned", ["c2"]),
        ("Today", ["c0"]),
        ("Yesterday", ["c1"]),
        (f"{old:%B %Y}", ["c3"]),
    ]
    keeping.pin(Conversation.objects.get(title="c2"), pinned=False)
    assert "Pinned" not in dict(names_of(by_day(Conversation.objects.latest_first())))


@pytest.mark.parametrize(
    ("words", "is_found"),
    [("owls", True), ("night ear", True), ("HUNT", True), ("mice", False), ("owls mice", False)],
)
def test_a_conversation_is_found_by_what_was_said(answered, words, is_found):
    assert Conversation.objects.mentioning(words).exists() == is_found


def test_a_search_of_many_words_looks_for_ten(answered):
    assert Conversation.objects.mentioning("owls " * 10 + "mice " * 90).exists()
    assert not Conversation.objects.mentioning("owls " * 9 + "mice").exists()
    assert not Conversation.objects.mentioning("%").exists()


def test_what_was_deleted_is_nowhere_and_comes_back_whole(answered, viewer):
    keeping.delete(answered)
    assert not Conversation.objects.visible_to(viewer).exists()
    assert not Message.objects.visible_to(viewer).exists()
    assert keeping.forget_deleted() == 0
    keeping.restore(Conversation.objects.deleted_by(viewer).get())
    assert Message.objects.visible_to(viewer).count() == 2


def test_what_was_deleted_an_hour_ago_is_gone_for_good(answered):
    keeping.delete(answered)
    Conversation.objects.update(deleted_at=timezone.now() - timedelta(minutes=61))
    assert keeping.forget_deleted() == 1
    assert not Message.objects.exists()


def test_deleting_stops_what_is_being_written(conversation):
    answer = asking.ask(conversation, "How do owls hunt?")
    keeping.delete(conversation)
    answer.refresh_from_db()
    assert answer.state == Message.State.STOPPED


def test_deleting_on_the_page_offers_to_undo_it(client_for, alice, answered, project):
    client = client_for(alice)
    listed = reverse("conversations", args=[project.pk])
    page = client.post(reverse("conversation-delete", args=[answered.pk]), follow=True)
    undo = reverse("conversation-restore", args=[answered.pk])
    assert undo in page.content.decode()
    assert "How do owls hunt?” was deleted" in page.content.decode()
    assert client.post(undo).status_code == 302
    assert "How do owls hunt?" in client.get(listed).content.decode()


def test_the_list_shows_ones_own_and_on_demand_what_others_share(
    client_for, alice, bob, answered, project
):
    listed = reverse("conversations", args=[project.pk])
    assert "How do owls hunt?" in client_for(alice).get(listed).content.decode()
    assert "How do owls hunt?" not in client_for(bob).get(listed).content.decode()
    client_for(alice).post(reverse("conversation-share", args=[answered.pk]), {"shared": "yes"})
    assert "How do owls hunt?" not in client_for(bob).get(listed).content.decode()
    shared = client_for(bob).get(f"{listed}?which=shared").content.decode()
    assert "How do owls hunt?" in shared
    assert reverse("conversation-delete", args=[answered.pk]) not in shared


def test_the_list_is_searched(client_for, alice, answered, project):
    listed = reverse("conversations", args=[project.pk])
    assert "How do owls hunt?" in client_for(alice).get(f"{listed}?q=ear").content.decode()
    none = client_for(alice).get(f"{listed}?q=mice").content.decode()
    assert "No conversation has these words" in none


def test_a_long_list_has_pages(client_for, alice, viewer, project):
    for number in range(101):
        Conversation.objects.create(project=project, user=viewer.user, title=f"talk {number:03}")
    listed = reverse("conversations", args=[project.pk])
    first, second = (
        client_for(alice).get(f"{listed}?q=talk&page={n}").content.decode() for n in (1, 2)
    )
    titles = [f"talk {number:03}" for number in range(101)]
    shown = [[title for title in titles if f">{title}<" in page] for page in (first, second)]
    assert [len(some) for some in shown] == [100, 1]
    assert sorted(shown[0] + shown[1]) == titles
    assert "?q=talk&amp;page=2" in first
    assert "?q=talk&amp;page=1" in second


def test_another_provider_is_chosen_on_the_page(client_for, alice, answered, model):
    address = reverse("conversation-provider", args=[answered.pk])
    client_for(alice).post(address, {"provider": str(model.pk)})
    answered.refresh_from_db()
    assert answered.provider == model
    for refused in ("nobody", "0b8e9c2a-0000-4000-8000-000000000000"):
        client_for(alice).post(address, {"provider": refused})
        answered.refresh_from_db()
        assert answered.provider == model
    client_for(alice).post(address, {"provider": ""})
    answered.refresh_from_db()
    assert answered.provider is None

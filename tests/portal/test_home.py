from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from conversations.models import Conversation
from projects.models import Membership, Project, Source


@pytest.fixture
def home(client_for, alice):
    client = client_for(alice)

    def get() -> str:
        return client.get("/").content.decode()

    return get


def another(owner, name: str) -> Project:
    project = Project.objects.create(name=name, owner=owner)
    project.memberships.create(user=owner, role=Membership.Role.OWNER)
    return project


def test_who_has_no_project_is_told_how_to_begin(home) -> None:
    page = home()

    assert "No projects yet" in page
    assert "manage.py add PATH_OR_URL" in page
    assert reverse("project-new") in page


def test_a_single_project_can_be_asked_at_once(home, project) -> None:
    page = home()

    assert f'action="{reverse("project-ask", args=[project.pk])}"' in page
    assert "Ask about nightowl" in page


def test_several_projects_are_listed_with_how_they_stand(
    home, alice, project, source, index
) -> None:
    index(source, "a.py", "a = 1\n")
    index(source, "b.py", "b = 1\n")
    Source.objects.update(last_synced_at=timezone.now() - timedelta(hours=3))
    Source.objects.create(project=project, name="broken", kind="upload", state="failed")
    another(alice, "second")

    page = home()

    assert "composer" not in page
    assert "1 failed" in page
    assert '<td class="number">2</td>' in page
    assert "3\xa0hours ago" in page
    assert "not yet" in page


def test_projects_of_others_are_not_listed(home, charlie) -> None:
    another(charlie, "theirs")

    assert "theirs" not in home()


def test_the_list_takes_the_same_queries_for_many(
    home, alice, django_assert_max_num_queries
) -> None:
    for number in range(25):
        owned = another(alice, f"project {number}")
        Source.objects.create(project=owned, name="s", kind="upload")

    with django_assert_max_num_queries(5):
        assert home().count("table__link") == 25


def shown(client, project) -> str:
    return client.get(reverse("project", args=[project.pk])).content.decode()


def test_a_project_without_sources_asks_for_one(client_for, alice, bob, project) -> None:
    assert reverse("source-new", args=[project.pk]) in shown(client_for(alice), project)
    seen = shown(client_for(bob), project)
    assert "An editor of the project can add one." in seen
    assert reverse("source-new", args=[project.pk]) not in seen


def test_a_project_whose_sources_are_being_read_says_so(client_for, alice, project, source) -> None:
    page = shown(client_for(alice), project)

    assert "Its sources are being read." in page
    assert "<textarea" not in page


def test_a_project_can_be_asked_as_soon_as_words_are_indexed(
    client_for, alice, project, source, index
) -> None:
    index(source, "engine.py", "def start_engine():\n    return 'go'\n")

    page = shown(client_for(alice), project)

    assert 'name="question"' in page
    assert "autofocus" in page
    assert 'value="How does start_engine work?"' in page


def test_only_ones_own_conversations_are_listed(
    client_for, alice, bob, project, source, index
) -> None:
    index(source, "a.py", "a = 1\n")
    Conversation.objects.create(project=project, user=alice, title="Where is it?")
    Conversation.objects.create(project=project, user=bob, title="A secret of bob")
    Conversation.objects.create(project=another(alice, "other"), user=alice, title="Elsewhere")

    page = shown(client_for(alice), project)

    assert "Where is it?" in page
    assert "A secret of bob" not in page
    assert "Elsewhere" not in page


def test_the_page_of_a_project_takes_the_same_queries_for_much(
    client_for, alice, project, source, index, django_assert_max_num_queries
) -> None:
    for number in range(12):
        index(source, f"m{number}.py", f"def function_{number}():\n    return {number}\n")
        Conversation.objects.create(project=project, user=alice, title=f"Question {number}")

    client = client_for(alice)
    with django_assert_max_num_queries(14):
        shown(client, project)

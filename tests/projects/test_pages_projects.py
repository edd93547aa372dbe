import pytest
from django.urls import reverse

from projects.models import Membership, Project, Source


@pytest.fixture
def page(project):
    return lambda name: reverse(name, args=[project.pk])


def test_a_project_is_created_and_asks_for_its_first_source(client_for, alice) -> None:
    answer = client_for(alice).post(reverse("project-new"), {"name": "memory", "description": ""})

    project = Project.objects.get(name="memory")
    assert answer.url == reverse("source-new", args=[project.pk])
    assert project.memberships.get().user == alice


@pytest.mark.parametrize(("name", "reason"), [("nightowl", "exists already"), ("", "required")])
def test_a_name_that_cannot_be_is_told(client_for, alice, project, name: str, reason: str) -> None:
    answer = client_for(alice).post(reverse("project-new"), {"name": name})

    assert answer.status_code == 400
    assert reason in answer.content.decode()


def test_an_owner_changes_the_project(client_for, alice, project, page) -> None:
    client = client_for(alice)
    assert b"Delete nightowl" in client.get(page("project-edit")).content

    client.post(page("project-edit"), {"name": "owl", "default_branch": "main"})

    project.refresh_from_db()
    assert project.name == "owl"


def test_a_change_that_cannot_be_leaves_the_old_name_on_the_page(
    client_for, alice, project, page
) -> None:
    answer = client_for(alice).post(page("project-edit"), {"name": "", "default_branch": "main"})

    assert answer.status_code == 400
    assert "<h1>nightowl</h1>" in answer.content.decode()


def test_deleting_says_what_goes_with_it_and_asks_for_the_name(
    client_for, alice, project, source, index, page
) -> None:
    index(source, "a.py", "a = 1\n")
    client = client_for(alice)

    text = client.get(page("project-delete")).content.decode()
    assert "<strong>1</strong> source, with 1 document in 1 chunk" in text
    assert client.post(page("project-delete"), {"name": "wrong"}).status_code == 400
    assert Project.objects.exists()

    answer = client.post(page("project-delete"), {"name": "nightowl"})
    assert answer.url == reverse("home")
    assert not Project.objects.exists()
    assert not Source.objects.exists()


@pytest.mark.parametrize("name", ["project-edit", "project-delete"])
@pytest.mark.parametrize("role", [Membership.Role.EDITOR, Membership.Role.VIEWER])
def test_only_owners_reach_the_settings(
    client_for, project, bob, page, name: str, role: str
) -> None:
    Membership.objects.filter(user=bob).update(role=role)
    client = client_for(bob)

    assert client.get(page(name)).status_code == 404
    assert client.post(page(name), {"name": "nightowl"}).status_code == 404
    assert Project.objects.get().name == "nightowl"


def test_members_are_listed_for_all_and_changed_by_owners(client_for, alice, bob, page) -> None:
    seen = client_for(bob).get(page("members")).content.decode()
    assert "Alice" in seen
    assert "Add a member" not in seen
    assert "Settings</a>" not in seen
    assert "Add a member" in client_for(alice).get(page("members")).content.decode()


def test_an_owner_adds_a_member(client_for, alice, charlie, project, page) -> None:
    client_for(alice).post(page("members"), {"username": "charlie", "role": "editor"})

    assert project.memberships.get(user=charlie).role == "editor"


@pytest.mark.parametrize(
    ("username", "role"),
    [("nobody", "viewer"), ("bob", "viewer"), ("charlie", "king"), ("", "viewer")],
)
def test_a_member_who_cannot_be_is_told(
    client_for, alice, charlie, project, page, username: str, role: str
) -> None:
    answer = client_for(alice).post(page("members"), {"username": username, "role": role})

    assert answer.status_code == 400
    assert "field__error" in answer.content.decode()
    assert project.memberships.count() == 2


def test_a_viewer_adds_nobody(client_for, bob, charlie, project, page) -> None:
    answer = client_for(bob).post(page("members"), {"username": "charlie", "role": "owner"})

    assert answer.status_code == 404
    assert project.memberships.count() == 2


def change(client, project, user, **data: str):
    membership = Membership.objects.get(project=project, user=user)
    return client.post(
        reverse("member-change", args=[project.pk, membership.pk]), data, follow=True
    )


def test_an_owner_changes_and_removes_members(client_for, alice, bob, project) -> None:
    client = client_for(alice)
    change(client, project, bob, role="editor")
    assert Membership.objects.get(user=bob).role == "editor"

    change(client, project, bob, remove="yes")
    assert not Membership.objects.filter(user=bob).exists()


def test_a_viewer_changes_nobody_not_even_themselves(client_for, alice, bob, project) -> None:
    client = client_for(bob)

    assert change(client, project, bob, role="owner").status_code == 404
    assert change(client, project, alice, remove="yes").status_code == 404
    assert Membership.objects.get(user=bob).role == "viewer"


def test_a_member_may_leave(client_for, bob, project) -> None:
    answer = change(client_for(bob), project, bob, remove="yes")

    assert answer.redirect_chain[-1][0] == reverse("home")
    assert not Membership.objects.filter(user=bob).exists()


def test_the_last_owner_is_told_to_stay(client_for, alice, project) -> None:
    answer = change(client_for(alice), project, alice, remove="yes")

    assert "needs an owner" in answer.content.decode()
    assert Membership.objects.get(user=alice).role == "owner"


def test_a_membership_of_another_project_is_out_of_reach(
    client_for, alice, charlie, project
) -> None:
    other = Project.objects.create(name="other", owner=charlie)
    theirs = Membership.objects.create(project=other, user=charlie, role="owner")

    address = reverse("member-change", args=[project.pk, theirs.pk])
    assert client_for(alice).post(address, {"remove": "yes"}).status_code == 404
    assert Membership.objects.filter(pk=theirs.pk).exists()


def test_the_members_page_takes_the_same_queries_for_many(
    client_for, alice, project, page, django_assert_max_num_queries
) -> None:
    people = type(alice).objects.bulk_create(type(alice)(username=f"user{n}") for n in range(30))
    Membership.objects.bulk_create(Membership(project=project, user=person) for person in people)

    client = client_for(alice)
    with django_assert_max_num_queries(8):
        assert client.get(page("members")).content.count(b"<tr>") == 33

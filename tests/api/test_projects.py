"""Projects, members and jobs over REST."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import AuditEntry, User
from projects.models import Job, Membership, Project
from tests.api.conftest import World


def test_a_project_is_created_with_its_owner(alice: User, browser: Any) -> None:
    asked = {"name": " barn ", "description": "where owls live", "github_repo_id": 7}
    answer = browser(alice).post("/projects", asked)
    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["role"], made["github_repo_id"]) == ("barn", "owner", 7)
    assert made["owner"]["username"] == "alice"
    assert made["default_branch"] == "main"
    assert browser(alice).get(f"/projects/{made['id']}").json() == made
    assert AuditEntry.objects.filter(action="created", object_id=made["id"]).exists()


def test_the_list_has_own_projects_with_the_callers_role(
    world: World, alice: User, bob: User, browser: Any
) -> None:
    rows = browser(alice).get("/projects").json()
    assert [(row["name"], row["role"]) for row in rows["results"]] == [
        ("nightowl", "owner"),
        ("other", "owner"),
    ]
    assert rows["count"] == 2
    assert [row["role"] for row in browser(bob).get("/projects").json()["results"]] == ["viewer"]


def test_what_the_system_writes_can_not_be_written(
    world: World, alice: User, charlie: User, browser: Any
) -> None:
    before = Project.objects.values().get(pk=world.project.pk)
    wanted = {
        "id": str(charlie.pk),
        "owner": str(charlie.pk),
        "owner_id": str(charlie.pk),
        "role": "viewer",
        "members": [str(charlie.pk)],
        "created_at": "2001-01-01T00:00:00Z",
        "description": "changed",
    }
    assert browser(alice).patch(f"/projects/{world.project.pk}", wanted).status_code == 200
    after = Project.objects.values().get(pk=world.project.pk)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"description", "updated_at"}
    assert world.project.memberships.count() == 2


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "nightowl"}, "name"),
        ({"name": "x" * 256}, "name"),
        ({"name": ["list"]}, "name"),
        ({"name": None}, "name"),
        ({"github_repo_id": 2**63}, "github_repo_id"),
        ({"github_repo_id": 1e30}, "github_repo_id"),
        ({"repository_url": "javascript:alert(1)"}, "repository_url"),
    ],
)
def test_a_project_that_can_not_be_is_refused(
    wrong: dict[str, Any], field: str, project: Project, alice: User, browser: Any
) -> None:
    answer = browser(alice).post("/projects", {"name": "barn", **wrong})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["code"] == "invalid"
    assert set(error["fields"]) == {field}
    assert Project.objects.count() == 1


def test_deleting_a_project_takes_all_of_it(world: World, alice: User, browser: Any) -> None:
    assert browser(alice).delete(f"/projects/{world.project.pk}").status_code == 204
    assert not Project.objects.filter(pk=world.project.pk).exists()
    assert not Job.objects.exists()


def test_the_list_of_projects_costs_the_same_however_long(
    alice: User, browser: Any, django_assert_num_queries: Any
) -> None:
    for number in range(20):
        made = Project.objects.create(name=f"p{number}", owner=alice)
        Membership.objects.create(project=made, user=alice, role="owner")
    caller = browser(alice)
    caller.get("/me")
    with django_assert_num_queries(4):  # session, person, count, rows
        assert len(caller.get("/projects").json()["results"]) == 20


def test_an_owner_adds_changes_and_removes_members(
    world: World, alice: User, charlie: User, browser: Any
) -> None:
    members = f"/projects/{world.project.pk}/members"
    added = browser(alice).post(members, {"username": "Charlie", "role": "editor"})
    assert added.status_code == 201
    assert added.json()["user"] == {"id": str(charlie.pk), "username": "charlie", "name": ""}
    one = f"{members}/{added.json()['id']}"
    assert browser(alice).patch(one, {"role": "viewer"}).json()["role"] == "viewer"
    assert browser(alice).delete(one).status_code == 204
    names = [row["user"]["username"] for row in browser(alice).get(members).json()["results"]]
    assert names == ["alice", "bob"]


def test_an_editor_is_no_owner(world: World, bob: User, browser: Any) -> None:
    world.member.role = "editor"
    world.member.save()
    assert browser(bob).patch(f"/sources/{world.source.pk}", {"name": "mine"}).status_code == 200
    assert browser(bob).patch(f"/projects/{world.project.pk}", {"name": "x"}).status_code == 403
    members = f"/projects/{world.project.pk}/members"
    assert browser(bob).post(members, {"username": "bob"}).status_code == 403
    assert browser(bob).patch(f"{members}/{world.member.pk}", {"role": "owner"}).status_code == 403


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"username": "nobody"}, "Nobody here has this username."),
        ({"username": "bob"}, "bob belongs to this project already."),
    ],
)
def test_members_that_can_not_be_added(
    body: dict[str, str], sentence: str, world: World, alice: User, browser: Any
) -> None:
    answer = browser(alice).post(f"/projects/{world.project.pk}/members", body)
    assert answer.status_code == 400
    assert answer.json()["error"]["fields"] == {"username": [sentence]}


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_the_last_owner_stays(method: str, world: World, alice: User, browser: Any) -> None:
    mine = world.project.memberships.get(user=alice)
    path = f"/projects/{world.project.pk}/members/{mine.pk}"
    answer = browser(alice)(method, path, {"role": "viewer"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "conflict")
    mine.refresh_from_db()
    assert mine.role == "owner"


def test_a_member_of_another_project_is_not_reached_through_ones_own(
    world: World, alice: User, charlie: User, browser: Any
) -> None:
    barn = Project.objects.create(name="barn", owner=charlie)
    theirs = Membership.objects.create(project=barn, user=charlie, role="owner")
    path = f"/projects/{world.project.pk}/members/{theirs.pk}"
    assert browser(alice).delete(path).status_code == 404
    assert browser(alice).patch(path, {"role": "viewer"}).status_code == 404


def test_a_job_tells_how_far_it_is(world: World, bob: User, browser: Any) -> None:
    Job.objects.filter(pk=world.job.pk).update(
        state="running", done=25, total=100, started_at=timezone.now() - timedelta(seconds=10)
    )
    job = browser(bob).get(f"/jobs/{world.job.pk}").json()
    assert (job["state"], job["percent"]) == ("running", 25)
    assert 28 <= job["remaining_seconds"] <= 32
    assert "lease_owner" not in job


def test_jobs_are_listed_by_what_they_are_asked_for(world: World, bob: User, browser: Any) -> None:
    caller = browser(bob)
    for query, count in (
        (f"project={world.project.pk}", 2),  # the written document has one too
        (f"source={world.source.pk}&state=queued", 1),
        (f"source={world.upload.pk}", 0),
        ("kind=embed", 1),
    ):
        assert caller.get(f"/jobs?{query}").json()["count"] == count
    for query in (f"project={world.other_project.pk}", "state=lost", "source=x"):
        assert caller.get(f"/jobs?{query}").status_code == 400

"""Who is calling, and keys for programs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import ApiKey, AuditEntry, User
from accounts.viewers import Viewer
from projects.models import Project
from projects.sourcing import delete_project
from tests.api.conftest import Caller, World


def test_a_person_learns_who_they_are(world: World, bob: User, browser: Any) -> None:
    me = browser(bob).get("/me").json()
    assert me["username"] == "bob"
    assert me["scopes"] == ["ask", "read", "write"]
    assert me["is_limited"] is False
    assert me["projects"] == [
        {"id": str(world.project.pk), "name": "nightowl", "role": "viewer"},
    ]


def test_a_limited_key_sees_its_projects_only(world: World, alice: User, program: Any) -> None:
    me = program(alice, "read", projects=(world.other_project,)).get("/me").json()
    assert (me["scopes"], me["is_limited"]) == (["read"], True)
    assert [project["name"] for project in me["projects"]] == ["other"]


def test_a_new_key_opens_the_door_and_is_shown_once(alice: User, browser: Any) -> None:
    answer = browser(alice).post("/api-keys", {"name": "CI", "scopes": ["read", "read"]})
    assert answer.status_code == 201
    assert answer["Cache-Control"] == "no-store"
    issued = answer.json()
    assert Caller(key=issued["key"]).get("/me").json()["username"] == "alice"
    again = browser(alice).get(f"/api-keys/{issued['id']}").json()
    assert again["scopes"] == ["read"]
    assert issued["key"] not in browser(alice).get("/api-keys").content.decode()
    assert "key" not in again
    assert "hash" not in again


def test_a_key_can_be_limited_to_projects(world: World, alice: User, browser: Any) -> None:
    wanted = {"name": "CI", "scopes": ["read"], "projects": [str(world.project.pk)] * 2}
    issued = browser(alice).post("/api-keys", wanted).json()
    assert issued["projects"] == [str(world.project.pk)]
    names = [row["name"] for row in Caller(key=issued["key"]).get("/projects").json()["results"]]
    assert names == ["nightowl"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes.0"),
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "0000-00-00"}, "expires_at"),
        ({"projects": ["00000000-0000-4000-8000-000000000000"]}, "projects.0"),
        ({"projects": "all"}, "projects"),
    ],
)
def test_a_key_that_can_not_be_is_refused(
    wrong: dict[str, Any], field: str, alice: User, browser: Any
) -> None:
    answer = browser(alice).post("/api-keys", {"name": "CI", "scopes": ["read"], **wrong})
    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) == {field}
    assert not ApiKey.objects.exists()


def test_a_key_can_not_be_limited_to_somebody_elses_project(
    world: World, charlie: User, browser: Any
) -> None:
    wanted = {"name": "CI", "scopes": ["read"], "projects": [str(world.project.pk)]}
    assert browser(charlie).post("/api-keys", wanted).status_code == 400


def test_a_key_gives_no_more_than_it_has(alice: User, program: Any) -> None:
    writer = program(alice, "read", "write")
    asked = {"name": "more", "scopes": ["read", "ask"]}
    assert writer.post("/api-keys", asked).status_code == 400
    assert writer.post("/api-keys", {**asked, "scopes": ["read"]}).status_code == 201


def test_a_revoked_key_opens_nothing(alice: User, browser: Any) -> None:
    issued = browser(alice).post("/api-keys", {"name": "CI", "scopes": ["write"]}).json()
    assert browser(alice).delete(f"/api-keys/{issued['id']}").status_code == 204
    answer = Caller(key=issued["key"]).get("/me")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert AuditEntry.objects.filter(action="revoked", actor_id=alice.pk).exists()
    assert browser(alice).get(f"/api-keys/{issued['id']}").json()["revoked_at"]


@pytest.mark.parametrize("how", ["expired", "inactive", "deleted"])
def test_a_key_ends_with_its_time_and_its_person(how: str, alice: User, program: Any) -> None:
    caller = program(alice)
    assert caller.get("/me").status_code == 200
    if how == "expired":
        ApiKey.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    elif how == "inactive":
        User.objects.update(is_active=False)
    else:
        alice.soft_delete()
    assert caller.get("/me").status_code == 401


def test_a_key_whose_only_project_goes_does_not_open_all_others(
    world: World, alice: User, program: Any
) -> None:
    only = program(alice, projects=(world.project,))
    both = program(alice, projects=(world.project, world.other_project))
    everything = program(alice)
    delete_project(world.project, by=alice)
    assert only.get("/projects").status_code == 401
    assert [row["name"] for row in both.get("/projects").json()["results"]] == ["other"]
    assert everything.get("/projects").status_code == 200
    assert Project.objects.visible_to(Viewer(alice)).count() == 1


@pytest.mark.parametrize(
    "header", ["Bearer", "Bearer ", "Bearer \x00", "bearer ünïcode", "Basic x"]
)
def test_odd_authorization_headers_are_strangers(header: str, db: None) -> None:
    assert Caller().get("/me", authorization=header).status_code == 401

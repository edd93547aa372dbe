"""Providers and calls over REST."""

from typing import Any

import pytest

from accounts.models import User
from projects.keys import issue_key
from providers.models import Call, Provider
from tests.api.conftest import Caller, World
from tests.model_server import model_server

NEW = {"provider_name": "ollama", "model_name": "owl-2"}


def test_only_admins_see_how_a_model_is_reached(
    world: World, alice: User, admin: User, browser: Any
) -> None:
    path = f"/providers/{world.provider.pk}"
    assert browser(alice).get(path).json()["api_config"] == {}
    assert browser(admin).get(path).json()["api_config"]["base_url"] == "http://10.0.0.7/v1"
    assert "10.0.0.7" not in browser(alice).get("/providers").content.decode()


def test_an_admins_key_that_is_limited_changes_no_provider(world: World, admin: User) -> None:
    _, text = issue_key(admin, name="k", scopes=["write"], projects=[world.project])
    assert Caller(key=text).post("/providers", NEW).status_code == 403


def test_a_new_default_takes_the_place_of_the_old_one(
    world: World, admin: User, browser: Any
) -> None:
    caller = browser(admin)
    made = caller.post("/providers", {**NEW, "is_default": True}).json()
    assert made["is_default"] is True
    caller.patch(f"/providers/{world.provider.pk}", {"is_default": True})
    defaults = Provider.objects.filter(is_default=True)
    assert [provider.model_name for provider in defaults] == ["owl-1"]
    caller.patch(f"/providers/{world.provider.pk}", {"is_default": False})
    assert not Provider.objects.filter(is_default=True).exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"provider_name": "skynet"},
        {"model_name": ""},
        {"provider_name": "openai", "model_name": "owl-1"},
        {"api_config": []},
        {"api_config": {"api_key": "secret"}},
        {"api_config": {"api_key_variable": "sk-not-a-variable"}},
        {"api_config": {"temperature": "hot"}},
        {"api_config": {"base_url": "http://me:secret@host/v1"}},
        {"api_config": {"base_url": "http://[::1/v1"}},
        {"api_config": {"base_url": 5}},
        {"api_config": {"base_url": "ftp://host/v1"}},
        {"api_config": {"temperature": 2.1}},
        {"api_config": {"max_tokens": 0}},
        {"api_config": {"timeout": 601}},
        {"api_config": {"api_key_variable": "SECRET_KEY"}},
        {"fallback_order": 0},
        {"provider_name": "offline"},
        {"is_default": True, "is_enabled": False},
        {"is_default": "maybe"},
    ],
)
def test_a_provider_that_can_not_be_is_refused(
    wrong: dict[str, Any], world: World, admin: User, browser: Any
) -> None:
    answer = browser(admin).post("/providers", {**NEW, **wrong})
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in {"invalid", "refused"}
    assert Provider.objects.count() == 1


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_what_the_environment_names_is_changed_there(
    method: str, world: World, admin: User, browser: Any
) -> None:
    Provider.objects.update(from_environment=True)
    path = f"/providers/{world.provider.pk}"
    answer = browser(admin)(method, path, {"model_name": "x", "from_environment": False})
    assert answer.status_code == 400
    assert "environment" in answer.json()["error"]["message"]
    assert Provider.objects.filter(model_name="owl-1", from_environment=True).exists()


def test_the_built_in_provider_stays(admin: User, browser: Any) -> None:
    built_in = Provider.objects.create(provider_name="offline", model_name="extractive")
    assert browser(admin).delete(f"/providers/{built_in.pk}").status_code == 400


def test_a_test_says_whether_the_model_answers(admin: User, browser: Any) -> None:
    with model_server() as server:
        server.pieces = ["Hello."]
        config = {"base_url": server.url}
        made = browser(admin).post("/providers", {**NEW, "api_config": config}).json()
        said = browser(admin).post(f"/providers/{made['id']}/test").json()
        assert said == {**said, "worked": True, "text": "Hello.", "error": ""}
        server.mode = "no model"
        said = browser(admin).post(f"/providers/{made['id']}/test").json()
    assert (said["worked"], said["text"]) == (False, "")
    assert said["error"] == "The server knows no model named owl-2."
    calls = browser(admin).get("/calls?purpose=test").json()["results"]
    assert [(call["project"], call["origin_kind"]) for call in calls] == [(None, "provider")] * 2


def test_a_provider_is_made_the_default_even_one_of_the_environment(
    world: World, admin: User, browser: Any
) -> None:
    Provider.objects.update(from_environment=True)
    Provider.objects.create(provider_name="ollama", model_name="old", is_default=True)
    answer = browser(admin).post(f"/providers/{world.provider.pk}/make-default")
    assert (answer.status_code, answer.json()["is_default"]) == (200, True)
    assert Provider.objects.get(is_default=True) == world.provider


def test_the_order_after_a_failure_is_set_and_taken_away(
    world: World, admin: User, browser: Any
) -> None:
    path = f"/providers/{world.provider.pk}"
    assert browser(admin).patch(path, {"fallback_order": 2}).json()["fallback_order"] == 2
    assert browser(admin).patch(path, {"fallback_order": None}).json()["fallback_order"] is None


@pytest.mark.parametrize(
    "change", [{"is_enabled": False}, {"model_name": "x"}, {"provider_name": "ollama"}]
)
def test_the_built_in_provider_stays_as_it_is(
    change: dict[str, Any], admin: User, browser: Any
) -> None:
    built_in = Provider.objects.create(provider_name="offline", model_name="extractive")
    assert browser(admin).patch(f"/providers/{built_in.pk}", change).status_code == 400
    assert Provider.objects.filter(provider_name="offline", is_enabled=True).exists()


def test_people_see_their_own_calls_and_admins_all(
    world: World, bob: User, alice: User, admin: User, browser: Any, program: Any
) -> None:
    Call.objects.create(
        purpose="review",
        provider_name="openai",
        model_name="owl-1",
        cost="0.25",
        user=bob,
        project_id=world.project.pk,
    )
    assert [row["purpose"] for row in browser(alice).get("/calls").json()["results"]] == ["answer"]
    (mine,) = browser(bob).get("/calls").json()["results"]
    assert (mine["cost"], mine["user"]["username"]) == ("0.25000000", "bob")
    assert browser(admin).get("/calls").json()["count"] == 2
    assert browser(admin).get("/calls?purpose=review").json()["count"] == 1
    limited = program(alice, projects=(world.other_project,))
    assert limited.get("/calls").json()["count"] == 0


def test_calls_of_a_project_that_one_left_are_out_of_sight(
    world: World, bob: User, browser: Any
) -> None:
    Call.objects.update(user=bob)
    assert browser(bob).get("/calls").json()["count"] == 1
    world.member.delete()
    assert browser(bob).get("/calls").json()["count"] == 0

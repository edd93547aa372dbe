"""Overviews over REST."""

from typing import Any

from accounts.models import User
from knowledge.models import Overview
from knowledge.overviews import tend_overviews
from tests.api.conftest import World


def test_an_overview_says_what_is_where(world: World, bob: User, browser: Any) -> None:
    tend_overviews()

    answer = browser(bob).get(f"/projects/{world.project.pk}/overview").json()

    assert answer["project"] == str(world.project.pk)
    assert answer["is_stale"] is False
    assert answer["behind"] == []
    assert answer["content"]["areas"][0]["role"] == "code"
    assert answer["content"]["key_files"][0]["path"] == "owl.py"


def test_before_it_is_made_the_answer_says_when_it_will_be(
    world: World, alice: User, browser: Any
) -> None:
    Overview.objects.all().delete()

    answer = browser(alice).get(f"/projects/{world.project.pk}/overview")

    assert answer.status_code == 404
    assert "made once the first sync" in answer.content.decode()


def test_one_that_is_behind_is_stale(world: World, bob: User, browser: Any, index: Any) -> None:
    tend_overviews()
    index(world.source, "mouse.py", "def hide():\n    pass\n", commit="d" * 40)

    answer = browser(bob).get(f"/projects/{world.project.pk}/overview").json()

    assert answer["is_stale"] is True
    assert answer["behind"][0]["now_at"] == "ddddddd"


def test_one_of_nothing_has_no_content(world: World, bob: User, browser: Any) -> None:
    tend_overviews()
    Overview.objects.update(content={})

    answer = browser(bob).get(f"/projects/{world.project.pk}/overview").json()

    assert answer["content"] is None


def test_editors_have_it_made_anew(world: World, alice: User, bob: User, browser: Any) -> None:
    tend_overviews()
    path = f"/projects/{world.project.pk}/overview"

    assert browser(bob).post(path).status_code == 403
    assert browser(alice).post(path).status_code == 202
    assert Overview.objects.get(project=world.project).asked_by == alice
    assert browser(alice).get(path).json()["asked_at"] is not None

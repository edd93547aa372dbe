"""Knowledge gaps over REST."""

from typing import Any

import pytest

from accounts.models import User
from knowledge.gaps import Seen, bring_in_line, note_gap
from knowledge.models import KnowledgeGap
from tests.api.conftest import World


def test_gaps_are_listed_most_often_asked_first(world: World, alice: User, browser: Any) -> None:
    for _ in range(2):
        note_gap(world.project.pk, "Where do owls sleep?", kind="disliked", comment="too short")
    found = browser(alice).get(f"/knowledge-gaps?project={world.project.pk}").json()
    assert [(gap["reason"], gap["times"]) for gap in found["results"]] == [
        ("Where do owls sleep?", 2),
        ("How do owls moor?", 1),
    ]
    assert found["results"][0]["samples"][0]["comment"] == "too short"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("kind=low_evidence", 1),
        ("kind=disliked", 0),
        ("state=candidate", 1),
        ("state=dismissed", 0),
    ],
)
def test_gaps_are_chosen_by_kind_and_state(
    query: str, count: int, world: World, alice: User, browser: Any
) -> None:
    assert browser(alice).get(f"/knowledge-gaps?{query}").json()["count"] == count


def test_a_gap_is_dismissed_and_brought_back(world: World, alice: User, browser: Any) -> None:
    path = f"/knowledge-gaps/{world.gap.pk}"
    assert browser(alice).patch(path, {"state": "dismissed"}).json()["state"] == "dismissed"
    assert browser(alice).patch(path, {"state": "candidate"}).json()["state"] == "candidate"
    for state in ("lost", "closed", ""):
        assert browser(alice).patch(path, {"state": state}).status_code == 400
    assert browser(alice).delete(path).status_code == 405
    assert KnowledgeGap.objects.get().state == "candidate"


def test_a_stranger_sees_no_gaps(world: World, charlie: User, browser: Any) -> None:
    assert browser(charlie).get("/knowledge-gaps").json()["count"] == 0
    assert browser(charlie).get(f"/knowledge-gaps?project={world.project.pk}").status_code == 400


def test_a_gap_is_made_into_a_task_once(world: World, alice: User, browser: Any) -> None:
    path = f"/knowledge-gaps/{world.gap.pk}/task"
    first, second = browser(alice).post(path).json(), browser(alice).post(path).json()
    assert first == second
    assert first["state"] == "confirmed"
    assert first["task"] == str(world.project.tasks.get().pk)


def test_a_gap_seen_in_code_has_places_without_a_time(
    world: World, alice: User, browser: Any
) -> None:
    bring_in_line(world.project.pk, "churn", [Seen("barn", "It changes often", ("barn/owl.py",))])
    (found,) = browser(alice).get("/knowledge-gaps?kind=churn").json()["results"]
    assert found["samples"] == [{"question": "barn/owl.py", "comment": "", "at": None}]

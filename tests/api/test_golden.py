"""Golden questions and evaluations over REST."""

from typing import Any

import pytest

from accounts.models import User
from knowledge.evaluations import tend_evaluations
from knowledge.models import Evaluation, GoldenQuestion
from tests.api.conftest import World


def question(world: World, **fields: Any) -> dict[str, Any]:
    relevant = [{"path": "owl.py", "start_line": 1, "end_line": 2}, {"path": "mouse.py"}]
    return {
        "project": str(world.project.pk),
        "query": "How do owls hunt?",
        "relevant": relevant,
        **fields,
    }


def test_a_question_is_kept_listed_and_deleted(world: World, alice: User, browser: Any) -> None:
    api = browser(alice)
    kept = api.post("/golden-questions", question(world))
    assert kept.status_code == 201
    assert kept.json()["relevant"] == [
        {"path": "mouse.py", "start_line": None, "end_line": None},
        {"path": "owl.py", "start_line": 1, "end_line": 2},
    ]
    assert kept.json()["user"] == str(alice.pk)

    listed = api.get(f"/golden-questions?project={world.project.pk}").json()["results"]
    assert [row["query"] for row in listed] == ["Who hunts?", "How do owls hunt?"]
    assert api.get(f"/golden-questions?project={world.other_project.pk}").json()["results"] == []

    assert api.delete(f"/golden-questions/{kept.json()['id']}").status_code == 204
    assert GoldenQuestion.objects.count() == 1


def test_the_same_question_takes_the_new_answers(world: World, alice: User, browser: Any) -> None:
    api = browser(alice)
    api.post("/golden-questions", question(world))
    api.post("/golden-questions", question(world, relevant=[{"path": "barn.py"}]))
    assert GoldenQuestion.objects.get(query="How do owls hunt?").relevant == ["barn.py"]


@pytest.mark.parametrize(
    "fields",
    [
        {"query": " "},
        {"query": "q" * 2001},
        {"relevant": []},
        {"relevant": "owl.py"},
        {"relevant": [{"path": ""}]},
        {"relevant": [{"path": "a", "start_line": 3}]},
        {"relevant": [{"path": "a", "end_line": 3}]},
        {"relevant": [{"path": "a", "start_line": 3, "end_line": 2}]},
        {"relevant": [{"path": "a", "start_line": 0, "end_line": 2}]},
        {"relevant": [{"path": f"{n}.py"} for n in range(51)]},
    ],
)
def test_what_cannot_be_kept_is_refused(
    world: World, alice: User, browser: Any, fields: dict[str, Any]
) -> None:
    assert browser(alice).post("/golden-questions", question(world, **fields)).status_code == 400
    assert GoldenQuestion.objects.count() == 1


def test_a_full_project_says_so(world: World, alice: User, browser: Any) -> None:
    GoldenQuestion.objects.bulk_create(
        GoldenQuestion(project=world.project, query=f"{n}?", relevant=["a.py"]) for n in range(999)
    )
    answer = browser(alice).post("/golden-questions", question(world))
    assert answer.status_code == 400
    assert "at most 1,000" in answer.content.decode()


def test_search_is_measured_when_an_editor_asks(
    world: World, alice: User, bob: User, browser: Any
) -> None:
    api, body = browser(alice), {"project": str(world.project.pk)}
    asked = api.post("/evaluations", body)
    assert asked.status_code == 202
    assert asked.json()["finished_at"] is None
    assert api.post("/evaluations", body).json()["id"] == asked.json()["id"]
    assert tend_evaluations() == 1

    run = browser(bob).get(f"/evaluations/{asked.json()['id']}").json()
    assert run["figures"]["by_file"]["hit_at_1"] == 1
    assert [outcome["query"] for outcome in run["outcomes"]] == ["Who hunts?"]
    listed = browser(bob).get(f"/evaluations?project={world.project.pk}").json()["results"]
    assert [row["id"] for row in listed] == [run["id"], str(world.evaluation.pk)]
    assert "outcomes" not in listed[0]


def test_viewers_and_strangers_start_nothing(
    world: World, bob: User, charlie: User, browser: Any
) -> None:
    body = {"project": str(world.project.pk)}
    assert browser(bob).post("/evaluations", body).status_code == 403
    assert browser(charlie).post("/evaluations", body).status_code == 400
    assert browser(charlie).get("/evaluations").json()["results"] == []
    assert browser(charlie).get("/golden-questions").json()["results"] == []
    assert Evaluation.objects.count() == 1

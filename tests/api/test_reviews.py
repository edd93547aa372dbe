"""Nights, reviews and findings over REST: scoped, and changed by editors only."""

import pytest

from reviews.models import NightlyRun, TestSuggestion
from tests.reviews.conftest import History, ledger, night, swallowed  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(client_for):
    return client_for


@pytest.fixture
def history(tmp_path) -> History:
    return History(tmp_path / "ledger")


def test_a_review_tells_issues_and_suggestions(api, alice, swallowed):  # noqa: F811
    said = api(alice).get(f"/api/v1/reviews/{swallowed.review_id}").json()

    assert said["status"] == "COMMENTED"
    assert 0 <= said["quality_score"] <= 1
    issue = next(one for one in said["issues"] if one["id"] == str(swallowed.pk))
    assert issue["type"] == "bug"
    assert (issue["file"], issue["line"]) == ("sending.py", 11)
    assert all({"type", "message", "file", "line"} <= set(one) for one in said["suggestions"])


def test_a_stranger_finds_nothing(api, charlie, swallowed):  # noqa: F811
    client = api(charlie)
    for path in ("nightly-runs", "reviews", "findings", "standards", "convention-scores"):
        assert client.get(f"/api/v1/{path}").json()["count"] == 0
    assert client.get(f"/api/v1/findings/{swallowed.pk}").status_code == 404
    assert client.get(f"/api/v1/reviews/{swallowed.review_id}").status_code == 404
    run = swallowed.review.run_id
    assert client.get(f"/api/v1/nightly-runs/{run}/digest").status_code == 404


def test_findings_are_decided_by_editors(api, alice, bob, swallowed):  # noqa: F811
    path = f"/api/v1/findings/{swallowed.pk}"
    asked = {"state": "dismissed", "reason": "meant"}
    assert api(bob).patch(path, asked, content_type="application/json").status_code == 403
    said = api(alice).patch(path, asked, content_type="application/json").json()
    assert (said["state"], said["reason"]) == ("dismissed", "meant")
    assert (
        api(alice).patch(path, {"state": "fixed"}, content_type="application/json").status_code
        == 400
    )


def test_findings_are_filtered(api, alice, swallowed):  # noqa: F811
    def count(query: str) -> int:
        return api(alice).get(f"/api/v1/findings?{query}").json()["count"]

    assert count("severity=warning") >= 1
    assert count("path=sending") >= 1
    assert count("path=other") == 0
    assert count("shown=true&rule=nightowl/swallowed-error") == 1
    assert api(alice).get("/api/v1/findings?severity=grave").status_code == 400


def test_a_task_is_made_over_rest(api, alice, bob, swallowed):  # noqa: F811
    path = f"/api/v1/findings/{swallowed.pk}/task"
    assert api(bob).post(path).status_code == 403
    first = api(alice).post(path).json()["task"]
    assert api(alice).post(path).json()["task"] == first


def test_a_night_is_asked_for_and_stopped(api, alice, bob, charlie, project, ledger):  # noqa: F811
    asked = {"project": str(project.pk), "since": ""}

    def begin(person):
        path = "/api/v1/nightly-runs"
        return api(person).post(path, asked, content_type="application/json")

    assert begin(charlie).status_code == 400
    assert begin(bob).status_code == 403
    made = begin(alice)
    assert made.status_code == 201
    assert begin(alice).status_code == 409
    run = made.json()["id"]
    stopped = api(alice).post(f"/api/v1/nightly-runs/{run}/cancel")
    assert stopped.json()["state"] == NightlyRun.State.CANCELLED


def test_the_digest_is_what_webhooks_get(api, bob, swallowed):  # noqa: F811
    said = api(bob).get(f"/api/v1/nightly-runs/{swallowed.review.run_id}/digest").json()
    assert said["event"] == "nightly.digest"
    assert [one["id"] for one in said["findings"]] == [str(swallowed.pk)]


@pytest.mark.django_db(transaction=True)
def test_a_suggested_test_is_settled(api, alice, bob, night, history):  # noqa: F811
    text = "def f(n: int) -> int:\n    if n < 1:\n        raise ValueError(n)\n    return n\n"
    history.change("Add", files={"thing.py": text})
    night()
    path = f"/api/v1/test-suggestions/{TestSuggestion.objects.get().pk}"
    asked = {"state": "used"}
    assert api(bob).patch(path, asked, content_type="application/json").status_code == 403
    said = api(alice).patch(path, asked, content_type="application/json").json()
    assert said["state"] == "used"

"""What admins and monitors see of Qdrant: how far it is behind, and what they can have done."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import AuditEntry
from knowledge.models import Chunk, Replica, VectorChange
from knowledge.replicating import begin_generation
from knowledge.tending_replicas import tend_replicas
from portal.checkup import Verdict, check_qdrant
from tests.knowledge.qdrant_samples import collections_of, spoil
from tests.knowledge.space_samples import embed, the_active

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def served(qdrant, source, index):
    """Return the active space, which Qdrant answers for."""
    for n in range(20):
        index(source, f"owl{n}.py", f"def hunt_{n}(mouse):\n    return mouse\n")
    embed(source)
    tend_replicas()
    return the_active()


@pytest.fixture
def browser(client_for, admin):
    return client_for(admin)


def page(browser) -> str:
    return browser.get(reverse("spaces")).content.decode()


def ready(client) -> dict:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    return answer.json()


def let_wait(minutes: int) -> None:
    Chunk.objects.filter(document__path="owl1.py").delete()
    VectorChange.objects.update(created_at=timezone.now() - timedelta(minutes=minutes))


def test_the_page_tells_nothing_of_it_where_it_is_not_used(browser, source, index):
    index(source, "owl.py", "def hunt(mouse):\n    return mouse\n")
    embed(source)
    assert "Qdrant" not in page(browser)


def test_the_page_tells_that_it_answers(browser, served):
    shown = page(browser)
    assert "Answers now" in shown
    assert "(generation 1, <code>1: 1024 float</code>)" in shown
    assert "<dd>nothing</dd>" in shown
    assert "not yet; it is once a day" in shown
    assert 'data-busy="yes"' not in shown


def test_the_page_tells_of_the_filling(browser, served):
    begin_generation(served)
    Replica.objects.filter(state="filling").update(filled=5)
    shown = page(browser)
    assert "5 of 20 points" in shown
    assert 'max="100" value="25"' in shown
    assert "Fill anew" not in shown
    progress = browser.get(reverse("spaces-progress")).content.decode()
    assert 'data-busy="yes"' in progress


def test_the_page_tells_how_far_it_is_behind(browser, served):
    let_wait(minutes=7)
    shown = page(browser)
    assert "Behind" in shown
    assert "1 change, the oldest 7 min old" in shown


def test_the_page_tells_that_it_is_away(browser, qdrant, served):
    qdrant.mode = "refuse"
    let_wait(minutes=0)
    tend_replicas()
    shown = page(browser)
    assert "Not up to date" in shown
    assert "Qdrant does not answer." in shown
    qdrant.mode = "well"
    tend_replicas()
    assert "Not up to date" not in page(browser)


def test_an_admin_has_it_compared_and_filled_anew(browser, qdrant, served):
    spoil(qdrant, *collections_of(served), uuid4())
    answer = browser.post(reverse("space-reconcile", args=[served.pk]), follow=True)
    assert "compares Qdrant with PostgreSQL and mends it" in answer.content.decode()
    assert "as soon as a worker is free" in answer.content.decode()
    tend_replicas()
    assert "3 differences, 0 left" in page(browser)
    answer = browser.post(reverse("space-rebuild", args=[served.pk]), follow=True)
    assert "into Qdrant anew" in answer.content.decode()
    tend_replicas()
    assert "generation 2" in page(browser)
    actions = AuditEntry.objects.filter(object_id=served.pk).values_list("action", flat=True)
    assert {"reconciled", "rebuilt"} <= set(actions)


def test_what_can_not_be_done_is_told(browser, served, settings):
    settings.QDRANT_URL = ""
    for name in ("space-reconcile", "space-rebuild"):
        answer = browser.post(reverse(name, args=[served.pk]), follow=True)
        assert "QDRANT_URL is not set" in answer.content.decode()


def test_nobody_else_can_tell_that_it_is_there(client_for, alice, served):
    client = client_for(alice)
    for name in ("space-reconcile", "space-rebuild"):
        assert client.post(reverse(name, args=[served.pk])).status_code == 404


# --- Programs ------------------------------------------------------------------------------


def test_a_space_tells_how_its_points_stand(browser, served):
    row = browser.get(f"/api/v1/embedding-spaces/{served.pk}").json()
    assert row["replica"] == {
        "is_serving": True,
        "is_filling": False,
        "percent": 100,
        "waiting": 0,
        "lag_seconds": 0.0,
        "comparison": {},
        "error": "",
    }
    for action in ("reconcile", "rebuild"):
        answer = browser.post(f"/api/v1/embedding-spaces/{served.pk}/{action}")
        assert answer.status_code == 202
    assert answer.json()["replica"]["is_filling"] is False
    tend_replicas()
    assert Replica.objects.get(space=served, state="serving").generation == 2


def test_without_it_a_space_has_none(browser, source, index):
    index(source, "owl.py", "def hunt(mouse):\n    return mouse\n")
    embed(source)
    [row] = browser.get("/api/v1/embedding-spaces").json()["results"]
    assert row["replica"] is None
    answer = browser.post(f"/api/v1/embedding-spaces/{row['id']}/rebuild")
    assert answer.status_code == 400
    assert "QDRANT_URL is not set" in answer.content.decode()


def test_readiness_needs_no_qdrant(client, db):
    assert ready(client) == {"status": "ok"}


def test_readiness_tells_the_lag(client, qdrant, served):
    assert ready(client)["qdrant"] == {
        "serving": 1,
        "filling": 0,
        "waiting": 0,
        "lag_seconds": 0,
        "has_errors": False,
    }
    let_wait(minutes=2)
    told = ready(client)
    assert told["status"] == "ok"
    assert told["qdrant"]["waiting"] == 1
    assert 120 <= told["qdrant"]["lag_seconds"] < 150
    let_wait(minutes=7)
    assert ready(client)["status"] == "behind"
    qdrant.mode = "error"
    tend_replicas()
    assert ready(client)["qdrant"]["has_errors"] is True


def test_the_doctor_looks_at_it(qdrant, served, settings):
    [finding] = check_qdrant()
    assert finding.verdict is Verdict.OK
    assert "up to date" in finding.sentence
    let_wait(minutes=7)
    [finding] = check_qdrant()
    assert finding.verdict is Verdict.ATTENTION
    qdrant.mode = "refuse"
    [finding] = check_qdrant()
    assert finding.verdict is Verdict.BAD
    assert finding.sentence.startswith("Qdrant does not answer. Check QDRANT_URL")
    settings.QDRANT_URL = ""
    assert not list(check_qdrant())


# --- Why this order ------------------------------------------------------------------------


def test_both_stores_stand_side_by_side(client_for, alice, qdrant, served, project):
    client = client_for(alice)
    qdrant.asked.clear()
    address = reverse("search-why", args=[project.pk])
    shown = client.get(address, {"q": "hunt mouse", "against": "postgresql"}).content.decode()
    assert "As Nightowl searches, in PostgreSQL alone" in shown
    assert len([path for _, path in qdrant.asked if path.endswith("/query")]) == 1
    assert shown.count("Meaning: 20 found") == 2


def test_there_is_no_other_side_without_it(client_for, alice, project):
    address = reverse("search-why", args=[project.pk])
    assert "in PostgreSQL alone" not in client_for(alice).get(address).content.decode()

"""Qdrant away, slow, wrong or empty: a search goes on in PostgreSQL, and no change is lost."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from django.db import connection

from knowledge import breaker as breakers
from knowledge import qdrant_points, qdrant_vectors
from knowledge.models import Chunk, Replica, VectorChange
from knowledge.reconciling import reconcile
from knowledge.replicating import bring_up_to_date
from knowledge.retrieval import search
from knowledge.tending_replicas import tend_replicas
from tests.knowledge.qdrant_samples import collections_of, points_in, use_qdrant
from tests.knowledge.space_samples import embed, the_active
from tests.qdrant_server import QdrantServer, qdrant_server

pytestmark = pytest.mark.django_db(transaction=True)
FAULTS = ["refuse", "reset", "delay", "error", "limited", "garbage", "nonsense", "half_open"]
FAULTS += ["dimension"]
SLOW = "drip"  # what is told so slowly arrives in the end
KEY = "qdrant-key-that-nobody-may-read"
QUESTION = "where do owls hunt mice"


@pytest.fixture
def server(settings, monkeypatch):
    monkeypatch.setattr(qdrant_points, "WRITING_SECONDS", 1)
    settings.QDRANT_TIMEOUT = 1
    with qdrant_server() as started:
        started.api_key = KEY
        use_qdrant(settings, started.url, KEY)
        yield started


@pytest.fixture
def space(server, source, index):
    """Return the active space, with passages of two collections in Qdrant."""
    for n in range(12):
        index(source, f"owl{n}.py", f"def hunt_{n}(mouse):\n    return catch(mouse, night={n})\n")
        index(source, f"docs/owl{n}.md", f"# Owls {n}\n\nOwls hunt mice at night {n}.\n")
    embed(source)
    space = the_active()
    assert bring_up_to_date(space)
    assert len(collections_of(space)) == 2
    return space


def hits(viewer, **how) -> list:
    return [hit.chunk.pk for hit in search(viewer, QUESTION, **how).hits]


def change(source, index) -> None:
    """Change three files: one is new, one is another, one is gone."""
    index(source, "new.py", "def hoot(moon):\n    return moon\n")
    index(source, "owl1.py", "def hunt_1(mouse):\n    return catch(mouse, day=1)\n")
    Chunk.objects.filter(document__path="owl2.py").delete()
    embed(source)


def test_searches_ask_it_while_all_is_well(server, space, viewer):
    server.asked.clear()
    found = search(viewer, QUESTION)
    asked = [path for _, path in server.asked if path.endswith("/points/query")]
    assert len(asked) == 2
    assert not found.notes
    assert len(found.hits) == 10


@pytest.mark.parametrize("fault", [*FAULTS, SLOW])
def test_a_search_goes_on_in_postgresql_with_a_notice(server, space, viewer, fault):
    expected = hits(viewer)
    server.mode = fault
    began_at = time.monotonic()
    found = search(viewer, QUESTION)
    assert time.monotonic() - began_at < server.delay
    assert [hit.chunk.pk for hit in found.hits] == expected
    assert len(found.notes) == 1
    assert found.notes[0].startswith("Qdrant ")
    assert found.notes[0].endswith("compared in PostgreSQL.")


@pytest.mark.parametrize("fault", [*FAULTS, "empty"])
def test_the_doors_answer_as_ever(server, space, alice, project, client_for, fault):
    server.mode = fault
    client = client_for(alice)
    answer = client.get("/api/v1/search", {"q": QUESTION})
    assert answer.status_code == 200
    assert len(answer.json()["hits"]) == 10
    assert "PostgreSQL" in answer.json()["notes"][0]
    page = client.get(f"/projects/{project.pk}/search/", {"q": QUESTION})
    assert page.status_code == 200
    assert "compared in PostgreSQL" in page.content.decode()
    assert KEY not in page.content.decode() + answer.content.decode()


def test_one_that_is_empty_is_noticed(server, space, viewer):
    expected = hits(viewer)
    server.mode = "empty"
    found = search(viewer, QUESTION)
    assert [hit.chunk.pk for hit in found.hits] == expected
    assert "lacks some of these passages" in found.notes[0]


@pytest.mark.parametrize("fault", FAULTS)
def test_no_change_is_lost_meanwhile(server, space, source, index, fault, caplog):
    server.mode = fault
    change(source, index)
    waiting = set(VectorChange.objects.values_list("pk", flat=True))
    assert len(waiting) >= 4
    with caplog.at_level(logging.DEBUG):
        assert not bring_up_to_date(space)
    assert set(VectorChange.objects.values_list("pk", flat=True)) == waiting
    errors = Replica.objects.filter(space=space).values_list("error", flat=True)
    assert any(error.startswith("Qdrant ") for error in errors)
    assert KEY not in caplog.text + "".join(errors)
    server.mode = "well"
    for _ in range(3):  # a wrong dimension costs a generation, which is filled anew
        bring_up_to_date(space)
    assert not VectorChange.objects.exists()
    assert reconcile(space, fix=False).total == 0
    assert not Replica.objects.exclude(error="").exclude(state="retired").exists()


@pytest.mark.parametrize("failing", range(1, 8))
def test_one_request_that_fails_costs_nothing(server, space, source, index, failing):
    change(source, index)
    server.fail_next = failing
    for _ in range(failing + 1):
        bring_up_to_date(space)
    assert server.fail_next == 0
    assert not VectorChange.objects.exists()
    assert reconcile(space, fix=False).total == 0


def test_who_does_not_answer_is_left_alone_for_a_while(server, space, viewer, monkeypatch):
    monkeypatch.setattr(qdrant_vectors, "breaker", breakers.Breaker())
    server.mode = "error"
    for _ in range(breakers.FAILURES_IN_A_ROW):
        search(viewer, QUESTION)
    server.asked.clear()
    found = search(viewer, QUESTION)
    assert not server.asked
    assert found.notes


def test_it_is_asked_again_by_one_and_then_by_all(server, space, viewer, monkeypatch):
    monkeypatch.setattr(breakers, "FIRST_PAUSE", 0.2)
    monkeypatch.setattr(qdrant_vectors, "breaker", breakers.Breaker())
    server.mode = "error"
    for _ in range(breakers.FAILURES_IN_A_ROW):
        search(viewer, QUESTION)
    server.mode = "well"
    assert search(viewer, QUESTION).notes
    time.sleep(0.25)
    assert not search(viewer, QUESTION).notes
    assert [qdrant_vectors.breaker.allows() for _ in range(2)] == [True, True]


def test_a_breaker_lets_one_try_at_a_time(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(breakers, "monotonic", lambda: now[0])
    breaker = breakers.Breaker()
    for _ in range(breakers.FAILURES_IN_A_ROW):
        assert breaker.allows()
        breaker.failed()
    assert not breaker.allows()
    for pause in (5, 10, 20, 40, 60, 60):
        now[0] += pause - 1
        assert not breaker.allows()
        now[0] += 1
        assert [breaker.allows(), breaker.allows()] == [True, False]
        breaker.failed()
    now[0] += 60
    assert breaker.allows()
    breaker.went_well()
    assert [breaker.allows(), breaker.allows()] == [True, True]


def test_many_searches_at_once_survive_its_going_and_coming(server, space, viewer):
    """While it goes wrong in every way, one after the other, nobody sees an error."""
    expected, over = hits(viewer), Event()

    def ask() -> int:
        asked = 0
        try:
            while not over.is_set():
                assert hits(viewer) == expected
                asked += 1
        finally:
            connection.close()
        return asked

    with ThreadPoolExecutor(3) as pool:
        asking = [pool.submit(ask) for _ in range(3)]
        for fault in ("error", "well", "refuse", "well", "garbage", "well", "empty", "well"):
            server.mode = fault
            time.sleep(0.3)
        over.set()
        assert min(one.result() for one in asking) > 3


def test_what_was_lost_there_is_filled_anew(server: QdrantServer, space, viewer, source, index):
    expected = hits(viewer)
    with server.lock:
        for name in collections_of(space):
            server.client.delete_collection(name)
    assert search(viewer, QUESTION).notes
    assert hits(viewer) == expected
    tend_replicas()
    tend_replicas()
    assert not search(viewer, QUESTION).notes
    assert hits(viewer) == expected
    assert sum(len(points_in(server, name)) for name in collections_of(space)) == 24
    assert reconcile(space, fix=False).total == 0

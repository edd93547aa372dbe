"""Filling spaces: everything once, within limits, and on after whatever broke it."""

import time
from decimal import Decimal

import numpy as np
import pytest

from knowledge.embedding import FEWEST, _growing
from knowledge.models import Chunk, Document, EmbeddedText, EmbeddingSpace, Vector
from knowledge.retrieval import search
from knowledge.spaces import change_limits, declare
from projects.leases import JobCancelled, JobFailed, Lease
from projects.models import Job
from providers.models import Call
from tests.knowledge.space_samples import (
    build_beside,
    embed,
    know_other_words,
    reach_of_server,
    state_of,
    the_active,
)
from tests.model_server import ModelServer, model_server

State = EmbeddingSpace.State


@pytest.fixture
def server():
    with model_server() as running:
        yield running


@pytest.fixture
def indexed(source, index):
    for n in range(6):
        index(source, f"src/part_{n}.py", f"def hunt_{n}(mouse):\n    return mouse.caught\n")
    embed(source)
    return source


def asked(server: ModelServer) -> list[str]:
    return [text for request in server.requests for text in request["input"]]


def test_a_text_is_embedded_once_whatever_its_path_and_source(indexed, server, index, project):
    index(indexed, "lib/copy.py", "def hunt_0(mouse):\n    return mouse.caught\n")
    other = type(indexed).objects.create(project=project, name="other", path="/elsewhere")
    index(other, "src/part_0.py", "def hunt_0(mouse):\n    return mouse.caught\n")
    declare(reach_of_server(server))
    server.requests.clear()
    embed(indexed)
    embed(other)
    texts = asked(server)
    assert len(texts) == len(set(texts))
    assert sum("def hunt_0" in text and "return" in text for text in texts) == 1
    before = len(texts)
    Vector.objects.all().delete()
    embed(indexed)
    assert len(asked(server)) == before


def test_every_living_space_is_filled_and_the_active_one_first(indexed, server, index, settings):
    kept = the_active()
    active = build_beside(indexed, know_other_words(settings), takes_over=True)
    building = declare(reach_of_server(server))
    index(indexed, "src/later.py", "def later():\n    return 'owl'\n")
    embed(indexed)
    counts = [Vector.objects.filter(space=s).count() for s in (active, building, kept)]
    assert counts == [Chunk.objects.count()] * 3
    assert state_of(building) == State.BUILDING


def test_a_vector_is_of_body_and_header(indexed, server):
    space = build_beside(indexed, reach_of_server(server))
    chunk = Chunk.objects.get(document__path="src/part_3.py")
    texts = {
        bytes(row.text_hash): np.asarray(row.embedding)
        for row in EmbeddedText.objects.filter(space=space)
    }
    sum_of_both = texts[bytes(chunk.body_hash)] + 0.5 * texts[bytes(chunk.header_hash)]
    stored = np.asarray(Vector.objects.get(space=space, chunk=chunk).embedding)
    assert np.allclose(stored, sum_of_both / np.linalg.norm(sum_of_both), atol=2e-3)


def test_a_model_that_breaks_stops_neither_the_active_space_nor_the_words(
    indexed, server, index, viewer
):
    building = declare(reach_of_server(server))
    server.mode = "no model"
    index(indexed, "src/later.py", "def later():\n    return 'owl'\n")
    with pytest.raises(JobFailed, match="knows no embedding model named owl-1") as failed:
        embed(indexed)
    assert failed.value.retry
    assert Vector.objects.filter(space=the_active()).count() == Chunk.objects.count()
    assert search(viewer, "later owl").space_id == the_active().pk
    building.refresh_from_db()
    assert "knows no embedding model" in building.error
    server.mode = "well"
    embed(indexed)
    building.refresh_from_db()
    assert (building.error, building.built_at is None) == ("", False)


def test_a_kept_space_out_of_reach_harms_nobody(indexed, server, settings, index):
    build_beside(indexed, reach_of_server(server), takes_over=True)
    kept = the_active()
    build_beside(indexed, know_other_words(settings), takes_over=True)
    assert state_of(kept) == State.KEPT
    server.mode = "bad key"
    index(indexed, "src/later.py", "def later():\n    return 'owl'\n")
    embed(indexed)
    kept.refresh_from_db()
    assert "refused the API key" in kept.error


def test_odd_answers_store_nothing(indexed, server):
    space = declare(reach_of_server(server))
    server.dimensions = 20
    with pytest.raises(JobFailed, match="20 dimensions where 16 are needed"):
        embed(indexed)
    assert not Vector.objects.filter(space=space).exists()
    assert not EmbeddedText.objects.filter(space=space).exists()


def test_a_refused_text_is_left_out_alone_and_noted(indexed, server, index, viewer):
    index(indexed, "src/long.py", "def endless():\n    return '" + "owl " * 200 + "'\n")
    server.longest = 90
    space = build_beside(indexed, reach_of_server(server), takes_over=True)
    assert Vector.objects.filter(space=space).count() == Chunk.objects.count()
    assert Document.objects.get(path="src/long.py").notes == "owl-1 refuses lines 1-2."
    assert set(Document.objects.exclude(path="src/long.py").values_list("notes", flat=True)) == {""}
    assert state_of(space) == State.ACTIVE
    found = search(viewer, "endless")
    assert found.hits[0].path == "src/long.py"
    # Known as refused: no other copy of it is tried.
    server.requests.clear()
    index(indexed, "src/long.py", "def endless():\n    return '" + "owl " * 200 + "'\n")
    embed(indexed)
    assert not any("endless" in text and "return" in text for text in asked(server))


def test_a_passage_of_which_nothing_is_taken_is_found_by_words(indexed, server, index, viewer):
    index(indexed, f"src/{'long' * 60}.py", "def endless():\n    return '" + "owl " * 200 + "'\n")
    server.longest = 40
    space = build_beside(indexed, reach_of_server(server), takes_over=True)
    vector = Vector.objects.get(space=space, chunk__document__path__contains="longlong")
    assert not any(vector.embedding)
    hit = next(h for h in search(viewer, "endless hunt").hits if "longlong" in h.path)
    assert "meaning" not in hit.legs


def test_tokens_and_cost_are_counted(indexed, server, alice):
    space = declare(reach_of_server(server), usd_per_million=Decimal("2"))
    embed(indexed)
    space.refresh_from_db()
    texts = EmbeddedText.objects.filter(space=space).count()
    assert space.tokens_used == 3 * texts
    call = Call.objects.get(purpose="embed")
    assert (call.model_name, call.tokens_in) == ("owl-1", 3 * texts)
    assert call.cost == Decimal(3 * texts) * 2 / 1_000_000
    assert (call.project_id, call.origin_id) == (indexed.project_id, indexed.pk)


def test_without_a_price_the_cost_stays_unknown(indexed, server):
    declare(reach_of_server(server))
    embed(indexed)
    assert Call.objects.get(purpose="embed").cost is None


def test_a_budget_ends_the_work_with_a_sentence_and_goes_on_when_raised(indexed, server, admin):
    space = declare(reach_of_server(server), token_budget=20)
    server.requests.clear()
    with pytest.raises(
        JobFailed, match=r"token budget of owl-1 \(20 tokens\) is used up"
    ) as failed:
        embed(indexed)
    assert not failed.value.retry
    assert server.requests == []
    space.refresh_from_db()
    assert "raise it to go on" in space.error
    change_limits(space, by=admin, token_budget=10_000)
    assert Job.objects.filter(source=indexed, kind=Job.Kind.EMBED, state="queued").exists()
    embed(indexed)
    space.refresh_from_db()
    assert (space.error, space.built_at is None) == ("", False)


def test_what_a_failing_model_answered_is_paid_for(indexed, server):
    space = declare(reach_of_server(server), texts_at_once=1)
    server.faults = [401]
    with pytest.raises(JobFailed):
        embed(indexed)
    space.refresh_from_db()
    assert space.tokens_used > 0


def test_cancelling_does_not_wait_for_a_server_that_asks_for_patience(indexed, server, monkeypatch):
    declare(reach_of_server(server))
    server.faults, server.retry_after = [429] * 50, "60"
    began = time.monotonic()

    def cancelled(lease: Lease) -> None:
        if time.monotonic() - began > 1:
            raise JobCancelled

    monkeypatch.setattr(Lease, "check", cancelled)
    with pytest.raises(JobCancelled):
        embed(indexed)
    assert time.monotonic() - began < 10


def test_parts_grow_while_they_are_quick():
    assert [len(part) for part in _growing(range(10_000))] == [256, 512, 1024, 2048, 4096, 2064]


def test_parts_stay_small_while_they_are_slow(monkeypatch):
    clock = iter(range(0, 1000, 5))
    monkeypatch.setattr(time, "monotonic", lambda: next(clock))
    assert {len(part) for part in _growing(range(10 * FEWEST))} == {FEWEST}

"""A worker that dies between any two steps of telling Qdrant: nothing is lost, nothing stays."""

import os
import signal

import numpy as np
import pytest
from django.db import connection

from knowledge.models import Chunk, EmbeddingSpace, Replica, Vector, VectorChange
from knowledge.reconciling import reconcile
from knowledge.replicating import begin_generation, bring_up_to_date
from knowledge.tending_replicas import tend_replicas
from knowledge.vectors import vector_store
from projects.models import Project
from tests.crash.test_matrix import checkpoints_of
from tests.knowledge.many_vectors import directions, make_space, put, whole
from tests.knowledge.qdrant_samples import collections_of, points_in, use_qdrant
from tests.qdrant_server import QdrantServer, qdrant_server

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

POINTS = [
    *("claimed:1", "claimed:2", "kept:1", "kept:3", "told:1", "told:2", "marked:1", "marked:2"),
    *("created:1", "created:2", "filled:1", "filled:3", "switching:1", "switched:1", "removed:1"),
]


@pytest.fixture
def server(settings):
    with qdrant_server() as started:
        use_qdrant(settings, started.url)
        yield started


@pytest.fixture
def space(server, make_chunks) -> EmbeddingSpace:
    """Return a space that answers from Qdrant, has changed since, and is to be filled anew."""
    space = make_space(16)
    put(vector_store(), space, make_chunks(700), directions(700, 16))
    put(vector_store(), space, make_chunks(500, language="owl"), directions(500, 16))
    assert bring_up_to_date(space)
    Chunk.objects.filter(pk__in=Vector.objects.values("chunk_id")[:300]).delete()
    put(vector_store(), space, make_chunks(300), directions(300, 16))
    put(vector_store(), space, make_chunks(100, collection="schemas"), directions(100, 16))
    begin_generation(space)
    return space


def start(crash_at: str = "") -> int:
    """Start a worker that tends the points, until it is done or dies; return its number."""
    connection.close()  # the worker must not speak through ours
    worker = os.fork()
    if worker == 0:
        try:
            os.environ["CRASH_AT"] = crash_at
            for _ in range(3):
                tend_replicas()
            os._exit(0)
        finally:
            os._exit(1)
    return worker


def end_of(worker: int) -> int:
    """Wait for a worker and return how it ended: minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(worker, 0)[1])


def work(crash_at: str = "") -> int:
    return end_of(start(crash_at))


def check_as_in_postgresql(server: QdrantServer, space: EmbeddingSpace) -> None:
    assert not VectorChange.objects.exists()
    replica = Replica.objects.get(space=space)
    assert replica.state == Replica.State.SERVING
    assert replica.generation == 2
    with server.lock:
        names = {found.name for found in server.client.get_collections().collections}
        aliases = {alias.collection_name for alias in server.client.get_aliases().aliases}
    assert names == aliases == set(collections_of(space))
    there = [one for name in names for one in points_in(server, name)]
    assert len(there) == len(set(there)) == 1300
    assert reconcile(space, fix=False).total == 0


def check_searches(space: EmbeddingSpace, project: Project) -> None:
    for towards in directions(20, 16):
        found = vector_store().nearest(space, towards, whole(project), among=1300, limit=40)
        rows = dict(Vector.objects.filter(space=space).values_list("chunk_id", "embedding"))
        best = sorted((float(np.dot(row, towards)) for row in rows.values()), reverse=True)
        mine = [float(np.dot(rows[one], towards)) for one in found]
        assert np.allclose(mine, best[:40], atol=2e-3)


@pytest.mark.parametrize("point", POINTS)
def test_whoever_dies_is_followed_by_another(point, space, server, project):
    assert work(f"points.{point}") == -signal.SIGKILL, f"{point} was never reached"
    check_searches(space, project)  # what is half done shows nowhere
    assert work() == 0
    check_as_in_postgresql(server, space)
    check_searches(space, project)


def test_workers_that_die_one_after_another_get_there(space, server, project):
    for point in ("kept:1", "told:1", "created:1", "filled:1", "filled:2", "switching:1"):
        assert work(f"points.{point}") == -signal.SIGKILL
    assert work() == 0
    check_as_in_postgresql(server, space)


def test_two_workers_at_once_tell_everything_once(space, server, project):
    workers = [start(), start()]
    assert [end_of(worker) for worker in workers] == [0, 0]
    check_as_in_postgresql(server, space)


def test_every_checkpoint_is_tried() -> None:
    placed = {name for name in checkpoints_of("knowledge") if name.startswith("points.")}
    assert placed == {f"points.{point.partition(':')[0]}" for point in POINTS}

"""The store of vectors: exact where it can be, by an index where it must, and never short."""

import re
from contextlib import closing
from threading import Thread

import numpy as np
import pytest
from django.db import OperationalError, connection

from knowledge import vectors
from knowledge.locking import alone_at
from knowledge.models import Vector
from knowledge.vectors import PgVectors, index_name, read_halves, vector_store
from portal.checkup import check_indexes
from projects.models import Project, Source
from providers.embedding import normalised
from tests.knowledge.many_vectors import directions, make_space, put, whole
from tests.plans import plans_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def store() -> PgVectors:
    made = vector_store()
    assert isinstance(made, PgVectors)
    return made


@pytest.fixture
def by_index(monkeypatch):
    monkeypatch.setattr(vectors, "COMPARED_EXACTLY", 10)


@pytest.mark.parametrize("dimensions", [16, 384, 3072, 4000])
def test_a_space_of_any_size_is_stored_indexed_and_searched(
    store, make_chunks, project, dimensions, by_index
):
    space, other = make_space(dimensions), make_space(dimensions)
    chunks, rows = make_chunks(60), directions(60, dimensions)
    put(store, space, chunks, rows)
    put(store, other, chunks, directions(60, dimensions))
    assert store.count(space) == 60
    assert store.index_is_valid(space) is None
    assert store.prepare(space)
    assert store.index_is_valid(space) is True
    assert store.index_is_valid(other) is None
    found = store.nearest(space, rows[7], whole(project), among=60, limit=10)
    assert found[0] == chunks[7].pk
    exact = np.argsort(-(rows @ rows[7]))[:10]
    assert len(set(found) & {chunks[place].pk for place in exact}) >= 9


@pytest.mark.parametrize("dimensions", [16, 384, 3072, 4000])
def test_the_planner_uses_the_index_of_the_space(store, make_chunks, project, dimensions, by_index):
    space = make_space(dimensions)
    chunks, rows = make_chunks(40), directions(40, dimensions)
    put(store, space, chunks, rows)
    store.prepare(space)
    with plans_of("<=>") as plans:
        store.nearest(space, rows[0], whole(project), among=40, limit=10)
    assert index_name(space) in plans[0]
    assert "Sort Key: ((met.distance" in plans[0]  # the index's own order is a rough one


@pytest.mark.parametrize("filters", [{}, {"language": "owl"}])
def test_of_a_project_no_other_vectors_are_read(store, make_chunks, project, alice, filters):
    other = Project.objects.create(name="other", owner=alice)
    theirs = Source.objects.create(project=other, name="theirs", path="/nowhere")
    space = make_space(16)
    for chunks in (make_chunks(4000, theirs), make_chunks(60, language="owl")):
        put(store, space, chunks, directions(len(chunks), 16))
    store.prepare(space)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE knowledge_vector")
    with plans_of("<=>") as plans:
        found = store.nearest(
            space, directions(1, 16)[0], whole(project, **filters), among=60, limit=40
        )
    assert len(found) == 40
    # With a filter the passages may be found first, and each one's vector after it.
    assert re.search("vectors_of_a_project|one_vector_of_a_chunk", plans[0])
    assert "Seq Scan on knowledge_vector" not in plans[0]
    assert index_name(space) not in plans[0]


def test_what_is_stored_comes_back_as_it_was(store, make_chunks):
    space, chunks, rows = make_space(32), make_chunks(5), directions(5, 32)
    put(store, space, chunks, rows)
    kept = {vector.chunk_id: vector for vector in Vector.objects.filter(space=space)}
    for chunk, row in zip(chunks, rows, strict=True):
        assert np.allclose(kept[chunk.pk].embedding, row, atol=1e-3)
        assert kept[chunk.pk].project_id == chunk.project_id
    with connection.cursor() as cursor:
        cursor.execute("SELECT halfvec_send('[1, -0.5, 0.25]'::halfvec)")
        assert read_halves(bytes(cursor.fetchone()[0])).tolist() == [1, -0.5, 0.25]


def test_an_interrupted_build_is_noticed_and_done_again(store, make_chunks):
    space = make_space(16)
    put(store, space, make_chunks(20), directions(20, 16))
    # Who writes to the table holds up a concurrent build, until it runs out of time.
    writer = connection.copy()
    with closing(writer), connection.cursor() as cursor:
        writer.set_autocommit(False)
        writer.cursor().execute("LOCK TABLE knowledge_vector IN ROW EXCLUSIVE MODE")
        cursor.execute("SET statement_timeout = '300ms'")
        with pytest.raises(OperationalError, match="timeout"):
            store.prepare(space)
        cursor.execute("RESET statement_timeout")
    assert store.index_is_valid(space) is False
    assert index_name(space) in check_indexes().sentence
    assert store.prepare(space)
    assert store.index_is_valid(space) is True


def test_one_process_at_a_time_builds_an_index(store, make_chunks):
    space = make_space(16)
    with alone_at(space.pk.int) as is_alone:
        assert is_alone
        said: list[bool] = []

        def prepare() -> None:
            said.append(store.prepare(space))
            connection.close()

        other = Thread(target=prepare)
        other.start()
        other.join()
    assert said == [False]
    assert store.index_is_valid(space) is None


def test_a_filtered_search_fills_its_limit_whatever_is_nearer(
    store, make_chunks, project, by_index
):
    space = make_space(16)
    many, few = make_chunks(3000), make_chunks(30, language="owl")
    towards = directions(1, 16)[0]
    # The few are the farthest of all: an index alone would give up before it meets them.
    put(store, space, many, normalised(towards + 0.1 * directions(3000, 16)))
    put(store, space, few, normalised(-towards + 0.1 * directions(30, 16)))
    store.prepare(space)
    scope = whole(project, language="owl")
    found = store.nearest(space, towards, scope, among=3030, limit=20)
    assert len(found) == 20
    assert set(found) <= {chunk.pk for chunk in few}


def test_other_projects_do_not_crowd_out_ones_own(
    store, make_chunks, project, alice, by_index, monkeypatch
):
    monkeypatch.setattr(
        vectors, "BY_INDEX", vectors.BY_INDEX + "; SET LOCAL hnsw.max_scan_tuples = 500"
    )
    other = Project.objects.create(name="other", owner=alice)
    theirs = Source.objects.create(project=other, name="theirs", path="/nowhere")
    space, towards = make_space(16), directions(1, 16)[0]
    put(store, space, make_chunks(2000, theirs), normalised(towards + 0.1 * directions(2000, 16)))
    ours = make_chunks(25)
    put(store, space, ours, normalised(-towards + 0.1 * directions(25, 16)))
    store.prepare(space)
    found = store.nearest(space, towards, whole(project), among=25, limit=20)
    assert len(found) == 20
    assert set(found) <= {chunk.pk for chunk in ours}


def test_a_small_scope_is_compared_exactly(store, make_chunks, project):
    space, chunks, rows = make_space(64), make_chunks(200), directions(200, 64)
    put(store, space, chunks, rows)
    store.prepare(space)
    wanted = directions(1, 64)[0]
    found = store.nearest(space, wanted, whole(project), among=200, limit=50)
    stored = rows.astype(np.float16).astype(np.float32)
    assert found == [chunks[place].pk for place in np.argsort(-normalised(stored) @ wanted)[:50]]


def test_a_text_without_a_direction_is_last_and_harms_nobody(store, make_chunks, project):
    space, chunks, rows = make_space(16), make_chunks(5), directions(5, 16)
    rows[2] = 0
    put(store, space, chunks, rows)
    found = store.nearest(space, rows[0], whole(project), among=5, limit=5)
    assert found[0] == chunks[0].pk
    assert found[-1] == chunks[2].pk


def test_dropping_a_space_leaves_the_others(store, make_chunks):
    space, other, chunks = make_space(16), make_space(16), make_chunks(10)
    for one in (space, other):
        put(store, one, chunks, directions(10, 16))
        store.prepare(one)
    store.drop(space)
    store.drop(space)
    assert (store.count(space), store.count(other)) == (0, 10)
    assert store.index_is_valid(space) is None
    assert store.index_is_valid(other) is True

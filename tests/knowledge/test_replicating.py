"""Points outside PostgreSQL: told of every change, compared, mended, filled anew, left again."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from django.db import connection, transaction
from django.utils import timezone

from config.celery import app
from knowledge import qdrant_vectors, spaces
from knowledge.legs import weigh_question
from knowledge.models import Chunk, EmbeddingSpace, Replica, Vector, VectorChange
from knowledge.points import PointsUnavailable
from knowledge.reconciling import reconcile
from knowledge.replicating import at_once, begin_generation, bring_up_to_date
from knowledge.retrieval import search
from knowledge.spaces import activate, drop_retired, living_spaces
from knowledge.tasks import tend_replicas as tend_by_clock
from knowledge.tending_replicas import (
    leave,
    tend_replicas,
)
from knowledge.vectors import vector_store
from projects.models import Job
from tests.knowledge.many_vectors import directions, make_space, put, whole
from tests.knowledge.qdrant_samples import (
    changes_of,
    collections_of,
    points_in,
    states_of,
    use_qdrant,
)
from tests.knowledge.space_samples import build_beside, embed, know_other_words, the_active

pytestmark = pytest.mark.django_db(transaction=True)


# --- Noting changes ------------------------------------------------------------------------


def test_nothing_is_noted_where_postgresql_is_used_alone(make_chunks):
    space = make_space(16)
    put(vector_store(), space, make_chunks(5), directions(5, 16))
    Vector.objects.filter(space=space).delete()
    assert not VectorChange.objects.exists()


def test_every_change_is_noted_by_its_own_transaction(filled, make_chunks):
    with transaction.atomic():
        more = make_chunks(3)
        put(vector_store(), filled, more, directions(3, 16))
        assert changes_of(filled) == {chunk.pk for chunk in more}
        transaction.set_rollback(True)
    assert not changes_of(filled)
    first, second = Vector.objects.filter(space=filled)[:2]
    Chunk.objects.filter(pk=first.chunk_id).delete()  # by a cascade
    with connection.cursor() as cursor:  # and behind every model's back
        cursor.execute("DELETE FROM knowledge_vector WHERE chunk_id = %s", [second.chunk_id])
    assert changes_of(filled) == {first.chunk_id, second.chunk_id}


def test_a_project_that_is_deleted_goes_there_too(filled, qdrant, project):
    assert points_in(qdrant, *collections_of(filled))
    project.delete()
    assert len(changes_of(filled)) == 400
    assert bring_up_to_date(filled)
    assert not points_in(qdrant, *collections_of(filled))


def test_vectors_have_ever_greater_versions(filled, make_chunks):
    [chunk] = make_chunks(1)
    versions = []
    for _ in range(3):
        put(vector_store(), filled, [chunk], directions(1, 16))
        [vector] = Vector.objects.filter(chunk=chunk)
        versions.append(vector.version)
        vector.delete()
    assert versions == sorted(set(versions))
    assert versions[0] > 400


def test_a_hit_with_another_version_than_ours_does_not_count(filled, project, make_chunks):
    chunk, rows = Chunk.objects.filter(vectors__space=filled).first(), directions(1, 16)
    Vector.objects.filter(chunk=chunk).delete()
    put(vector_store(), filled, [chunk], rows)

    def found() -> list:
        return vector_store().nearest(filled, rows[0], whole(project), among=400, limit=10)

    assert found()[0] == chunk.pk  # as it is here: Qdrant has not heard of it
    changes = list(VectorChange.objects.all())
    VectorChange.objects.all().delete()
    assert chunk.pk not in found()  # Qdrant has it where it stood before
    VectorChange.objects.bulk_create(changes)
    assert bring_up_to_date(filled)
    assert found()[0] == chunk.pk


def test_what_qdrant_has_not_heard_of_is_found_nevertheless(filled, project, make_chunks, qdrant):
    new, rows = make_chunks(30, language="owl"), directions(30, 16)
    put(vector_store(), filled, new, rows)
    for row, chunk in zip(rows, new, strict=True):
        scope = whole(project)
        assert vector_store().nearest(filled, row, scope, among=430, limit=5)[0] == chunk.pk
        scope = whole(project, language="python")
        assert chunk.pk not in vector_store().nearest(filled, row, scope, among=430, limit=5)
    assert len(changes_of(filled)) == 30


def test_a_point_tells_whose_it_is_and_what_it_stands_for(filled, qdrant, project):
    [name] = collections_of(filled)
    vector = Vector.objects.filter(space=filled).select_related("chunk").first()
    with qdrant.lock:
        [record] = qdrant.client.retrieve(name, [str(vector.chunk_id)], with_vectors=True)
    assert record.payload == {
        "project": str(project.pk),
        "version": vector.version,
        "text": bytes(vector.chunk.body_hash[:8]).hex() + bytes(vector.chunk.header_hash[:8]).hex(),
    }
    assert np.allclose(record.vector["meaning"], vector.embedding, atol=2e-3)
    assert len(record.vector["words"].indices) == len(vector.chunk.weights.indices())


def test_collections_are_made_as_they_should_be(qdrant, make_chunks, settings):
    settings.QDRANT_INT8 = True
    space = make_space(16)
    put(vector_store(), space, make_chunks(3), directions(3, 16))
    put(vector_store(), space, make_chunks(3, collection="schemas"), directions(3, 16))
    assert bring_up_to_date(space)
    assert len(collections_of(space)) == 2
    for name in collections_of(space):
        made = qdrant.created[name]
        assert made["vectors"]["meaning"]["distance"] == "Cosine"
        assert made["vectors"]["meaning"]["size"] == 16
        assert made["sparse_vectors"]["words"]["modifier"] == "idf"
        assert made["quantization_config"]["scalar"]["type"] == "int8"
        assert qdrant.indexes[name]["project"]["is_tenant"] is True


# --- Generations ---------------------------------------------------------------------------


def test_it_is_filled_anew_while_searches_run(filled, qdrant, project, make_chunks):
    towards, over = directions(1, 16)[0], Event()

    def ask() -> int:
        asked = 0
        try:
            while not over.is_set():
                found = vector_store().nearest(filled, towards, whole(project), among=400, limit=20)
                assert found == expected
                asked += 1
        finally:
            connection.close()
        return asked

    expected = vector_store().nearest(filled, towards, whole(project), among=400, limit=20)
    with ThreadPoolExecutor(2) as pool:
        asking = [pool.submit(ask) for _ in range(2)]
        for _ in range(4):
            begin_generation(filled)
            assert bring_up_to_date(filled)
            tend_replicas()
        over.set()
        assert min(one.result() for one in asking) > 3
    assert states_of(filled) == {5: "serving"}
    with qdrant.lock:
        names = [found.name for found in qdrant.client.get_collections().collections]
    assert names == collections_of(filled)


def test_what_changes_while_it_is_filled_is_there_when_it_answers(
    filled, qdrant, make_chunks, monkeypatch
):
    monkeypatch.setattr("knowledge.replicating.AT_ONCE", 50)
    begin_generation(filled)
    assert not bring_up_to_date(filled, until=0)  # time is up before it has begun
    Chunk.objects.filter(pk__in=Vector.objects.values("chunk_id")[:30]).delete()
    more, rows = make_chunks(7), directions(7, 16)
    put(vector_store(), filled, more, rows)
    assert bring_up_to_date(filled)
    assert reconcile(filled, fix=False).total == 0
    assert len(points_in(qdrant, *collections_of(filled))) == 377


def test_another_layout_is_filled_beside_and_takes_over(filled, qdrant, settings):
    settings.QDRANT_INT8 = True
    tend_replicas_of(filled)
    assert states_of(filled) == {2: "serving"}
    assert Replica.objects.get(space=filled).layout == "1: 16 int8"
    assert len(points_in(qdrant, *collections_of(filled))) == 400


def tend_replicas_of(space: EmbeddingSpace) -> None:
    """Tend as the clock does, twice: what was given up goes in the next round."""
    EmbeddingSpace.objects.filter(pk=space.pk).update(built_at=timezone.now())
    tend_replicas()
    tend_replicas()


def test_a_retired_space_leaves_nothing_behind(qdrant, source, index, settings):
    index(source, "owl.py", "def hunt(mouse):\n    return mouse\n")
    embed(source)
    first = the_active()
    tend_replicas()
    second = build_beside(source, know_other_words(settings))
    tend_replicas()
    assert {replica.space for replica in Replica.objects.all()} == {first, second}
    activate(second)
    third = EmbeddingSpace.objects.get(pk=first.pk)
    assert third.state == "kept"
    EmbeddingSpace.objects.filter(pk=first.pk).update(state="retired")
    drop_retired()
    tend_replicas()
    assert {replica.space for replica in Replica.objects.all()} == {second}
    with qdrant.lock:
        names = [found.name for found in qdrant.client.get_collections().collections]
    assert names == collections_of(second)
    assert living_spaces() == [second]


# --- Moving there and back -----------------------------------------------------------------


def test_moving_there_and_back_changes_no_search(qdrant, source, index, viewer, settings):
    for n in range(20):
        index(source, f"owl{n}.py", f"def hunt_{n}(mouse):\n    return catch(mouse, night={n})\n")
    embed(source)
    address = settings.QDRANT_URL

    def found() -> list:
        results = search(viewer, "where do owls hunt")
        assert not results.notes
        return [hit.chunk.pk for hit in results.hits]

    leave()
    settings.QDRANT_URL, settings.VECTOR_STORE = "", "knowledge.vectors.IN_POSTGRESQL"
    expected = found()
    use_qdrant(settings, address)
    assert found() == expected  # nothing is there yet
    qdrant.asked.clear()
    tend_replicas()
    assert found() == expected
    assert any(path.endswith("/points/query") for _, path in qdrant.asked)
    settings.QDRANT_URL, settings.VECTOR_STORE = "", "knowledge.vectors.IN_POSTGRESQL"
    qdrant.asked.clear()
    assert found() == expected
    tend_replicas()
    assert not qdrant.asked
    assert not Replica.objects.exists()
    Chunk.objects.filter(document__path="owl1.py").delete()
    assert not VectorChange.objects.exists()
    use_qdrant(settings, address)
    tend_replicas()  # the collections that stayed there are made anew
    assert reconcile(the_active(), fix=False).total == 0


def test_postgresql_needs_no_index_while_qdrant_answers(filled, settings, monkeypatch):
    monkeypatch.setattr(spaces, "INDEXED_FROM", 10)
    assert not spaces.needs_index(filled)
    settings.QDRANT_URL = ""
    assert spaces.needs_index(filled)


# --- In hard cases -------------------------------------------------------------------------


def found_of(space, vector, scope, limit: int = 10) -> list:
    return vector_store().nearest(space, vector, scope, among=1000, limit=limit)


def test_of_many_changes_postgresql_is_asked_at_once(filled, project, make_chunks, monkeypatch):
    monkeypatch.setattr(qdrant_vectors, "MOST_WAITING", 20)
    put(vector_store(), filled, make_chunks(21), directions(21, 16))
    with pytest.raises(PointsUnavailable, match="yet to hear of many changes"):
        found_of(filled, directions(1, 16)[0], whole(project))
    assert bring_up_to_date(filled)
    assert len(found_of(filled, directions(1, 16)[0], whole(project))) == 10


def test_texts_without_a_direction_crowd_nobody_out(filled, project, make_chunks):
    put(vector_store(), filled, make_chunks(120), np.zeros((120, 16), dtype=np.float32))
    [new], rows = make_chunks(1), directions(1, 16)
    put(vector_store(), filled, [new], rows)
    assert found_of(filled, rows[0], whole(project), limit=100)[0] == new.pk
    assert len(found_of(filled, rows[0], whole(project), limit=500)) == 500
    assert bring_up_to_date(filled)
    assert found_of(filled, rows[0], whole(project), limit=100)[0] == new.pk


def test_changes_of_a_space_that_is_gone_do_not_stay(filled, qdrant):
    Chunk.objects.filter(vectors__space=filled).delete()
    EmbeddingSpace.objects.filter(pk=filled.pk).update(state="retired")
    tend_replicas()
    assert not VectorChange.objects.exists()
    assert not Replica.objects.exists()
    with qdrant.lock:
        assert not qdrant.client.get_collections().collections


def test_collections_that_nobody_knows_are_removed(filled, qdrant, settings):
    for _ in range(2):
        begin_generation(filled)
        assert bring_up_to_date(filled)
    leave()
    use_qdrant(settings, qdrant.url)
    tend_replicas_of(filled)
    assert states_of(filled) == {1: "serving"}
    with qdrant.lock:
        names = [found.name for found in qdrant.client.get_collections().collections]
    assert names == collections_of(filled)


def test_a_generation_that_takes_nothing_any_more_gives_way(filled, qdrant, make_chunks):
    begin_generation(filled)
    put(vector_store(), filled, make_chunks(5), directions(5, 16))
    qdrant.failing = "--1/"  # writes to the first generation
    assert bring_up_to_date(filled)
    qdrant.failing = ""
    tend_replicas_of(filled)
    assert states_of(filled) == {2: "serving"}
    assert reconcile(filled, fix=False).total == 0


def test_a_layout_that_is_wanted_no_more_is_not_filled_on(filled, settings):
    settings.QDRANT_INT8 = True
    bring_up_to_date(filled, until=0)
    assert states_of(filled) == {1: "serving", 2: "filling"}
    settings.QDRANT_INT8 = False
    assert bring_up_to_date(filled)
    assert states_of(filled) == {1: "serving"}


def test_large_vectors_go_in_smaller_parts():
    assert at_once(EmbeddingSpace(dimensions=384)) == 500
    assert at_once(EmbeddingSpace(dimensions=4000)) == 250


def test_words_are_looked_up_here_while_qdrant_lacks_some(qdrant, source, index, project, settings):
    settings.QDRANT_WORDS = True
    index(source, "a.md", "# Owls\n\nOwls hunt at night.\n")
    embed(source)
    tend_replicas()
    space, scope = the_active(), whole(project)
    weighed = weigh_question("owls at night", scope)
    assert len(vector_store().by_words(space, weighed, scope)) == 1
    index(source, "b.md", "# Mice\n\nMice fear owls at night.\n")
    job = Job.objects.create(project=project, source=source, kind="embed")
    weighed = weigh_question("owls at night", scope)
    assert vector_store().by_words(space, weighed, scope) is None
    job.delete()
    embed(source)
    assert vector_store().by_words(space, weighed, scope) is None
    tend_replicas()
    assert len(vector_store().by_words(space, weighed, scope)) == 2


def test_the_clock_sees_to_it():
    entries = {entry["task"]: entry for entry in app.conf.beat_schedule.values()}
    assert entries["knowledge.tasks.tend_replicas"]["schedule"] == 10.0
    tend_by_clock()
    assert not Replica.objects.exists()

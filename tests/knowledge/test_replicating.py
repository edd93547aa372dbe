"""Points outside PostgreSQL: told of every change, compared, mended, filled anew, left again."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from threading import Event
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from knowledge.models import Chunk, EmbeddingSpace, Replica, Vector, VectorChange
from knowledge.points import Naming, PointsUnavailable, point_store
from knowledge.reconciling import reconcile
from knowledge.replicating import alone, begin_generation, bring_up_to_date
from knowledge.retrieval import search
from knowledge.spaces import SpaceRefused, activate, drop_retired, living_spaces
from knowledge.tending_replicas import (
    ask_to_rebuild,
    ask_to_reconcile,
    compare_what_is_due,
    leave,
    tend_replicas,
)
from knowledge.vectors import vector_store
from projects.models import Project, Source
from tests.knowledge.many_vectors import directions, make_space, put, whole
from tests.knowledge.qdrant_samples import collections_of, points_in, spoil, use_qdrant
from tests.knowledge.space_samples import build_beside, embed, know_other_words, the_active
from tests.qdrant_server import qdrant_server

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def server(settings):
    with qdrant_server() as started:
        use_qdrant(settings, started.url)
        yield started


@pytest.fixture
def filled(server, make_chunks) -> EmbeddingSpace:
    """Return a space of 400 passages that Qdrant answers for."""
    space = make_space(16)
    put(vector_store(), space, make_chunks(400), directions(400, 16))
    assert bring_up_to_date(space)
    return space


def changes_of(space: EmbeddingSpace) -> set:
    return set(VectorChange.objects.filter(space_id=space.pk).values_list("chunk_id", flat=True))


def states_of(space: EmbeddingSpace) -> dict[int, str]:
    rows = Replica.objects.filter(space=space)
    return dict(rows.values_list("generation", "state"))


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


def test_a_project_that_is_deleted_goes_there_too(filled, server, project):
    assert points_in(server, *collections_of(filled))
    project.delete()
    assert len(changes_of(filled)) == 400
    assert bring_up_to_date(filled)
    assert not points_in(server, *collections_of(filled))


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


def test_what_qdrant_has_not_heard_of_is_found_nevertheless(filled, project, make_chunks, server):
    new, rows = make_chunks(30, language="owl"), directions(30, 16)
    put(vector_store(), filled, new, rows)
    for row, chunk in zip(rows, new, strict=True):
        scope = whole(project)
        assert vector_store().nearest(filled, row, scope, among=430, limit=5)[0] == chunk.pk
        scope = whole(project, language="python")
        assert chunk.pk not in vector_store().nearest(filled, row, scope, among=430, limit=5)
    assert len(changes_of(filled)) == 30


def test_a_point_tells_whose_it_is_and_what_it_stands_for(filled, server, project):
    [name] = collections_of(filled)
    vector = Vector.objects.filter(space=filled).select_related("chunk").first()
    with server.lock:
        [record] = server.client.retrieve(name, [str(vector.chunk_id)], with_vectors=True)
    assert record.payload == {
        "project": str(project.pk),
        "version": vector.version,
        "text": bytes(vector.chunk.body_hash[:8]).hex() + bytes(vector.chunk.header_hash[:8]).hex(),
    }
    assert np.allclose(record.vector["meaning"], vector.embedding, atol=2e-3)
    assert len(record.vector["words"].indices) == len(vector.chunk.weights.indices())


def test_collections_are_made_as_they_should_be(server, make_chunks, settings):
    settings.QDRANT_INT8 = True
    space = make_space(16)
    put(vector_store(), space, make_chunks(3), directions(3, 16))
    put(vector_store(), space, make_chunks(3, collection="schemas"), directions(3, 16))
    assert bring_up_to_date(space)
    assert len(collections_of(space)) == 2
    for name in collections_of(space):
        made = server.created[name]
        assert made["vectors"]["meaning"]["distance"] == "Cosine"
        assert made["vectors"]["meaning"]["size"] == 16
        assert made["sparse_vectors"]["words"]["modifier"] == "idf"
        assert made["quantization_config"]["scalar"]["type"] == "int8"
        assert server.indexes[name]["project"]["is_tenant"] is True


# --- Hits that are none --------------------------------------------------------------------


def test_a_search_before_the_repair_shows_nothing_foreign_and_nothing_deleted(
    filled, server, project, alice
):
    other = Project.objects.create(name="other", owner=alice)
    [name] = collections_of(filled)
    spoilt = spoil(server, name, other.pk)
    Chunk.objects.filter(pk__in=list(points_in(server, name))[:20]).delete()
    bad = {*spoilt["foreign"], *spoilt["stolen"]}
    for towards in directions(40, 16):
        for scope in (whole(project), whole(other)):
            found = vector_store().nearest(filled, towards, scope, among=100, limit=50)
            there = Vector.objects.filter(
                chunk__in=found, space=filled, project__in=scope.project_ids
            )
            assert there.count() == len(found)
            assert not (bad & set(found)) or scope.project_ids == (project.pk,)
            assert not set(found) & set(spoilt["foreign"])
    assert len(vector_store().nearest(filled, towards, whole(project), among=1, limit=50)) == 50


def test_the_repair_leaves_no_difference(filled, server, project):
    [name] = collections_of(filled)
    spoil(server, name, uuid4())
    found = reconcile(filled, fix=False)
    assert (found.missing, found.foreign, found.wrong_project) == (20, 20, 4)
    assert reconcile(filled, fix=True).total == 0
    assert set(points_in(server, name)) == set(
        Vector.objects.filter(space=filled).values_list("chunk_id", flat=True)
    )
    replica = Replica.objects.get(space=filled)
    assert replica.comparison["found"]["total"] == 44
    assert replica.comparison["left"]["total"] == 0


def test_an_outdated_point_and_a_strangers_are_mended(filled, server):
    [name] = collections_of(filled)
    one, other = sorted(points_in(server, name))[:2]
    with server.lock:
        server.client.set_payload(name, {"version": 1_000_000}, [str(one)])
        server.client.set_payload(name, {"version": "owl", "project": None}, [str(other)])
    found = reconcile(filled, fix=False)
    assert (found.outdated, found.wrong_project, found.total) == (1, 1, 2)
    assert reconcile(filled, fix=True).total == 0


def test_what_has_not_been_told_yet_is_no_difference(filled, make_chunks, server):
    put(vector_store(), filled, make_chunks(5), directions(5, 16))
    assert reconcile(filled, fix=False).total == 0
    assert not changes_of(filled)


def test_two_do_not_work_on_a_space_at_once(filled):
    def from_elsewhere() -> tuple[bool, str]:
        try:
            with pytest.raises(PointsUnavailable) as refusal:
                reconcile(filled, fix=True)
            return bring_up_to_date(filled), str(refusal.value)
        finally:
            connection.close()

    with alone(filled) as is_alone, ThreadPoolExecutor(1) as pool:
        assert is_alone
        went_on, said = pool.submit(from_elsewhere).result()
    assert not went_on
    assert "Another process" in said


# --- Generations ---------------------------------------------------------------------------


def test_it_is_filled_anew_while_searches_run(filled, server, project, make_chunks):
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
    with server.lock:
        names = [found.name for found in server.client.get_collections().collections]
    assert names == collections_of(filled)


def test_what_changes_while_it_is_filled_is_there_when_it_answers(
    filled, server, make_chunks, monkeypatch
):
    monkeypatch.setattr("knowledge.replicating.AT_ONCE", 50)
    begin_generation(filled)
    assert not bring_up_to_date(filled, until=0)  # time is up before it has begun
    Chunk.objects.filter(pk__in=Vector.objects.values("chunk_id")[:30]).delete()
    more, rows = make_chunks(7), directions(7, 16)
    put(vector_store(), filled, more, rows)
    assert bring_up_to_date(filled)
    assert reconcile(filled, fix=False).total == 0
    assert len(points_in(server, *collections_of(filled))) == 377


def test_another_layout_is_filled_beside_and_takes_over(filled, server, settings):
    settings.QDRANT_INT8 = True
    tend_replicas_of(filled)
    assert states_of(filled) == {2: "serving"}
    assert Replica.objects.get(space=filled).layout == "1: 16 int8"
    assert len(points_in(server, *collections_of(filled))) == 400


def tend_replicas_of(space: EmbeddingSpace) -> None:
    """Tend as the clock does, twice: what was given up goes in the next round."""
    EmbeddingSpace.objects.filter(pk=space.pk).update(built_at=timezone.now())
    tend_replicas()
    tend_replicas()


def test_a_retired_space_leaves_nothing_behind(server, source, index, settings):
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
    with server.lock:
        names = [found.name for found in server.client.get_collections().collections]
    assert all(Naming(second.pk, 1).is_ours(name) for name in names)
    assert living_spaces() == [second]


# --- Moving there and back -----------------------------------------------------------------


def test_moving_there_and_back_changes_no_search(server, source, index, viewer, settings):
    for n in range(20):
        index(source, f"owl{n}.py", f"def hunt_{n}(mouse):\n    return catch(mouse, night={n})\n")
    embed(source)
    address = settings.QDRANT_URL

    def found() -> list:
        results = search(viewer, "where do owls hunt")
        assert not results.notes
        return [hit.chunk.pk for hit in results.hits]

    leave()
    settings.QDRANT_URL, settings.VECTOR_STORE = "", "knowledge.vectors.PgVectors"
    expected = found()
    use_qdrant(settings, address)
    assert found() == expected  # nothing is there yet
    server.asked.clear()
    tend_replicas()
    assert found() == expected
    assert any(path.endswith("/points/query") for _, path in server.asked)
    settings.QDRANT_URL, settings.VECTOR_STORE = "", "knowledge.vectors.PgVectors"
    server.asked.clear()
    assert found() == expected
    tend_replicas()
    assert not server.asked
    assert not Replica.objects.exists()
    Chunk.objects.filter(document__path="owl1.py").delete()
    assert not VectorChange.objects.exists()
    use_qdrant(settings, address)
    tend_replicas()  # the collections that stayed there are made anew
    assert reconcile(the_active(), fix=False).total == 0


# --- Asking for it -------------------------------------------------------------------------


def test_an_admin_has_it_compared_and_mended(filled, server, admin):
    spoil(server, *collections_of(filled), uuid4())
    ask_to_reconcile(filled, by=admin)
    compare_what_is_due()
    replica = Replica.objects.get(space=filled)
    assert (replica.comparison["found"]["total"], replica.asked_at) == (44, None)
    assert reconcile(filled, fix=False).total == 0


def test_it_is_compared_once_a_day(filled, server):
    compare_what_is_due()
    assert Replica.objects.get(space=filled).compared_at is None
    Replica.objects.update(served_at=timezone.now() - timedelta(hours=25))
    compare_what_is_due()
    compared_at = Replica.objects.get(space=filled).compared_at
    assert compared_at is not None
    compare_what_is_due()
    assert Replica.objects.get(space=filled).compared_at == compared_at


def test_what_can_not_be_asked_for_is_refused(admin, filled, settings):
    Replica.objects.filter(space=filled).update(state="filling")
    with pytest.raises(SpaceRefused, match="is being filled"):
        ask_to_reconcile(filled, by=admin)
    filled.state = EmbeddingSpace.State.RETIRED
    with pytest.raises(SpaceRefused, match="no vectors"):
        ask_to_rebuild(filled, by=admin)
    settings.QDRANT_URL = ""
    for ask in (ask_to_reconcile, ask_to_rebuild):
        with pytest.raises(SpaceRefused, match="QDRANT_URL is not set"):
            ask(filled, by=admin)


def run(name: str, *args: str) -> str:
    out = StringIO()
    call_command(name, *args, stdout=out)
    return out.getvalue()


def test_the_commands_compare_mend_and_fill_anew(server, source, index):
    for n in range(30):
        index(source, f"owl{n}.py", f"def hunt_{n}(mouse):\n    return catch(mouse, night={n})\n")
    embed(source)
    space = the_active()
    with pytest.raises(CommandError, match="being filled"):
        run("reconcile")
    tend_replicas()
    assert "30 points, all as in PostgreSQL." in run("reconcile")
    spoil(server, *collections_of(space), uuid4())
    with pytest.raises(CommandError, match=r"3 differences. Run `manage.py reconcile --fix`."):
        run("reconcile")
    assert "all as in PostgreSQL" in run("reconcile", "--fix")
    assert json.loads(run("reconcile", "--json"))[str(space.pk)]["total"] == 0
    assert "30 points, in use." in run("rebuild-vectors")
    assert states_of(space)[2] == "serving"
    run("rebuild-vectors", "--no-wait")
    assert states_of(space)[3] == "filling"
    server.mode = "refuse"
    with pytest.raises(CommandError, match="Qdrant does not answer"):
        run("rebuild-vectors")
    with pytest.raises(CommandError, match="Qdrant does not answer"):
        run("reconcile")


def test_without_qdrant_the_commands_say_so():
    for name in ("reconcile", "rebuild-vectors"):
        with pytest.raises(CommandError, match="QDRANT_URL is not set"):
            run(name)


def test_an_address_that_is_none_is_a_clear_error(settings):
    use_qdrant(settings, "gopher://owl")
    with pytest.raises(PointsUnavailable, match="QDRANT_URL"):
        point_store()


def test_sources_of_other_projects_stay_apart(filled, project, alice, make_chunks):
    other = Project.objects.create(name="other", owner=alice)
    theirs = Source.objects.create(project=other, name="theirs", path="/nowhere")
    chunks, rows = make_chunks(20, theirs), directions(20, 16)
    put(vector_store(), filled, chunks, rows)
    assert bring_up_to_date(filled)
    found = vector_store().nearest(filled, rows[0], whole(other), among=20, limit=20)
    assert set(found) == {chunk.pk for chunk in chunks}
    assert not set(found) & set(
        vector_store().nearest(filled, rows[0], whole(project), among=400, limit=100)
    )

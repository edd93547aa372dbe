"""Comparing points with PostgreSQL: what a search shows before the repair, and after it."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from qdrant_client import models

from knowledge.models import Chunk, EmbeddingSpace, Replica, Vector
from knowledge.points import PointsUnavailable, point_store
from knowledge.reconciling import reconcile
from knowledge.replicating import alone, bring_up_to_date
from knowledge.spaces import SpaceRefused
from knowledge.tending_replicas import (
    ask_to_rebuild,
    ask_to_reconcile,
    compare_what_is_due,
    tend_replicas,
)
from knowledge.vectors import vector_store
from projects.models import Project, Source
from tests.knowledge.many_vectors import directions, put, whole
from tests.knowledge.qdrant_samples import (
    changes_of,
    collections_of,
    points_in,
    spoil,
    states_of,
    use_qdrant,
)
from tests.knowledge.space_samples import embed, the_active

pytestmark = pytest.mark.django_db(transaction=True)


def found_of(space, vector, scope, limit: int = 10) -> list:
    return vector_store().nearest(space, vector, scope, among=1000, limit=limit)


def test_a_search_before_the_repair_shows_nothing_foreign_and_nothing_deleted(
    filled, qdrant, project, alice
):
    other = Project.objects.create(name="other", owner=alice)
    [name] = collections_of(filled)
    spoilt = spoil(qdrant, name, other.pk)
    Chunk.objects.filter(pk__in=list(points_in(qdrant, name))[:20]).delete()
    of_project = Vector.objects.filter(space=filled, project=project)
    there = set(of_project.values_list("chunk_id", flat=True))
    assert there.isdisjoint(spoilt["foreign"])
    for towards in directions(40, 16):
        found = vector_store().nearest(filled, towards, whole(project), among=400, limit=50)
        assert len(found) == 50
        assert set(found) <= there
        # What was given to another project is none of its passages.
        assert vector_store().nearest(filled, towards, whole(other), among=0, limit=50) == []


def test_the_repair_leaves_no_difference(filled, qdrant, project):
    [name] = collections_of(filled)
    spoil(qdrant, name, uuid4())
    found = reconcile(filled, fix=False)
    assert (found.missing, found.foreign, found.wrong_project) == (20, 20, 4)
    assert reconcile(filled, fix=True).total == 0
    assert set(points_in(qdrant, name)) == set(
        Vector.objects.filter(space=filled).values_list("chunk_id", flat=True)
    )
    replica = Replica.objects.get(space=filled)
    assert replica.comparison["found"]["total"] == 44
    assert replica.comparison["left"]["total"] == 0


def test_an_outdated_point_and_a_strangers_are_mended(filled, qdrant):
    [name] = collections_of(filled)
    one, other = sorted(points_in(qdrant, name))[:2]
    with qdrant.lock:
        qdrant.client.set_payload(name, {"version": 1_000_000}, [str(one)])
        qdrant.client.set_payload(name, {"version": "owl", "project": None}, [str(other)])
    found = reconcile(filled, fix=False)
    assert (found.outdated, found.wrong_project, found.total) == (1, 1, 2)
    assert reconcile(filled, fix=True).total == 0


def test_what_has_not_been_told_yet_is_no_difference(filled, make_chunks, qdrant):
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


def test_who_is_busy_is_no_outage(filled):
    Replica.objects.filter(space=filled).update(reconcile_asked_at=timezone.now())

    def from_elsewhere() -> None:
        try:
            tend_replicas()
        finally:
            connection.close()

    with alone(filled), ThreadPoolExecutor(1) as pool:
        pool.submit(from_elsewhere).result()
    replica = Replica.objects.get(space=filled)
    assert replica.error == ""
    assert replica.reconcile_asked_at is not None


def test_points_that_are_damaged_are_passed_over(filled, qdrant, project):
    [name] = collections_of(filled)
    towards = directions(1, 16)[0]
    ours = {"project": str(project.pk)}
    payloads = {
        7: {**ours, "version": 1},
        str(uuid4()): {**ours, "version": 10**27},
        str(uuid4()): {**ours, "version": "x"},
        str(uuid4()): ours,
    }
    with qdrant.lock:
        points = [
            models.PointStruct(id=one, payload=told, vector={"meaning": towards.tolist()})
            for one, told in payloads.items()
        ]
        qdrant.client.upsert(name, points)
    there = set(Vector.objects.filter(space=filled).values_list("chunk_id", flat=True))
    found = found_of(filled, towards, whole(project), limit=50)
    assert len(found) == 50
    assert set(found) <= there
    assert reconcile(filled, fix=True).total == 0
    assert set(points_in(qdrant, name)) == there


def test_reconciling_without_mending_leaves_what_was_asked_for(filled, qdrant, admin):
    spoil(qdrant, *collections_of(filled), uuid4())
    ask_to_reconcile(filled, by=admin)
    assert reconcile(filled, fix=False).total == 44
    assert Replica.objects.get(space=filled).reconcile_asked_at is not None
    assert reconcile(filled, fix=False).total == 44


# --- Asking for it -------------------------------------------------------------------------


def test_an_admin_has_it_compared_and_mended(filled, qdrant, admin):
    spoil(qdrant, *collections_of(filled), uuid4())
    ask_to_reconcile(filled, by=admin)
    compare_what_is_due()
    replica = Replica.objects.get(space=filled)
    assert (replica.comparison["found"]["total"], replica.reconcile_asked_at) == (44, None)
    assert reconcile(filled, fix=False).total == 0


def test_it_is_compared_once_a_day(filled, qdrant):
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


def test_the_commands_compare_mend_and_fill_anew(qdrant, source, index):
    for n in range(30):
        index(source, f"owl{n}.py", f"def hunt_{n}(mouse):\n    return catch(mouse, night={n})\n")
    embed(source)
    space = the_active()
    with pytest.raises(CommandError, match="being filled"):
        run("reconcile")
    tend_replicas()
    assert "30 points, all as in PostgreSQL." in run("reconcile")
    spoil(qdrant, *collections_of(space), uuid4())
    with pytest.raises(CommandError, match=r"3 differences. Run `manage.py reconcile --fix`."):
        run("reconcile")
    assert "all as in PostgreSQL" in run("reconcile", "--fix")
    assert json.loads(run("reconcile", "--json"))[str(space.pk)]["total"] == 0
    assert "30 points, in use." in run("rebuild-vectors")
    assert states_of(space)[2] == "serving"
    run("rebuild-vectors", "--no-wait")
    assert states_of(space)[2] == "serving"
    assert bring_up_to_date(space)
    assert states_of(space)[3] == "serving"
    qdrant.mode = "refuse"
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

"""Histories made to hurt, and histories that change under the reader."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.models import Chunk, Document
from projects import jobs
from projects.models import Job, Source
from tests.hostile.building import commit_of, fast_import
from tests.hostile.fixtures import Hostile, parameters
from tests.hostile.histories import HISTORIES
from tests.projects.repositories import Repository

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def place(attack, request: pytest.FixtureRequest) -> Path:
    return attack.worker.folder / request.node.name


def wait_until(is_true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not is_true():
        time.sleep(0.005)


def texts(source: Source) -> dict[str, str]:
    found = Document.objects.filter(source=source, state=Document.State.INDEXED)
    return {each.path: each.content for each in found.select_related("blob")}


def chunks(source: Source) -> list[tuple[str, bytes]]:
    rows = Chunk.objects.filter(document__source=source)
    return sorted((p, bytes(h)) for p, h in rows.values_list("document__path", "body_hash"))


@pytest.mark.parametrize("hostile", parameters(HISTORIES))
def test_a_hostile_history_ends_as_it_should(attack, hostile: Hostile) -> None:
    attack.check(hostile)


@pytest.mark.slow
def test_a_push_between_fetching_and_reading_changes_nothing(attack, place: Path) -> None:
    old = {f"module_{number}.py": f"old = {number}\n" for number in range(1500)}
    new = {path: text.replace("old", "new") for path, text in old.items()}
    repository = Repository(place)
    fast_import(repository, commit_of(old))
    first = repository.head()
    source = attack.add(place)
    job = jobs.enqueue(source)
    reader = threading.Thread(
        target=attack.worker.run, args=[job], kwargs={"max_file_bytes": 1_000_000}
    )

    reader.start()
    wait_until(lambda: Job.objects.get(pk=job.pk).stage not in {"", "starting", "fetching"})
    fast_import(repository, commit_of(new, branch="next"))
    repository.point("main", repository.head("next"))
    repository.git("gc", "--prune=now", "--quiet")
    reader.join()

    source.refresh_from_db()
    assert (source.state, source.head) == (Source.State.READY, first)
    assert texts(source) == old
    attack.run(source)
    assert (source.state, source.head) == (Source.State.READY, repository.head())
    assert texts(source) == new


@pytest.mark.slow
def test_a_branch_that_is_deleted_fails_the_sync_and_keeps_the_index(attack, place: Path) -> None:
    repository = Repository(place)
    repository.commit({"kept.py": "kept = 1\n"}, branch="topic")
    repository.commit({"other.py": "other = 1\n"})
    source = attack.add(place, "topic")
    attack.run(source)
    before, head = texts(source), source.head
    repository.git("update-ref", "-d", "refs/heads/topic")

    attack.run(source)

    assert source.state == Source.State.FAILED
    assert "no branch named topic" in source.error
    assert (texts(source), source.head) == (before, head)
    assert before == {"kept.py": "kept = 1\n"}


@pytest.mark.slow
def test_renames_in_circles_come_out_as_a_fresh_index(attack, place: Path) -> None:
    repository = Repository(place)
    names = ["a.py", "b.py", "c.py"]
    bodies = [f"def named_{name[0]}():\n    return {name!r}\n" for name in names]
    source = attack.add(place)
    parents: list[str] = []
    for turn in range(6):
        turned = names[turn % 3 :] + names[: turn % 3]
        parents = [repository.commit(dict(zip(turned, bodies, strict=True)), parents=parents)]
        attack.run(source)
        assert texts(source) == dict(zip(turned, bodies, strict=True))
    fresh = Source.objects.create(project=source.project, name="fresh", path=source.path)

    attack.run(fresh)

    assert chunks(source) == chunks(fresh) != []

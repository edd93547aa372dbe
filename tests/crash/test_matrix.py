"""A runner that dies at any of its checkpoints loses nothing and doubles nothing."""

import re
import signal
import time

import pytest

from knowledge import spaces
from knowledge.models import Document, EmbeddingSpace
from knowledge.spaces import active_space
from projects import jobs
from projects.models import Job
from providers.embedding import Reach
from tests.crash.conftest import (
    AGAIN_WITHIN,
    ROOT,
    Case,
    Index,
    check_ended_well,
    index_of,
    make_case,
    second_files,
    wait_for,
)
from tests.knowledge.exactness import check_filled

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

POINTS = [
    *("job.claimed:1", "job.claimed:2", "job.settling:1", "job.settling:2"),
    *("job.settled:1", "job.settled:2", "sync.fetched:1", "sync.listed:1"),
    *("sync.batch_read:1", "sync.batch_read:2", "sync.storing:1", "sync.storing:3"),
    *("sync.stored:1", "sync.stored:3", "sync.forgetting:1", "sync.forgot:1"),
    *("sync.finishing:1", "sync.finished:1", "embed.listed:1", "embed.made:1", "embed.made:2"),
    *("embed.cached:1", "embed.cached:2", "embed.storing:1", "embed.storing:2"),
    *("embed.stored:1", "embed.stored:2", "embed.settled:1"),
    *("sync.attributing:1", "sync.attributed:1"),
]
# Those of them that also cost the true lease of 20 seconds; the others wait 2.
WITH_TRUE_LEASE = ["sync.stored:2", "embed.cached:1"]
# Reached in a test of its own, and by what is no part of indexing.
ELSEWHERE = {"space.activating", "poll.claimed", "overview.described"}


def checkpoints_of(app: str) -> set[str]:
    """Return the names of the checkpoints that an app of the product has."""
    found: set[str] = set()
    for file in (ROOT / app).rglob("*.py"):
        found |= set(re.findall(r'\bcheckpoint\(f?"([^"]+)"\)', file.read_text()))
    return found


def die_at(point: str, case: Case, start_runner, lease: float = 1.5) -> float:
    """Run until the checkpoint kills the runner, then until another has done the rest."""
    jobs.enqueue(case.source)
    assert start_runner(lease, point).wait() == -signal.SIGKILL, f"{point} was never reached"
    died_at = time.monotonic()
    assert start_runner(lease).wait() == 0
    return time.monotonic() - died_at


@pytest.mark.parametrize("point", POINTS)
def test_a_runner_that_dies_is_taken_over(point, case, golden, start_runner, orphans, tmp_path):
    die_at(point, case, start_runner)
    check_ended_well(case, golden, tmp_path / "mirrors")
    wait_for(lambda: not orphans(), 10)
    assert not list((tmp_path / "tmp").iterdir())


@pytest.mark.parametrize("point", WITH_TRUE_LEASE)
def test_it_is_within_a_minute_with_the_lease_as_it_ships(
    point, case, golden, start_runner, settings, tmp_path
):
    assert settings.JOB_LEASE_SECONDS == 20
    took = die_at(point, case, start_runner, lease=20)
    assert took < AGAIN_WITHIN
    check_ended_well(case, golden, tmp_path / "mirrors")


@pytest.mark.parametrize("point", ["sync.fetched:1", "sync.stored:1", "embed.stored:1"])
def test_a_first_sync_is_taken_over_too(point, project, golden, start_runner, tmp_path):
    case = make_case(project, tmp_path / "repository")
    case.commit(second_files())
    die_at(point, case, start_runner)
    fewer = Index(golden.rows, index_of(case.source).embedded)
    check_ended_well(case, fewer, tmp_path / "mirrors")


def test_runners_that_die_one_after_another_get_there(case, golden, start_runner, tmp_path):
    jobs.enqueue(case.source)
    for point in ("sync.stored:1", "sync.stored:1", "sync.forgot:1", "job.settling:1"):
        assert start_runner(1, point).wait() == -signal.SIGKILL
    assert start_runner(1, "embed.cached:1").wait() == -signal.SIGKILL
    assert start_runner(1).wait() == 0
    check_ended_well(case, golden, tmp_path / "mirrors")


@pytest.mark.parametrize("point", ["job.settling:1", "job.settled:1"])
def test_what_is_asked_while_it_runs_outlives_its_death(point, case, start_runner):
    jobs.enqueue(case.source)
    victim = start_runner(1.5, point)
    wait_for(Job.objects.filter(state=Job.State.RUNNING, stage="reading").exists)
    case.commit({**second_files(), "late.py": "late = True\n"})
    jobs.enqueue(case.source)
    assert victim.wait() == -signal.SIGKILL
    assert start_runner(1.5).wait() == 0
    case.source.refresh_from_db()
    assert case.source.head == case.repository.head()
    assert Document.objects.filter(path="late.py").exists()
    check_filled(case.source)


def test_a_job_that_kills_every_runner_is_given_up(case, start_runner):
    jobs.enqueue(case.source)
    for _ in range(Job.MAX_ATTEMPTS):
        assert start_runner(1, "sync.listed:1").wait() == -signal.SIGKILL
    assert start_runner(1).wait() == 0
    job = Job.objects.get(source=case.source, kind=Job.Kind.SYNC, state=Job.State.FAILED)
    assert job.attempts == Job.MAX_ATTEMPTS
    case.source.refresh_from_db()
    assert case.source.state == "failed"


def test_two_runners_at_once_do_the_work_once(case, golden, start_runner, tmp_path):
    jobs.enqueue(case.source)
    runners = [start_runner(), start_runner()]
    assert [runner.wait() for runner in runners] == [0, 0]
    check_ended_well(case, golden, tmp_path / "mirrors")


def test_a_swap_of_spaces_that_dies_is_made_by_the_next(case, start_runner):
    before = active_space()
    declared = spaces.declare(Reach("HashedWords", "another"), takes_over=True)
    assert start_runner(1.5, "space.activating:1").wait() == -signal.SIGKILL
    assert active_space() == before
    assert start_runner().wait() == 0
    assert active_space() == declared
    assert EmbeddingSpace.objects.get(pk=before.pk).state == EmbeddingSpace.State.KEPT
    check_filled(case.source)


def test_the_matrix_knows_every_checkpoint_of_the_product() -> None:
    placed = set().union(
        *(checkpoints_of(app) for app in ("knowledge", "projects", "providers", "conversations"))
    )
    tried = {point.partition(":")[0] for point in POINTS}
    assert len(tried) >= 15
    of_replicas = {name for name in placed if name.startswith("points.")}  # test_killed_replicas
    assert placed == tried | ELSEWHERE | of_replicas

"""Nobody's work keeps others waiting."""

from datetime import timedelta
from time import monotonic

import pytest
from django.utils import timezone

from projects import jobs, shutdown, turns
from projects.leases import JobCancelled, JobYielded, Lease
from projects.models import Job, Project, Source


@pytest.fixture
def sources_of(alice, tmp_path):
    """Return the sources of a project of that name, so many of them."""

    def make(name, count=1):
        project, _ = Project.objects.get_or_create(name=name, owner=alice)
        return Source.objects.bulk_create(
            Source(project=project, name=f"{name} {n}", path=str(tmp_path)) for n in range(count)
        )

    return make


@pytest.fixture(autouse=True)
def no_shutdown():
    yield
    shutdown.start_anew()


def queue(sources, kind=Job.Kind.SYNC):
    long_ago = timezone.now() - timedelta(hours=1)
    return Job.objects.bulk_create(
        Job(
            project_id=source.project_id,
            source=source,
            kind=kind,
            due_at=long_ago + timedelta(seconds=n),
        )
        for n, source in enumerate(sources)
    )


def finish(job):
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)


def projects_served(count):
    """Claim and finish so many jobs, one after the other."""
    served = []
    for _ in range(count):
        job = jobs.claim()
        served.append(job.project.name)
        finish(job)
    return served


def test_ten_thousand_jobs_of_one_project_do_not_starve_another(sources_of):
    queue(sources_of("noisy", 10_000))
    assert projects_served(2) == ["noisy", "noisy"]
    (quiet,) = sources_of("quiet")
    asked = jobs.enqueue(quiet)
    assert turns.places()[asked.pk] == turns.Place(1, 0)
    before = monotonic()
    assert jobs.claim() == asked
    assert monotonic() - before < 1


def test_projects_take_turns(sources_of):
    queue(sources_of("a", 3))
    queue(sources_of("b", 3))
    served = projects_served(6)
    assert sorted(served[:2]) == sorted(served[2:4]) == sorted(served[4:]) == ["a", "b"]


def test_a_project_that_has_a_runner_waits_for_those_that_have_none(sources_of):
    queue(sources_of("a", 2))
    queue(sources_of("b", 2))
    claimed = [jobs.claim().project.name for _ in range(3)]
    assert sorted(claimed[:2]) == ["a", "b"]
    # All have one now: the one that was served longest ago is next.
    assert claimed[2] == claimed[0]


def test_words_come_before_meaning(sources_of):
    queue(sources_of("a", 2), Job.Kind.EMBED)
    queue(sources_of("b"))
    assert [jobs.claim().kind for _ in range(3)] == ["sync", "embed", "embed"]


def test_within_a_project_the_longest_waiting_job_comes_first(sources_of):
    first, second = queue(sources_of("a", 2))
    assert [jobs.claim(), jobs.claim(), jobs.claim()] == [first, second, None]


def test_the_lease_of_a_dead_runner_does_not_count_as_a_runner(sources_of):
    queue(sources_of("a", 2))
    dead = jobs.claim()
    Job.objects.filter(pk=dead.pk).update(lease_until=timezone.now() - timedelta(seconds=1))
    assert {turn.running for turn in turns.turns_of(Job.objects.claimable())} == {0}


def test_places_follow_the_turns(sources_of):
    a, b = sources_of("a", 3), sources_of("b", 1)
    first, second, third = queue(a)
    meaning = queue(a[:1], Job.Kind.EMBED)[0]
    other = queue(b)[0]
    places = turns.places()
    order = sorted(places, key=lambda pk: places[pk].number)
    assert order[2:] == [second.pk, third.pk, meaning.pk]
    assert set(order[:2]) == {first.pk, other.pk}
    assert [places[pk].sources_before for pk in order] == [0, 1, 2, 3, 3]


def test_a_job_that_waits_for_its_next_try_has_no_place(sources_of):
    (job,) = queue(sources_of("a"))
    Job.objects.update(due_at=timezone.now() + timedelta(minutes=1))
    assert job.pk not in turns.places()


@pytest.fixture
def lease_of(settings):
    """Claim the job of a source and let its slice be over."""

    def claim(job, slice_seconds=0.0):
        settings.JOB_SLICE_SECONDS = slice_seconds
        return Lease(jobs.claim(job.pk))

    return claim


def test_a_long_job_makes_way_for_another_project(sources_of, lease_of):
    (long,) = queue(sources_of("a"))
    lease = lease_of(long)
    lease.make_way()
    queue(sources_of("b"))
    with pytest.raises(JobYielded):
        lease.make_way()


def test_a_long_job_goes_on_while_only_its_own_project_waits(sources_of, lease_of):
    long, _ = queue(sources_of("a", 2))
    lease_of(long).make_way()


def test_a_job_has_its_slice_before_it_makes_way(sources_of, lease_of):
    (long,) = queue(sources_of("a"))
    lease = lease_of(long, slice_seconds=20)
    queue(sources_of("b"))
    lease._looked_at -= 2
    lease.make_way()
    lease._began -= 20
    lease._looked_at -= 2
    with pytest.raises(JobYielded):
        lease.make_way()


def test_a_job_does_not_make_way_for_a_project_that_has_more_runners(sources_of, lease_of):
    queue(sources_of("b", 2))
    jobs.claim()
    (long,) = queue(sources_of("a"))
    lease_of(long).make_way()


def test_meaning_makes_way_for_words_at_once_also_in_its_own_project(sources_of, lease_of):
    (source,) = sources_of("a")
    (embed,) = queue([source], Job.Kind.EMBED)
    lease = lease_of(embed, slice_seconds=20)
    lease._looked_at -= 2
    lease.make_way()
    queue([source])
    lease._looked_at -= 2
    with pytest.raises(JobYielded):
        lease.make_way()


def test_words_do_not_make_way_for_meaning(sources_of, lease_of):
    (long,) = queue(sources_of("a"))
    lease = lease_of(long)
    queue(sources_of("b"), Job.Kind.EMBED)
    lease.make_way()


def test_looking_costs_one_query_a_second_at_most(sources_of, lease_of, django_assert_num_queries):
    (long,) = queue(sources_of("a"))
    lease = lease_of(long, slice_seconds=20)
    lease._began -= 20
    with django_assert_num_queries(0):
        for _ in range(1000):
            lease.make_way()
    lease._looked_at -= 1
    with django_assert_num_queries(1):
        lease.make_way()


def yields(lease):
    raise JobYielded


def test_a_job_that_made_way_waits_as_if_untried(sources_of, settings):
    settings.JOB_RUNNERS = {"sync": f"{__name__}.yields"}
    (job,) = queue(sources_of("a"))
    Job.objects.update(attempts=2, error="The server did not answer.")
    assert jobs.run_next()
    fence = 1 + job.fence
    job.refresh_from_db()
    assert (job.state, job.attempts, job.error) == (Job.State.QUEUED, 0, "")
    assert job.fence == fence + 1
    assert job.due_at <= timezone.now()
    assert jobs.claim() == job


def test_a_worker_that_ends_gives_its_job_back_and_takes_no_other(sources_of, settings):
    settings.JOB_RUNNERS = {"sync": f"{__name__}.ends"}
    queue(sources_of("a", 2))
    assert jobs.run_all() == 1
    assert set(Job.objects.values_list("state", "attempts")) == {(Job.State.QUEUED, 0)}


def ends(lease):
    shutdown.end_worker()
    assert lease.is_cancelled()
    lease.hold()


def test_breaking_off_for_the_end_of_the_worker_is_no_cancellation(sources_of, settings):
    settings.JOB_RUNNERS = {"sync": f"{__name__}.broken_off"}
    queue(sources_of("a"))
    jobs.run_all()
    assert Job.objects.get().state == Job.State.QUEUED


def broken_off(lease):
    shutdown.end_worker()
    raise JobCancelled

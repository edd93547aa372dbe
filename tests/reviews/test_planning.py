"""Nights begin at the project's hour in its zone, once, whatever the clocks do."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import pytest
from django.db import connection

from projects.models import Project
from reviews.models import NightlyPlan, NightlyRun
from reviews.planning import begins_at, night_due, plan_of, tend_nights


@pytest.fixture
def plan(project) -> NightlyPlan:
    kept = plan_of(project)
    kept.zone, kept.hour = "Europe/Berlin", 2
    kept.save()
    Project.objects.filter(pk=project.pk).update(created_at=datetime(2025, 1, 1, tzinfo=UTC))
    project.refresh_from_db()
    return NightlyPlan.objects.get(pk=kept.pk)


@pytest.mark.parametrize(
    ("now", "night"),
    [
        (datetime(2026, 1, 10, 0, 59, tzinfo=UTC), None),
        (datetime(2026, 1, 10, 1, 0, tzinfo=UTC), date(2026, 1, 10)),
        (datetime(2026, 1, 10, 6, 59, tzinfo=UTC), date(2026, 1, 10)),
        (datetime(2026, 1, 10, 7, 0, tzinfo=UTC), None),
        # In March, the hour from 2 to 3 is not there; the night begins with the next one.
        (datetime(2026, 3, 29, 0, 59, tzinfo=UTC), None),
        (datetime(2026, 3, 29, 1, 0, tzinfo=UTC), date(2026, 3, 29)),
        # In October, it is there twice; the night begins with the first.
        (datetime(2026, 10, 25, 0, 0, tzinfo=UTC), date(2026, 10, 25)),
        (datetime(2026, 10, 25, 1, 30, tzinfo=UTC), date(2026, 10, 25)),
    ],
)
def test_a_night_begins_at_its_hour_and_may_be_caught_up_with(plan, now, night):
    assert night_due(plan, now) == night


def test_the_hour_is_of_the_zone(plan):
    assert begins_at(plan, date(2026, 7, 1)) == datetime(2026, 7, 1, 0, 0, tzinfo=UTC)


def test_a_zone_that_is_none_is_taken_for_utc(plan):
    plan.zone = "Mars/Olympus"
    assert begins_at(plan, date(2026, 7, 1)) == datetime(2026, 7, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def synced(plan, source):
    source.head = "a" * 40
    source.save()
    return source


NIGHT = datetime(2026, 1, 10, 1, 5, tzinfo=UTC)


def test_each_night_is_begun_once(synced):
    assert tend_nights(NIGHT) == 1
    NightlyRun.objects.update(state=NightlyRun.State.DONE)
    assert tend_nights(NIGHT) == 0


def test_an_hour_that_comes_twice_is_one_night(synced):
    assert tend_nights(datetime(2026, 10, 25, 0, 5, tzinfo=UTC)) == 1
    NightlyRun.objects.update(state=NightlyRun.State.DONE)
    assert tend_nights(datetime(2026, 10, 25, 1, 5, tzinfo=UTC)) == 0


def test_a_project_that_sleeps_through_is_left_alone(synced, plan):
    plan.is_enabled = False
    plan.save()
    assert tend_nights(NIGHT) == 0


def test_a_project_without_a_repository_has_no_nights(plan):
    assert tend_nights(NIGHT) == 0


@pytest.mark.django_db(transaction=True)
def test_two_clocks_at_once_begin_one_night(synced):
    def tend(_: int) -> int:
        try:
            return tend_nights(NIGHT)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        begun = list(threads.map(tend, range(4)))

    assert sum(begun) == 1
    assert NightlyRun.objects.count() == 1

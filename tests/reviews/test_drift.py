"""How code drifts from what was agreed on: by rule and by module, and told once a week."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from projects.models import Commit
from reviews.delivering import page_of
from reviews.digests import as_json, digest_of
from reviews.drift import Drift, drift_of, trends_of
from reviews.models import ConventionScore, NightlyRun, Review

MONDAY = date(2026, 3, 2)


@pytest.fixture
def scored(source):
    """Keep the score of a module in a merge of a day: `scored(day, "owl", {"no-print": 2})`."""

    def keep(day: date, module: str, broken: dict[str, int], score: float = 0.5) -> None:
        number = ConventionScore.objects.count()
        commit = Commit.objects.create(project=source.project, sha=f"{number:040x}", message="A")
        review = Review.objects.create(
            project=source.project, source=source, commit=commit, reviewer_version="1"
        )
        violations = [
            {"rule": rule, "title": rule.title(), "count": count, "findings": []}
            for rule, count in broken.items()
        ]
        ConventionScore.objects.create(
            project=source.project,
            review=review,
            module=module,
            date=day,
            applicable=2,
            passed=1,
            score=score,
            violations=violations,
        )

    return keep


def night(project, day: date) -> NightlyRun:
    return NightlyRun.objects.create(
        project=project, night=day, state=NightlyRun.State.DONE, trigger="button"
    )


def test_rules_are_counted_this_week_and_the_week_before(project, scored):
    scored(MONDAY, "owl", {"print": 2, "sql": 1})
    scored(MONDAY - timedelta(days=6), "owl", {"print": 1})
    scored(MONDAY - timedelta(days=7), "owl", {"print": 4, "tls": 9})
    scored(MONDAY - timedelta(days=14), "owl", {"sql": 5})
    assert drift_of(project, MONDAY) == [
        Drift("Print", "print", 3, 4),
        Drift("Sql", "sql", 1, 0),
    ]


def test_modules_are_listed_the_lowest_first_with_where_they_came_from(project, scored):
    scored(MONDAY - timedelta(days=10), "barn", {}, score=1.0)
    scored(MONDAY, "barn", {}, score=0.5)
    scored(MONDAY, "mill", {}, score=0.25)
    scored(MONDAY - timedelta(days=28), "gone", {}, score=0.1)
    found = [(one.module, one.score, one.before) for one in trends_of(project, MONDAY)]
    assert found == [("mill", 0.25, None), ("barn", 0.5, 1.0)]


def test_the_first_night_of_a_week_tells_of_the_week_that_ended(project, scored):
    scored(MONDAY - timedelta(days=1), "owl", {"print": 2})
    scored(MONDAY, "owl", {"tls": 1})
    first, second = night(project, MONDAY), night(project, MONDAY + timedelta(days=1))
    told = digest_of(first)
    assert told.drift == [Drift("Print", "print", 2, 0)]
    assert as_json(told, page_of(first))["drift"] == [
        {"rule": "print", "title": "Print", "week": 2, "week_before": 0}
    ]
    assert digest_of(second).drift == []
    late = night(project, MONDAY + timedelta(days=9))
    assert digest_of(late).drift == [Drift("Tls", "tls", 1, 0)]


def test_the_report_is_on_the_page_of_that_night(project, scored, client_for, alice):
    scored(MONDAY - timedelta(days=1), "owl", {"print": 2})
    first, second = night(project, MONDAY), night(project, MONDAY + timedelta(days=1))
    browser = client_for(alice)
    pages = [
        browser.get(reverse("nightly-run", args=[run.pk])).content.decode()
        for run in (first, second)
    ]
    assert ["What drifted last week" in page for page in pages] == [True, False]

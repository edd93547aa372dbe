from datetime import UTC, datetime

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.urls import reverse
from django.utils import timezone

from portal.context import frame
from portal.templatetags.frame import freshness_of
from projects.models import Project, Source


def page_of(client, name: str, *args: object) -> str:
    return client.get(reverse(name, args=args)).content.decode()


def test_the_rail_leads_to_the_pages_of_the_project(client_for, bob, project) -> None:
    page = page_of(client_for(bob), "sources", project.pk)

    for name in ("project", "search", "sources", "documents", "members"):
        assert f'href="{reverse(name, args=[project.pk])}"' in page
    assert 'data-go="s" aria-current="page"' in page


def test_no_link_of_the_frame_is_dead(client_for, alice, project) -> None:
    client = client_for(alice)
    page = page_of(client, "sources", project.pk)
    links = {part.split('"')[0] for part in page.split('href="')[1:]}

    for link in links:
        if not link.startswith(("#", "/static/")):
            assert client.get(link).status_code == 200, link


def test_only_admins_are_shown_the_way_to_the_admin(client_for, bob, admin) -> None:
    assert reverse("admin:index") not in page_of(client_for(bob), "help")
    assert reverse("admin:index") in page_of(client_for(admin), "help")


def test_projects_can_be_switched_between(client_for, alice, charlie, project) -> None:
    other = Project.objects.create(name="other", owner=alice)
    other.memberships.create(user=alice, role="owner")
    Project.objects.create(name="theirs", owner=charlie)

    page = page_of(client_for(alice), "sources", project.pk)

    assert f'<a href="{other.get_absolute_url()}">other</a>' in page
    assert f'<a href="{project.get_absolute_url()}" aria-current="true">nightowl</a>' in page
    assert "theirs" not in page


def test_names_are_shown_and_not_run(client_for, alice, project) -> None:
    Project.objects.update(name="<script>alert(1)</script>")
    type(alice).objects.update(name="<img src=x onerror=alert(1)>")

    page = page_of(client_for(alice), "project", project.pk)

    assert "<script>alert" not in page
    assert "<img" not in page


def test_a_project_without_sources_has_no_age(project) -> None:
    assert freshness_of(project) is None


def test_the_age_is_that_of_the_newest_sync(project) -> None:
    for name, day, head in (("old", 1, "a" * 40), ("new", 2, "b" * 40), ("never", 0, "")):
        synced = datetime(2026, 1, day, tzinfo=UTC) if day else None
        Source.objects.create(
            project=project, name=name, kind="upload", head=head, last_synced_at=synced
        )

    fresh = freshness_of(project)
    assert fresh is not None
    assert (fresh.synced_at, fresh.commit) == (datetime(2026, 1, 2, tzinfo=UTC), "")


@pytest.mark.parametrize(
    ("state", "words"), [("ready", "indexed"), ("failed", "1 failed"), ("syncing", "syncing")]
)
def test_every_page_says_how_fresh_the_index_is(
    client_for, alice, project, state: str, words: str
) -> None:
    Source.objects.create(
        project=project,
        name="s",
        kind="upload",
        state=state,
        head="a" * 40,
        last_synced_at=timezone.now(),
    )

    page = page_of(client_for(alice), "members", project.pk)

    assert words in page.partition('class="fresh"')[2].partition("</a>")[0]
    assert "<code>aaaaaaa</code>" in page


def test_the_frame_asks_only_for_what_a_page_shows(
    alice, project, django_assert_num_queries
) -> None:
    request = RequestFactory().get("/")
    request.user = alice

    with django_assert_num_queries(0):
        shown = frame(request)["frame"]
    with django_assert_num_queries(1):
        assert [found.name for found in shown.projects] == ["nightowl"]
        assert len(shown.projects) == 1


def test_nobody_has_no_projects(db) -> None:
    assert frame(RequestFactory().get("/"))["frame"].projects == []


def drawn(template: str, **context: object) -> str:
    return Template("{% load frame passages %}" + template).render(Context(context)).strip()


def test_ages_have_the_exact_time_beside_them() -> None:
    page = drawn("{% age moment %}", moment=timezone.now())

    assert "just now" in page
    assert f'title="{timezone.now():%Y-%m-%d}' in page
    assert drawn("{% age moment %}", moment=None) == "never"


def test_icons_are_decoration_unless_they_have_a_name() -> None:
    assert 'aria-hidden="true"' in drawn("{% icon 'search' %}")
    assert 'role="img" aria-label="Folder"' in drawn("{% icon 'folder' 'Folder' %}")


@pytest.mark.parametrize(
    ("template", "value", "expected"),
    [
        ("{{ value|grouped }}", 1234567, "1\u202f234\u202f567"),
        ("{{ value|grouped }}", None, "0"),
        ("{{ value|size }}", 0, "0 bytes"),
        ("{{ value|size }}", 999, "999 bytes"),
        ("{{ value|size }}", 1500, "1.5 kB"),
        ("{{ value|size }}", 25_000_000, "25 MB"),
        ("{{ value|size }}", 3_000_000_000, "3.0 GB"),
        ("{{ value|with_lines }}", 1, "1 line"),
        ("{{ value|with_lines }}", 2_000, "2,000 lines"),
        ("{{ value|percent }}", 0.634, "63"),
    ],
)
def test_numbers_are_written_for_people(template: str, value: object, expected: str) -> None:
    assert drawn(template, value=value) == expected

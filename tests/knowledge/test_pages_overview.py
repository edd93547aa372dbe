"""The page of a project at a glance: what it shows, and to whom."""

from collections.abc import Callable
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from knowledge.models import Document, Overview
from knowledge.overviews import tend_overviews
from projects.models import Project, Source, WorkerBeat


@pytest.fixture
def owls(source: Source, index: Callable[..., Document]) -> Source:
    index(source, "README.md", "# Owls\n\nOwls hunt <script>alert(1)</script> at night.\n")
    index(source, "owls/night.py", "class NightOwl:\n    pass\n")
    index(source, "owls/cli.py", "from owls.night import NightOwl\n\nNightOwl()\n")
    return source


@pytest.fixture
def page(project: Project, client_for: Any) -> Callable[..., str]:
    def read(user: Any, status: int = 200) -> str:
        answer = client_for(user).get(reverse("overview", args=[project.pk]))
        assert answer.status_code == status
        return " ".join(answer.content.decode().split())

    return read


def test_it_shows_areas_files_and_symbols(page: Any, owls: Source, bob: Any) -> None:
    tend_overviews()

    shown = page(bob)

    for words in ("Start here", "Areas", "Key files", "Key symbols", "owls/night.py", "NightOwl"):
        assert words in shown
    assert "<script>alert(1)" not in shown


def test_strangers_find_nothing(page: Any, owls: Source, charlie: Any) -> None:
    tend_overviews()

    page(charlie, 404)


def test_before_anything_is_indexed_it_says_what_will_be_here(
    page: Any, project: Project, alice: Any, bob: Any
) -> None:
    assert "Add a source" in page(alice)
    assert "An editor of the project can add a source." in page(bob)
    Source.objects.create(project=project, name="a", path="/a")
    assert "See how far the sources are" in page(alice)


def test_between_the_sync_and_the_overview_it_says_so(page: Any, owls: Source, bob: Any) -> None:
    WorkerBeat.objects.create(name="worker")

    shown = page(bob)

    assert "an overview of them is made within a minute" in shown
    assert "No worker is running" not in shown


def test_a_missing_worker_is_named(page: Any, owls: Source, bob: Any) -> None:
    assert "No worker is running" in page(bob)


def test_one_that_is_behind_says_by_how_much(page: Any, owls: Source, bob: Any, index: Any) -> None:
    tend_overviews()
    assert "made at" not in page(bob)
    index(owls, "owls/day.py", "class DayOwl:\n    pass\n", commit="d" * 40)
    Source.objects.update(last_synced_at=timezone.now())

    shown = page(bob)

    assert "made at <code>ccccccc</code>; the source is at <code>ddddddd</code> since" in shown


def test_new_and_gone_sources_leave_it_behind_too(
    page: Any, project: Project, owls: Source, bob: Any, index: Any
) -> None:
    tend_overviews()
    barn = Source.objects.create(project=project, name="barn", path="/barn")
    index(barn, "barn.py", "class Barn:\n    pass\n")
    Document.objects.filter(source=owls).delete()
    owls.delete()

    shown = page(bob)

    assert "barn was indexed after this was made." in shown
    assert "Made with a source that is gone." in shown


def test_what_a_model_wrote_is_marked_and_escaped(page: Any, owls: Source, bob: Any) -> None:
    tend_overviews()
    overview = Overview.objects.get()
    areas = {"code owls": "The <i>heart</i> of it."}
    written = {"model": "owl-1", "at": "2026-01-01T00:00:00+00:00", "areas": areas}
    overview.content["written"] = {**written, "project": "Owls <b>hunt</b>."}
    overview.save()

    shown = page(bob)

    assert "Written by owl-1" in shown
    assert "Owls &lt;b&gt;hunt&lt;/b&gt;." in shown
    assert "The &lt;i&gt;heart&lt;/i&gt; of it." in shown


def test_editors_are_told_why_no_model_wrote(page: Any, owls: Source, alice: Any, bob: Any) -> None:
    tend_overviews()
    Overview.objects.update(error="owl-1 refused the API key; check its variable.")

    assert "owl-1 refused the API key" in page(alice)
    assert "owl-1 refused the API key" not in page(bob)


def test_an_editor_has_it_made_anew(
    page: Any, project: Project, owls: Source, alice: Any, client_for: Any
) -> None:
    tend_overviews()
    address = reverse("overview-remake", args=[project.pk])
    assert address in page(alice)

    answer = client_for(alice).post(address, follow=True)

    assert "made anew" in answer.content.decode()
    assert Overview.objects.get().asked_by == alice
    assert tend_overviews() == 1


def test_others_can_not_have_it_made_anew(
    page: Any, project: Project, owls: Source, bob: Any, charlie: Any, client_for: Any
) -> None:
    tend_overviews()
    address = reverse("overview-remake", args=[project.pk])

    assert address not in page(bob)
    for user in (bob, charlie):
        assert client_for(user).post(address).status_code == 404
    assert client_for(bob).get(address).status_code == 405
    assert Overview.objects.get().asked_at is None


def test_the_project_s_page_leads_to_it(
    project: Project, owls: Source, bob: Any, client_for: Any
) -> None:
    shown = client_for(bob).get(reverse("project", args=[project.pk])).content.decode()

    # From the rail, from the palette and from the page itself.
    assert shown.count(reverse("overview", args=[project.pk])) == 3


def test_the_page_takes_few_queries(
    owls: Source, bob: Any, index: Any, client_for: Any, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        index(owls, f"part{number}/m.py", f"class Feather{number}:\n    pass\n")
    tend_overviews()
    client = client_for(bob)

    with django_assert_max_num_queries(12):
        client.get(reverse("overview", args=[owls.project_id]))

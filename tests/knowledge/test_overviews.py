"""Overviews follow their sources: made anew once they have moved, and behind until then."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from celery import current_app
from django.db import IntegrityError, transaction
from django.utils import timezone

from config.celery import app
from knowledge.describing import describe
from knowledge.models import Document, Overview
from knowledge.overviews import (
    HELD_FOR,
    ask_for_overview,
    behind,
    heads_of,
    make_overview,
    overview_of,
    tend_overviews,
)
from knowledge.suggestions import suggested_questions
from knowledge.tasks import tend_overviews as ring
from knowledge.writing import create_document
from projects.models import Project, Source

Index = Callable[..., Document]

OWL = (
    '"""Owls, and how they hunt."""\n\n\nclass NightOwl:\n    """Hunts."""\n\n'
    "    def hunt(self):\n        return 1\n"
)


@pytest.fixture
def owls(source: Source, index: Index) -> Source:
    """A small project with everything that an overview looks at."""
    index(source, "README.md", "# Owls\n\nOwls hunt mice at night. They are quiet.\n")
    index(source, "pyproject.toml", '[project.scripts]\nowl = "owls.cli:main"\n')
    index(source, "owls/__init__.py", '"""The parts of an owl."""\n')
    index(source, "owls/night.py", OWL)
    index(
        source, "owls/cli.py", "from owls.night import NightOwl\n\n\ndef main():\n    NightOwl()\n"
    )
    index(source, "tests/test_night.py", "from owls.night import NightOwl\n\nOWL = NightOwl()\n")
    return source


def made(project: Project) -> Overview:
    tend_overviews()
    overview = overview_of(project)
    assert overview is not None
    return overview


def test_an_overview_tells_what_is_where(project: Project, owls: Source) -> None:
    content = describe(project)

    assert content["about"] == "Owls hunt mice at night."
    assert content["counts"]["files"] == 6
    assert [(area["role"], area["name"]) for area in content["areas"]] == [
        ("code", "owls"),
        ("documentation", "top folder"),
        ("tests", "tests"),
        ("build", "top folder"),
    ]
    assert content["areas"][0]["about"] == "The parts of an owl."
    assert content["areas"][0]["key_symbols"][0] == "NightOwl"
    assert content["key_files"][0]["path"] == "owls/night.py"
    assert content["key_files"][0]["about"] == "Owls, and how they hunt."
    assert content["key_files"][0]["mentioned_by"] == 2


def test_symbols_are_found_on_their_line(project: Project, owls: Source) -> None:
    symbol = describe(project)["key_symbols"][0]

    assert (symbol["name"], symbol["kind"], symbol["line"]) == ("NightOwl", "class", 4)
    assert symbol["url"].endswith("/owls/night.py?lines=4#L4")
    assert symbol["mentioned_by"] == 2


def test_what_starts_and_what_to_read_lead_to_pages(
    project: Project, owls: Source, alice, client_for
) -> None:
    content = describe(project)

    entry = content["entry_points"][0]
    assert (entry["what"], entry["detail"], entry["path"]) == ("Command", "owl", "owls/cli.py")
    assert [step["path"] for step in content["start_here"]][:3] == [
        "README.md",
        "owls/cli.py",
        "owls/night.py",
    ]
    for place in [*content["start_here"], *content["key_files"], *content["entry_points"]]:
        assert client_for(alice).get(place["url"]).status_code == 200


def test_everyday_words_are_no_mentions(project: Project, source: Source, index: Index) -> None:
    index(source, "letters.py", "class Mark:\n    pass\n")
    index(source, "owls.py", "class Hoot:\n    pass\n")
    for number in range(6):
        index(source, f"say{number}.py", f"# mark this: marks {number}\nHoot()\n")

    assert describe(project)["key_symbols"][0]["name"] == "Hoot"


def test_documents_alone_make_an_overview(project: Project, source: Source, index: Index) -> None:
    index(source, "README.md", "# Barn\n\nHow the barn is kept.\n")
    index(source, "guides/hay.md", "# Hay\n\nHay is kept dry.\n")

    content = describe(project)

    assert content["about"] == "How the barn is kept."
    assert content["key_symbols"] == content["entry_points"] == content["questions"] == []
    assert content["start_here"][0]["path"] == "README.md"


def test_written_documents_have_an_address_too(project: Project, alice) -> None:
    document = create_document(project, by=alice, title="Owls", content="# Owls\n\nOwls hunt.\n")

    places = [file for area in describe(project)["areas"] for file in area["key_files"]]

    assert [place["path"] for place in places] == [document.path]
    assert str(document.pk) in places[0]["url"] or document.path in places[0]["url"]


def test_several_sources_stand_side_by_side(
    project: Project, owls: Source, index: Index, tmp_path
) -> None:
    other = Source.objects.create(project=project, name="web", path=str(tmp_path / "web"))
    index(other, "src/page.ts", "export class WebPage {}\n")

    names = [area["name"] for area in describe(project)["areas"] if area["role"] == "code"]

    assert sorted(names) == ["code/owls", "web"]


def test_nothing_indexed_is_an_empty_overview(project: Project) -> None:
    assert describe(project) == {}


def test_other_projects_do_not_shine_through(
    project: Project, owls: Source, charlie, index: Index, tmp_path
) -> None:
    other = Project.objects.create(name="other", owner=charlie)
    barn = Source.objects.create(project=other, name="barn", path=str(tmp_path / "barn"))
    index(barn, "barn.py", "class NightOwl:\n    pass\n")

    told = str(describe(other))

    assert "owls/" not in told
    assert describe(other)["counts"]["files"] == 1


def test_an_overview_takes_few_queries(
    project: Project, owls: Source, index: Index, django_assert_max_num_queries
) -> None:
    for number in range(30):
        index(owls, f"owls/m{number}.py", f"class Feather{number}:\n    pass\n")

    with django_assert_max_num_queries(9):
        describe(project)


def test_it_is_made_once_and_not_again_while_nothing_moves(project: Project, owls: Source) -> None:
    assert tend_overviews() == 1
    assert tend_overviews() == 0
    assert Overview.objects.get().heads == heads_of(project)


def test_it_is_made_anew_when_a_source_has_moved(
    project: Project, owls: Source, index: Index
) -> None:
    assert behind(made(project)) == []
    index(owls, "owls/day.py", "class DayOwl:\n    pass\n", commit="d" * 40)

    moved = behind(Overview.objects.get())
    assert [(each.source, each.made_at, each.now_at) for each in moved] == [
        ("code", "ccccccc", "ddddddd")
    ]
    assert behind(made(project)) == []
    assert Overview.objects.get().content["counts"]["files"] == 7


def test_a_source_that_is_gone_leaves_it_behind(project: Project, owls: Source) -> None:
    made(project)
    Document.objects.filter(source=owls).delete()
    owls.delete()

    assert [each.now_at for each in behind(Overview.objects.get())] == [""]
    assert made(project).content == {}
    assert behind(Overview.objects.get()) == []
    assert tend_overviews() == 0


def test_a_project_that_was_never_synced_has_none(project: Project, source: Source) -> None:
    assert tend_overviews() == 0
    assert overview_of(project) is None


def test_asking_has_it_made_though_nothing_moved(project: Project, owls: Source, alice) -> None:
    before = made(project).made_at

    ask_for_overview(project, by=alice)

    assert made(project).made_at > before
    assert Overview.objects.get().asked_at is None
    assert tend_overviews() == 0


def test_who_asks_while_it_is_made_is_heard_afterwards(
    project: Project, owls: Source, alice
) -> None:
    overview = ask_for_overview(project, by=alice)
    Overview.objects.update(claimed_at=timezone.now())

    assert not make_overview(overview)
    assert Overview.objects.get().asked_at is not None


def test_it_is_not_made_twice_at_once(project: Project, owls: Source) -> None:
    Overview.objects.create(project=project, claimed_at=timezone.now())

    assert tend_overviews() == 0


def test_one_whose_maker_died_is_taken_over(project: Project, owls: Source) -> None:
    died_at = timezone.now() - HELD_FOR - timedelta(seconds=1)
    Overview.objects.create(project=project, claimed_at=died_at)

    assert tend_overviews() == 1
    assert Overview.objects.get().claimed_at is None


def test_there_is_one_overview_for_a_project(project: Project) -> None:
    Overview.objects.create(project=project)

    with pytest.raises(IntegrityError, match="one_overview_for_a_project"), transaction.atomic():
        Overview.objects.create(project=project)


def test_the_clock_sees_to_it(project: Project, owls: Source) -> None:
    names = {entry["task"] for entry in app.conf.beat_schedule.values()}

    assert "knowledge.tasks.tend_overviews" in names
    ring()
    assert overview_of(project) is not None


def test_asking_goes_without_a_broker(
    project: Project, owls: Source, alice, django_capture_on_commit_callbacks, monkeypatch
) -> None:
    monkeypatch.setattr(current_app.conf, "broker_url", "redis://127.0.0.1:1/0")
    with django_capture_on_commit_callbacks(execute=True):
        ask_for_overview(project, by=alice)

    assert tend_overviews() == 1


def test_questions_worth_asking_come_from_the_overview(project: Project, owls: Source) -> None:
    assert suggested_questions(project)[0] == "How does main work?"
    made(project)

    questions = suggested_questions(project)
    assert questions[0] == "How does NightOwl work?"
    assert len(questions) == len(set(questions)) == 3

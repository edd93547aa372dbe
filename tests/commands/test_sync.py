"""`manage.py sync`."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import User
from knowledge.models import Document
from projects.models import Job, Membership, Project, Source


def run(*arguments: str) -> str:
    out = StringIO()
    call_command("sync", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def barn(alice: User, tmp_path: Path) -> Source:
    """A source of another project that has one document."""
    project = Project.objects.create(name="barn", owner=alice)
    Membership.objects.create(project=project, user=alice, role=Membership.Role.OWNER)
    folder = tmp_path / "barn"
    folder.mkdir()
    (folder / "owl.md").write_text("# Owls\n\nThey hunt at night.\n")
    return Source.objects.create(project=project, name="notes", path=str(folder))


def test_all_sources_are_synced_when_none_is_named(source: Source, barn: Source) -> None:
    told = run()
    assert "notes in barn: syncing" in told
    assert "code in nightowl: syncing" in told
    assert set(Job.objects.open().values_list("source", flat=True)) == {source.pk, barn.pk}


def test_a_project_or_a_name_or_an_id_chooses(source: Source, barn: Source) -> None:
    for arguments, chosen in (
        (["--project", "barn"], barn),
        (["code"], source),
        ([str(barn.pk)], barn),
        (["notes", "--project", "barn"], barn),
    ):
        Job.objects.all().delete()
        run(*arguments)
        assert [job.source for job in Job.objects.open()] == [chosen]


def test_waiting_returns_when_all_can_be_searched(barn: Source) -> None:
    told = run("notes", "--wait")
    assert "notes: indexed at" in told
    assert Document.objects.get(source=barn).path == "owl.md"
    assert not Job.objects.open().exists()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--project", "attic"], "There is no project “attic”"),
        (["letters"], "There is no source “letters”"),
        (["notes", "--project", "nightowl"], "There is no source “notes”"),
        (["00000000-0000-4000-8000-000000000000"], "There is no source"),
    ],
)
def test_what_is_not_there_is_said(
    arguments: list[str], sentence: str, source: Source, barn: Source
) -> None:
    with pytest.raises(CommandError, match=sentence):
        run(*arguments)
    assert not Job.objects.exists()


def test_nothing_to_sync_is_said(db: None) -> None:
    with pytest.raises(CommandError, match="There is no source to sync"):
        run()


def test_a_failure_is_told_at_the_end(barn: Source, tmp_path: Path) -> None:
    Source.objects.update(path=str(tmp_path / "gone"))
    with pytest.raises(CommandError, match="notes: "):
        run("notes", "--wait")

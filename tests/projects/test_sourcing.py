import subprocess
from pathlib import Path

import pytest
from django.core.exceptions import ValidationError

from accounts.models import AuditEntry
from projects.models import Job, Membership, Project, Source
from projects.sourcing import (
    SourceRefused,
    add_source,
    change_source,
    check_branch,
    check_folder,
    create_project,
    delete_project,
    delete_source,
    what_goes_with,
)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "app"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def test_who_creates_a_project_owns_it(alice) -> None:
    project = create_project(alice, " memory ", "What we know.")

    assert (project.name, project.owner) == ("memory", alice)
    assert project.memberships.get().role == Membership.Role.OWNER
    assert AuditEntry.objects.get(action="created").project_id == project.pk


@pytest.mark.parametrize("name", ["", "   ", "nightowl", "x" * 256])
def test_a_project_needs_a_name_of_its_own(alice, project, name: str) -> None:
    with pytest.raises(ValidationError):
        create_project(alice, name)
    assert Project.objects.count() == 1


def test_a_source_by_path_is_added_and_its_sync_begun(project, alice, repository: Path) -> None:
    source = add_source(project, by=alice, name="app", path=str(repository), branch="main")

    assert (source.path, source.branch, source.state) == (str(repository), "main", "new")
    job = Job.objects.get(source=source)
    assert (job.kind, job.state, job.requested_by) == ("sync", "queued", alice)
    assert AuditEntry.objects.get(action="added").detail["origin"] == str(repository)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "http://example.org/a.git",
            "ftp://example.org/a",
            "ssh://git@example.org/a",
            "a",
            "file:///x",
        ),
        *(
            "https://127.0.0.1/a.git",
            "https://10.0.0.1/a.git",
            "https://[::1]/a",
            "https://localhost/a",
        ),
        *(
            "ext::sh -c id",
            "--upload-pack=x",
            "git@example.org:a/b.git",
            "https://169.254.169.254/a",
        ),
        *("https://user:secret@127.0.0.1/a", "https://2130706433/", "javascript:alert(1)"),
    ],
)
def test_addresses_that_must_not_be_asked_are_refused(project, alice, url: str) -> None:
    with pytest.raises(SourceRefused) as refusal:
        add_source(project, by=alice, name="x", url=url)

    assert refusal.value.field == "url"
    assert refusal.value.sentence.endswith(".")
    assert not Source.objects.exists()
    assert not Job.objects.exists()


@pytest.mark.parametrize("path", ["/etc", "/", "relative", "/nowhere/at/all"])
def test_paths_outside_the_roots_are_refused(project, alice, path: str) -> None:
    with pytest.raises(SourceRefused) as refusal:
        add_source(project, by=alice, name="x", path=path)

    assert refusal.value.field == "path"
    assert not Source.objects.exists()


def test_a_path_cannot_climb_out_of_its_root(project, alice, tmp_path: Path) -> None:
    with pytest.raises(SourceRefused):
        add_source(project, by=alice, name="x", path=f"{tmp_path}/../..")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"url": "https://example.org/a", "path": "/x"},
        {"kind": "upload", "url": "https://example.org/a"},
        {"kind": "upload", "path": "/x"},
    ],
)
def test_a_source_has_one_origin(project, alice, fields: dict[str, str]) -> None:
    with pytest.raises(SourceRefused):
        add_source(project, by=alice, name="x", **fields)


def test_uploaded_files_wait_for_the_files(project, alice) -> None:
    source = add_source(project, by=alice, name="papers", kind=Source.Kind.UPLOAD)

    assert source.is_upload
    assert not Job.objects.exists()


def test_names_of_sources_are_unique_in_a_project(project, alice, repository: Path) -> None:
    add_source(project, by=alice, name="app", path=str(repository))

    with pytest.raises(SourceRefused) as refusal:
        add_source(project, by=alice, name="app", path=str(repository))
    assert refusal.value.field == "name"
    other = create_project(alice, "other")
    add_source(other, by=alice, name="app", path=str(repository))


@pytest.mark.parametrize(
    ("folder", "kept"),
    [("docs", "docs"), ("/docs/", "docs"), ("a/b", "a/b"), ("", ""), ("..a", "..a")],
)
def test_folders_are_kept_as_git_names_them(folder: str, kept: str) -> None:
    assert check_folder(folder) == kept


@pytest.mark.parametrize("folder", ["..", "a/../b", "./a", "a//b", "a\\b", "a\0b", "a\nb"])
def test_folders_that_lead_elsewhere_are_refused(folder: str) -> None:
    with pytest.raises(SourceRefused) as refusal:
        check_folder(folder)
    assert refusal.value.field == "folder_path"


@pytest.mark.parametrize("branch", ["main", "feature/a-b", "v1.2", " main ", "", "ünï"])
def test_names_of_branches_are_kept(branch: str) -> None:
    assert check_branch(branch) == branch.strip()


@pytest.mark.parametrize(
    "branch",
    [
        "-x",
        "--upload-pack=x",
        "a..b",
        "a b",
        "a~1",
        "a^",
        "a:b",
        "/a",
        "a/",
        "a.lock",
        "a@{1}",
        "a\0",
    ],
)
def test_what_git_would_not_call_a_branch_is_refused(branch: str) -> None:
    with pytest.raises(SourceRefused) as refusal:
        check_branch(branch)
    assert refusal.value.field == "branch"


def test_another_branch_is_synced_anew(source, alice) -> None:
    change_source(source, by=alice, branch="next")

    assert Source.objects.get().branch == "next"
    assert Job.objects.get(source=source).kind == "sync"


def test_another_name_needs_no_sync(source, alice) -> None:
    change_source(source, by=alice, name="other", description="What it is.")

    assert Source.objects.get().name == "other"
    assert not Job.objects.exists()


def test_a_source_does_not_take_the_name_of_another(project, source, alice) -> None:
    Source.objects.create(project=project, name="papers", kind="upload")

    with pytest.raises(SourceRefused) as refusal:
        change_source(source, by=alice, name="papers")
    assert refusal.value.field == "name"


def test_what_goes_with_a_project_is_counted(project, source, index) -> None:
    index(source, "a.py", "a = 1\n")
    index(source, "b.py", "b = 1\n")

    gone = what_goes_with(project)
    assert (gone.sources, gone.documents, gone.chunks, gone.members) == (1, 2, 2, 2)
    assert what_goes_with(source).documents == 2


def test_deleting_a_source_deletes_its_index_and_its_mirror(
    source, alice, index, django_capture_on_commit_callbacks
) -> None:
    index(source, "a.py", "a = 1\n")
    source.mirror.mkdir(parents=True)

    with django_capture_on_commit_callbacks(execute=True):
        delete_source(source, by=alice)

    assert not Source.objects.exists()
    assert not source.project.documents.exists()
    assert not source.mirror.exists()
    assert AuditEntry.objects.get(action="deleted").object_name == "code"


def test_the_mirror_stays_until_the_deletion_is_certain(source, alice) -> None:
    source.mirror.mkdir(parents=True)
    mirror = source.mirror

    delete_source(source, by=alice)

    assert mirror.exists()


def test_deleting_a_project_deletes_all_that_is_its(
    project, source, alice, index, django_capture_on_commit_callbacks
) -> None:
    index(source, "a.py", "a = 1\n")
    source.mirror.mkdir(parents=True)

    with django_capture_on_commit_callbacks(execute=True):
        delete_project(project, by=alice)

    assert not Project.objects.exists()
    assert not Source.objects.exists()
    assert not source.mirror.exists()
    assert AuditEntry.objects.get(action="deleted").kind == "project"

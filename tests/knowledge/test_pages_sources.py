import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from knowledge.models import Document, Upload
from projects.models import Job, Source, WorkerBeat


@pytest.fixture
def alices(client_for, alice):
    return client_for(alice)


def shown(client, name: str, thing, query: str = "") -> str:
    answer = client.get(reverse(name, args=[thing.pk]) + query)
    assert answer.status_code == 200
    return answer.content.decode()


def wait(source: Source, **fields: object) -> Job:
    long_ago = timezone.now() - timedelta(minutes=2)
    return Job.objects.create(
        **{
            "project": source.project,
            "source": source,
            "kind": "sync",
            "due_at": long_ago,
            **fields,
        }
    )


def test_a_project_without_sources_says_how_to_begin(alices, client_for, bob, project) -> None:
    assert "Add a source" in shown(alices, "sources", project)
    seen = shown(client_for(bob), "sources", project)
    assert "No sources yet" in seen
    assert "Add a source" not in seen


def test_sources_are_listed_with_how_they_stand(alices, project, source, index, skip_file) -> None:
    index(source, "a.py", "a = 1\n")
    skip_file(source, "b.bin", "Binary")

    page = shown(alices, "sources", project)

    assert "Indexed" in page
    assert "cccccccc" in page
    assert page.count('<td class="number">1</td>') == 2


def test_a_stuck_queue_is_said_in_words(alices, project, source) -> None:
    wait(source)

    for name, thing in (("sources", project), ("source", source), ("project", project)):
        assert "No worker is running your jobs." in shown(alices, name, thing)

    WorkerBeat.objects.create(name="worker")
    assert "No worker" not in shown(alices, "sources", project)


def test_the_list_takes_the_same_queries_for_many(
    alices, project, django_assert_max_num_queries
) -> None:
    for number in range(20):
        source = Source.objects.create(project=project, name=f"s{number}", kind="upload")
        wait(source)

    with django_assert_max_num_queries(14):
        shown(alices, "sources", project)


def post_new(client, project, **fields: object):
    data = {"way": "path", "kind": "code", **fields}
    return client.post(reverse("source-new", args=[project.pk]), data)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "app.git"
    subprocess.run(["git", "init", "-q", str(folder)], check=True)
    return folder


def test_a_path_becomes_a_source_named_after_it(alices, project, repository: Path) -> None:
    answer = post_new(alices, project, path=str(repository), branch="main", folder_path="/docs/")

    source = Source.objects.get()
    assert answer.url == source.get_absolute_url()
    assert (source.name, source.branch, source.folder_path) == ("app", "main", "docs")
    assert Job.objects.get().source == source


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"path": "/etc"}, "field__error"),
        ({"path": ""}, "field__error"),
        ({"way": "url", "url": "http://example.org/x.git"}, "field__error"),
        ({"way": "url", "url": "https://127.0.0.1/x.git"}, "field__error"),
        ({"way": "url", "url": ""}, "field__error"),
        ({"way": "teleport"}, "field__error"),
        ({"way": "upload"}, "at least one file"),
        ({"path": "/x", "branch": "--upload-pack=touch"}, "field__error"),
        ({"path": "/x", "folder_path": "../.."}, "field__error"),
        ({"path": "/x" * 600}, "field__error"),
    ],
)
def test_what_cannot_be_a_source_is_told_and_kept_in_the_form(
    alices, project, fields: dict[str, str], reason: str
) -> None:
    answer = post_new(alices, project, name="mine", **fields)

    assert answer.status_code == 400
    page = answer.content.decode()
    assert reason in page
    assert 'value="mine"' in page
    assert not Source.objects.exists()


def test_the_fields_of_another_way_are_left_alone(alices, project, repository: Path) -> None:
    post_new(alices, project, path=str(repository), url="https://127.0.0.1/")

    assert Source.objects.get().url == ""


def a_file(name: str, content: bytes = b"# Title\n") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def test_files_become_a_source(alices, project) -> None:
    answer = post_new(
        alices, project, way="upload", loose=[a_file("a.md"), a_file("empty.txt", b"")]
    )

    source = Source.objects.get()
    assert answer.url == source.get_absolute_url()
    assert (source.kind, source.name) == ("upload", "Uploaded files")
    assert sorted(Upload.objects.values_list("path", flat=True)) == ["a.md", "empty.txt"]
    assert Job.objects.get().kind == "sync"


def test_a_folder_keeps_its_names(alices, project) -> None:
    post_new(
        alices,
        project,
        way="upload",
        folder=[a_file("a.md"), a_file("a.md", b"# Other\n")],
        paths="papers/a.md\npapers/deep/a.md",
    )

    assert sorted(Upload.objects.values_list("path", flat=True)) == [
        "papers/a.md",
        "papers/deep/a.md",
    ]


def test_without_scripts_a_folder_is_a_heap_of_files(alices, project) -> None:
    post_new(alices, project, way="upload", folder=[a_file("a.md"), a_file("b.md")])

    assert Upload.objects.count() == 2


def test_refused_files_are_named(alices, project, settings) -> None:
    settings.MAX_FILE_BYTES = 1_000
    files = [a_file("good.md"), a_file("big.md", b"x" * 1_001)]

    answer = alices.post(
        reverse("source-new", args=[project.pk]), {"way": "upload", "loose": files}, follow=True
    )

    page = answer.content.decode()
    assert "1 file was taken in." in page
    assert "big.md: The file is larger than" in page


def test_files_are_added_to_a_source_of_files(alices, project) -> None:
    shelf = Source.objects.create(project=project, name="papers", kind="upload")
    address = reverse("source-upload", args=[shelf.pk])

    alices.post(address, {"loose": [a_file("a.md")]})
    nothing = alices.post(address, {}, follow=True)

    assert shelf.uploads.count() == 1
    assert "at least one file" in nothing.content.decode()
    assert "Add files" in shown(alices, "source", shelf)


def test_files_are_not_added_to_a_repository(alices, source) -> None:
    answer = alices.post(
        reverse("source-upload", args=[source.pk]), {"loose": [a_file("a.md")]}, follow=True
    )

    assert "sources of uploaded files only" in answer.content.decode()
    assert not Upload.objects.exists()


def test_a_new_source_has_nothing_to_show_yet(alices, source) -> None:
    page = shown(alices, "source", source)

    assert "Not synced yet" in page
    assert "Sync now" in page
    assert "job-progress" not in page


def test_running_work_is_shown_with_what_is_left(alices, source) -> None:
    started = timezone.now() - timedelta(seconds=60)
    wait(source, state="running", stage="indexing", done=250, total=1_000, started_at=started)

    page = shown(alices, "source", source)

    assert f'<job-progress src="{reverse("source-progress", args=[source.pk])}">' in page
    assert "250 of 1\u202f000" in page
    assert 'value="25"' in page
    assert "about 3 min left" in page
    assert "Cancel" in page
    assert "Sync now" not in page


def test_the_progress_is_a_piece_of_a_page(alices, source) -> None:
    wait(source, state="running", stage="indexing")
    busy = shown(alices, "source-progress", source)
    Job.objects.update(state="done")

    assert 'data-busy="yes"' in busy
    assert "<html" not in busy
    assert 'data-busy="no"' in shown(alices, "source-progress", source)


def test_a_click_begins_a_sync_once(alices, source) -> None:
    for _ in range(2):
        answer = alices.post(reverse("source-sync", args=[source.pk]))

    assert answer.url == source.get_absolute_url()
    assert Job.objects.count() == 1


def test_a_click_ends_it(alices, source) -> None:
    waiting = wait(source)
    running = wait(source, kind="embed", state="running")

    alices.post(reverse("source-cancel", args=[source.pk]))

    waiting.refresh_from_db()
    running.refresh_from_db()
    assert waiting.state == "cancelled"
    assert running.cancel_requested


def test_a_failure_says_what_happened_what_stays_and_what_to_do(
    alices, client_for, bob, source, index
) -> None:
    index(source, "a.py", "a = 1\n")
    Source.objects.update(state="failed", error="The host did not answer.")

    page = shown(alices, "source", source)
    assert "The host did not answer." in page
    assert "What was indexed at <code>cccccccc</code> stays" in page
    assert "Try again" in page
    assert "Try again" not in shown(client_for(bob), "source", source)


def test_what_was_left_out_is_listed_with_the_reason(alices, source, index, skip_file) -> None:
    index(source, "a.py", "a = 1\n")
    skip_file(source, "b.bin", "Binary")
    skip_file(source, "<script>.bin", "Binary")

    page = shown(alices, "source", source)
    assert '<span class="reasons__count">2</span>' in page
    assert "&lt;script&gt;.bin" in page
    assert "<script>.bin" not in page
    assert reverse("file", args=[source.pk, "c" * 40, "a.py"]) not in page
    assert reverse("file", args=[source.pk, "c" * 40, "a.py"]) in shown(
        alices, "source", source, "?state=indexed"
    )
    assert "No file of this source is failed" in shown(alices, "source", source, "?state=failed")


def test_long_lists_come_in_pages(alices, source, django_assert_max_num_queries) -> None:
    Document.objects.bulk_create(
        Document(project=source.project, source=source, path=f"f{n:04}", state="skipped", error="x")
        for n in range(120)
    )

    with django_assert_max_num_queries(18):
        first = shown(alices, "source", source)
    assert "1 of 3" in first
    assert "f0049" in first
    assert "f0050" not in first
    assert "f0119" in shown(alices, "source", source, "?page=3")


def test_the_last_runs_are_listed(alices, source) -> None:
    wait(source, state="failed", error="No such branch.", finished_at=timezone.now())
    wait(source, state="done", detail=["12 files"], finished_at=timezone.now())

    page = shown(alices, "source", source)
    assert "No such branch." in page
    assert "12 files" in page


def test_an_editor_changes_a_source(alices, source) -> None:
    fields = {"name": "app", "description": "", "branch": "next", "folder_path": "docs/"}

    alices.post(reverse("source-edit", args=[source.pk]), fields)

    source.refresh_from_db()
    assert (source.name, source.branch, source.folder_path) == ("app", "next", "docs")
    assert Job.objects.get().kind == "sync"


@pytest.mark.parametrize(
    "fields", [{"name": ""}, {"branch": "a..b"}, {"folder_path": "../x"}, {"name": "papers"}]
)
def test_a_change_that_cannot_be_is_told(alices, project, source, fields: dict[str, str]) -> None:
    Source.objects.create(project=project, name="papers", kind="upload")
    data = {"name": "code", "description": "", "branch": "", "folder_path": "", **fields}

    answer = alices.post(reverse("source-edit", args=[source.pk]), data)

    assert answer.status_code == 400
    assert "field__error" in answer.content.decode()
    assert "<h1>code</h1>" in answer.content.decode()
    source.refresh_from_db()
    assert (source.name, source.branch) == ("code", "")


def test_deleting_says_what_goes_and_asks_for_the_name(alices, source, index) -> None:
    index(source, "a.py", "a = 1\n")
    address = reverse("source-delete", args=[source.pk])

    assert "<strong>1</strong> document in <strong>1</strong> chunk" in shown(
        alices, "source-delete", source
    )
    assert alices.post(address, {"name": "nope"}).status_code == 400
    assert alices.post(address, {"name": "code"}).url == reverse(
        "sources", args=[source.project_id]
    )
    assert not Source.objects.exists()

"""Sources over REST: adding, changing, syncing, giving files."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from accounts.models import User
from knowledge.models import Document
from projects.models import Job, Source
from tests.api.conftest import Caller, World


def give(caller: Caller, source: Source, files: list[tuple[str, bytes]], **data: Any) -> Any:
    parts = {"files": [SimpleUploadedFile(name, text) for name, text in files], **data}
    raw = encode_multipart(BOUNDARY, parts)
    path = f"/sources/{source.pk}/upload"
    return caller("POST", path, raw=raw, content_type=MULTIPART_CONTENT)


def test_a_source_by_path_is_added_and_synced(
    world: World, alice: User, browser: Any, tmp_path: Path
) -> None:
    (tmp_path / "docs").mkdir()
    asked = {
        "project": str(world.project.pk),
        "name": "docs",
        "kind": "docs",
        "path": str(tmp_path / "docs"),
        "folder_path": "guides/",
    }
    answer = browser(alice).post("/sources", asked)
    assert answer.status_code == 201, answer.content
    made = answer.json()
    assert (made["state"], made["folder_path"], made["head"]) == ("new", "guides", "")
    job = Job.objects.get(source=made["id"])
    assert (job.kind, job.requested_by) == ("sync", alice)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": "code", "kind": "upload"}, "name"),
        ({"path": "/etc"}, "path"),
        ({"url": "file:///etc/passwd"}, "url"),
        ({"url": "https://169.254.169.254/latest"}, "url"),
        ({"url": "https://x.example/a.git", "path": "/tmp"}, "url"),
        ({}, "url"),
        ({"kind": "upload", "folder_path": "../up"}, "folder_path"),
        ({"kind": "upload", "branch": "--upload-pack=x"}, "branch"),
        ({"kind": "upload", "url": "https://x.example/a.git"}, "kind"),
        ({"kind": "spaceship"}, "kind"),
        ({"kind": "written"}, "kind"),
        ({"kind": "upload", "include": "["}, "include"),
        ({"kind": "upload", "exclude": "a\n" * 201}, "exclude"),
        ({"kind": "upload", "exclude": "x" * 101_001}, "exclude"),
        ({"kind": "upload", "collection": "secrets"}, "collection"),
        ({"kind": "upload", "poll_minutes": -1}, "poll_minutes"),
        ({"kind": "upload", "poll_minutes": 10_081}, "poll_minutes"),
        ({"kind": "upload", "project": "x"}, "project"),
        ({"kind": "upload", "project": 2**200}, "project"),
        ({"kind": "upload", "project": {"id": 1}}, "project"),
    ],
)
def test_a_source_that_can_not_be_is_refused(
    wrong: dict[str, Any], field: str, world: World, alice: User, browser: Any
) -> None:
    before = Source.objects.count()
    asked = {"project": str(world.project.pk), "name": "new", **wrong}
    answer = browser(alice).post("/sources", asked)
    assert answer.status_code == 400
    assert set(answer.json()["error"]["fields"]) == {field}
    assert Source.objects.count() == before


def test_nobody_trusts_a_path_over_the_api(world: World, alice: User, browser: Any) -> None:
    asked = {"project": str(world.project.pk), "name": "n", "path": "/etc", "path_is_trusted": True}
    assert browser(alice).post("/sources", asked).status_code == 400


def test_what_syncs_write_can_not_be_written(world: World, alice: User, browser: Any) -> None:
    before = Source.objects.values().get(pk=world.source.pk)
    wanted = dict.fromkeys(before, "x") | {
        "project": str(world.other_project.pk),
        "name": "renamed",
        "description": "why",
        "branch": "main",
        "folder_path": "src",
        "include": "src/",
        "exclude": "old/",
        "collection": "schemas",
        "poll_minutes": 5,
    }
    assert browser(alice).patch(f"/sources/{world.source.pk}", wanted).status_code == 200
    after = Source.objects.values().get(pk=world.source.pk)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {
        *("name", "description", "branch", "folder_path", "updated_at"),
        *("include", "exclude", "collection", "poll_minutes"),
        "may_shrink",  # whoever narrows a source need not be asked
    }


def test_sources_are_listed_by_project_and_state(world: World, alice: User, browser: Any) -> None:
    caller = browser(alice)
    both = caller.get(f"/sources?project={world.project.pk}").json()["results"]
    assert [row["name"] for row in both] == ["Written documents", "code", "files"]
    ready = caller.get("/sources?state=ready").json()["results"]
    assert [row["name"] for row in ready] == ["Written documents", "code"]
    assert caller.get(f"/sources?project={world.other_project.pk}").json()["count"] == 0


def test_syncing_twice_is_one_job_and_cancelling_ends_it(
    world: World, alice: User, browser: Any
) -> None:
    caller, path = browser(alice), f"/sources/{world.source.pk}"
    first, second = caller.post(f"{path}/sync"), caller.post(f"{path}/sync")
    assert first.status_code == 202
    assert first.json()["id"] == second.json()["id"] == str(world.job.pk)
    (ended,) = caller.post(f"{path}/cancel").json()
    assert ended["state"] == "cancelled"
    assert caller.post(f"{path}/cancel").json() == []


def test_files_are_taken_in_and_odd_ones_are_named(
    world: World, alice: User, browser: Any, settings: Any
) -> None:
    settings.MAX_FILE_BYTES = 10
    files = [("a.md", b"hi"), ("b.md", b"x" * 11), ("empty.md", b"")]
    answer = give(browser(alice), world.upload, files, paths=["docs/a.md", "b.md", "e.md"])
    assert answer.status_code == 200
    assert answer.json()["stored"] == 2
    assert [row["path"] for row in answer.json()["refused"]] == ["b.md"]
    kept = world.upload.uploads.order_by("path").values_list("path", "size")
    assert list(kept) == [("docs/a.md", 2), ("e.md", 0)]
    assert world.upload.jobs.open().count() == 1


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../b", ".git/config", "C:\\x"])
def test_a_file_that_would_lead_elsewhere_is_refused(
    path: str, world: World, alice: User, browser: Any
) -> None:
    answer = give(browser(alice), world.upload, [("a.md", b"hi")], paths=[path])
    assert answer.json()["stored"] == 0
    assert len(answer.json()["refused"]) == 1


def test_files_need_a_source_that_takes_them(world: World, alice: User, browser: Any) -> None:
    answer = give(browser(alice), world.source, [("a.md", b"hi")])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "refused")
    assert give(browser(alice), world.upload, []).status_code == 400
    assert give(browser(alice), world.upload, [("a", b"")], paths=["a", "b"]).status_code == 400


def test_files_come_as_a_form_only(world: World, alice: User, browser: Any) -> None:
    path = f"/sources/{world.upload.pk}/upload"
    assert browser(alice).post(path, {"files": []}).status_code == 415
    for raw in (b"", b"no parts", b"--x\r\n\r\n"):
        answer = browser(alice)("POST", path, raw=raw, content_type="multipart/form-data")
        assert answer.status_code == 400
        assert answer.json()["error"]["message"]


def test_which_files_are_read_and_how_often_is_looked(
    world: World, alice: User, browser: Any
) -> None:
    Job.objects.all().delete()
    wanted = {"include": "docs/\n*.md", "exclude": "old/", "collection": "standards"}
    answer = browser(alice).patch(f"/sources/{world.source.pk}", {**wanted, "poll_minutes": 0})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    assert {name: told[name] for name in wanted} == wanted
    assert (told["poll_minutes"], told["next_poll_at"]) == (0, None)
    world.source.refresh_from_db()
    assert world.source.may_shrink
    assert world.document.source.documents.get().chunker_version == 0
    assert Job.objects.get().state == "queued"


def test_failed_files_are_read_again(world: World, alice: User, browser: Any) -> None:
    Job.objects.all().delete()
    for path in ("a.py", "b.py"):
        Document.objects.create(
            project=world.project, source=world.source, path=path, state="failed", attempts=3
        )
    address = f"/sources/{world.source.pk}/retry"
    one = browser(alice).post(address, {"paths": ["a.py", "owl.py", "not there"]})
    assert (one.status_code, one.json()) == (202, {"files": 1})
    assert Document.objects.get(path="b.py").attempts == 3
    assert browser(alice).post(address, {}).json() == {"files": 2}
    assert browser(alice).post(address, {"paths": []}).json() == {"files": 0}
    assert browser(alice).post(address, {"paths": "a.py"}).status_code == 400
    assert Job.objects.get().kind == "sync"


def test_what_a_source_asks_is_answered(world: World, alice: User, browser: Any) -> None:
    Job.objects.all().delete()
    address = f"/sources/{world.source.pk}"
    for forget, state in ((False, "ready"), (True, "asks")):
        Source.objects.filter(pk=world.source.pk).update(state="asks", question="Forget 9 of 10?")
        assert browser(alice).get(address).json()["question"] == "Forget 9 of 10?"
        answer = browser(alice).post(f"{address}/answer", {"forget": forget})
        assert (answer.status_code, answer.json()["question"]) == (200, "")
        assert answer.json()["state"] == state
        assert Job.objects.exists() is forget
    assert browser(alice).post(f"{address}/answer", {}).status_code == 400


def test_a_waiting_job_tells_its_place(world: World, alice: User, browser: Any) -> None:
    before = Job.objects.create(project=world.project, source=world.upload, kind="sync")
    Job.objects.filter(pk=before.pk).update(due_at=world.job.due_at - timedelta(minutes=1))
    running = Job.objects.create(
        project=world.project, source=world.upload, kind="embed", state="running"
    )
    listed = {job["id"]: job for job in browser(alice).get("/jobs").json()["results"]}
    places = [
        (listed[str(job.pk)]["queue_place"], listed[str(job.pk)]["sources_before"])
        for job in (before, world.job, running)
    ]
    assert places == [(1, 0), (2, 1), (None, None)]

import subprocess

import pytest

from accounts.models import AuditEntry
from knowledge.models import Upload
from knowledge.uploads import UploadRefused, check_relative_path, git_sha_of, store_uploads
from projects.models import Job, Source


@pytest.fixture
def shelf(project) -> Source:
    return Source.objects.create(project=project, name="papers", kind=Source.Kind.UPLOAD)


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("a.md", "a.md"),
        ("docs/a.md", "docs/a.md"),
        ("docs\\a.md", "docs/a.md"),
        ("Übersicht.md", "Übersicht.md"),
        ("U\u0308bersicht.md", "Übersicht.md"),
        (" a.md ", "a.md"),
        ("..a/b..md", "..a/b..md"),
        ("<img src=x>.md", "<img src=x>.md"),
    ],
)
def test_names_below_a_folder_are_kept(path: str, kept: str) -> None:
    assert check_relative_path(path) == kept


@pytest.mark.parametrize(
    "path",
    [
        *("", " ", "/etc/passwd", "../a", "a/../../b", "a//b", "./a", "a/.", "a/", "C:/a", "C:\\a"),
        *("a\0b", "a\nb", "\\\\host\\a", ".git/config", "a/.GIT/hooks/x", "..", "x" * 1_025),
    ],
)
def test_names_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(UploadRefused):
        check_relative_path(path)


def test_files_are_kept_and_a_sync_is_on_its_way(shelf: Source, alice) -> None:
    stored = store_uploads(shelf, [("a.md", b"# A"), ("docs/b.md", b"# B"), ("empty", b"")], alice)

    assert (stored.count, stored.refused) == (3, [])
    assert bytes(shelf.uploads.get(path="docs/b.md").content) == b"# B"
    assert Job.objects.open().get(source=shelf).requested_by == alice
    assert AuditEntry.objects.get(object_id=shelf.pk).detail == {"count": 3}


def test_a_file_takes_the_place_of_the_one_before(shelf: Source, alice) -> None:
    store_uploads(shelf, [("a.md", b"old")], alice)
    store_uploads(shelf, [("a.md", b"new")], alice)

    assert [bytes(upload.content) for upload in shelf.uploads.all()] == [b"new"]
    assert Job.objects.filter(source=shelf).count() == 1


def test_of_two_files_of_one_name_the_last_one_is_kept(shelf: Source, alice) -> None:
    stored = store_uploads(shelf, [("a.md", b"one"), ("a.md", b"two")], alice)

    assert stored.count == 1
    assert bytes(shelf.uploads.get().content) == b"two"


def test_what_is_refused_does_not_hold_up_the_rest(shelf: Source, alice, settings) -> None:
    settings.MAX_FILE_BYTES = 1_000
    files = [("../x", b"x"), ("big", b"x" * 1_001), ("good", b"x" * 1_000)]

    stored = store_uploads(shelf, files, alice)

    assert stored.count == 1
    assert [path for path, _ in stored.refused] == ["../x", "big"]
    assert "larger than" in stored.refused[1][1]


def test_a_source_holds_only_so_much(shelf: Source, alice, settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1_500
    store_uploads(shelf, [("a", b"x" * 1_000)], alice)

    stored = store_uploads(shelf, [("b", b"x" * 1_000), ("c", b"x" * 400)], alice)

    assert stored.count == 1
    assert "at most" in stored.refused[0][1]


def test_when_all_is_refused_nothing_is_begun(shelf: Source, alice) -> None:
    assert store_uploads(shelf, [("../x", b"x")], alice).count == 0
    assert not Job.objects.exists()
    assert not AuditEntry.objects.exists()


def test_files_do_not_go_into_a_repository(source: Source, alice) -> None:
    with pytest.raises(UploadRefused):
        store_uploads(source, [("a", b"x")], alice)
    assert not Upload.objects.exists()


@pytest.mark.parametrize("content", [b"", b"hello\n", bytes(range(256))])
def test_contents_have_the_name_that_git_gives_them(content: bytes) -> None:
    named = subprocess.run(
        ["git", "hash-object", "--stdin"], input=content, capture_output=True, check=True
    )
    assert git_sha_of(content) == named.stdout.decode().strip()

"""Reading files and commits out of a mirror."""

import tracemalloc
from datetime import UTC, datetime
from pathlib import Path

import pytest

from projects.git import Limits
from projects.git_errors import FolderMissing, LimitReached, RepositoryDamaged
from projects.mirrors import resolve_branch
from projects.trees import (
    CommitInfo,
    Entry,
    commit_info,
    last_commit_date,
    list_tree,
    read_blobs,
)
from tests.projects.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "code.git", bare=True)
    first = made.commit(
        {"docs/guide.md": "# Guide\n", "docs/api/index.md": "# API\n", "docs2/x.md": "x\n"},
        when="2026-01-01T00:00:00+00:00",
    )
    made.commit(
        {
            "docs/guide.md": "# Guide\n",
            "docs/api/index.md": "# API 2\n",
            "docs2/x.md": "x\n",
            "app.py": "a = 1\n",
        },
        parents=[first],
        message="Say more\n\nIn the body",
        when="2026-03-01T12:00:00+02:00",
    )
    return made


def test_a_large_file_is_held_no_more_than_twice(repository: Repository) -> None:
    size = 20_000_000
    sha = repository.blob(b"a line of text\n" * (size // 15))
    limits = Limits(max_blob_bytes=2 * size)
    tracemalloc.start()

    lengths = [len(data) for _, data in read_blobs(repository.path, [sha], limits=limits)]
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert lengths == [size // 15 * 15]
    assert peak < 2.4 * size


def test_entries_know_their_size_and_content(repository: Repository) -> None:
    entries = {entry.path: entry for entry in list_tree(repository.path, repository.head())}

    sha = repository.blob("a = 1\n")
    assert entries["app.py"] == Entry("100644", "file", sha, 6, b"app.py")
    assert list(entries) == ["app.py", "docs/api/index.md", "docs/guide.md", "docs2/x.md"]


@pytest.mark.parametrize("folder", ["docs", "docs/", "/docs", "./docs", "docs//"])
def test_a_folder_limits_the_list_and_keeps_whole_paths(
    repository: Repository, folder: str
) -> None:
    entries = list_tree(repository.path, repository.head(), folder)

    assert [entry.path for entry in entries] == ["docs/api/index.md", "docs/guide.md"]


def test_a_folder_in_a_folder(repository: Repository) -> None:
    entries = list_tree(repository.path, repository.head(), "docs/api")

    assert [entry.path for entry in entries] == ["docs/api/index.md"]


@pytest.mark.parametrize(
    "folder", ["nope", "doc", "app.py", "../docs", "docs/..", "-rf", ":(glob)**", "docs*", "a\0b"]
)
def test_what_is_no_folder_is_missing(repository: Repository, folder: str) -> None:
    with pytest.raises(FolderMissing):
        list(list_tree(repository.path, repository.head(), folder))


def test_the_list_stops_at_the_cap(repository: Repository) -> None:
    whole = list_tree(repository.path, repository.head(), limits=Limits(max_paths=4))
    capped = list_tree(repository.path, repository.head(), limits=Limits(max_paths=3))

    assert len(list(whole)) == 4
    assert len([next(capped) for _ in range(3)]) == 3
    with pytest.raises(LimitReached) as caught:
        next(capped)
    assert caught.value.limit == "paths"


def test_an_empty_tree_has_no_entries(repository: Repository) -> None:
    empty = repository.commit({}, branch="empty")

    assert list(list_tree(repository.path, empty)) == []


def test_blobs_come_in_the_order_asked_for(repository: Repository) -> None:
    contents = [b"one", b"", b"three\n", b"\0binary\xff", b"x" * 300_000, b"last"]
    shas = [repository.blob(content) for content in contents]

    assert list(read_blobs(repository.path, shas)) == list(zip(shas, contents, strict=True))
    assert list(read_blobs(repository.path, [])) == []


def test_what_is_missing_too_large_or_no_blob_is_left_out(repository: Repository) -> None:
    small, large = repository.blob("12345"), repository.blob("123456")
    tree = repository.files({"a": "1"})
    asked = [large, tree, "f" * 40, small, repository.head()]

    limits = Limits(max_blob_bytes=5)

    assert list(read_blobs(repository.path, asked, limits=limits)) == [(small, b"12345")]


def test_reading_may_stop_early(repository: Repository) -> None:
    shas = [repository.blob(f"{number}" * 50_000) for number in range(9)]

    reading = read_blobs(repository.path, shas)

    assert next(reading)[0] == shas[0]


def test_reading_slowly_is_not_held_against_git(repository: Repository) -> None:
    shas = [repository.blob(f"{number}") for number in range(3)]
    limits = Limits(wall_seconds=5)

    assert [sha for sha, _ in read_blobs(repository.path, iter(shas), limits=limits)] == shas


def test_a_commit_tells_who_and_when(repository: Repository) -> None:
    sha = repository.head()

    assert commit_info(repository.path, sha) == CommitInfo(
        sha=sha,
        author="Alice",
        email="alice@example.org",
        committed_at=datetime(2026, 3, 1, 10, tzinfo=UTC),
        subject="Say more",
    )


def test_a_commit_that_is_not_there_is_an_error(repository: Repository) -> None:
    with pytest.raises(RepositoryDamaged):
        commit_info(repository.path, "f" * 40)


def test_a_folder_has_the_date_of_what_last_touched_it(repository: Repository) -> None:
    sha = repository.head()
    january, march = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 3, 1, 10, tzinfo=UTC)

    assert last_commit_date(repository.path, sha) == march
    assert last_commit_date(repository.path, sha, "docs") == march
    assert last_commit_date(repository.path, sha, "docs2") == january
    assert last_commit_date(repository.path, sha, "docs/guide.md") == january
    assert last_commit_date(repository.path, sha, "nope") is None


def test_branches_are_resolved_by_their_full_names(repository: Repository) -> None:
    repository.git("tag", "v1", repository.head())

    assert resolve_branch(repository.path, "main") == repository.head()
    assert resolve_branch(repository.path, "v1") is None
    assert resolve_branch(repository.path, "") is None

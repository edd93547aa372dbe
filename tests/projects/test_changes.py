"""Walking back through a history: who committed what, and when."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from projects.git_errors import LimitReached, SyncCancelled
from projects.trees import Change, Reach, walk_changes
from tests.projects.repositories import Repository

WHEN = "2026-0{}-01T00:00:00+00:00"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "code.git", bare=True)


def walk(repository: Repository, folder: str = "") -> list[Change]:
    return list(walk_changes(repository.path, repository.head(), folder))


def test_the_newest_commit_comes_first_with_what_it_touched(repository: Repository) -> None:
    first = repository.commit({"a.py": "1", "docs/b.md": "1"}, when=WHEN.format(1), author="Ada")
    second = repository.commit(
        {"a.py": "2", "docs/b.md": "1"}, parents=[first], when=WHEN.format(2), author="Grace H"
    )
    assert walk(repository) == [
        Change(second, "Grace H", "grace@example.org", datetime(2026, 2, 1, tzinfo=UTC), ["a.py"]),
        Change(
            first,
            "Ada",
            "ada@example.org",
            datetime(2026, 1, 1, tzinfo=UTC),
            ["a.py", "docs/b.md"],
        ),
    ]


def test_a_folder_limits_the_walk_and_keeps_whole_paths(repository: Repository) -> None:
    first = repository.commit({"a.py": "1", "docs/b.md": "1", "docs2/c.md": "1"})
    repository.commit({"a.py": "2", "docs/b.md": "1", "docs2/c.md": "1"}, parents=[first])
    assert [change.paths for change in walk(repository, "docs")] == [["docs/b.md"]]


def test_a_merge_is_left_out_and_what_it_merged_is_not(repository: Repository) -> None:
    root = repository.commit({"a": "1", "b": "1"}, when=WHEN.format(1))
    left = repository.commit({"a": "2", "b": "1"}, parents=[root], when=WHEN.format(2))
    right = repository.commit(
        {"a": "1", "b": "2"}, parents=[root], branch="side", when=WHEN.format(3)
    )
    repository.commit({"a": "2", "b": "2"}, parents=[left, right], when=WHEN.format(4))
    assert [(change.sha, change.paths) for change in walk(repository)] == [
        (right, ["b"]),
        (left, ["a"]),
        (root, ["a", "b"]),
    ]


def test_a_renamed_file_is_touched_at_both_names(repository: Repository) -> None:
    first = repository.commit({"old.py": "same\n"})
    repository.commit({"new.py": "same\n"}, parents=[first])
    assert walk(repository)[0].paths == ["new.py", "old.py"]


@pytest.mark.parametrize(
    "name", [b"\nfirst", b"new\nline", b"-rf", b"\xff\xfe.py", b"<img>", b"a/b", b"\x1b[31m"]
)
def test_any_name_is_told_as_a_tree_tells_it(repository: Repository, name: bytes) -> None:
    blob = repository.blob("x")
    repository.commit(repository.tree([("100644", name, blob), ("100644", b"z", blob)]))
    assert set(walk(repository)[0].paths) == {name.decode("utf-8", "backslashreplace"), "z"}


@pytest.mark.parametrize(
    ("author", "name", "email"),
    [
        (b"A\x1b[31mda \xff <ada\x07@x>", "A[31mda \ufffd", "ada@x"),
        (b"//0000 <//\x01@x>", "//0000", "//@x"),
        (b"\xe2\x80\xaeeilA <a@x>", "eilA", "a@x"),
        (b"n" * 400_000 + b" <" + b"e" * 400_000 + b">", "n" * 255, "e" * 255),
        (b"<>", "", ""),
    ],
)
def test_a_hostile_author_is_tidied(
    repository: Repository, author: bytes, name: str, email: str
) -> None:
    repository.raw_commit(repository.files({"a.py": "1"}), author + b" 1767000000 +0000")
    [change] = walk(repository)
    assert (change.author, change.email, change.paths) == (name, email, ["a.py"])


@pytest.mark.parametrize(
    "seconds", [b"0", b"-5", b"4000000000000", b"99999999999999999999", b"253402300799", b"soon"]
)
def test_a_moment_that_cannot_be_is_none(repository: Repository, seconds: bytes) -> None:
    tree = repository.files({"a.py": "1"})
    repository.raw_commit(tree, b"Ada <ada@x> " + seconds + b" +0000")
    assert [change.committed_at for change in walk(repository)] == [None]


def test_where_a_shallow_history_was_cut_nobody_made_its_files(repository: Repository) -> None:
    first = repository.commit({"a.py": "1", "b.py": "1"})
    second = repository.commit({"a.py": "2", "b.py": "1"}, parents=[first])
    third = repository.commit({"a.py": "2", "b.py": "3"}, parents=[second])
    (repository.path / "shallow").write_text(f"{second}\n", encoding="ascii")
    assert [(change.sha, change.paths) for change in walk(repository)] == [(third, ["b.py"])]


@pytest.mark.parametrize("reach", [Reach(commits=1), Reach(output=80), Reach(seconds=0)])
def test_the_walk_ends_at_its_reach(repository: Repository, reach: Reach) -> None:
    first = repository.commit({"a.py": "1"})
    head = repository.commit({"a.py": "2"}, parents=[first])
    with pytest.raises(LimitReached):
        list(walk_changes(repository.path, head, reach=reach))


def test_the_walk_ends_when_it_is_cancelled(repository: Repository) -> None:
    head = repository.commit({"a.py": "1"})
    with pytest.raises(SyncCancelled):
        list(walk_changes(repository.path, head, cancelled=lambda: True))

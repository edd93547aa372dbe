"""The steps that led to a commit, and what people call commits."""

from datetime import UTC, datetime

import pytest

from projects.diffs import diff_of, find_commit, leads_to, main_line
from tests.projects.repositories import Repository

WHEN = "2026-01-0{}T00:00:00+00:00"


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "code.git", bare=True)


@pytest.fixture
def merged(repository):
    """Two lines of work from a root, and their merge."""
    root = repository.commit({"a": "1\n", "b": "1\n"}, when=WHEN.format(1), message="Root")
    left = repository.commit({"a": "2\n", "b": "1\n"}, parents=[root], when=WHEN.format(2))
    right = repository.commit(
        {"a": "1\n", "b": "2\n"}, parents=[root], branch="side", when=WHEN.format(3)
    )
    merge = repository.commit(
        {"a": "2\n", "b": "2\n"},
        parents=[left, right],
        when=WHEN.format(4),
        message="Merge it\n\nWith a body",
        author="Grace H",
    )
    return root, left, right, merge


def test_a_merge_is_one_step_with_all_that_it_brought(repository, merged):
    root, left, right, merge = merged
    steps = main_line(repository.path, merge)

    assert [(step.sha, step.parent, step.is_merge) for step in steps] == [
        (root, "", False),
        (left, root, False),
        (merge, left, True),
    ]
    step = steps[-1]
    assert step.parents == (left, right)
    assert (step.author, step.email, step.subject) == ("Grace H", "grace@example.org", "Merge it")
    assert step.message == "Merge it\n\nWith a body"
    assert step.committed_at == datetime(2026, 1, 4, tzinfo=UTC)
    (found,) = diff_of(repository.path, step.sha, step.parent).files
    assert (found.path, found.added_lines()) == ("b", {1: "2"})


def test_the_main_line_can_begin_and_end_somewhere(repository, merged):
    root, left, right, merge = merged

    def shas(**how):
        return [step.sha for step in main_line(repository.path, merge, **how)]

    assert shas(since=root) == [left, merge]
    assert shas(since=right) == [left, merge]
    assert shas(since=merge) == []
    assert shas(most=2) == [left, merge]
    assert shas(after=datetime(2026, 1, 2, tzinfo=UTC)) == [left, merge]
    (repository.path / "shallow").write_text(f"{left}\n", encoding="ascii")
    assert shas() == [merge]


def test_messages_and_authors_are_tidied(repository):
    tree = repository.files({"a": "1"})
    message = b"//" + b"1" * 40 + b"\n\xff\n" + b"x" * 30_000
    repository.raw_commit(tree, b"A\x1b[31mda <\x07@x> 99999999999999999999 +0000", message)
    (step,) = main_line(repository.path, repository.head())
    assert (step.author, step.email, step.parents) == ("A[31mda", "@x", ())
    assert step.subject == "//" + "1" * 40
    assert len(step.message) == 20_000
    assert step.committed_at.year in {1970, 9999}


def test_a_commit_leads_to_what_was_made_of_it(repository, merged):
    root, left, right, merge = merged
    assert leads_to(repository.path, root, merge)
    assert leads_to(repository.path, right, merge)
    assert not leads_to(repository.path, left, right)
    assert not leads_to(repository.path, "f" * 40, merge)


def test_what_people_call_a_commit_is_found(repository, merged):
    root, left, right, merge = merged
    repository.git("tag", "v1.0", left)
    names = {
        "main": merge,
        "side": right,
        "v1.0": left,
        "refs/heads/side": right,
        "main~1": left,
        "main^2": right,
        root[:10]: root,
        **dict.fromkeys(["nope", "", "-rf", "--all", "main:a", "main..side", "^main", "a b"], ""),
        **dict.fromkeys(["main^{tree}", "@{-1}", "x" * 300, f"{merge[:39]}g"], ""),
    }
    assert {name: find_commit(repository.path, name) for name in names} == names

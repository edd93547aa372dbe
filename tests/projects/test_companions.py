"""Which files change together: counted step by step, the oldest forgotten."""

import pytest

from projects.companions import LARGEST, STEPS_KEPT, Companion, Companions, companions_before
from tests.projects.repositories import Repository


def counted(*steps):
    companions = Companions()
    for step in steps:
        companions.add(step)
    return companions


@pytest.mark.parametrize(
    ("steps", "path", "at_least", "expected"),
    [
        pytest.param([], "a", 1, [], id="nothing"),
        pytest.param([["a"]], "a", 1, [], id="alone"),
        pytest.param([["a", "b"]], "c", 1, [], id="never changed"),
        pytest.param([["a", "b"]], "a", 1, [("b", 1, 1)], id="once"),
        pytest.param([["a", "b"]], "b", 1, [("a", 1, 1)], id="both ways"),
        pytest.param([["a", "b"], ["a"], ["b"]], "a", 1, [("b", 1, 2)], id="not always"),
        pytest.param([["a", "b", "a"]], "a", 1, [("b", 1, 1)], id="told twice"),
        pytest.param(
            [["a", "b"], ["a", "c"], ["c", "a"], ["a", "b", "d"]],
            "a",
            1,
            [("b", 2, 4), ("c", 2, 4), ("d", 1, 4)],
            id="most often first, then by name",
        ),
        pytest.param([["a", "b"], ["a", "c"], ["a", "b"]], "a", 2, [("b", 2, 3)], id="at least"),
        pytest.param([["a", "b"]], "a", 2, [], id="too seldom"),
        pytest.param([[], ["a", "b"], []], "a", 1, [("b", 1, 1)], id="empty steps"),
    ],
)
def test_files_of_a_step_changed_together(steps, path, at_least, expected):
    found = counted(*steps).of(path, at_least=at_least)
    assert found == [Companion(*one) for one in expected]


def test_the_share_is_of_all_changes_of_a_file():
    assert [one.share for one in counted(["a", "b"], ["a"], ["a", "b"], ["a"]).of("a")] == [0.5]


@pytest.mark.parametrize(("size", "is_counted"), [(LARGEST, True), (LARGEST + 1, False)])
def test_a_large_step_says_nothing(size, is_counted):
    companions = counted([f"f{number:02}" for number in range(size)])
    assert bool(companions.of("f00")) is is_counted
    assert companions.times["f00"] == is_counted
    assert len(companions.steps) == 1


def test_the_oldest_steps_are_forgotten():
    companions = counted(["a", "b"], ["a", "c"], *[["z"]] * (STEPS_KEPT - 2))
    assert [one.path for one in companions.of("a")] == ["b", "c"]
    companions.add(["z"])
    assert companions.of("a") == [Companion("c", 1, 1)]
    companions.add(["a", "d"])
    assert companions.of("a") == [Companion("d", 1, 1)]
    assert companions.of("b") == []
    assert len(companions.steps) == STEPS_KEPT


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "code.git", bare=True)


def steps_of(repository, commit=""):
    return list(companions_before(repository.path, commit or repository.head()).steps)


def test_a_history_is_counted_up_to_a_commit_itself_among_them(repository):
    files = {"a": "1", "b": "1", "c": "1"}
    first = repository.commit(files)
    second = repository.commit(files | {"a": "2", "b": "2"}, parents=[first])
    third = repository.commit(files | {"a": "3", "b": "2"}, parents=[second])

    assert steps_of(repository, second) == [("a", "b", "c"), ("a", "b")]
    assert steps_of(repository, third) == [("a", "b", "c"), ("a", "b"), ("a",)]
    found = companions_before(repository.path, third)
    assert found.of("a") == [Companion("b", 2, 3), Companion("c", 1, 3)]


def test_a_merge_is_one_step_with_all_that_it_brought(repository):
    root = repository.commit({"a": "1", "b": "1", "c": "1"})
    left = repository.commit({"a": "2", "b": "1", "c": "1"}, parents=[root])
    one = repository.commit({"a": "1", "b": "2", "c": "1"}, parents=[root], branch="side")
    two = repository.commit({"a": "1", "b": "2", "c": "2"}, parents=[one], branch="side")
    repository.commit({"a": "2", "b": "2", "c": "2"}, parents=[left, two])

    assert steps_of(repository) == [("a", "b", "c"), ("a",), ("b", "c")]


def test_what_is_renamed_and_deleted_changes_as_well(repository):
    first = repository.commit({"old.py": "same\n", "b": "1"})
    repository.commit({"new.py": "same\n"}, parents=[first])
    assert steps_of(repository) == [("b", "old.py"), ("b", "new.py", "old.py")]


def test_a_step_without_files_is_a_step(repository):
    first = repository.commit({"a": "1"})
    second = repository.commit({"a": "1"}, parents=[first])
    repository.commit({"a": "2"}, parents=[second])
    assert steps_of(repository) == [("a",), (), ("a",)]


@pytest.mark.parametrize(
    "name", [b"\nfirst", b"\n\nsecond", b"new\nline", b"-rf", b"\xff\xfe.py", b"\x1b[31m"]
)
def test_any_name_is_told_as_a_tree_tells_it(repository, name):
    blob = repository.blob("x")
    repository.commit(repository.tree([("100644", name, blob), ("100644", b"z", blob)]))
    assert [set(step) for step in steps_of(repository)] == [
        {name.decode("utf-8", "backslashreplace"), "z"}
    ]


def test_where_a_shallow_history_was_cut_nothing_changed_together(repository):
    first = repository.commit({"a": "1", "b": "1", "c": "1"})
    second = repository.commit({"a": "2", "b": "1", "c": "1"}, parents=[first])
    repository.commit({"a": "3", "b": "3", "c": "1"}, parents=[second])
    (repository.path / "shallow").write_text(f"{second}\n", encoding="ascii")
    assert steps_of(repository) == [("a", "b")]


def test_a_commit_that_is_not_there_tells_nothing(repository):
    repository.commit({"a": "1", "b": "1"})
    assert steps_of(repository, "f" * 40) == []

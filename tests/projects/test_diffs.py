"""What a commit changed: files, hunks and the numbers of lines, as git itself tells them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.diffs import LARGEST_PATCH, MOST_FILES, Diff, FileDiff, Hunk, diff_of
from projects.git_errors import GitError
from tests.projects.repositories import Repository

ZERO = "0" * 40
LINES = [f"line {number}\n" for number in range(1, 31)]
LONG = "".join(LINES)


@pytest.fixture
def repository(tmp_path):
    return Repository(tmp_path / "code.git", bare=True)


@pytest.fixture
def diff(repository):
    """Return what leads from some files to others; entries of a tree will do for both."""

    def between(before, after):
        old, new = (
            repository.tree(files) if isinstance(files, list) else repository.files(files)
            for files in (before, after)
        )
        first = repository.commit(old)
        return diff_of(repository.path, repository.commit(new, parents=[first]), first)

    return between


def only(found):
    (file,) = found.files
    return file


@pytest.mark.parametrize(
    ("before", "after", "hunks"),
    [
        pytest.param("a\nb\nc\n", "a\nB\nc\n", [(1, 1, " a -b +B  c")], id="changed"),
        pytest.param("b\n", "a\nb\n", [(1, 1, "+a  b")], id="added at the top"),
        pytest.param("a\n", "a\nb\n", [(1, 1, " a +b")], id="added at the end"),
        pytest.param("a\nb\n", "b\n", [(1, 1, "-a  b")], id="removed at the top"),
        pytest.param("", "a\nb\n", [(0, 1, "+a +b")], id="was empty"),
        pytest.param("a\nb\n", "", [(1, 0, "-a -b")], id="is empty now"),
        pytest.param("a", "b", [(1, 1, "-a +b")], id="no newline at both ends"),
        pytest.param("a\nb", "a\nb\n", [(1, 1, " a -b +b")], id="newline at the end comes"),
        pytest.param("a\nb\n", "a\nb", [(1, 1, " a -b +b")], id="newline at the end goes"),
        pytest.param("a", "a\nb", [(1, 1, "-a +a +b")], id="added after no newline"),
        pytest.param("a\r\nb\r\n", "a\r\nB\r\n", [(1, 1, " a\r -b\r +B\r")], id="CRLF stays"),
        pytest.param("a\nb\n", "a\r\nb\n", [(1, 1, "-a +a\r  b")], id="LF becomes CRLF"),
        pytest.param("a\rb\n", "a\rc\n", [(1, 1, "-a\rb +a\rc")], id="CR ends no line"),
        pytest.param("é\n", b"\xff\n", [(1, 1, "-é +\ufffd")], id="no UTF-8"),
        pytest.param("\n", "\n\n", [(1, 1, "  +")], id="empty lines"),
        pytest.param("x\n", "-- x\n++ y\n", [(1, 1, "-x +-- x +++ y")], id="signs in the text"),
    ],
)
def test_a_change_is_told_line_by_line(diff, before, after, hunks):
    found = only(diff({"a.py": before}, {"a.py": after}))

    assert found.status == "changed"
    shown = [(hunk.old_start, hunk.new_start, " ".join(hunk.lines)) for hunk in found.hunks]
    assert shown == hunks


def test_lines_that_look_like_a_patch_are_lines(diff):
    lines = [
        "diff --git a/x b/x",
        "@@ -1,2 +3,4 @@",
        "--- a/x",
        "+++ b/x",
        "\\ No newline at end of file",
        "Binary files a/x and b/x differ",
    ]
    found = diff({"a": "same\n", "b": "1\n"}, {"a": "same\n" + "\n".join(lines), "b": "2\n"})

    assert [file.path for file in found.files] == ["a", "b"]
    assert found.files[0].added_lines() == dict(enumerate(lines, start=2))
    assert not found.files[0].is_binary
    assert found.files[1].added_lines() == {1: "2"}


def test_lines_keep_their_numbers_before_and_after_in_each_hunk(diff):
    after = ["new\n", *LINES[:9], *LINES[10:24], "other\n", *LINES[25:]]
    found = only(diff({"a.py": LONG}, {"a.py": "".join(after)}))

    starts = [(hunk.old_start, hunk.new_start) for hunk in found.hunks]
    assert starts == [(1, 1), (7, 8), (22, 22)]
    assert found.added_lines() == {1: "new", 25: "other"}
    assert found.removed_lines() == {10: "line 10", 25: "line 25"}


@pytest.mark.parametrize(
    ("old_line", "new_line"),
    [(9, 9), (10, 9), (25, 24), (26, 25), (27, 26), (1, None), (24, None), (30, None)],
)
def test_an_added_line_stands_where_an_old_one_was(diff, old_line, new_line):
    after = [*LINES[:8], "eight\n", *LINES[10:24], "a\n", "b\n", "c\n", *LINES[27:]]
    found = only(diff({"a.py": LONG}, {"a.py": "".join(after)}))
    assert found.removed_lines().keys() == {9, 10, 25, 26, 27}
    assert found.added_lines() == {9: "eight", 24: "a", 25: "b", 26: "c"}

    assert found.added_where(old_line) == new_line


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({}, {"a.py": "1\n"}, [("a.py", "a.py", "added", {1: "1"}, {})]),
        ({}, {"a.py": ""}, [("a.py", "a.py", "added", {}, {})]),
        ({"a.py": "1\n"}, {}, [("a.py", "a.py", "deleted", {}, {1: "1"})]),
        ({"a.py": ""}, {}, [("a.py", "a.py", "deleted", {}, {})]),
        ({"a.py": LONG}, {"b/c.py": LONG}, [("b/c.py", "a.py", "renamed", {}, {})]),
        (
            {"a.py": LONG},
            {"b.py": LONG.replace("line 9\n", "nine\n")},
            [("b.py", "a.py", "renamed", {9: "nine"}, {9: "line 9"})],
        ),
        # A copy is new where it stands: nobody has looked at it there.
        (
            {"a.py": "1\n2\n"},
            {"a.py": "1\n2\n", "b.py": "1\n2\n"},
            [("b.py", "b.py", "added", {1: "1", 2: "2"}, {})],
        ),
        (
            {"a.py": "1\n", "b.py": "2\n"},
            {"a.py": "2\n", "b.py": "1\n"},
            [
                ("a.py", "a.py", "changed", {1: "2"}, {1: "1"}),
                ("b.py", "b.py", "changed", {1: "1"}, {1: "2"}),
            ],
        ),
        ({"a.py": "1\n"}, {"a.py": "1\n"}, []),
    ],
)
def test_what_happened_to_a_file(diff, before, after, expected):
    assert [
        (file.path, file.old_path, file.status, file.added_lines(), file.removed_lines())
        for file in diff(before, after).files
    ] == expected


def test_a_file_names_its_contents_and_is_counted(repository, diff):
    found = diff({"a.py": "1\n2\n"}, {"a.py": "1\n3\n4\n", "b.py": "5\n"})

    old, new = repository.blob("1\n2\n"), repository.blob("1\n3\n4\n")
    lines = (" 1", "-2", "+3", "+4")
    assert found.files[0] == FileDiff("a.py", "a.py", "changed", old, new, (Hunk(1, 1, lines),))
    assert (found.files[1].old_sha, found.files[1].new_sha) == (ZERO, repository.blob("5\n"))
    assert (found.additions, found.deletions, found.left_out) == (3, 1, 0)


@pytest.mark.parametrize(
    ("before", "after"),
    [("1\n", b"\0\x01"), (b"\0\x01", "1\n"), (b"\0\x01", b"\0\x02"), ("", b"PNG\0\n+x\n")],
)
def test_a_binary_file_has_no_lines(diff, before, after):
    found = only(diff({"a.bin": before}, {"a.bin": after}))
    assert (found.status, found.is_binary, found.hunks) == ("changed", True, ())


def test_a_mode_changes_without_lines(repository, diff):
    blob = repository.blob("1\n")
    found = only(diff([("100644", b"a.sh", blob)], [("100755", b"a.sh", blob)]))
    assert found == FileDiff("a.sh", "a.sh", "changed", blob, blob)


def test_a_mode_may_change_with_the_lines(repository, diff):
    old, new = repository.blob("1\n"), repository.blob("2\n")
    found = only(diff([("100755", b"a.sh", old)], [("100644", b"a.sh", new)]))
    assert (found.status, found.added_lines()) == ("changed", {1: "2"})


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param([], ["120000 etc"], id="a link comes"),
        pytest.param(["120000 etc"], ["120000 usr"], id="a link changes"),
        pytest.param(["120000 etc"], [], id="a link goes"),
        pytest.param([], ["160000"], id="a submodule comes"),
        pytest.param(["160000"], [], id="a submodule goes"),
    ],
)
def test_what_is_no_file_has_no_lines_and_shifts_none(repository, diff, before, after):
    def entries(said, content):
        odd = [
            (mode, b"b", repository.blob(target) if target else "1" * 40)
            for mode, _, target in (one.partition(" ") for one in said)
        ]
        blob = repository.blob(content)
        return [("100644", b"a.py", blob), *odd, ("100644", b"c.py", blob)]

    found = diff(entries(before, "1\n"), entries(after, "2\n"))

    assert [(file.path, file.added_lines()) for file in found.files] == [
        ("a.py", {1: "2"}),
        ("c.py", {1: "2"}),
    ]


@pytest.mark.parametrize(
    "name",
    [
        *(b"-rf", b"new\nline", b"\nfirst", b"tab\tname", b'quo"te', b"back\\slash", b"sp ace "),
        *(b"\xff\xfe.py", "é.py".encode(), b"@@ -1 +1 @@", b"b", b":x", b"a => b", b"{a}"),
        *(b"diff --git a b", b"\ndiff --git a/x b/x\nBinary files ", b"\x1b[31m", b"n" * 255),
    ],
)
def test_any_name_is_told_as_a_tree_tells_it(repository, diff, name):
    old, new = repository.blob(LONG), repository.blob(LONG + "more\n")
    below = repository.tree([("100644", name, new)])
    told = name.decode("utf-8", "backslashreplace")

    changed = only(diff([("100644", name, old)], [("100644", name, new)]))
    moved = only(diff([("100644", name, old)], [("40000", b"z", below)]))

    assert (changed.path, changed.status, changed.is_binary) == (told, "changed", False)
    assert (moved.path, moved.old_path, moved.status) == (f"z/{told}", told, "renamed")
    assert changed.added_lines() == moved.added_lines() == {31: "more"}


def test_attributes_of_the_repository_hide_nothing(diff):
    attributes = {".gitattributes": "*.py -diff binary diff=odd\n* -text\n"}
    found = only(diff({"a.py": "1\n", **attributes}, {"a.py": "2\n", **attributes}))
    assert (found.is_binary, found.added_lines()) == (False, {1: "2"})


@pytest.mark.parametrize("hashes", ["sha1", "sha256"])
def test_the_first_commit_adds_everything(tmp_path, hashes):
    repository = Repository(tmp_path / "code.git", bare=True, hashes=hashes)
    head = repository.commit({"a.py": "1\n", "b/c.py": "2\n"})
    found = diff_of(repository.path, head, "")
    assert [(file.path, file.status, file.added_lines()) for file in found.files] == [
        ("a.py", "added", {1: "1"}),
        ("b/c.py", "added", {1: "2"}),
    ]


@pytest.mark.parametrize(("sha", "parent"), [("--output=x", ""), ("main", ""), ("1" * 40, "HEAD")])
def test_only_shas_are_compared(repository, sha, parent):
    with pytest.raises(ValueError, match="not the sha"):
        diff_of(repository.path, sha, parent)


def test_a_commit_that_is_not_there_is_an_error(repository):
    with pytest.raises(GitError):
        diff_of(repository.path, "f" * 40, "")


def test_files_beyond_the_most_are_only_counted(repository, diff):
    blob = repository.blob("1\n")
    names = [f"{number:04}.py" for number in range(MOST_FILES + 3)]
    found = diff([], [("100644", name.encode(), blob) for name in names])
    assert [file.path for file in found.files] == names[:MOST_FILES]
    assert found.files[-1].added_lines() == {1: "1"}
    assert found.left_out == 3


def test_a_patch_that_is_too_large_ends_with_the_last_whole_file(diff):
    large = "x" * 999 + "\n"
    half = large * (LARGEST_PATCH // 2_000 + 200)
    found = diff({}, {"a.txt": "1\n", "b.txt": half, "c.txt": half, "d.txt": "2\n"})
    assert [file.path for file in found.files] == ["a.txt", "b.txt"]
    assert len(found.files[1].added_lines()) == half.count("\n")
    assert found.left_out == 2


def test_nothing_changed_is_an_empty_diff(diff):
    assert diff({"a": "1"}, {"a": "1"}) == Diff()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return Repository(tmp_path_factory.mktemp("store") / "code.git", bare=True)


def lines_of(text):
    return text.removesuffix("\n").split("\n") if text else []


TEXTS = st.lists(st.sampled_from(["a", "b", "", "-", "+a", "\r", "é", "\\ No", "@@ -1 +1 @@"]))
TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, TEXTS, st.sampled_from(["", "\n"]))


@settings(max_examples=40, deadline=None)
@given(old=TEXTS, new=TEXTS)
def test_the_lines_that_changed_lead_from_the_old_text_to_the_new(store, old, new):
    trees = [store.files({"a.py": text}) for text in (old, new)]
    for file in diff_of(store.path, trees[1], trees[0]).files or [None]:
        added = file.added_lines() if file else {}
        removed = file.removed_lines() if file else {}
        kept = iter([line for n, line in enumerate(lines_of(old), 1) if n not in removed])
        count = len(lines_of(old)) - len(removed) + len(added)

        assert [added[n] if n in added else next(kept) for n in range(1, count + 1)] == lines_of(
            new
        )
        assert removed == {n: lines_of(old)[n - 1] for n in removed}


def test_a_link_that_becomes_a_file_is_added_and_the_other_way_deleted(tmp_path):
    repository = Repository(tmp_path / "kinds")
    text = repository.blob("owl = 1\n")
    link = repository.blob("elsewhere.py")
    entries = [("120000", b"a.py", link), ("100644", b"b.py", text), ("100644", b"c.py", text)]
    first = repository.commit(repository.tree(entries))
    other = repository.blob("owl = 2\n")
    entries = [("100644", b"a.py", text), ("120000", b"b.py", link), ("100644", b"c.py", other)]
    second = repository.commit(repository.tree(entries), parents=[first])

    found = diff_of(repository.git_dir, second, first)

    assert [(file.path, file.status, file.added_lines()) for file in found.files] == [
        ("a.py", "added", {1: "owl = 1"}),
        ("b.py", "deleted", {}),
        ("c.py", "changed", {1: "owl = 2"}),
    ]

"""The files of a source as a tree."""

import time

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.viewers import Viewer
from knowledge.folders import (
    ENTRIES_SHOWN,
    MATCHES_SHOWN,
    crumbs_of,
    find_paths,
    folders_among,
    list_folder,
    tree_to,
)
from knowledge.models import Blob, Document

FILES, FOLDERS = 20_000, 2_000
SOON = 0.3  # seconds


def test_crumbs_lead_through_the_folders() -> None:
    assert [(crumb.name, crumb.path) for crumb in crumbs_of("a/b/c.py")] == [
        ("a", "a"),
        ("b", "a/b"),
        ("c.py", "a/b/c.py"),
    ]
    assert crumbs_of("") == []


def test_a_folder_shows_one_level_folders_first(viewer: Viewer, source, index, skip_file) -> None:
    for path in ["b.py", "A.md", "lib/x.py", "lib/deep/y.py", "lib_z.py", "app/z.py"]:
        index(source, path, "x = 1\n")
    skip_file(source, "data.bin", "Binary")

    rows = [(e.name, e.is_folder, e.files) for e in list_folder(viewer, source, "").entries]
    assert rows == [
        ("app", True, 1),
        ("lib", True, 2),
        ("A.md", False, 1),
        ("b.py", False, 1),
        ("data.bin", False, 1),
        ("lib_z.py", False, 1),
    ]
    inside = list_folder(viewer, source, "lib/")
    assert [entry.path for entry in inside.entries] == ["lib/deep", "lib/x.py"]
    assert inside.path == "lib"


def test_a_folder_tells_what_was_left_out_of_it(viewer: Viewer, source, skip_file) -> None:
    skip_file(source, "data.bin", "Binary")

    [entry] = list_folder(viewer, source, "").entries
    assert (entry.state, entry.reason) == ("skipped", "Binary")


@pytest.mark.parametrize("path", ["%", "li_", "lib%", "nowhere", "../x"])
def test_a_folder_is_a_name_and_no_pattern(viewer: Viewer, source, index, path: str) -> None:
    index(source, "lib/x.py", "x = 1\n")

    assert list_folder(viewer, source, path).entries == []


def test_a_folder_takes_one_query_however_many_files(viewer: Viewer, project, source) -> None:
    Document.objects.bulk_create(
        Document(project=project, source=source, path=f"d{n % 50}/f{n}.bin", state="skipped")
        for n in range(3_000)
    )

    with CaptureQueriesContext(
        connection,
    ) as queries:
        entries = list_folder(viewer, source, "").entries

    assert len(entries) == 50
    assert sum(entry.files for entry in entries) == 3_000
    assert len(queries) == 1


def test_a_huge_folder_is_cut_and_says_so(viewer: Viewer, project, source) -> None:
    Document.objects.bulk_create(
        Document(project=project, source=source, path=f"f{n:05}.bin", state="skipped")
        for n in range(ENTRIES_SHOWN + 7)
    )

    folder = list_folder(viewer, source, "")

    assert (len(folder.entries), folder.left_out) == (ENTRIES_SHOWN, 7)


@pytest.fixture
def forest(project, source) -> None:
    """As many files in as many folders as a large repository has."""
    Blob.objects.create(sha="b", text="x = 1\n")
    Document.objects.bulk_create(
        (
            Document(
                project=project,
                source=source,
                path=f"pkg{n % 20}/sub{n % 200}/mod{n % FOLDERS}/file_{n}.py",
                blob_id="b",
            )
            for n in range(FILES)
        ),
        batch_size=5_000,
    )


def test_a_large_tree_opens_soon(viewer: Viewer, source, forest) -> None:
    for act in (
        lambda: list_folder(viewer, source, ""),
        lambda: tree_to(viewer, source, "pkg1/sub1/mod1"),
        lambda: find_paths(viewer, source, "sub19 file"),
    ):
        took = []
        for _ in range(3):
            started = time.perf_counter()
            act()
            took.append(time.perf_counter() - started)
        assert min(took) < SOON


def test_a_tree_is_open_down_to_a_folder(viewer: Viewer, source, index) -> None:
    for path in ("a/b/c.py", "a/d/e.py", "f/g.py", "h.py"):
        index(source, path, "x = 1\n")

    with CaptureQueriesContext(connection) as queries:
        tree = tree_to(viewer, source, "a/b")

    assert len(queries) == 3
    assert [entry.name for entry in tree.entries] == ["a", "f", "h.py"]
    a, f, _ = tree.entries
    assert f.inside is None
    assert a.inside is not None
    assert [entry.name for entry in a.inside.entries] == ["b", "d"]
    b, d = a.inside.entries
    assert d.inside is None
    assert b.inside is not None
    assert [entry.path for entry in b.inside.entries] == ["a/b/c.py"]


@pytest.mark.parametrize("path", ["nowhere", "a/nowhere", "../x", "%", "/".join("a" * 200)])
def test_a_tree_opens_as_far_as_there_is_something(viewer: Viewer, source, index, path) -> None:
    index(source, "a/b.py", "x = 1\n")

    assert [entry.name for entry in tree_to(viewer, source, path).entries] == ["a"]


@pytest.mark.parametrize(
    ("words", "paths"),
    [
        ("cache", ["lib/Cache.py", "docs/cache.md"]),
        ("cache py", ["lib/Cache.py"]),
        ("LIB/", ["lib/Cache.py", "lib/mail_out.py"]),
        ("%", []),
        ("mail_", ["lib/mail_out.py"]),
        ("a_a", []),
        ("skipped", []),
        ("cache nothing", []),
    ],
)
def test_files_are_found_by_words_of_their_paths(
    viewer: Viewer, source, index, skip_file, words: str, paths: list[str]
) -> None:
    for path in ("lib/Cache.py", "docs/cache.md", "lib/mail_out.py"):
        index(source, path, "x = 1\n")
    skip_file(source, "lib/skipped.bin", "binary")

    assert find_paths(viewer, source, words).paths == paths


def test_many_matches_are_cut_and_say_so(viewer: Viewer, source, forest) -> None:
    matches = find_paths(viewer, source, "file")

    assert (len(matches.paths), matches.are_cut) == (MATCHES_SHOWN, True)
    assert matches.paths == sorted(matches.paths, key=lambda path: (len(path), path))


def test_a_stranger_finds_no_paths(charlie, source, index) -> None:
    index(source, "a/b.py", "x = 1\n")

    assert find_paths(Viewer(charlie), source, "b").paths == []
    assert tree_to(Viewer(charlie), source, "a").entries == []
    assert folders_among(Viewer(charlie), source, ["a"]) == set()


def test_folders_are_told_from_what_is_not_there(viewer: Viewer, source, index) -> None:
    index(source, "a/b/c.py", "x = 1\n")
    index(source, "ab.py", "x = 1\n")

    asked = ["a", "a/b", "a/b/c.py", "ab", "ab.py", "", "%", "nowhere"]
    assert folders_among(viewer, source, asked) == {"a", "a/b"}
    assert folders_among(viewer, source, []) == set()

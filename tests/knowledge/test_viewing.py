from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.viewers import Viewer
from knowledge.models import Document
from knowledge.viewing import (
    ENTRIES_SHOWN,
    LINES_A_PAGE,
    TABLE_ROWS,
    WHOLE_UP_TO_LINES,
    Range,
    crumbs_of,
    find_version,
    list_folder,
    page_of,
    read_range,
    symbols_of,
    table_of,
)

OLD, NEW = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10", Range(10, 10)),
        ("10-20", Range(10, 20)),
        ("20-10", Range(10, 20)),
        ("L10-L20", Range(10, 20)),
        (" L7 ", Range(7, 7)),
        ("", None),
        ("0", None),
        ("-5", None),
        ("1-2-3", None),
        ("ten", None),
        ("99999999", None),
        ("१०", Range(10, 10)),
    ],
)
def test_ranges_of_lines_are_read(text: str, expected: Range | None) -> None:
    assert read_range(text) == expected


def test_a_range_holds_both_its_ends() -> None:
    assert [number for number in range(8, 14) if number in Range(10, 12)] == [10, 11, 12]
    assert (str(Range(10, 10)), str(Range(10, 12))) == ("10", "10-12")


def text_of(lines: int) -> str:
    return "".join(f"line {number}\n" for number in range(1, lines + 1))


def test_a_short_file_is_one_page() -> None:
    page = page_of(text_of(WHOLE_UP_TO_LINES))

    assert (page.number, page.count, page.total_lines) == (1, 1, WHOLE_UP_TO_LINES)


@pytest.mark.parametrize(
    ("number", "lit", "first"),
    [
        (0, None, 1),
        (2, None, LINES_A_PAGE + 1),
        (0, Range(5_500, 5_510), 2 * LINES_A_PAGE + 1),
        (0, Range(LINES_A_PAGE, LINES_A_PAGE), 1),
        (1, Range(5_500, 5_510), 1),
        (99, None, 2 * LINES_A_PAGE + 1),
        (0, Range(9_999_999, 9_999_999), 2 * LINES_A_PAGE + 1),
    ],
)
def test_a_long_file_opens_where_it_is_asked_to(number: int, lit: Range | None, first: int) -> None:
    page = page_of(text_of(5_990), number=number, lit=lit)

    assert page.start_line == first
    assert page.text.split("\n")[0] == f"line {first}"
    assert page.end_line <= page.total_lines == 5_990


@pytest.mark.parametrize(
    ("text", "header", "first"),
    [
        ("a,b\n1,2\n", ["a", "b"], ["1", "2"]),
        ("a;b\n1;2\n", ["a", "b"], ["1", "2"]),
        ("a\tb\n1\t2\n", ["a", "b"], ["1", "2"]),
        ('a,b\n"1, or 2",3\n', ["a", "b"], ["1, or 2", "3"]),
    ],
)
def test_tables_are_read(text: str, header: list[str], first: list[str]) -> None:
    table = table_of(text)

    assert table is not None
    assert (table.header, table.rows[0], table.left_out) == (header, first, False)


@pytest.mark.parametrize("text", ["", "one line", "x" * 200_000 + "\n" + "y" * 200_000])
def test_what_is_no_table_is_shown_as_lines(text: str) -> None:
    assert table_of(text) is None


def test_a_long_table_is_cut_and_says_so() -> None:
    table = table_of("a,b\n" + "1,2\n" * (TABLE_ROWS + 5))

    assert table is not None
    assert len(table.rows) == TABLE_ROWS
    assert table.left_out


def test_crumbs_lead_through_the_folders() -> None:
    assert [(crumb.name, crumb.path) for crumb in crumbs_of("a/b/c.py")] == [
        ("a", "a"),
        ("b", "a/b"),
        ("c.py", "a/b/c.py"),
    ]
    assert crumbs_of("") == []


def test_a_version_is_found_by_its_commit(viewer: Viewer, source, index) -> None:
    index(source, "a.py", "old = 1\n", commit=OLD)
    index(source, "a.py", "new = 2\n", commit=NEW)

    now = find_version(viewer, source.pk, NEW, "a.py")
    assert now is not None
    assert (now.text, now.has_changed) == ("new = 2\n", False)


def test_what_a_citation_kept_opens_after_the_file_has_changed(
    viewer: Viewer, source, index
) -> None:
    old = index(source, "pkg/a.py", "old = 1\n", commit=OLD)
    source.versions.get_or_create(
        path="pkg/a.py", commit=OLD, defaults={"blob": old.blob, "language": "python"}
    )
    index(source, "pkg/a.py", "new = 2\n", commit=NEW)

    then = find_version(viewer, source.pk, OLD, "pkg/a.py")
    assert then is not None
    assert (then.text, then.has_changed, then.language) == ("old = 1\n", True, "python")
    assert (then.name, then.folder, then.size) == ("a.py", "pkg", 8)


def test_what_a_citation_kept_opens_after_the_file_is_gone(viewer: Viewer, source, index) -> None:
    document = index(source, "a.py", "old = 1\n", commit=OLD)
    source.versions.get_or_create(path="a.py", commit=OLD, defaults={"blob": document.blob})
    document.delete()

    then = find_version(viewer, source.pk, OLD, "a.py")
    assert then is not None
    assert then.has_changed
    assert then.document is None


def test_an_unchanged_file_opens_at_the_head_too(viewer: Viewer, source, index) -> None:
    index(source, "a.py", "same = 1\n", commit=OLD)
    index(source, "b.py", "other = 1\n", commit=NEW)

    assert source.head == NEW
    assert find_version(viewer, source.pk, NEW, "a.py") is not None


@pytest.mark.parametrize(
    ("commit", "path"), [("f" * 40, "a.py"), (NEW, "b.py"), (NEW, "../a.py"), ("", "a.py")]
)
def test_what_is_not_kept_is_not_found(
    viewer: Viewer, source, index, commit: str, path: str
) -> None:
    index(source, "a.py", "a = 1\n", commit=NEW)

    assert find_version(viewer, source.pk, commit, path) is None


def test_a_stranger_finds_nothing(charlie, source, index) -> None:
    index(source, "a.py", "a = 1\n", commit=NEW)

    assert find_version(Viewer(charlie), source.pk, NEW, "a.py") is None
    assert find_version(Viewer(charlie), uuid4(), NEW, "a.py") is None
    assert list_folder(Viewer(charlie), source, "").entries == []


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


def test_symbols_are_listed_once_in_their_order(source, index) -> None:
    body = "".join(f"    value_{n} = compute_{n}(argument_{n}, other_{n})\n" for n in range(120))
    document = index(source, "a.py", f"def first():\n{body}\n\ndef second():\n{body}\n")

    names = [symbol.name for symbol in symbols_of(document)]
    assert names == sorted(set(names), key=names.index)
    assert names[0] == "first"
    assert "second" in names
    assert list(symbols_of(None)) == []

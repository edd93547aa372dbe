from uuid import uuid4

import pytest

from accounts.viewers import Viewer
from knowledge.folders import list_folder
from knowledge.viewing import (
    LINES_A_PAGE,
    WHOLE_UP_TO_LINES,
    Range,
    file_address,
    find_version,
    page_of,
    read_range,
    symbols_of,
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


def test_a_file_opens_as_of_a_commit_that_changed_others(viewer: Viewer, source, index) -> None:
    first, second, third, fourth = ("1" * 40, "2" * 40, "3" * 40, "4" * 40)
    index(source, "a.py", "a = 1\n", commit=first)
    index(source, "b.py", "b = 1\n", commit=second)
    index(source, "a.py", "a = 2\n", commit=third)
    index(source, "b.py", "b = 2\n", commit=fourth)

    def text_at(commit: str, path: str) -> str | None:
        version = find_version(viewer, source.pk, commit, path)
        return version.text if version else None

    assert [text_at(commit, "a.py") for commit in (first, second, third, fourth)] == [
        *("a = 1\n", "a = 1\n", "a = 2\n", "a = 2\n")
    ]
    assert [text_at(commit, "b.py") for commit in (first, second, third, fourth)] == [
        *(None, "b = 1\n", "b = 1\n", "b = 2\n")
    ]


def test_a_file_that_is_gone_opens_at_its_own_commits_only(viewer: Viewer, source, index) -> None:
    index(source, "b.py", "b = 1\n", commit=OLD)
    index(source, "a.py", "a = 1\n", commit=NEW)
    source.documents.get(path="b.py").delete()

    assert find_version(viewer, source.pk, OLD, "b.py") is not None
    assert find_version(viewer, source.pk, NEW, "b.py") is None


def test_a_document_has_an_address_for_its_lines(client_for, alice, source, index) -> None:
    document = index(source, "pkg/ä b.py", "a = 1\nb = 2\n", commit=NEW)

    address = file_address(document, 1, 2)

    assert address.endswith("?lines=1-2#L1")
    assert client_for(alice).get(address.partition("#")[0]).status_code == 200


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


def test_symbols_are_listed_once_in_their_order(source, index) -> None:
    body = "".join(f"    value_{n} = compute_{n}(argument_{n}, other_{n})\n" for n in range(120))
    document = index(source, "a.py", f"def first():\n{body}\n\ndef second():\n{body}\n")

    names = [symbol.name for symbol in symbols_of(document)]
    assert names == sorted(set(names), key=names.index)
    assert names[0] == "first"
    assert "second" in names
    assert list(symbols_of(None)) == []

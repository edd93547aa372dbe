"""Tables as text: how cells are parted, where rows stand, what is left out."""

import csv
import io
import random
import time

import pytest

from knowledge.tables import (
    COLUMNS_SHOWN,
    LONGEST_CELL,
    ROWS_A_PAGE,
    delimiter_of,
    table_of,
)


@pytest.mark.parametrize(
    ("text", "header", "first"),
    [
        ("a,b\n1,2\n", ["a", "b"], ["1", "2"]),
        ("a;b\n1;2\n", ["a", "b"], ["1", "2"]),
        ("a;b\n1,5;2,5\n2,5;3,5\n", ["a", "b"], ["1,5", "2,5"]),
        ("a\tb\n1, or one\t2\n", ["a", "b"], ["1, or one", "2"]),
        ("a|b\n1|2\n", ["a", "b"], ["1", "2"]),
        ('a,b\n"1, or 2",3\n', ["a", "b"], ["1, or 2", "3"]),
        ('a,b\n"say ""hi""",3\n', ["a", "b"], ['say "hi"', "3"]),
        ('a,b\n"two\nlines",3\n', ["a", "b"], ["two\nlines", "3"]),
        ("a,b\r\n1,2\r\n", ["a", "b"], ["1", "2"]),
        ("only\none\ncolumn\n", ["only"], ["one"]),
        ("a,b\n\n\n1,2\n", ["a", "b"], ["1", "2"]),
        ("a,b\n1\n", ["a", "b"], ["1"]),
        ("a,b\n1,2,3\n", ["a", "b"], ["1", "2", "3"]),
    ],
)
def test_tables_are_read(text: str, header: list[str], first: list[str]) -> None:
    table = table_of(text)

    assert table is not None
    assert (table.header, table.rows[0].cells) == (header, first)


@pytest.mark.parametrize("text", ["", "one line", "\n\n\n", "x" * 200_000 + "\n" + "y" * 200_000])
def test_what_is_no_table_is_none(text: str) -> None:
    assert table_of(text) is None


def test_rows_say_on_which_line_they_stand() -> None:
    table = table_of('a,b\n1,2\n\n"three\nlines\nlong",4\n5,6\n')

    assert table is not None
    assert [row.line for row in table.rows] == [2, 4, 7]


@pytest.mark.parametrize(
    ("number", "first", "last"), [(1, 1, 500), (2, 501, 1000), (3, 1001, 1005)]
)
def test_a_long_table_has_pages(number: int, first: int, last: int) -> None:
    table = table_of("n,m\n" + "".join(f"{n},x\n" for n in range(1, 1006)), number=number)

    assert table is not None
    assert (table.number, table.count, table.total_rows) == (number, 3, 1005)
    assert (table.first_row, table.last_row) == (first, last)
    assert (table.rows[0].cells[0], table.rows[-1].cells[0]) == (str(first), str(last))
    assert len(table.rows) <= ROWS_A_PAGE


@pytest.mark.parametrize(("number", "shown"), [(0, 1), (-3, 1), (99, 3)])
def test_a_page_that_is_not_there_is_the_nearest(number: int, shown: int) -> None:
    table = table_of("n\n" + "1\n" * 1005, number=number)

    assert table is not None
    assert table.number == shown


def test_a_wide_table_says_how_many_columns_it_leaves_out() -> None:
    table = table_of(",".join("c" * 100) + "\n" + ",".join("1" * 100) + "\n")

    assert table is not None
    assert (len(table.header), len(table.rows[0].cells)) == (COLUMNS_SHOWN, COLUMNS_SHOWN)
    assert table.columns_left_out == 60


def test_a_long_cell_is_cut() -> None:
    table = table_of(f"a,b\n{'x' * 5_000},1\n")

    assert table is not None
    assert table.rows[0].cells[0] == "x" * LONGEST_CELL + "…"


def test_any_table_comes_back_as_it_was_written() -> None:
    chance = random.Random(7)
    letters = "ab 1,;\t|\"'\n\rü\u2028"
    for _ in range(300):
        width = chance.randint(2, 6)
        rows = [
            ["".join(chance.choices(letters, k=chance.randint(0, 6))) for _ in range(width)]
            for _ in range(chance.randint(2, 12))
        ]
        rows = [[cell or "-" for cell in row] for row in rows]
        written = io.StringIO(newline="")
        delimiter = chance.choice(",;\t|")
        csv.writer(written, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows(rows)

        table = table_of(written.getvalue())

        assert table is not None
        assert [table.header, *(row.cells for row in table.rows)] == rows


@pytest.mark.parametrize(
    "text",
    [
        ',"' * 100_000,
        '"' * 200_001,
        "," * 500_000,
        ",\n" * 200_000,
        '"a\n' * 100_000,
        "a,b\n" + "=cmd|' /C calc'!A0,1\n" * 1_000,
        ";,|\t" * 50_000,
    ],
)
def test_hostile_tables_are_read_quickly(text: str) -> None:
    started = time.process_time()
    table_of(text)
    delimiter_of(text)

    assert time.process_time() - started < 2

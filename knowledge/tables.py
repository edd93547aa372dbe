"""Tables that people keep as text: rows with the lines they stand on, a page at a time."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

ROWS_A_PAGE = 500
COLUMNS_SHOWN = 40
LONGEST_CELL = 2_000
DELIMITERS = ",;\t|"
SAMPLE = 8_000
SAMPLE_ROWS = 20


@dataclass(frozen=True, slots=True)
class Row:
    """A record, and the first of the lines that it stands on."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True)
class Table:
    """A page of a table; knows what it leaves out."""

    header: list[str]
    rows: list[Row]
    number: int
    count: int
    total_rows: int
    columns_left_out: int

    @property
    def first_row(self) -> int:
        return (self.number - 1) * ROWS_A_PAGE + 1

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.rows) - 1


def table_of(text: str, *, number: int = 1) -> Table | None:
    """Return a page of a table, or nothing when the text is not one."""
    records: list[tuple[int, list[str]]] = []
    try:
        records.extend(_records(text, delimiter_of(text)))
    except csv.Error:
        return None
    if len(records) < 2:
        return None
    count = -(-(len(records) - 1) // ROWS_A_PAGE)
    number = max(1, min(number, count))
    first = (number - 1) * ROWS_A_PAGE + 1
    header, shown = records[0][1], records[first : first + ROWS_A_PAGE]
    widest = max(len(header), *(len(cells) for _, cells in shown))
    return Table(
        _cut(header),
        [Row(line, _cut(cells)) for line, cells in shown],
        number,
        count,
        len(records) - 1,
        max(0, widest - COLUMNS_SHOWN),
    )


def delimiter_of(text: str) -> str:
    """Return what parts the cells: what gives the first rows the same number of them."""
    sample = text[:SAMPLE]
    if len(text) > SAMPLE and "\n" in sample:
        sample = sample[: sample.rindex("\n")]
    return max(DELIMITERS, key=lambda delimiter: _fitness(sample, delimiter))


def _fitness(sample: str, delimiter: str) -> tuple[int, int]:
    """How many of the first rows agree on their width, and on which."""
    widths: Counter[int] = Counter()
    try:
        # Strictly: after a quoted cell comes the right delimiter, or none of these is one.
        for _, cells in islice(_records(sample, delimiter, strict=True), SAMPLE_ROWS):
            widths[len(cells)] += len(cells) > 1
    except csv.Error as error:
        if "end of data" not in str(error):  # of the sample, that is
            return (0, 0)
    width, agreeing = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return (agreeing, width)


def _records(text: str, delimiter: str, *, strict: bool = False) -> Iterator[tuple[int, list[str]]]:
    """Yield what is no blank line, with the line it begins on; a quoted cell may hold several."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=strict)
    line = 1
    for cells in reader:
        if cells:
            yield line, cells
        line = reader.line_num + 1


def _cut(cells: list[str]) -> list[str]:
    return [
        cell if len(cell) <= LONGEST_CELL else f"{cell[:LONGEST_CELL]}…"
        for cell in cells[:COLUMNS_SHOWN]
    ]

"""Notebooks as a reader meets them: cells with what they printed."""

import json
import time

import pytest

from knowledge.notebooks import (
    LONGEST_OUTPUT_SHOWN,
    MOST_CELLS,
    NotANotebook,
    read_notebook,
)


def notebook(*cells: dict[str, object], indent: int | None = 1, **metadata: object) -> str:
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4}, indent=indent)


def code(source: object, *outputs: object, number: object = 1) -> dict[str, object]:
    return {
        "cell_type": "code",
        "source": source,
        "outputs": list(outputs),
        "execution_count": number,
    }


def test_cells_come_in_their_order_with_what_they_printed() -> None:
    text = notebook(
        {"cell_type": "markdown", "source": ["# Orders\n", "\n", "What was sold."]},
        code(["x = 1\n", "print(x)"], {"output_type": "stream", "text": ["1\n"]}, number=4),
        {"cell_type": "raw", "source": "as it is"},
    )

    found = read_notebook(text).cells

    assert [(cell.kind, cell.source, cell.output, cell.number) for cell in found] == [
        ("markdown", "# Orders\n\nWhat was sold.", "", None),
        ("code", "x = 1\nprint(x)", "1", 4),
        ("raw", "as it is", "", None),
    ]
    rows = text.split("\n")
    assert "x = 1" in rows[found[1].first_line - 1]
    assert "print(x)" in rows[found[1].last_line - 1]


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        ({"text": "a\nb"}, "a\nb"),
        ({"text": ["a\n", "b"]}, "a\nb"),
        ({"data": {"text/plain": ["<Figure>"], "image/png": "iVBOR"}}, "<Figure>"),
        ({"data": {"text/html": "<script>alert(1)</script>"}}, ""),
        (
            {"ename": "KeyError", "evalue": "'x'", "traceback": ["\x1b[31mno\x1b[0m"]},
            "KeyError: 'x'",
        ),
        ({"text": "\x1b[1;31mred\x1b[0m"}, "red"),
        ({"text": 7}, ""),
        ({"text": [1, None, "a"]}, "a"),
        ("text", ""),
        (None, ""),
        ({"text": "x" * 50_000}, "x" * LONGEST_OUTPUT_SHOWN),
    ],
)
def test_outputs_are_shown_as_text(output: object, shown: str) -> None:
    [cell] = read_notebook(notebook(code("f()", output))).cells

    assert cell.output == shown


@pytest.mark.parametrize(
    ("metadata", "language"),
    [
        ({}, "python"),
        ({"language_info": {"name": "R"}}, "r"),
        ({"kernelspec": {"language": "Julia"}}, "julia"),
        ({"language_info": {"name": 7}, "kernelspec": []}, "python"),
        ({"language_info": "x"}, "python"),
    ],
)
def test_the_language_is_the_notebooks_own(metadata: dict[str, object], language: str) -> None:
    assert read_notebook(notebook(code("1"), **metadata)).language == language


def test_many_cells_are_cut_and_counted() -> None:
    found = read_notebook(notebook(*(code("1") for _ in range(MOST_CELLS + 5))))

    assert (len(found.cells), found.left_out) == (MOST_CELLS, 5)


def test_odd_cells_are_read_all_the_same() -> None:
    cells = [
        {},
        {"cell_type": [7], "source": {"a": 1}, "outputs": "x", "execution_count": "3"},
        {"cell_type": "code", "source": "a\ud800b", "outputs": {}, "execution_count": None},
    ]

    found = read_notebook(notebook(*cells)).cells

    assert [(cell.kind, cell.number) for cell in found] == [
        *(("raw", None), ("raw", None), ("code", None))
    ]
    assert found[2].source == "a\ufffdb"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "7", '{"cells": 3}', '{"cells": [1]}', '{"worksheets": []}', "[" * 99_999],
)
def test_what_is_no_notebook_is_refused(text: str) -> None:
    with pytest.raises(NotANotebook):
        read_notebook(text)


def test_hostile_notebooks_are_read_quickly() -> None:
    started = time.process_time()
    read_notebook(notebook(*(code("x" * 100, {"text": "\x1b[" * 1_000}) for _ in range(300))))

    assert time.process_time() - started < 2

import json
import time

import pytest

from knowledge.chunking import chunk_document
from knowledge.notebooks import NotANotebook, chunk_notebook
from knowledge.structured import json_headings, toml_headings, yaml_headings
from tests.knowledge.samples import assert_covers

LONG = "a value that takes some room in the file " * 8


def test_rows_of_a_table_carry_the_names_of_their_columns() -> None:
    text = "id,name,price\n" + "".join(f"{i},thing number {i},{i}.50\n" for i in range(200))

    chunks = chunk_document("data/things.csv", text).chunks

    assert len(chunks) > 3
    assert {chunk.header for chunk in chunks} == {"data/things.csv : id,name,price"}
    assert {chunk.kind for chunk in chunks} == {"rows"}
    assert_covers(text, chunks)


def test_a_quoted_field_with_line_feeds_is_not_torn() -> None:
    record = '1,"first line\nsecond line ' + "x" * 900 + '\nthird line",end\n'
    text = "id,text,last\n" + record * 6

    chunks = chunk_document("a.csv", text).chunks

    assert all(chunk.text.count('"') % 2 == 0 for chunk in chunks)
    assert_covers(text, chunks)


def test_a_quote_that_is_never_closed_does_not_swallow_the_table() -> None:
    text = 'id,"name\n' + "".join(f"{i},thing number {i}\n" for i in range(500))

    chunks = chunk_document("a.csv", text).chunks

    assert len(chunks) > 3
    assert_covers(text, chunks)


def test_json_is_cut_at_its_keys() -> None:
    data = {"name": "shop", "scripts": {"build": LONG, "test": LONG, "lint": LONG}, "more": LONG}
    text = json.dumps(data, indent=2)

    chunks = chunk_document("package.json", text).chunks

    assert [(c.symbol, c.kind, c.start_line, c.end_line) for c in chunks] == [
        ("name", "key", 1, 2),
        ("scripts", "key", 3, 7),
        ("more", "key", 8, 9),
    ]
    assert chunks[1].header == "package.json > scripts : build, test, lint"
    assert_covers(text, chunks)


def test_large_json_objects_are_cut_at_their_inner_keys() -> None:
    text = json.dumps(
        {"paths": {f"/orders/{i}": {"get": LONG, "put": LONG} for i in range(6)}}, indent=1
    )

    chunks = chunk_document("openapi.json", text).chunks

    assert "openapi.json > paths > /orders/3 : get, put" in {chunk.header for chunk in chunks}
    assert_covers(text, chunks)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1,\n"b": {"c": 2}}', [(0, 1, "a"), (1, 1, "b")]),
        ('{\n"a": [\n{"b": 1}\n],\n"c": 2}', [(1, 1, "a"), (2, 3, "b"), (4, 1, "c")]),
        ('["a", "b"]', []),
        ('{"a": "x: \\"y\\": {",\n"b": 1}', [(0, 1, "a"), (1, 1, "b")]),
        ('{"unclosed\n"b": 1}', [(1, 1, "b")]),
        ("}}}]]]", []),
        ("", []),
    ],
)
def test_json_keys_are_found_without_loading(text: str, found: list[tuple[int, int, str]]) -> None:
    assert [(h.row, h.level, h.title) for h in json_headings(text)] == found


YAML = f"""# A comment.
name: shop
services:
  web:
    image: "shop:1"
    command: {LONG}{LONG}
  worker:
    image: shop
    command: {LONG}{LONG}
steps:
- name: build
  run: {LONG}{LONG}
- name: test
  run: |
    make test
    echo done: yes
"""


def test_yaml_is_cut_at_its_keys() -> None:
    chunks = chunk_document("compose.yml", YAML).chunks

    assert [(c.start_line, c.header) for c in chunks] == [
        (1, "compose.yml : name, services"),
        (4, "compose.yml > services > web : image, command"),
        (7, "compose.yml > services > worker : image, command"),
        (10, "compose.yml > steps : name: build, run, name: test, echo done"),
    ]
    assert_covers(YAML, chunks)


def test_keys_of_yaml_are_found_without_loading() -> None:
    text = "a: &a [x]\nb: *a\n'quoted key': 1\n? complex\n: value\n- item: 1\nhttp://x\n"

    assert [h.title for h in yaml_headings(text)] == ["a", "b", "quoted key", "item: 1"]


TOML = f"""# A comment.
title = "shop"

[project]
name = "shop"
description = "{LONG}{LONG}"

[[tool.steps]] # first
name = "build"
run = "{LONG}{LONG}"

[tool."quoted.name"]
x = 1
"""


def test_toml_is_cut_at_its_tables() -> None:
    chunks = chunk_document("pyproject.toml", TOML).chunks

    assert [chunk.symbol for chunk in chunks] == [
        "title",
        "project",
        "tool.steps",
        "tool.quoted.name",
    ]
    assert_covers(TOML, chunks)


def test_tables_of_ini_files_are_found_too() -> None:
    found = [(h.level, h.title) for h in toml_headings("; c\n[flake8]\nmax-line: 9\n\n[x]\ny=1\n")]

    assert found == [(1, "flake8"), (2, "max-line"), (1, "x"), (2, "y")]


def notebook(*cells: dict[str, object], indent: int | None = 1) -> str:
    return json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}, indent=indent)


def cell(source: str, kind: str = "code", **more: object) -> dict[str, object]:
    return {
        "cell_type": kind,
        "metadata": {"source": "no"},
        "source": source.splitlines(True),
        **more,
    }


def test_cells_keep_the_lines_of_the_raw_file() -> None:
    source = "def load(path):\n    return read(path)\n" + "x = compute(order, settings)\n" * 40
    text = notebook(cell("# Orders\n\nWhat was sold.", "markdown"), cell(source))
    rows = text.split("\n")

    chunks = chunk_document("a.ipynb", text).chunks

    assert [chunk.kind for chunk in chunks] == ["cell"] * len(chunks)
    assert "# Orders" in rows[chunks[0].start_line - 1]
    code = next(chunk for chunk in chunks if "def load" in chunk.text)
    assert "def load" in "".join(rows[code.start_line - 1 : code.end_line])
    assert "load" in code.definitions
    assert chunks[-1].header.startswith("a.ipynb > Orders")
    last = chunks[-1]
    assert "x = compute(order, settings)" in rows[last.end_line - 1]


def test_what_a_cell_printed_is_kept_and_pictures_are_not() -> None:
    outputs = [
        {"output_type": "stream", "text": ["12 orders\n"]},
        {
            "output_type": "display_data",
            "data": {"image/png": "iVBOR" * 99, "text/plain": "<Figure>"},
        },
        {"output_type": "error", "ename": "KeyError", "evalue": "'price'", "traceback": []},
    ]

    (chunk,) = chunk_document("a.ipynb", notebook(cell("show()", outputs=outputs))).chunks

    assert "12 orders" in chunk.text
    assert "<Figure>" in chunk.text
    assert "KeyError: 'price'" in chunk.text
    assert "iVBOR" not in chunk.text


def test_a_notebook_in_one_line_is_read() -> None:
    text = notebook(cell("one()"), cell("two()"), indent=None)

    (chunk,) = chunk_document("a.ipynb", text).chunks

    assert chunk.text == "one()\n\ntwo()"
    assert (chunk.start_line, chunk.end_line) == (1, 1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "not valid JSON"),
        ("[" * 100_000, "not valid JSON"),
        ("[]", "not a notebook of version 4"),
        ('{"worksheets": []}', "not a notebook of version 4"),
        ('{"cells": [1]}', "not a notebook of version 4"),
        ('{"cells": [], "cells": [{"source": "x"}, {}]}', ""),
        ('{"cells": [{"source": NaN, "outputs": 3, "cell_type": 7}]}', ""),
        ('{"cells": [{"source": ["a", 1, null]}, {"outputs": [1, {"data": []}]}]}', ""),
    ],
)
def test_broken_notebooks_are_cut_by_lines(text: str, reason: str) -> None:
    chunked = chunk_document("a.ipynb", text)

    assert chunked.notes == (f"chunked by lines: {reason}" if reason else "")


def test_a_notebook_without_cells_is_empty() -> None:
    assert chunk_notebook("a.ipynb", notebook()) == []


def test_surrogates_hidden_in_escapes_are_replaced() -> None:
    (chunk,) = chunk_notebook("a.ipynb", '{"cells": [{"source": "a\\ud800b\\u0000c"}]}')

    assert chunk.text == "a\ufffdb\ufffdc"


def test_cells_that_cannot_be_placed_are_refused() -> None:
    with pytest.raises(NotANotebook, match="could not be found"):
        chunk_notebook("a.ipynb", '{"cells": [{"source": "a"}], "cells": [{"source": "b"}]}')


@pytest.mark.parametrize("path", ["a.json", "a.yaml", "a.toml", "a.csv", "a.ipynb"])
@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 50_000,
        '"' * 200_001,
        '"' + "\\" * 1_800_000,
        ",\n" * 100_000,
        "a: &a [*a]\n" * 20_000,
        "- " * 100_000,
        "x" * 1_000_000 + " = 1\n",
        "[a]\n" * 50_000,
        "".join(" " * i + "k:\n" for i in range(400)),
    ],
)
def test_hostile_data_is_cut_quickly(path: str, text: str) -> None:
    started = time.process_time()
    chunks = chunk_document(path, text).chunks

    assert time.process_time() - started < 2
    assert all(len(chunk.text) < 20_000 for chunk in chunks)

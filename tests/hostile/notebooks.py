"""Notebooks that are large, deep, broken or old."""

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.hostile.bombs import KEPT_OR_GIVEN_UP, LIMIT_RAISED, alone
from tests.hostile.building import (
    commit_command,
    fast_import,
    streamed_file,
)
from tests.hostile.fixtures import Hostile
from tests.projects.repositories import Repository

HEAD = '{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [\n'
BASE64_BYTES = 100 << 20


def of_cells(cells: str, metadata: str = "{}") -> str:
    return f'{{"nbformat": 4, "nbformat_minor": 5, "metadata": {metadata}, "cells": [{cells}]}}\n'


def cell(number: int) -> str:
    return json.dumps({"cell_type": "code", "source": [f"x = {number}\n"], "outputs": []})


def with_pictures(path: Path) -> Path:
    """A notebook of 100 MB, nearly all of it a picture that a cell printed."""
    before = (
        HEAD + '{"cell_type": "code", "source": "x = 1", "outputs": [{"data": {"image/png": "'
    ).encode()
    after = b'"}}]}]}\n'
    piece = b"iVBORw0KGgo" * 95_325
    count = BASE64_BYTES // len(piece)
    size = len(before) + count * len(piece) + len(after)
    pieces = (*(before,), *(piece for _ in range(count)), *(after,))
    fast_import(Repository(path), [commit_command(1), *streamed_file("a.ipynb", pieces, size)])
    return path


BROKEN: dict[str, Callable[[], str]] = {
    "notebook of 20,000 cells": lambda: of_cells(",\n".join(map(cell, range(20_000)))),
    "notebook cut off": lambda: of_cells(cell(1))[:-20],
    "notebook of version 3": lambda: (
        '{"nbformat": 3, "worksheets": [{"cells": [{"input": "x = 1"}]}]}'
    ),
    "notebook with nan": lambda: of_cells(cell(1), '{"a": NaN, "b": Infinity, "c": 1e999}'),
    "notebook of deep metadata": lambda: of_cells(cell(1), '{"a":' * 10_000 + "1" + "}" * 10_000),
    "notebook of odd types": lambda: of_cells(
        '{"cell_type": [], "source": {"a": 1}, "outputs": "x"},'
        ' {"source": [1, null, "x"], "outputs": [[]]}'
    ),
    "notebook of attachments": lambda: of_cells(
        '{"cell_type": "markdown", "source": "![a](attachment:a.png)",'
        ' "attachments": {"a.png": {"image/png": "' + "A" * 1_500_000 + '"}}}'
    ),
    "notebook of surrogates": lambda: of_cells(
        '{"cell_type": "code", "source": "a = \'\\ud800\\u0000\'"}'
    ),
    "notebook of long numbers": lambda: of_cells(cell(1), '{"a": ' + "9" * 100_000 + "}"),
    "notebook in a list": lambda: "[" * 5_000 + "]" * 5_000,
}
NOTEBOOKS = [
    *(
        Hostile(
            name=name,
            build=partial(alone, name="a.ipynb", make=make),
            outcomes={"a.ipynb": KEPT_OR_GIVEN_UP, "beside.py": "indexed"},
        )
        for name, make in BROKEN.items()
    ),
    Hostile(name="notebook of pictures", build=with_pictures, reasons={"a.ipynb": "too large"}),
    Hostile(
        name="notebook of pictures, limit raised",
        build=with_pictures,
        outcomes={"a.ipynb": KEPT_OR_GIVEN_UP},
        max_file_bytes=LIMIT_RAISED,
        embeds=False,
    ),
]

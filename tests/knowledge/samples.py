"""Source files long enough that their definitions are chunks of their own."""

import re
from collections.abc import Iterator

from knowledge.chunking import Chunk

STATEMENTS = {
    "python": "total_{i} = compute(order, quantity={i}) + tax(order, settings)",
    "javascript": "const total{i} = compute(order, {i}) + tax(order, settings);",
    "go": "total{i} := compute(order, {i}) + tax(order, settings, nil)",
    "java": "int total{i} = compute(order, {i}) + tax(order, settings);",
    "rust": "let total{i} = compute(&order, {i}) + tax(&order, settings);",
    "c": "int total{i} = compute(order, {i}) + tax(order, settings);",
    "ruby": "total{i} = compute(order, {i}) + tax(order, settings, nil)",
    "php": "$total{i} = compute($order, {i}) + tax($order, $settings);",
    "shell": 'total_{i}="$(compute "$order" {i} | add_tax "$settings")"',
    "sql": "total_{i} numeric(10, 2) NOT NULL DEFAULT compute_tax({i}),",
}


def filled(template: str, language: str, rows: int = 14) -> str:
    """The template with each line `...` in place of a body of that many rows."""

    def body(found: re.Match[str]) -> str:
        statements = (STATEMENTS[language].replace("{i}", str(row)) for row in range(rows))
        return "\n".join(found[1] + statement for statement in statements)

    return re.sub(r"^([ \t]*)\.\.\.$", body, template.lstrip("\n"), flags=re.MULTILINE)


def symbols(chunks: list[Chunk]) -> list[str]:
    return [chunk.symbol for chunk in chunks]


def covered_rows(chunks: list[Chunk]) -> Iterator[int]:
    for chunk in chunks:
        yield from range(chunk.start_line, chunk.end_line + 1)


def assert_covers(text: str, chunks: list[Chunk]) -> None:
    """Every line that is not blank is in exactly one chunk, in order, word for word."""
    rows = text.split("\n")
    seen = list(covered_rows(chunks))
    assert seen == sorted(set(seen))
    assert {number for number, row in enumerate(rows, 1) if row.strip()} <= set(seen)
    for chunk in chunks:
        assert chunk.text == "\n".join(rows[chunk.start_line - 1 : chunk.end_line])
    assert [chunk.index for chunk in chunks] == list(range(len(chunks)))

"""Sketching tests for functions of TypeScript, JavaScript and Go from their signatures."""

import re
from pathlib import PurePosixPath

from reviews.frameworks import Habit
from reviews.outlines import Outline
from reviews.python_tests import Written

_SCRIPT_VALUES = {
    "string": '"a"',
    "number": "3",
    "boolean": "true",
    "Date": "new Date(0)",
}
_LEFT_OUT = "undefined"
_GO_VALUES = {"string": '"a"', "int": "3", "int64": "3", "float64": "1.5", "bool": "true"}


def scaffold(path: str, text: str, language: str, outline: Outline, habit: Habit) -> Written | None:
    """Return a test of a function that needs plain values only; nothing for anything else."""
    if "." in outline.name:
        return None
    if language in {"javascript", "typescript", "tsx"}:
        return _script(path, text, outline, habit)
    return _go(text, outline) if language == "go" else None


def _signature(text: str, outline: Outline) -> str:
    lines = text.split("\n")[outline.start_line - 1 : outline.end_line]
    return " ".join(" ".join(lines).split())


def _script(path: str, text: str, outline: Outline, habit: Habit) -> Written | None:
    found = re.match(
        rf"export (async )?function {re.escape(outline.name)}\(([^()]*)\)\s*:\s*([\w<>\[\]]+)",
        _signature(text, outline),
    )
    if found is None:
        return None
    values = [_of_type(one, _SCRIPT_VALUES) for one in found[2].split(",") if one.strip()]
    kind = re.sub(r"^Promise<(\w+)>$", r"\1", found[3])
    if None in values or kind not in {"string", "number", "boolean"}:
        return None
    while values and values[-1] == _LEFT_OUT:
        values.pop()
    call = f"{outline.name}({', '.join(value or '' for value in values)})"
    awaited = f"await {call}" if found[1] or found[3].startswith("Promise") else call
    head, assertion = _script_words(habit.framework, f"typeof ({awaited})", kind)
    imported = _relative(habit.test_file, path)
    code = (
        f'{head}import {{ {outline.name} }} from "{imported}";\n\n'
        f'it("{outline.name} gives a {kind}", async () => {{\n  {assertion}\n}});\n'
    )
    return Written(code, f"{outline.name} changed, and no test calls it.", is_typed=True)


def _script_words(framework: str, found: str, kind: str) -> tuple[str, str]:
    if framework in {"mocha", "node:test"}:
        test = 'import { it } from "node:test";\n' if framework == "node:test" else ""
        head = f'import assert from "node:assert/strict";\n{test}'
        return head, f'assert.equal({found}, "{kind}");'
    head = 'import { expect, it } from "vitest";\n' if framework == "vitest" else ""
    return head, f'expect({found}).toBe("{kind}");'


def _of_type(declared: str, values: dict[str, str]) -> str | None:
    if declared.lstrip().startswith(("{", "[")):
        return None
    if "=" in declared or "?" in declared:
        return _LEFT_OUT
    return values.get(declared.partition(":")[2].strip())


def _relative(test_file: str, path: str) -> str:
    """Return how a test imports a file: by the way from its folder."""
    here, there = PurePosixPath(test_file).parent.parts, PurePosixPath(path).with_suffix("").parts
    shared = 0
    while shared < min(len(here), len(there)) and here[shared] == there[shared]:
        shared += 1
    up = "../" * (len(here) - shared)
    return (up or "./") + "/".join(there[shared:])


def _go(text: str, outline: Outline) -> Written | None:
    package = re.search(r"(?m)^package (\w+)$", text)
    found = re.match(
        rf"func {re.escape(outline.name)}\(([^()]*)\) (string|int|int64|float64|bool|error) \{{",
        _signature(text, outline),
    )
    if package is None or found is None:
        return None
    values = []
    for one in (part.strip() for part in found[1].split(",") if part.strip()):
        value = _GO_VALUES.get(one.rpartition(" ")[2])
        if value is None:
            return None
        values.append(value)
    name = outline.name[:1].upper() + outline.name[1:]
    call = f"{outline.name}({', '.join(values)})"
    zero = {"string": '""', "bool": "false", "error": "nil"}.get(found[2], "0")
    asked = f"{call}; got == {zero}" if found[2] != "error" else f"{call}; got != nil"
    code = (
        f'package {package[1]}\n\nimport "testing"\n\n'
        f"func Test{name}(t *testing.T) {{\n\tif got := {asked} {{\n"
        f'\t\tt.Fatalf("{outline.name} gave %v", got)\n\t}}\n}}\n'
    )
    return Written(code, f"{outline.name} changed, and no test calls it.", is_typed=True)

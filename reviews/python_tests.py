"""Writing tests for functions of Python from what their code says; nothing of it is run."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from reviews.frameworks import Tree
from reviews.outlines import Outline

# A value for a parameter of a type, and for one whose name says what it is.
VALUES = {
    "int": "3",
    "float": "1.5",
    "str": '"a"',
    "bytes": 'b"a"',
    "bool": "True",
    "list": "[]",
    "dict": "{}",
    "set": "set()",
    "tuple": "()",
    "Sequence": "[]",
    "Iterable": "[]",
    "Mapping": "{}",
    "Collection": "[]",
    "Path": 'Path("a")',
    "None": "None",
    "object": "object()",
    "Any": "None",
}
KINDS = {"int", "float", "str", "bytes", "bool", "list", "dict", "set", "tuple"}
MOST_CASES = 4


@dataclass(frozen=True, slots=True)
class Written:
    """A test as code; whether types say what to give it, and the code says what to expect."""

    code: str
    reason: str
    is_typed: bool = False
    is_stated: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    """Arguments that the code refuses, and with which error."""

    parameter: str
    value: str
    error: str


def write_tests(
    tree: Tree, path: str, text: str, outline: Outline, framework: str
) -> Written | None:
    """Return a test for a function of a module; nothing for methods and what can't be imported."""
    try:
        module = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    function = next(
        (
            node
            for node in module.body
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            and node.name == outline.name
        ),
        None,
    )
    imported = module_name(tree, path)
    if function is None or not imported or function.decorator_list:
        return None
    arguments = _arguments(function)
    if arguments is None:
        return None
    refusals = list(_refusals(function, set(arguments)))[:MOST_CASES]
    code = _code(function, imported, arguments, refusals, framework=framework)
    return Written(
        code,
        _reason(function.name, refusals),
        is_typed=all(argument.annotation for argument in function.args.args),
        is_stated=bool(refusals),
    )


def module_name(tree: Tree, path: str) -> str:
    """Return what a file is imported as; nothing where that can't be told."""
    parts = PurePosixPath(path).with_suffix("").parts
    if parts and parts[0] in {"src", "lib"}:
        parts = parts[1:]
    if parts and parts[-1] == "__init__":
        parts = parts[:-1]
    if not parts or not all(part.isidentifier() for part in parts):
        return ""
    folder = PurePosixPath(path).parent
    is_package = folder == PurePosixPath(".") or f"{folder}/__init__.py" in tree.paths()
    is_top = len(parts) == 1
    return ".".join(parts) if is_package or is_top else ""


def _arguments(function: ast.FunctionDef | ast.AsyncFunctionDef) -> dict[str, str] | None:
    """Return a value for each argument that must be given; None where one can't be thought of."""
    given = function.args
    needed = given.args[: len(given.args) - len(given.defaults)] + [
        argument
        for argument, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
        if default is None
    ]
    values: dict[str, str] = {}
    for argument in [*given.posonlyargs, *needed]:
        value = _value(argument)
        if value is None:
            return None
        values[argument.arg] = value
    return values


def _value(argument: ast.arg) -> str | None:
    if argument.annotation is not None:
        name = re.split(r"[\[| ]", ast.unparse(argument.annotation))[0].rpartition(".")[2]
        return VALUES.get(name)
    name = argument.arg
    if re.search(r"count|number|size|limit|cents|years|days|minutes|month|index|amount|^n$", name):
        return "3"
    if re.search(r"name|text|title|word|path|key|line|value|string|url|code$", name):
        return '"a"'
    if re.search(r"^is_|^has_|flag|enabled", name):
        return "True"
    return "[]" if re.search(r"s$|list|items|rows", name) else None


def _refusals(
    function: ast.FunctionDef | ast.AsyncFunctionDef, given: set[str]
) -> Iterator[Refusal]:
    """Yield arguments that an `if …: raise …` of the function's own level refuses."""
    for node in function.body:
        is_raise = isinstance(node, ast.If) and isinstance(node.body[0], ast.Raise)
        if not isinstance(node, ast.If) or not is_raise:
            continue
        raised = node.body[0]
        assert isinstance(raised, ast.Raise)
        error = _error_name(raised)
        for parameter, value in _satisfying(node.test):
            if parameter in given and error:
                yield Refusal(parameter, value, error)


def _error_name(node: ast.Raise) -> str:
    raised = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
    name = raised.id if isinstance(raised, ast.Name) else ""
    is_builtin = name in {"ValueError", "TypeError", "KeyError", "LookupError", "IndexError"}
    return name if is_builtin else ""


def _satisfying(test: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield an argument and a value of it that makes a condition true."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        if isinstance(test.operand, ast.Name):
            yield test.operand.id, "None"
        return
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        return
    left, right = test.left, test.comparators[0]
    if not (isinstance(left, ast.Name) and isinstance(right, ast.Constant)):
        return
    number = right.value
    if isinstance(number, bool) or not isinstance(number, int):
        return
    steps = {ast.Lt: (-1,), ast.LtE: (0, -1), ast.Gt: (1,), ast.GtE: (0, 1), ast.Eq: (0,)}
    for step in steps.get(type(test.ops[0]), ()):
        yield left.id, str(number + step)


def _kind(annotation: ast.expr | None) -> str:
    if annotation is None:
        return ""
    name = re.split(r"[\[| ]", ast.unparse(annotation))[0]
    return name if name in KINDS and "|" not in ast.unparse(annotation) else ""


def _reason(name: str, refusals: list[Refusal]) -> str:
    if refusals:
        said = ", ".join(sorted({f"{one.parameter} = {one.value}" for one in refusals}))
        return f"{name} refuses {said}, and no test says so."
    return f"{name} changed, and no test calls it."


def _code(
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    module: str,
    arguments: dict[str, str],
    refusals: list[Refusal],
    *,
    framework: str,
) -> str:
    kind = _kind(function.returns)
    is_async = isinstance(function, ast.AsyncFunctionDef)
    uses_path = any("Path(" in value for value in arguments.values())
    imports = ["import asyncio"] if is_async else []
    imports += ["import unittest"] if framework == "unittest" else []
    imports += ["from pathlib import Path"] if uses_path else []
    third = ["import pytest"] if framework == "pytest" and refusals else []
    heads = ["\n".join(sorted(imports)), "\n".join(third), f"from {module} import {function.name}"]
    bodies = [
        *_refusal_tests(function.name, arguments, refusals, framework, is_async=is_async),
        *_call_test(function.name, arguments, kind, framework, is_async=is_async),
    ]
    head = "\n\n".join(part for part in heads if part)
    if framework == "unittest":
        lines = "\n\n".join(bodies).split("\n")
        inside = "\n".join(f"    {line}" if line else "" for line in lines)
        return f"{head}\n\n\nclass {_title(function.name)}Test(unittest.TestCase):\n{inside}\n"
    return f"{head}\n\n\n" + "\n\n\n".join(bodies) + "\n"


def _title(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _call(name: str, arguments: dict[str, str], *, is_async: bool) -> str:
    given = ", ".join(f"{key}={value}" for key, value in arguments.items())
    return f"asyncio.run({name}({given}))" if is_async else f"{name}({given})"


def _refusal_tests(
    name: str,
    arguments: dict[str, str],
    refusals: list[Refusal],
    framework: str,
    *,
    is_async: bool,
) -> Iterator[str]:
    self_ = "self" if framework == "unittest" else ""
    raises = "self.assertRaises" if framework == "unittest" else "pytest.raises"
    for number, one in enumerate(refusals):
        word = one.value.replace("-", "minus_").lower()
        call = _call(name, {**arguments, one.parameter: one.value}, is_async=is_async)
        suffix = "" if number == 0 else f"_of_{word}"
        yield (
            f"def test_{name}_refuses_{one.parameter}{suffix}({self_}):\n"
            f"    with {raises}({one.error}):\n"
            f"        {call}"
        )


def _call_test(
    name: str, arguments: dict[str, str], kind: str, framework: str, *, is_async: bool
) -> Iterator[str]:
    """Yield a test of the kind that the annotation promises; none where it promises nothing."""
    if not kind:
        return
    call = _call(name, arguments, is_async=is_async)
    if framework == "unittest":
        yield f"def test_{name}_gives_a_{kind}(self):\n    self.assertIsInstance({call}, {kind})"
    else:
        yield f"def test_{name}_gives_a_{kind}():\n    assert isinstance({call}, {kind})"

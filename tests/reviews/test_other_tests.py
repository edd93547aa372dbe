"""Sketches of tests for TypeScript and Go: whole, or none."""

import pytest

from reviews.frameworks import Habit
from reviews.other_tests import scaffold
from reviews.outlines import outline_of

SCRIPTS = {
    "vitest": (
        'import { expect, it } from "vitest";\nimport { double } from "../src/math";\n\n'
        'it("double gives a number", async () => {\n'
        '  expect(typeof (double(3))).toBe("number");\n});\n'
    ),
    "jest": (
        'import { double } from "../src/math";\n\n'
        'it("double gives a number", async () => {\n'
        '  expect(typeof (double(3))).toBe("number");\n});\n'
    ),
    "mocha": (
        'import assert from "node:assert/strict";\nimport { double } from "../src/math";\n\n'
        'it("double gives a number", async () => {\n'
        '  assert.equal(typeof (double(3)), "number");\n});\n'
    ),
    "node:test": (
        'import assert from "node:assert/strict";\nimport { it } from "node:test";\n'
        'import { double } from "../src/math";\n\n'
        'it("double gives a number", async () => {\n'
        '  assert.equal(typeof (double(3)), "number");\n});\n'
    ),
}


def sketch(path, text, language, *, framework="vitest", test_file="test/a.test.ts"):
    outline = outline_of(text, language)[-1]
    return scaffold(path, text, language, outline, Habit(framework, test_file, exists=True))


@pytest.mark.parametrize("framework", SCRIPTS)
def test_a_script_is_sketched_for_its_framework(framework):
    text = "export function double(value: number): number {\n  return value * 2;\n}\n"
    written = sketch("src/math.ts", text, "typescript", framework=framework)
    assert written.code == SCRIPTS[framework]
    assert (written.reason, written.is_typed) == ("double changed, and no test calls it.", True)


@pytest.mark.parametrize(
    ("signature", "call"),
    [
        ("f(a: string): string", 'typeof (f("a"))).toBe("string")'),
        ("f(): boolean", 'typeof (f())).toBe("boolean")'),
        ("f(\n  a: boolean,\n  when: Date,\n): number", "typeof (f(true, new Date(0)))"),
        ("f(a: number, b?: string): number", "typeof (f(3)))"),
        ("f(a: number, b = 2, c: number = 3): number", "typeof (f(3)))"),
        ("f(a = 1, b: number): number", "typeof (f(undefined, 3)))"),
        ("f(a: number): Promise<string>", 'typeof (await f(3))).toBe("string")'),
    ],
)
def test_a_call_gives_what_a_script_must_have(signature, call):
    written = sketch("src/a.ts", f"export function {signature} {{\n  return x;\n}}\n", "typescript")
    assert call in written.code


def test_an_asynchronous_function_is_awaited():
    text = "export async function f(a: number): Promise<number> {\n  return a;\n}\n"
    assert 'expect(typeof (await f(3))).toBe("number");' in sketch("a.ts", text, "tsx").code


@pytest.mark.parametrize(
    ("test_file", "path", "imported"),
    [
        ("test/a.test.ts", "src/math.ts", "../src/math"),
        ("src/math.test.ts", "src/math.ts", "./math"),
        ("src/test/a.test.ts", "src/deep/er/math.ts", "../deep/er/math"),
        ("math.test.ts", "math.ts", "./math"),
        ("math.test.ts", "src/math.ts", "./src/math"),
        ("a/b/c.test.ts", "math.ts", "../../math"),
        ("src/a.test.ts", "src/owl.service.ts", "./owl.service"),
    ],
)
def test_a_script_is_imported_by_the_way_from_its_test(test_file, path, imported):
    text = "export function f(): string {\n  return x;\n}\n"
    code = sketch(path, text, "typescript", test_file=test_file).code
    assert f'import {{ f }} from "{imported}";' in code


@pytest.mark.parametrize(
    ("given", "result", "call"),
    [
        ("cents int", "string", 'Of(3); got == "" {'),
        ("name string, ok bool", "int", 'Of("a", true); got == 0 {'),
        ("a float64", "float64", "Of(1.5); got == 0 {"),
        ("", "bool", "Of(); got == false {"),
        ("a int64", "error", "Of(3); got != nil {"),
    ],
)
def test_a_function_of_go_is_sketched_whole(given, result, call):
    text = f"package money\n\nfunc Of({given}) {result} {{\n\treturn x\n}}\n"
    written = sketch("money.go", text, "go", framework="go testing")
    assert written.code == (
        'package money\n\nimport "testing"\n\nfunc TestOf(t *testing.T) {\n'
        f'\tif got := {call}\n\t\tt.Fatalf("Of gave %v", got)\n\t}}\n}}\n'
    )


def test_what_is_hidden_in_go_is_tested_by_a_name_that_go_runs():
    text = "package money\n\nfunc split(a int) int {\n\treturn a\n}\n"
    assert "func TestSplit(t *testing.T)" in sketch("money.go", text, "go").code


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("function f(a: number): number {\n  return a;\n}\n", "typescript"),  # not exported
        ("export function f(a: Owl): number {\n  return 1;\n}\n", "typescript"),
        ("export function f(a: number): Owl {\n  return x;\n}\n", "typescript"),
        ("export function f(a: number): void {\n  x();\n}\n", "typescript"),
        ("export function f(a) {\n  return a;\n}\n", "javascript"),
        ("export function f(a: () => number): number {\n  return 1;\n}\n", "typescript"),
        ("export function f({ a, b = 1 }: Owl): number {\n  return a;\n}\n", "typescript"),
        ("export function f({ a = 1 }: Owl): number {\n  return a;\n}\n", "typescript"),
        ("export class A {\n  f(a: number): number {\n    return a;\n  }\n}\n", "typescript"),
        ("package a\n\nfunc (o Owl) Of(a int) int {\n\treturn a\n}\n", "go"),
        ("package a\n\nfunc Of(a Owl) int {\n\treturn 1\n}\n", "go"),
        ("package a\n\nfunc Of(a int) (int, error) {\n\treturn a, nil\n}\n", "go"),
        ("package a\n\nfunc Of(a ...int) int {\n\treturn 1\n}\n", "go"),
        ("func Of(a int) int {\n\treturn 1\n}\n", "go"),  # of no package
        ("class A { int of(int a) { return a; } }\n", "java"),
    ],
)
def test_what_needs_more_than_plain_values_is_not_sketched(text, language):
    assert sketch("a.x", text, language) is None

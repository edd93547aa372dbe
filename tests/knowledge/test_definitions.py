import pytest

from knowledge.chunking import chunk_document

# Forms that the samples do not have: the language, the source, the names that it defines.
FORMS = [
    ("python", "async def run(): ...", ["run"]),
    ("python", "@a\n@b(1)\nclass A: pass", ["A"]),
    ("python", "class A(B):\n    x: int = 1\n    y = 2", ["A", "x", "y"]),
    ("python", "type Pair = tuple[int, int]\nif True:\n    def f(): pass", ["Pair", "f"]),
    ("python", "for x in y:\n    z = 1", []),
    ("python", "a.b = 1\nprint(2)", []),
    ("javascript", "export default function () {}\nlet a = 1, b = 2", ["a", "b"]),
    ("javascript", "export class A extends B { #p() {} static q = () => 1 }", ["A", "#p", "q"]),
    ("javascript", "module.exports.go = async () => { run() }", ["go"]),
    ("javascript", "const A = class { m() {} }", ["A", "m"]),
    ("javascript", "export const f = function* () {}", ["f"]),
    ("javascript", "const { a, b } = require('c')", []),
    ("typescript", "declare function f(x: number): string;", ["f"]),
    ("typescript", "declare module 'm' { export function g(): void }", ["m", "g"]),
    (
        "typescript",
        "abstract class A { abstract f(): void; get g() { return 1 } }",
        ["A", "f", "g"],
    ),
    ("typescript", "export enum E { A, B }\nexport default interface I {}", ["E", "I"]),
    ("typescript", "export namespace N { const x = 1 }", ["N", "x"]),
    ("tsx", "const Row = ({ id }: Props): JSX.Element => <li>{id}</li>;", ["Row"]),
    ("go", "type (\n\tA struct{}\n\tB interface{ F() }\n)", ["A"]),
    ("go", "func (Shop) Sell() {}\nfunc (s Shop[K, V]) Buy() {}", ["Sell", "Buy"]),
    ("go", "const (\n\tA = iota\n\tB\n)\nvar c int", ["A", "B", "c"]),
    ("java", "public @interface Marked { String value(); }", ["Marked"]),
    ("java", "interface A { void run(); default int go() { return 1; } }", ["A", "run", "go"]),
    ("java", "enum E { X, Y; int size() { return 2; } }", ["E", "size"]),
    ("java", "record Point(int x, int y) { Point { } }", ["Point"]),
    ("java", "class A { class B { void c() {} } int d = 1, e; }", ["A", "B", "c", "d", "e"]),
    ("rust", "pub(crate) async fn run() {}\nstatic X: u8 = 1;", ["run", "X"]),
    ("rust", "pub trait T { const N: u8; fn f(&self); fn g(&self) {} }", ["T", "N", "f", "g"]),
    ("rust", "impl A { const B: u8 = 1; pub fn c() {} }", ["B", "c"]),
    ("rust", "mod m { enum E { A } type T = E; union U { a: u8 } }", ["m", "E", "T", "U"]),
    ("rust", "macro_rules! shout { () => {} }", ["shout"]),
    ("c", "typedef enum { RED } color_t;", ["color_t"]),
    ("c", "struct a { int b; };\nunion u { int i; };\nenum e { X };", ["a", "u", "e"]),
    ("c", "#define MAX(a, b) ((a) > (b) ? (a) : (b))\n#define N 1", ["MAX", "N"]),
    ("c", "static const char **names(void) { return 0; }", ["names"]),
    ("c", "int (*handler(int x))(int) { return 0; }", ["handler"]),
    (
        "c",
        "#ifdef A\nint f() { return 1; }\n#else\nint g() { return 2; }\n#endif",
        ["f", "g"],
    ),
    ("cpp", "class A { public: A(); ~A() {} int f() { return 1; } };", ["A", "~A", "f"]),
    ("cpp", "int A::B::f(int x) const { return x; }", ["f"]),
    ("cpp", "template <class T> T max(T a, T b) { return a; }", ["max"]),
    ("cpp", "namespace { void hidden() {} }\nusing V = int;", ["hidden", "V"]),
    ("cpp", 'extern "C" { void f(void) {} }\nenum class E { A };', ["f", "E"]),
    ("csharp", "namespace A.B;\nclass C { }\nstruct D { }", ["C", "D"]),
    ("csharp", "interface I { void F(); int P { get; } }", ["I", "F", "P"]),
    ("csharp", "record R(int X);\nenum E { A }\ndelegate void D();", ["R", "E", "D"]),
    ("csharp", "class A { const int B = 1; ~A() { } int this[int i] => 1; }", ["A", "B"]),
    ("ruby", "class A::B < C\n  X = 1\n  def y? = true\nend", ["B", "X", "y?"]),
    ("ruby", "class A\n  class << self\n    def b; end\n  end\nend", ["A", "self", "b"]),
    ("ruby", "module M\n  def self.f(x)\n    x\n  end\nend", ["M", "f"]),
    ("php", "<?php interface I { const A = 1; function f(); }", ["I", "A", "f"]),
    ("php", "<?php trait T { function g() {} }\nenum E: string { case A = 'a'; }", ["T", "g", "E"]),
    ("php", "<h1>Title</h1>\n<?php function h() {} ?>\n<p>", ["h"]),
    ("php", "<?php namespace A\\B { class C {} }", ["B", "C"]),
    ("sql", "create or replace view v as select 1;", ["v"]),
    ("sql", "CREATE TABLE `shop`.`orders` (id int);", ["orders"]),
    ("sql", "CREATE INDEX CONCURRENTLY i ON t (a);\nALTER TABLE t ADD b int;", ["i", "t"]),
    ("sql", "SELECT 1;\nINSERT INTO t VALUES (1);", []),
    ("shell", "go() { run; }\nfunction stop { run; }\nNAME=x", ["go", "stop", "NAME"]),
]


@pytest.mark.parametrize(("language", "source", "names"), FORMS)
def test_what_a_source_defines(language: str, source: str, names: list[str]) -> None:
    chunks = chunk_document("file", source, language).chunks

    assert list(dict.fromkeys(name for chunk in chunks for name in chunk.definitions)) == names


@pytest.mark.parametrize(
    ("language", "source", "symbol", "kind", "signature"),
    [
        ("python", "def f(a,\n      b=1): return a", "f", "function", "def f(a, b=1)"),
        ("python", "class A(B, metaclass=C):\n    pass", "A", "class", "class A(B, metaclass=C)"),
        ("typescript", "export type A<T> = T | null;", "A", "type", "type A<T> = T | null"),
        ("go", "func (s *Shop) Sell() {}", "Shop.Sell", "method", "func (s *Shop) Sell()"),
        ("rust", "impl<T> A<T> for B<T> {}", "B", "implementation", "impl<T> A<T> for B<T>"),
        ("c", "int f(int a)\n{ return a; }", "f", "function", "int f(int a)"),
        ("cpp", "int A::f() { return 1; }", "A.f", "method", "int A::f()"),
        ("csharp", "record R(int X);", "R", "class", "record R(int X)"),
        ("ruby", "module A::B\nend", "A.B", "module", "module A::B"),
        ("sql", "CREATE TABLE a.b (id int);", "a.b", "table", "CREATE TABLE a.b (id int)"),
        ("shell", "go() { run; }", "go", "function", "go()"),
    ],
)
def test_a_definition_is_told_by_symbol_kind_and_signature(
    language: str, source: str, symbol: str, kind: str, signature: str
) -> None:
    (chunk,) = chunk_document("file", source, language).chunks

    assert (chunk.symbol, chunk.kind) == (symbol, kind)
    assert chunk.header.split(" : ")[0] == f"file > {signature}"


def test_a_long_signature_is_shortened_in_the_header() -> None:
    arguments = ", ".join(f"argument_{number}: int" for number in range(40))

    (chunk,) = chunk_document("a.py", f"def f({arguments}): ...").chunks

    assert len(chunk.header) < 250


def test_a_header_names_at_most_twelve() -> None:
    source = "".join(f"NAME_{number} = {number}\n" for number in range(30))

    (chunk,) = chunk_document("a.py", source).chunks

    assert chunk.header.count("NAME_") == 12
    assert len(chunk.definitions) == 30


@pytest.mark.parametrize("language", ["python", "java", "cpp", "typescript"])
def test_absurdly_long_names_do_not_break_anything(language: str) -> None:
    name = "a" * 5_000

    chunks = chunk_document("file", f"class {name} {{ }}", language).chunks

    assert all(len(chunk.header) < 2_000 for chunk in chunks)


USERS = """CREATE TABLE IF NOT EXISTS public.users (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  "e mail" text UNIQUE NOT NULL,
  `n` numeric(10,2),
  CONSTRAINT positive CHECK (n > 0),
  FOREIGN KEY (id) REFERENCES other(id)
);
"""


@pytest.mark.parametrize(
    ("source", "tables"),
    [
        (USERS, [("public.users", ["id", "e mail", "n"])]),
        (USERS + "CREATE INDEX a ON users(id);\n", [("public.users", ["id", "e mail", "n"])]),
        ("create table b (x int, y text)", [("b", ["x", "y"])]),
        (
            "CREATE TABLE a (id int);\n\nCREATE TABLE b (id int, a int);\n",
            [("a", ["id"]), ("b", ["id", "a"])],
        ),
        ("ALTER TABLE a ADD b int;", []),
        ("DROP TABLE a;", []),
        ("CREATE VIEW v AS SELECT 1;", []),
        ("CREATE TABLE a AS SELECT 1;", []),
        ("SELECT 'CREATE TABLE x (y int)';", []),
    ],
)
def test_tables_are_passages_of_the_schemas(
    source: str, tables: list[tuple[str, list[str]]]
) -> None:
    chunks = chunk_document("db/schema.sql", source).chunks

    found = [chunk for chunk in chunks if chunk.collection]
    assert [(c.metadata["table"], c.metadata["columns"]) for c in found] == tables
    assert {chunk.collection for chunk in found} <= {"schemas"}
    assert all(chunk.metadata == {} for chunk in chunks if not chunk.collection)


def test_each_part_of_a_large_table_knows_its_table() -> None:
    columns = [f"column_number_{number}" for number in range(250)]
    rows = ",\n".join(f"  {name} numeric(10, 2) NOT NULL DEFAULT 0" for name in columns)

    chunks = chunk_document("a.sql", f"CREATE TABLE wide (\n{rows}\n);\n").chunks

    assert len(chunks) > 3
    assert all(chunk.metadata == {"table": "wide", "columns": columns} for chunk in chunks)


def test_other_code_has_no_collection_of_its_own() -> None:
    (chunk,) = chunk_document("a.py", "CREATE = 'TABLE a (id int)'\n").chunks

    assert (chunk.collection, chunk.metadata) == ("", {})

"""What a file defines, in every language whose syntax we know."""

import json

import pytest

from knowledge.grammars import GRAMMARS
from reviews.outlines import DEEPEST, MOST, Outline, Parameter, outline_of

PYTHON = '''\
@cache
def total(lines, tax=0.2):
    """Add."""
    return sum(lines)
def _hidden(): pass
class Ledger(Base):
    class Line:
        def due(self): return 1
if True:
    def guarded(): return 1
'''
SCRIPT = """\
/** Adds. */
export function total(lines, tax = 2) { return lines; }
const one = x => x;
exports.open = function (path) { return path; };
class Ledger extends Base {
  constructor(a) { this.a = a; }
  #secret() {}
  static make = () => 1;
}
"""
TYPED = """\
export function total(lines: number[], tax?: number): number { return 1; }
abstract class Ledger implements Thing {
  private shy(a: number) { return a; }
  abstract due(on: Date): number;
}
interface Thing { due(on: Date): number }
enum Kind { A }
namespace Inner { export const one = (a: string): string => a; }
"""
GO = """\
package money
// Total adds.
func Total(lines []int) int { return 1 }
func (l *Ledger[T]) due(on time.Time) error { return nil }
type Ledger struct { a int }
"""
JAVA = """\
public class Ledger extends Base {
  /** Doc. */
  @Override
  public int total(List<Integer> lines) { return 1; }
  Ledger() { }
  enum Kind { A; int x() { return 1; } }
}
public record Point(int x) { Point { } }
interface Thing { int due(Date on); }
"""
RUST = """\
/// Adds.
pub fn total(lines: &[u32]) -> u32 { 1 }
impl Thing for Ledger { fn due(&self) {} }
mod inner { pub fn f() { 1 } }
"""
C = """\
/* Adds. */
int total(int lines) { return lines; }
char *name_of(struct ledger *l) { return l; }
#define SQUARE(x) ((x)*(x))
struct ledger { int a; };
#ifdef X
int
inside(void) { return 1; }
#endif
"""
CPP = """\
namespace money {
class Ledger : public Base { public: int due(int on) const { return on; } };
#ifdef X
int total() { return 1; }
#endif
}
Ledger& operator+(Ledger& a, int b) { return a; }
"""
SHARP = """\
namespace Money {
  public class Ledger : Base {
    [Test]
    public int Total(int lines) { return 1; }
    int Size { get; set; }
  }
  public record Point(int X);
}
"""
RUBY = """\
class Ledger < Base
  # Doc
  def due
    1
  end
  def self.make(a) a end
end
def total; 1 end
"""
PHP = """\
<?php
namespace Money;
/** Adds. */
function total(array $lines) { return $lines; }
abstract class Ledger extends Base {
  abstract public function due(int $on);
}
"""
SHELL = "# Adds.\ntotal() {\n  echo 1\n}\nfunction other { echo 2; }\n"
SQL = "CREATE TABLE ledger (id int);\n\nCREATE VIEW due AS SELECT 1;\n"

# Each as "name kind first-last@line of the name", then what holds of it.
DEFINED = {
    "python": (
        PYTHON,
        "total function 1-4@2 public decorated documented",
        "_hidden function 5-5@5 stub",
        "Ledger class 6-8@6 public",
        "Ledger.Line class 7-8@7 public inherits",
        "Ledger.Line.due method 8-8@8 public",
        "guarded function 10-10@10 public",
    ),
    "javascript": (
        SCRIPT,
        "total function 2-2@2 public documented",
        "one function 3-3@3",
        "open function 4-4@4",
        "Ledger class 5-9@5",
        "Ledger.constructor method 6-6@6 public inherits",
        "Ledger.#secret method 7-7@7 inherits stub",
        "Ledger.make method 8-8@8 public inherits",
    ),
    "typescript": (
        TYPED,
        "total function 1-1@1 public",
        "Ledger class 2-5@2",
        "Ledger.shy method 3-3@3 inherits",
        "Ledger.due method 4-4@4 public inherits stub",
        "Thing class 6-6@6",
        "Thing.due method 6-6@6 public stub",
        "Kind class 7-7@7",
        "Inner class 8-8@8",
        "Inner.one method 8-8@8 public",
    ),
    "tsx": (
        "export const View = ({ name }: Props) => <p>{name}</p>;\n",
        "View function 1-1@1 public",
    ),
    "go": (
        GO,
        "Total function 3-3@3 public documented",
        "Ledger.due method 4-4@4",
        "Ledger class 5-5@5 public stub",
    ),
    "java": (
        JAVA,
        "Ledger class 1-7@1 public",
        "Ledger.total method 3-4@4 public decorated documented inherits",
        "Ledger.Ledger method 5-5@5 inherits stub",
        "Ledger.Kind class 6-6@6 inherits",
        "Ledger.Kind.x method 6-6@6",
        "Point class 8-8@8 public",
        "Point.Point method 8-8@8 stub",
        "Thing class 9-9@9",
        "Thing.due method 9-9@9 stub",
    ),
    "rust": (
        RUST,
        "total function 2-2@2 public documented",
        "Ledger class 3-3@3",
        "Ledger.due method 3-3@3 inherits stub",
        "inner class 4-4@4",
        "inner.f method 4-4@4 public",
    ),
    "c": (
        C,
        "total function 2-2@2 public documented",
        "name_of function 3-3@3 public",
        "SQUARE class 4-4@4 public stub",
        "ledger class 5-5@5 public",
        "inside function 7-8@8 public",
    ),
    "cpp": (
        CPP,
        "money class 1-6@1 public",
        "money.Ledger class 2-2@2 public",
        "money.Ledger.due method 2-2@2 public",
        "money.total method 4-4@4 public",
        "operator+ function 7-7@7 public",
    ),
    "csharp": (
        SHARP,
        "Money class 1-8@1",
        "Money.Ledger class 2-6@2 public",
        "Money.Ledger.Total method 3-4@4 public inherits",
        "Money.Ledger.Size class 5-5@5 inherits",
        "Money.Point class 7-7@7 public stub",
    ),
    "ruby": (
        RUBY,
        "Ledger class 1-7@1 public",
        "Ledger.due method 3-5@3 public documented inherits",
        "Ledger.make method 6-6@6 public inherits",
        "total function 8-8@8 public",
    ),
    "php": (
        PHP,
        "total function 4-4@4 public documented",
        "Ledger class 5-7@5 public",
        "Ledger.due method 6-6@6 public stub",
    ),
    "shell": (
        SHELL,
        "total function 2-4@2 public documented",
        "other function 5-5@5 public",
    ),
    "sql": (
        SQL,
        "ledger class 1-1@1 public stub",
        "due class 3-3@3 public stub",
    ),
}


def shown(outline):
    facts = {
        "public": outline.is_public,
        "decorated": outline.is_decorated,
        "documented": outline.is_documented,
        "inherits": outline.has_bases,
        "stub": outline.is_stub,
    }
    lines = f"{outline.start_line}-{outline.end_line}@{outline.head_line}"
    return " ".join([outline.name, outline.kind, lines, *(k for k, true in facts.items() if true)])


@pytest.mark.parametrize("language", GRAMMARS)
def test_a_file_defines_what_its_language_says(language):
    text, *expected = DEFINED[language]
    assert [shown(one) for one in outline_of(text, language)] == expected


@pytest.mark.parametrize(
    ("language", "body", "is_stub"),
    [
        ("python", "pass", True),
        ("python", "...", True),
        ("python", "return", True),
        ("python", '"""What it is for."""', True),
        ("python", '"""What it is for."""\n    ...', True),
        ("python", "raise NotImplementedError('later')", True),
        ("python", "return 1", False),
        ("python", "raise ValueError", False),
        ("python", '"""Doc."""\n    return 1', False),
        ("python", "pass\n    return 1", False),
        ("javascript", "", True),
        ("javascript", 'throw new Error("Not implemented");', True),
        ("javascript", 'throw new Error("it broke");', False),
        ("java", "throw new UnsupportedOperationException();", True),
        ("java", "return null;", True),
        ("java", "return 0;", False),
    ],
)
def test_a_stub_does_nothing_yet(language, body, is_stub):
    shapes = {
        "python": "def f():\n    {}\n",
        "javascript": "function f() {{ {} }}",
        "java": "class A {{ int f() {{ {} }} }}",
    }
    assert outline_of(shapes[language].format(body), language)[-1].is_stub is is_stub


def body_of(text):
    return outline_of(text, "python")[0].body


def test_a_body_is_told_by_its_words_and_not_by_space():
    text = "def f(a):\n    if a:\n        return 1\n"
    assert body_of(text) == body_of(text.replace("    ", "\t").replace("f(a)", "g(b)"))
    assert body_of(text) != body_of(text.replace("return 1", "return 2"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("def f(): pass", "kotlin"),
        ("def f(): pass", "no-language"),
        ("", "python"),
        ("x = 1\n", "python"),
        ("(" * 5_000, "python"),
        ("a<" * 20_000, "java"),
        ("x" * 30_000, "javascript"),
        ("\0\ud800", "python"),
    ],
)
def test_nothing_is_defined_where_nothing_can_be_read(text, language):
    assert outline_of(text, language) == []


def test_what_is_whole_is_found_beside_what_is_broken():
    text = "def f(a):\n    return a\n\nclass (:\n\ndef g(b):\n    return b\n"
    names = [one.name for one in outline_of(text, "python")]
    assert names[0] == "f"
    assert "g" in names


def test_there_is_an_end_to_depth_and_number():
    nested = "".join(f"{'  ' * depth}class A{depth}:\n" for depth in range(DEEPEST + 5))
    assert len(outline_of(nested + "  " * (DEEPEST + 5) + "a = 1\n", "python")) == DEEPEST + 1
    many = "".join(f"def f{number}(): return {number * 7919}\n" for number in range(MOST + 3))
    assert len(outline_of(many, "python")) == MOST


def test_an_outline_survives_being_sent_as_json():
    found = outline_of(PYTHON, "python")
    sent = json.loads(json.dumps([one.as_dict() for one in found]))
    assert [Outline.from_dict(one) for one in sent] == found
    assert found[0].parameters == (
        Parameter("lines"),
        Parameter("tax", is_optional=True, default="0.2"),
    )


@pytest.mark.parametrize(
    ("name", "own_name"), [("total", "total"), ("Ledger.total", "total"), ("a.b.C", "C")]
)
def test_the_own_name_is_the_last_part(name, own_name):
    assert Outline(name, "class", 1, 1, 1).own_name == own_name


@pytest.mark.parametrize(
    ("language", "shown_to_all", "kept"),
    [
        ("rust", "pub fn f() {}", "fn f() {}"),
        ("rust", "pub(crate) fn f() {}", "fn f() {}"),
        ("c", "int f(void) { return 1; }", "static int f(void) { return 1; }"),
        ("php", "<?php class A { function f() {} }", "<?php class A { private function f() {} }"),
    ],
)
def test_what_its_language_hides_is_not_public(language, shown_to_all, kept):
    assert [outline_of(text, language)[-1].is_public for text in (shown_to_all, kept)] == [
        True,
        False,
    ]

"""What functions take, in every language whose syntax we know, and what reads it."""

import pytest

from reviews.outlines import outline_of

# Each parameter as: name, "!" only by its name, "?" may be left out, "*" any number, "=default".
TAKEN = [
    ("python", "def f(a, /, b: int, c=1, *d, e, f='x', **g): ...", "a b c?=1 d?* e! f!?='x' g?*"),
    ("python", "def f(a, *d: int, e: str, **g: int): ...", "a d?* e! g?*"),
    ("python", "def f(self, *, e: int = 2): ...", "self e!?=2"),
    ("python", "def f(\n    a,  # the first\n    b,\n): ...", "a b"),
    ("javascript", "function f(a, b = 1, {c, d: e}, [g], ...h) {}", "a b?=1 - - h?*"),
    ("javascript", "function f({c} = {}) {}", "-?={}"),
    ("javascript", "const f = x => x", "x"),
    ("javascript", "const f = async (x, y) => x", "x y"),
    ("typescript", "function f(a: A, b?: B, c = 3, {d}: D, ...e: E[]) {}", "a b? c?=3 - e?*"),
    ("typescript", "function f(this: Window, a: (b: number) => void) {}", "this a"),
    ("tsx", "function View(props: Props) { return <b/> }", "props"),
    ("go", "package p\nfunc f(a, b int, c ...string) {}", "a b c?*"),
    ("go", "package p\nfunc f(_ int, r *http.Request) {}", "_ r"),
    ("go", "package p\nfunc f(http.ResponseWriter, *http.Request, ...int) {}", "- - -?*"),
    ("rust", "fn f(&mut self, mut a: u8, (b, c): (u8, u8), _: u8, &d: &u8) {}", "self a - _ d"),
    ("rust", "fn f(self, P { x, y }: P) {}", "self -"),
    ("c", "int f(const char *a, int b[], int (*c)(int), char **d, ...) {}", "a b c d -?*"),
    ("c", "int f(void) {}", ""),
    ("c", "int f(int, char *) {}", "- -"),
    ("c", "unsigned long *f(unsigned long a) {}", "a"),
    ("cpp", "int f(const std::string &a, int b = 3, T&& c, T... d, int&) {}", "a b?=3 c d?* -"),
    ("cpp", "template <class... A> void f(A&&... a, std::vector<int> b) {}", "a?* b"),
    ("ruby", "def f(a, b = 1, *c, d:, e: 2, **g, &h)\nend", "a b?=1 c?* d! e!?=2 g?* h?*"),
    ("php", "<?php function f(array $a, int $b = 2, &$c, ?X ...$d) {}", "$a $b?=2 $c $d?*"),
    ("shell", "f() { echo $1; }", ""),
]
METHODS = [
    ("java", "void f(int a, final String... b) {}", "a b?*"),
    ("java", "<T> void f(List<T> a, int[] b) {}", "a b"),
    ("csharp", 'int F(int a, ref int b, string c = "x", params int[] d) {}', 'a b c?="x" d?*'),
    ("csharp", "int F(this Thing a) => 1;", "a"),
    ("typescript", "f(private readonly a: A, @Inject() b: B) {}", "a b"),
    ("php", "function f(private int $a = 3, public readonly X $b) {}", "$a?=3 $b"),
]
TAKEN += [
    (language, f"{'<?php ' * (language == 'php')}class A {{ {method} }}", expected)
    for language, method, expected in METHODS
]


def told(parameter):
    marks = [("!", parameter.is_keyword), ("?", parameter.is_optional)]
    marks += [("*", parameter.is_variadic), (f"={parameter.default}", parameter.default)]
    return (parameter.name or "-") + "".join(mark for mark, is_so in marks if is_so)


@pytest.mark.parametrize(("language", "text", "expected"), TAKEN)
def test_a_function_takes_parameters(language, text, expected):
    found = outline_of(text, language)[-1]
    assert found.is_callable
    assert " ".join(told(one) for one in found.parameters) == expected


@pytest.mark.parametrize(
    ("language", "text", "words"),
    [
        (
            "python",
            "def f(a, b):\n    return a.real + total(3)\n",
            {"return", "a", "real", "total"},
        ),
        ("python", "def f(a): ...\n", set()),
        ("javascript", "function f(a, b = a, c) { return b }", {"return", "a", "b"}),
        ("javascript", "const f = (a) => a.b", {"a", "b"}),
        ("cpp", "A::A(int a, int b) : x(a) { b; }", {"x", "a", "b"}),
        ("php", "<?php function f($a, $b) { return $a; }", {"return", "$a"}),
    ],
)
def test_the_words_of_a_function_are_those_that_read_its_parameters(language, text, words):
    assert outline_of(text, language)[-1].words == words


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("typescript", "class A { constructor(private a: X, b: Y) { b.run() } }"),
        ("typescript", "class A { constructor(readonly a: X, b: Y) { b.run() } }"),
        ("php", "<?php class A { function __construct(private int $a) { run(); } }"),
    ],
)
def test_a_parameter_that_becomes_a_field_is_read(language, text):
    found = outline_of(text, language)[-1]
    assert found.parameters[0].name in found.words

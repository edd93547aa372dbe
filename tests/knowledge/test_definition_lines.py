import time

import pytest

from knowledge.chunking import chunk_document
from knowledge.definition_lines import names_defined_in


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pub(crate) fn run_target<E>(&mut self) {", ("run_target",)),
        ("class DiffExecutor<A> extends Executor {", ("DiffExecutor",)),
        ("  public static List<String> namesOf(int n) {", ("namesOf",)),
        ("func (r *Registry) Register(name string) error {", ("Register",)),
        ("suspend fun loadUser(id: Long): User =", ("loadUser",)),
        ("defmodule Shop.Cart do", ()),
        ("def add_item(cart, item) do", ("add_item",)),
        ("int Parser::parseLine(const char *line) {", ("parseLine",)),
        ("static void\nother(void)\n{", ()),
        ("struct point\n{", ("point",)),
        ("type Shape = Circle | Square;", ("Shape",)),
        ("local function on_click(event)", ("on_click",)),
        ("class Foo:\n    def bar(self):\n        pass", ("Foo", "bar")),
        ("class action lawsuits are a type of claim.", ()),
        ("We function well, and we def agree (mostly).", ()),
        ("This is a call (see below)", ()),
        ("return compute(value)", ()),
        ("", ()),
    ],
)
def test_names_are_told_by_the_lines_that_define_them(text: str, names: tuple[str, ...]) -> None:
    assert names_defined_in(text) == names


def test_a_language_without_a_grammar_has_its_names_in_the_headers() -> None:
    source = "object Shop {\n  def checkout(cart: Cart): Receipt = {\n    pay(cart)\n  }\n}\n"

    (chunk,) = chunk_document("src/Shop.scala", source).chunks

    assert chunk.definitions == ("Shop", "checkout")
    assert chunk.header == "src/Shop.scala : Shop, checkout"


@pytest.mark.parametrize(
    "text", ["public " * 20_000, "a" * 200_000, "x (" * 50_000, "fn <" * 50_000, "a b c " * 40_000]
)
def test_hostile_text_is_read_in_time(text: str) -> None:
    started = time.perf_counter()

    names_defined_in(text)

    assert time.perf_counter() - started < 2

import gc
import threading
import tracemalloc

import pytest

from knowledge.chunking import Chunk, chunk_document
from knowledge.grammars import GRAMMARS, load_language
from knowledge.syntax_trees import Unparsable, chunk_code, refuse_bombs
from tests.knowledge.samples import assert_covers, filled, symbols
from tests.knowledge.source_samples import SAMPLES

# What a reader of the samples would call their parts: symbol, kind, first and last line.
EXPECTED = {
    "shop/orders.py": [
        ("total_of", "function", 1, 28),
        ("Order", "class", 31, 34),
        ("Order.total", "method", 36, 52),
        ("Order.pay", "method", 54, 68),
        ("Order.Meta", "class", 70, 71),
    ],
    "src/orders.ts": [
        ("totalOf", "function", 1, 19),
        ("", "module", 21, 26),
        ("Shop", "class", 28, 30),
        ("Shop.pay", "method", 32, 48),
        ("Shop.cancel", "method", 50, 66),
        ("Inner", "module", 68, 85),
    ],
    "src/Cart.tsx": [
        ("Cart", "function", 1, 17),
        ("Line", "function", 19, 19),
    ],
    "lib/orders.js": [
        ("read", "function", 1, 19),
        ("pay", "function", 21, 36),
        ("each", "function", 38, 53),
        ("Shop", "class", 55, 74),
    ],
    "shop/orders.go": [
        ("Order", "type", 1, 11),
        ("Order.Pay", "method", 13, 30),
        ("New", "function", 32, 48),
    ],
    "src/Shop.java": [
        ("Shop", "class", 1, 8),
        ("Shop.Shop", "method", 10, 25),
        ("Shop.sell", "method", 27, 45),
        ("Shop.Kind", "enum", 47, 48),
    ],
    "src/shop.rs": [
        ("Shop", "type", 1, 10),
        ("Shop.fmt", "method", 12, 29),
        ("Shop.sell", "method", 31, 48),
        ("sells", "function", 50, 66),
    ],
    "include/shop.h": [
        ("shop_t", "type", 1, 5),
        ("sell", "function", 7, 24),
        ("pay", "function", 26, 42),
    ],
    "src/shop.cpp": [
        ("shop.inner", "module", 1, 3),
        ("shop.inner.Box.get", "method", 5, 23),
        ("shop.inner.Box.operator==", "method", 25, 43),
        ("shop.Shop.sell", "method", 45, 60),
    ],
    "src/Shop.cs": [
        ("Shop.Inner", "module", 1, 4),
        ("Shop.Inner.Seller", "class", 5, 9),
        ("Shop.Inner.Seller.Seller", "method", 11, 27),
        ("Shop.Inner.Seller.SellAsync", "method", 29, 47),
    ],
    "lib/shop.rb": [
        ("Shop", "module", 1, 4),
        ("Shop.Seller.initialize", "method", 6, 25),
        ("Shop.Seller.build", "method", 27, 42),
        ("Shop.Seller.empty?", "method", 44, 48),
    ],
    "src/Shop.php": [
        ("Seller", "class", 1, 11),
        ("Seller.__construct", "method", 13, 29),
        ("Seller.sell", "method", 31, 49),
        ("helper", "function", 51, 67),
    ],
    "db/schema.sql": [
        ("public.orders", "table", 1, 18),
        ("orders_number", "index", 20, 20),
        ("lines", "table", 22, 38),
    ],
    "bin/deploy.sh": [
        ("build", "function", 1, 20),
        ("deploy", "function", 22, 40),
    ],
}


def chunks_of_sample(path: str) -> list[Chunk]:
    for sample, _language, filler, template in SAMPLES:
        if sample == path:
            return chunk_document(path, filled(template, filler)).chunks
    raise LookupError(path)


@pytest.mark.parametrize(
    ("path", "language", "filler", "template"), SAMPLES, ids=[sample[1] for sample in SAMPLES]
)
def test_definitions_are_chunks_with_their_symbols_and_lines(
    path: str, language: str, filler: str, template: str
) -> None:
    text = filled(template, filler)

    chunked = chunk_document(path, text, language)

    assert chunked.notes == ""
    found = [(c.symbol, c.kind, c.start_line, c.end_line) for c in chunked.chunks]
    assert found == EXPECTED[path]
    assert_covers(text, chunked.chunks)


def test_every_language_has_a_sample_and_its_grammar_loads() -> None:
    assert {sample[1] for sample in SAMPLES} == set(GRAMMARS)
    for language in GRAMMARS:
        assert load_language(language).abi_version >= 14


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("shop/orders.py", "shop/orders.py > Order > def total(self) -> int : total, LIMIT"),
        ("src/orders.ts", "src/orders.ts > Shop > cancel = (order: Order) : cancel, totalOf"),
        ("shop/orders.go", "shop/orders.go > func (o *Order[T]) Pay(amount int) error : Pay"),
        ("src/Shop.java", "src/Shop.java > Shop > public Shop(String name) : Shop"),
        ("lib/shop.rb", "lib/shop.rb > Shop > Seller > def self.build(name) : build, Shop"),
        ("db/schema.sql", 'db/schema.sql > CREATE TABLE "lines" : lines, orders'),
    ],
)
def test_the_header_tells_path_scope_signature_and_names(path: str, header: str) -> None:
    assert any(chunk.header.startswith(header) for chunk in chunks_of_sample(path))


@pytest.mark.parametrize(
    ("path", "names"),
    [
        (
            "shop/orders.py",
            {"LIMIT", "total_of", "Order", "number", "total", "pay", "Meta", "ordering"},
        ),
        (
            "src/orders.ts",
            {*("totalOf", "Order", "Key", "Shop", "orders", "pay", "cancel"), "Inner", "hidden"},
        ),
        ("lib/orders.js", {"fs", "read", "pay", "each", "Shop", "#count", "name"}),
        ("shop/orders.go", {"Limit", "Order", "Pay", "New"}),
        ("src/shop.rs", {"LIMIT", "Shop", "fmt", "sell", "sells"}),
        ("include/shop.h", {"SHOP_H", "LIMIT", "shop_t", "sell", "pay"}),
        ("src/shop.cpp", {"inner", "Box", "get", "operator==", "sell"}),
        ("src/Shop.cs", {"Inner", "Seller", "Name", "SellAsync"}),
        ("src/Shop.php", {"Seller", "name", "__construct", "sell", "helper"}),
        ("db/schema.sql", {"orders", "orders_number", "lines"}),
    ],
)
def test_the_names_that_a_file_defines_are_with_the_chunks_that_define_them(
    path: str, names: set[str]
) -> None:
    assert {name for chunk in chunks_of_sample(path) for name in chunk.definitions} == names


def test_a_comment_and_a_decorator_belong_to_what_stands_below_them() -> None:
    chunk = chunks_of_sample("shop/orders.py")[2]

    assert chunk.text.startswith("    @property\n    def total")


def test_a_large_function_is_split_between_statements_and_keeps_its_signature() -> None:
    text = filled("def settle(order):\n    ...\n    if order:\n        ...\n", "python", rows=40)

    chunks = chunk_document("a.py", text).chunks

    assert len(chunks) >= 3
    assert set(symbols(chunks)) == {"settle"}
    assert all("> def settle(order)" in chunk.header for chunk in chunks)
    assert [chunk.definitions for chunk in chunks] == [("settle",), *[()] * (len(chunks) - 1)]
    assert_covers(text, chunks)


def test_a_function_inside_a_large_function_is_found_by_its_own_name() -> None:
    text = filled(
        "def outer():\n    ...\n    def inner():\n        ...\n    return inner\n", "python", 25
    )

    assert "outer.inner" in symbols(chunk_document("a.py", text).chunks)


def test_small_definitions_share_a_chunk() -> None:
    text = "".join(f"def get_{i}():\n    return {i}\n\n\n" for i in range(12))

    chunks = chunk_document("a.py", text).chunks

    assert len(chunks) == 1
    assert chunks[0].symbol == ""
    assert chunks[0].definitions == tuple(f"get_{i}" for i in range(12))


def test_small_definitions_are_not_joined_across_a_large_one() -> None:
    colours = "COLOURS = {\n    'red': '#ff0000', 'green': '#00ff00', 'blue': '#0000ff',\n}\n"
    text = filled(f"{colours}\n\ndef large():\n    ...\n\n\n{colours.lower()}", "python")

    chunks = chunk_document("a.py", text).chunks

    assert [chunk.definitions for chunk in chunks] == [("COLOURS",), ("large",), ("colours",)]


def test_a_remnant_goes_with_its_neighbour() -> None:
    text = filled("import os\n\n\ndef large():\n    ...\n\n\nlarge()\n", "python")

    (chunk,) = chunk_document("a.py", text).chunks

    assert (chunk.symbol, chunk.start_line) == ("large", 1)


def test_a_small_class_is_one_chunk_with_the_names_of_its_methods() -> None:
    chunks = chunk_document("a.py", "class A:\n    def b(self): ...\n    def c(self): ...\n").chunks

    assert [(c.symbol, c.kind, c.definitions) for c in chunks] == [("A", "class", ("A", "b", "c"))]


def test_code_behind_a_condition_is_looked_into() -> None:
    text = "try:\n    import fast\nexcept ImportError:\n    def fast(): ...\n    SLOW = True\n"

    assert chunk_document("a.py", text).chunks[0].definitions == ("fast", "SLOW")


@pytest.mark.parametrize(
    "text",
    [
        "def broken(:\n    pass\nclass A:\n    def b(self):\n        return 1\n",
        "<<<<<<< HEAD\nx = 1\n=======\nx = 2\n>>>>>>> other\n",
        "not python at all, but prose\nin two lines\n",
        "\u2028x = '\u0085'\r\ny = 1\n",
        "日本語 = 'コメント'\n\ndef 関数():\n    return 日本語\n",
    ],
)
def test_source_with_errors_is_still_covered(text: str) -> None:
    assert_covers(text, chunk_document("a.py", text).chunks)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"[" * 300, "nested too deeply"),
        (b"a<" * 300, "nested too deeply"),
        (b"x = 1\n" * 5_000, "the text repeats itself"),
        (b"x" * 20_001, "a line is too long"),
    ],
)
def test_text_that_no_person_wrote_is_not_parsed(source: bytes, reason: str) -> None:
    with pytest.raises(Unparsable, match=reason):
        refuse_bombs(source)


@pytest.mark.parametrize(
    "source", [b"", b"for (i = 0; i < n; i++) {}\n" * 200, b"std::vector<std::map<int, A<B>>> x;"]
)
def test_ordinary_source_is_parsed(source: bytes) -> None:
    refuse_bombs(source)


def test_a_parse_that_takes_too_long_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.syntax_trees.PARSE_SECONDS", -1.0)
    text = filled("def settle():\n    ...\n", "python", rows=100)

    with pytest.raises(Unparsable, match="took too long"):
        chunk_code("a.py", text, "python")

    monkeypatch.undo()
    assert symbols(chunk_code("a.py", text, "python"))[0] == "settle"


def test_threads_do_not_share_a_parser() -> None:
    path, language, filler, template = SAMPLES[0]
    text = filled(template, filler)
    expected = chunk_code(path, text, language)
    results: list[list[Chunk]] = []

    def work() -> None:
        results.extend(chunk_code(path, text, language) for _ in range(20))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert results == [expected] * 80


def test_parsed_sources_are_not_kept_in_memory() -> None:
    text = filled("def settle():\n    ...\n", "python", rows=2_000)
    source = "".join(f"{row} # {number}\n" for number, row in enumerate(text.split("\n")))
    chunk_code("a.py", source, "python")
    gc.collect()
    tracemalloc.start()
    for _ in range(10):
        chunk_code("a.py", source, "python")
    gc.collect()
    kept, _peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept < len(source)

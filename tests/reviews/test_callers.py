"""Code that still calls what a change has renamed, removed or given other parameters."""

import pytest

from reviews.callers import SHOWN, Accepted, accepted_by, stale_callers
from reviews.outlines import outline_of
from tests.reviews.changing import changed

PRICE = "def price_of(lines):\n    return sum(lines)\n"
DEAR = "def price_of(lines, currency):\n    return sum(lines), currency\n"
SHOP = "from prices import price_of\n\n\ndef pay(cart):\n    return price_of(cart)\n"


def found(path, before, after):
    """Return the places that were left, with the line and the claim, of each observation."""
    change = changed(path, before, after)
    return [
        (one.start_line, one.claim, one.evidence.split("\n")[1:]) for one in stale_callers(change)
    ]


def is_gone(name):
    return f"{name} is gone, and code elsewhere still uses it."


def takes_others(name):
    return f"{name} takes other arguments now, and calls elsewhere give the old ones."


@pytest.mark.parametrize(
    ("signature", "expected"),
    [
        ("a, b=1", Accepted(1, 2, frozenset("ab"), frozenset(), False)),
        ("a, *, b, c=1", Accepted(1, 1, frozenset("abc"), frozenset("b"), False)),
        ("*rest, b", Accepted(0, -1, frozenset("b"), frozenset("b"), True)),
        ("a, **names", Accepted(1, -1, frozenset("a"), frozenset(), True)),
        ("a, /, b: int = 2", Accepted(1, 2, frozenset("ab"), frozenset(), False)),
        ("self, a", Accepted(2, 2, frozenset({"self", "a"}), frozenset(), False)),
        ("", Accepted(0, 0, frozenset(), frozenset(), False)),
    ],
)
def test_a_signature_says_how_it_may_be_called(signature, expected):
    (outline,) = outline_of(f"def f({signature}):\n    return 1\n", "python")
    assert accepted_by(outline, "python") == expected


def test_a_method_is_called_without_its_object():
    outline = outline_of("class A:\n    def f(self, a):\n        return a\n", "python")[1]
    assert accepted_by(outline, "python") == Accepted(
        1, 1, frozenset("a"), frozenset(), any_name=False
    )


@pytest.mark.parametrize(
    ("signature", "positional", "named", "is_taken"),
    [
        ("a, b=1", 0, "", False),
        ("a, b=1", 1, "", True),
        ("a, b=1", 2, "", True),
        ("a, b=1", 3, "", False),
        ("a, b=1", 1, "b", True),
        ("a, b=1", 0, "a", True),
        ("a, b=1", 1, "c", False),
        ("a, *, b", 1, "", False),
        ("a, *, b", 1, "b", True),
        ("a, *, b", 2, "", False),
        ("a, *rest", 9, "", True),
        ("a, **names", 1, "z", True),
    ],
)
def test_a_call_is_taken_or_not(signature, positional, named, is_taken):
    (outline,) = outline_of(f"def f({signature}):\n    return 1\n", "python")
    taken = accepted_by(outline, "python").takes(positional, frozenset(named))
    assert taken is is_taken


@pytest.mark.parametrize(
    ("call", "is_broken"),
    [
        ("price_of(cart)", True),
        ("price_of(lines=cart)", True),
        ("price_of([1, 2, (3, 4)])", True),
        ("price_of('a, b)')", True),
        ("price_of(\n        cart,\n    )", True),
        ("price_of(cart, 'EUR')", False),
        ("price_of(cart, currency='EUR')", False),
        ("price_of(*cart)", False),
        ("price_of(**cart)", False),
        ("list(map(price_of, cart))", False),
        ("'price_of(cart)'", True),  # a text may be a template that is run
        ("repriced(cart)  # was price_of", False),
    ],
)
def test_a_caller_that_gives_the_old_arguments_is_found(tmp_path, call, is_broken):
    shop = f"from prices import price_of\n\n\ndef pay(cart):\n    return {call}\n"
    before = {"prices.py": PRICE, "shop.py": shop}

    first = call.split("\n")[0]
    expected = [(1, takes_others("price_of"), [f"shop.py:5: return {first}"])]
    assert found(tmp_path, before, {"prices.py": DEAR}) == (expected if is_broken else [])


@pytest.mark.parametrize(
    ("old", "new", "call", "is_broken"),
    [
        ("lines, tax=0", "lines", "price_of(1, 2)", True),
        ("lines, tax=0", "lines", "price_of(1)", False),
        ("lines, tax=0", "lines, *, tax=0", "price_of(1, 2)", True),
        ("lines, tax=0", "lines, *, tax=0", "price_of(1, tax=2)", False),
        ("lines, tax", "lines, rate", "price_of(1, tax=2)", True),
        ("lines, tax", "lines, rate", "price_of(1, 2)", False),
        ("lines", "lines, tax=0", "price_of(1)", False),
        ("lines", "*lines", "price_of(1)", False),
        ("lines", "lines, tax", "price_of(1, 2, 3)", False),  # it was wrong before
    ],
)
def test_only_calls_that_held_before_and_do_not_now_are_found(tmp_path, old, new, call, is_broken):
    texts = [f"def price_of({one}):\n    return 1\n" for one in (old, new)]
    shop = f"from prices import price_of\n\npaid = {call}\n"
    said = found(tmp_path, {"prices.py": texts[0], "shop.py": shop}, {"prices.py": texts[1]})
    expected = [(1, takes_others("price_of"), [f"shop.py:3: paid = {call}"])]
    assert said == (expected if is_broken else [])


def test_a_decorated_function_may_take_what_its_decorator_says(tmp_path):
    before = {"prices.py": PRICE, "shop.py": SHOP}
    assert found(tmp_path, before, {"prices.py": f"@given\n{DEAR}"}) == []


def test_a_caller_that_changed_with_it_is_not_left(tmp_path):
    after = {"prices.py": DEAR, "shop.py": SHOP.replace("(cart)\n", "(cart, 'EUR')\n")}
    assert found(tmp_path, {"prices.py": PRICE, "shop.py": SHOP}, after) == []


@pytest.mark.parametrize(
    ("use", "is_left"),
    [
        ("from prices import price_of\n", True),
        ("import prices\n\nprices.price_of(1)\n", True),
        ("# from prices import price_of\n", False),
        ("text = 'import price_of'\n", False),
        ("other.price_of(1)\n", False),
        ("price_of(1)\n", False),  # it is not from this file
    ],
)
def test_what_is_gone_and_still_imported_is_found(tmp_path, use, is_left):
    before = {"prices.py": PRICE, "shop.py": use}
    after = {"prices.py": PRICE.replace("price_of", "sum_of")}
    said = found(tmp_path, before, after)
    assert [one[:2] for one in said] == ([(1, is_gone("price_of"))] if is_left else [])


@pytest.mark.parametrize(
    "after",
    [
        {"prices.py": "from sums import price_of\n"},
        {"prices.py": "from sums import (\n    a,\n    price_of,\n)\n"},
        {"prices.py": "x = 1\n", "sums.py": PRICE},
        {"prices.py": "class Prices:\n    pass\n\n\nprice_of = Prices()\n"},
        {"prices.py": "from sums import sum_of\n\nprice_of: object = sum_of\n"},
    ],
    ids=["imported", "imported in brackets", "moved", "made another thing", "an alias"],
)
def test_what_is_defined_elsewhere_now_is_not_gone(tmp_path, after):
    assert found(tmp_path, {"prices.py": PRICE, "shop.py": SHOP}, after) == []


@pytest.mark.parametrize(
    "after",
    ['export { priceOf } from "./sums";\n', "export const priceOf = memo(1);\n"],
    ids=["exported again", "a variable"],
)
def test_what_a_script_still_exports_is_not_gone(tmp_path, after):
    before = {
        "src/prices.ts": "export function priceOf(a: number) {\n  return a;\n}\n",
        "src/shop.ts": 'import { priceOf } from "./prices";\n',
    }
    assert found(tmp_path, before, {"src/prices.ts": after}) == []


@pytest.mark.parametrize(
    "after",
    [
        "def pay():\n    price_of = 1\n    return price_of\n",
        "import os\n\n\ndef pay(price_of):\n    return price_of == 1\n",
    ],
)
def test_a_local_of_the_name_does_not_bring_it_back(tmp_path, after):
    (one,) = found(tmp_path, {"prices.py": PRICE, "shop.py": SHOP}, {"prices.py": after})
    assert one[1] == is_gone("price_of")


@pytest.mark.parametrize(
    ("method", "is_left"), [("price_lines", True), ("priceLines", True), ("update", False)]
)
def test_a_method_is_told_by_a_name_that_others_do_not_have(tmp_path, method, is_left):
    cart = "class Cart:\n    def {}(self):\n        return 1\n"
    before = {"cart.py": cart.format(method), "shop.py": f"def pay(x):\n    x.{method}()\n"}
    expected = [(2, is_gone(method), [f"shop.py:2: x.{method}()"])]
    said = found(tmp_path, before, {"cart.py": cart.format("another_name")})
    assert said == (expected if is_left else [])


def test_a_name_that_two_files_define_tells_nothing(tmp_path):
    before = {"prices.py": PRICE, "shop.py": SHOP, "other.py": PRICE}
    assert found(tmp_path, before, {"prices.py": DEAR}) == []


def test_a_name_that_two_classes_define_tells_nothing(tmp_path):
    method = "    def price_lines(self{}):\n        return 1\n"
    other = f"class Old:\n{method.format(', a')}\n\nclass New:\n"
    before = {
        "cart.py": other + method.format(""),
        "shop.py": "def pay(old):\n    old.price_lines()\n",
    }
    assert found(tmp_path, before, {"cart.py": other + method.format(", b")}) == []


@pytest.mark.parametrize(
    ("files", "now", "expected"),
    [
        (
            {
                "src/prices.ts": "export function priceOf(a: number) {\n  return a;\n}\n",
                "src/shop.ts": 'import { priceOf } from "./prices";\nconst x = priceOf(1);\n',
            },
            {"src/prices.ts": "export function priceOf(a: number, b: string) {\n  return b;\n}\n"},
            [(1, takes_others("priceOf"), ["src/shop.ts:2: const x = priceOf(1);"])],
        ),
        (
            {  # JavaScript takes more than a function names
                "src/prices.ts": "export function priceOf(a, b) {\n  return a;\n}\n",
                "src/shop.ts": 'import { priceOf } from "./prices";\nconst x = priceOf(1, 2);\n',
            },
            {"src/prices.ts": "export function priceOf(a) {\n  return a;\n}\n"},
            [],
        ),
        (
            {
                "prices.go": "package a\n\nfunc PriceOf(a int) int {\n\treturn a\n}\n",
                "shop.go": "package a\n\nfunc Pay() int {\n\treturn PriceOf(1)\n}\n",
            },
            {"prices.go": "package a\n\nfunc CostOf(a int) int {\n\treturn a\n}\n"},
            [(3, is_gone("PriceOf"), ["shop.go:4: return PriceOf(1)"])],
        ),
        (
            {
                "src/main/java/Cart.java": "class Cart {\n  int priceOf(int a) { return a; }\n}\n",
                "src/main/java/Shop.java": "class Shop {\n  int x(Cart c) {\n"
                "    return c.priceOf(1);\n  }\n}\n",
            },
            {
                "src/main/java/Cart.java": "class Cart {\n"
                "  int priceOf(int a, int b) { return b; }\n}\n"
            },
            [(2, takes_others("priceOf"), ["src/main/java/Shop.java:3: return c.priceOf(1);"])],
        ),
    ],
    ids=["typescript", "fewer in javascript", "go", "java"],
)
def test_callers_are_found_in_other_languages(tmp_path, files, now, expected):
    assert found(tmp_path, files, now) == expected


def test_a_call_in_another_language_is_of_something_else(tmp_path):
    before = {"prices.py": PRICE, "shop.ts": 'import { price_of } from "./p";\nprice_of(1);\n'}
    assert found(tmp_path, before, {"prices.py": DEAR}) == []


def test_callers_in_tests_only_are_less_sure_and_all_are_named(tmp_path):
    tests = {f"tests/test_{letter}.py": SHOP for letter in "abcde"}
    change = changed(tmp_path, {"prices.py": PRICE, **tests}, {"prices.py": DEAR})
    (one,) = stale_callers(change)
    assert (one.rule, one.severity, one.confidence) == ("nightowl/stale-callers", "warning", 0.75)
    assert one.left == tuple(sorted(tests))
    assert one.evidence.endswith(f"\nand {5 - SHOWN} more")
    assert (one.path, one.quote) == ("prices.py", "def price_of(lines, currency):")


def test_code_that_nobody_else_runs_has_no_callers(tmp_path):
    before = {"tests/prices.py": PRICE, "shop.py": SHOP.replace("prices", "tests.prices")}
    assert found(tmp_path, before, {"tests/prices.py": DEAR}) == []


def test_a_long_line_of_imports_does_not_hold_a_night_up(tmp_path):
    # Of one expression for both words this takes minutes; it ends at once, or the run is stuck.
    before = {"owl.py": "def hunt(owl):\n    return owl\n", "barn.py": "from owl import hunt\n"}
    after = {"owl.py": "x = '" + "import " * 40_000 + "hunter hunt_no_more'\n"}
    change = changed(tmp_path, before, {**before, **after})
    assert [one.rule for one in stale_callers(change)] == ["nightowl/stale-callers"]

import re
from random import Random

import pytest

from knowledge.regular_expressions import PatternRefused, compile_pattern, literals_of


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"def \w+_token\(", ("def ", "_token(")),
        ("getUserById", ("getUserById",)),
        ("foo(bar)?baz", ("foo", "baz")),
        ("ab?cdef", ("cdef",)),
        ("abc+def", ("abc", "def")),
        ("abcd*efg", ("abc", "efg")),
        ("x{0,3}abcd", ("abcd",)),
        ("foo{2}bar", ("foo", "bar")),
        (r"colou?r\.txt", ("colo", "r.txt")),
        ("abc|def", ()),
        ("(abc|def)ghi", ("ghi",)),
        ("(?i)abc", ("abc",)),
        ("[abc]def", ("def",)),
        ("[]x]abc[^]]def", ("abc", "def")),
        (r"[\]a]xyz", ("xyz",)),
        ("[[:alpha:]]xyz", ("xyz",)),
        (r"(a\)b)cde", ("cde",)),
        (r"^import$", ("import",)),
        (r"ab\x41cde", ()),
        (r"abc\Q|\E", ("abc",)),
        ("ab", ()),
        ("", ()),
    ],
)
def test_what_every_match_has_is_told(pattern: str, literals: tuple[str, ...]) -> None:
    assert literals_of(pattern) == literals


def test_what_is_told_of_random_patterns_is_in_every_match() -> None:
    random = Random(20261127)
    units = ["abc", "de", "f", r"\.", r"\w", "[gh]", "(ij|k)", "(lm)", "n", "."]
    repeats = ["", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,2}"]
    texts = ["".join(random.choices("abcdefghijklmn.", k=200)) for _ in range(20)]
    found = 0
    for _ in range(2_000):
        pattern = "".join(random.choice(units) + random.choice(repeats) for _ in range(4))
        literals = literals_of(pattern)
        for text in texts:
            for match in re.finditer(pattern, text):
                found += 1
                assert all(literal in match[0] for literal in literals), pattern
    assert found > 1_000


@pytest.mark.parametrize(
    "pattern",
    ["", "(", "[a", "a{2,1}", "(x{1,200}){1,200}y", r"(?=ahead)", r"(a)\1", "x" * 501, "\\"],
)
def test_what_cannot_be_searched_for_is_refused_with_the_reason(pattern: str) -> None:
    with pytest.raises(PatternRefused) as refusal:
        compile_pattern(pattern)

    assert str(refusal.value).endswith(".")


def test_lower_case_finds_any_case_and_a_capital_only_itself() -> None:
    assert compile_pattern("getuser").compiled.search("getUser")
    assert compile_pattern(r"get\Wuser").compiled.search("Get-User")
    assert not compile_pattern("getUser").compiled.search("getuser")
    assert compile_pattern("(?i)getUser").compiled.search("GETUSER")

"""Which files are read, and the sentence that each of the others gets."""

import time

import pytest

from knowledge.selection import Selection


def reason(path: str, *, kind: str = "file", size: int | None = 10, **rules: str) -> str:
    return Selection(largest=100, **rules).reason_to_skip(path, kind, size)


@pytest.mark.parametrize(
    ("path", "patterns", "is_matched"),
    [
        ("docs/a.md", "docs/", True),
        ("src/docs/a.md", "docs/", True),
        ("src/docs/a.md", "/docs/", False),
        ("a.min.css", "*.css", True),
        ("keep.css", "*.css\n!keep.css", False),
        ("a/x/y/b.py", "a/**/b.py", True),
        ("a.py", "# a.py\n\n", False),
        ("naïve name.py", "naïve*", True),
    ],
)
def test_patterns_mean_what_they_mean_in_a_gitignore(path, patterns, is_matched):
    assert bool(reason(path, exclude=patterns)) is is_matched
    assert bool(reason(path, ignored=patterns)) is is_matched


def test_only_what_is_included_is_read():
    assert reason("src/app.py", include="src/") == ""
    assert reason("docs/a.md", include="src/\n*.md") == ""
    assert reason("tools/x.py", include="src/") == "not among what to include"


def test_lists_of_comments_alone_choose_nothing():
    assert reason("src/app.py", include="# everything\n\n") == ""


@pytest.mark.parametrize(
    ("path", "kind", "size", "rules", "expected"),
    [
        ("link", "symlink", None, {}, "not a file: symbolic link"),
        ("module", "submodule", None, {"exclude": "module"}, "not a file: submodule"),
        ("big.py", "file", 101, {}, "too large"),
        ("fits.py", "file", 100, {}, ""),
        ("unknown.py", "file", None, {}, ""),
        (".env", "file", 10, {"include": ".env"}, "secret file"),
        ("a.py", "file", 999, {"exclude": "*.py"}, "excluded in the settings"),
        ("a.py", "file", 10, {"ignored": "*.py"}, "ignored by .nightowlignore"),
        ("a.py", "file", 10, {"exclude": "*.py", "ignored": "*.py"}, "excluded in the settings"),
        ("node_modules/a.js", "file", 10, {}, "vendored"),
    ],
)
def test_the_first_reason_is_told(path, kind, size, rules, expected):
    assert reason(path, kind=kind, size=size, **rules) == expected


def test_a_repository_may_write_what_it_likes_into_its_ignore_file():
    hostile = "!\n\\\n[[\n[a-\n\0\n" + "*a" * 100 + "b\n*.log\n" + "/**" * 200
    assert reason("x.log", ignored=hostile) == "ignored by .nightowlignore"


def test_no_pattern_takes_long_on_any_path():
    started = time.monotonic()
    selection = Selection(ignored="*a" * 60 + "b\n" + "**/a/" * 30 + "c", largest=100)
    for _ in range(100):
        assert selection.reason_to_skip("a" * 250 + "/" + "a/" * 200 + "x", "file", 1) == ""
    assert time.monotonic() - started < 5

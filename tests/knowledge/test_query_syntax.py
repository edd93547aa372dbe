import time

import pytest

from knowledge.query_syntax import Query, read_query, words_to_light


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("how are chunks made", Query("how are chunks made")),
        ("chunk lang:python", Query("chunk", language="python")),
        ("lang:Python chunk", Query("chunk", language="python")),
        ("language:go x", Query("x", language="go")),
        ("chunk path:src/app in:architecture", Query("chunk", "src/app", "", "architecture")),
        ('path:"my folder/a" x', Query("x", path="my folder/a")),
        ("a  lang:go   b", Query("a b", language="go")),
        ("lang:go lang:rust", Query("", language="rust")),
        ("https://example.org", Query("https://example.org")),
        ("std::string lang", Query("std::string lang")),
        ("note: this", Query("note: this")),
        ("other:thing", Query("other:thing")),
        ("lang:", Query("lang:")),
        ("", Query("")),
    ],
)
def test_words_and_filters_are_parted(text: str, expected: Query) -> None:
    assert read_query(text) == expected


def test_the_fields_of_the_form_count_where_the_text_says_nothing() -> None:
    fields = {"lang": "Python", "path": " src ", "collection": "schemas", "q": "ignored"}

    assert read_query("x", fields) == Query("x", "src", "python", "schemas")
    assert read_query("x lang:go", fields).language == "go"


def test_only_filters_that_are_set_are_named() -> None:
    assert read_query("x lang:go").filters == {"language": "go"}
    assert read_query("x").filters == {}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("where are chunks embedded", ["chunks", "embedded"]),
        ("getUserById", ["getUserById", "get", "User"]),
        ("MAX_FILE_BYTES", ["MAX_FILE_BYTES", "MAX", "FILE", "BYTES"]),
        ("the and of", []),
        ("x y", []),
        ("", []),
    ],
)
def test_names_are_lit_whole_and_in_their_parts(text: str, words: list[str]) -> None:
    assert words_to_light(text) == words


@pytest.mark.parametrize(
    "text", ["a:" * 5_000, '"' * 10_000, "path:" * 2_000, "aA" * 5_000, " " * 9_000]
)
def test_hostile_queries_are_read_in_time(text: str) -> None:
    started = time.perf_counter()
    read_query(text)
    words_to_light(text)

    assert time.perf_counter() - started < 1

import time
from datetime import UTC, datetime, timedelta

import pytest

from knowledge.methods import Mode
from knowledge.query_syntax import Part, read_query, words_to_light
from knowledge.scopes import Filters, Without

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "words", "filters"),
    [
        ("how are chunks made", "how are chunks made", Filters()),
        ("chunk lang:python", "chunk", Filters(language="python")),
        ("lang:Python chunk", "chunk", Filters(language="python")),
        ("lang:py chunk", "chunk", Filters(language="python")),
        ("language:go x", "x", Filters(language="go")),
        ("chunk path:src/app in:schemas", "chunk", Filters("src/app", "", "schemas")),
        ('path:"my folder/a" x', "x", Filters(path="my folder/a")),
        ("a  lang:go   b", "a b", Filters(language="go")),
        ("lang:go lang:rust", "", Filters(language="rust")),
        ("symbol:Cache.get x", "x", Filters(symbol="Cache.get")),
        ('author:"Ada L" x', "x", Filters(author="Ada L")),
        ("branch:main x", "x", Filters(branch="main")),
        ('"exact phrase" x', "x exact phrase", Filters(phrases=("exact phrase",))),
        ("cache -test", "cache", Filters(without=(Without("word", "test"),))),
        ("cache -path:docs", "cache", Filters(without=(Without("path", "docs"),))),
        ("cache -lang:md", "cache", Filters(without=(Without("language", "markdown"),))),
        ('x -"not this"', "x", Filters(without=(Without("phrase", "not this"),))),
        ("--flag -> x - y", "--flag -> x - y", Filters()),
        ("https://example.org", "https://example.org", Filters()),
        ("std::string lang", "std::string lang", Filters()),
        ("note: this", "note: this", Filters()),
        ("other:thing", "other:thing", Filters()),
        ("lang:", "lang:", Filters()),
        ('path:"" x', "x", Filters()),
        ('an "open quote', 'an "open quote', Filters()),
        ("", "", Filters()),
    ],
)
def test_words_and_filters_are_parted(text: str, words: str, filters: Filters) -> None:
    query = read_query(text)

    assert (query.words, query.filters, query.notes) == (words, filters, ())


def test_the_fields_of_the_form_count_where_the_text_says_nothing() -> None:
    fields = {"lang": "Python", "path": " src ", "collection": "schemas", "q": "ignored"}

    assert read_query("x", fields).filters == Filters("src", "python", "schemas")
    assert read_query("x lang:go", fields).filters.language == "go"


@pytest.mark.parametrize(
    ("text", "since"),
    [
        ("since:2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("since:2026-03", datetime(2026, 3, 1, tzinfo=UTC)),
        ("since:2025", datetime(2025, 1, 1, tzinfo=UTC)),
        ("since:3d", NOW - timedelta(days=3)),
        ("since:2W", NOW - timedelta(days=14)),
        ("since:12h", NOW - timedelta(hours=12)),
    ],
)
def test_a_date_or_a_time_ago_tells_since_when(text: str, since: datetime) -> None:
    assert read_query(text, now=NOW).filters.since == since


@pytest.mark.parametrize("text", ["since:soon x", "since:2026-13-40 x", "since:99999y x", "mode:x"])
def test_a_value_that_cannot_be_is_said_to_be_wrong(text: str) -> None:
    query = read_query(text, now=NOW)

    assert query.notes
    assert query.filters.since is None
    assert query.mode == Mode.AUTO


def test_a_pattern_stands_between_slashes_or_has_its_mode() -> None:
    typed = read_query(r"/def \w+: -x/i")
    chosen = read_query('path:x "y', {"mode": "regex", "lang": "py"})

    assert (typed.words, typed.mode) == (r"(?i)def \w+: -x", Mode.REGEX)
    assert (chosen.words, chosen.mode) == ('path:x "y', Mode.REGEX)
    assert chosen.filters == Filters(language="python")
    assert read_query("a/b/c").mode == Mode.AUTO


@pytest.mark.parametrize(
    "text",
    ['cache -test lang:go path:"a b" "in order"', "mode:symbol Cache", "x -path:docs author:Ada"],
)
def test_what_a_page_shows_and_links_reads_as_the_same_query(text: str) -> None:
    query = read_query(text)

    again = read_query(query.typed, query.fields)

    assert (again.words, again.filters, again.mode) == (query.words, query.filters, query.mode)


def test_a_filter_is_shown_as_it_is_typed() -> None:
    assert str(Part("language", "python")) == "lang:python"
    assert str(Part("path", "a b", is_without=True)) == '-path:"a b"'
    assert str(Part("phrase", "word")) == '"word"'


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
    "text",
    [
        *("a:" * 5_000, '"' * 10_000, "path:" * 2_000, "aA" * 5_000, " " * 9_000),
        *('path:"x" ' * 2_000, "-" * 9_000, "/" * 9_000, '-"' * 5_000),
    ],
)
def test_hostile_queries_are_read_in_time(text: str) -> None:
    started = time.perf_counter()
    query = read_query(text)
    words_to_light(text)

    assert len(query.parts) <= 24
    assert time.perf_counter() - started < 1

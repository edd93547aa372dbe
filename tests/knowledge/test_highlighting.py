import time
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pygments.lexers import get_lexer_by_name

from knowledge.file_names import LANGUAGE_OF_EXTENSION, LANGUAGE_OF_NAME
from knowledge.highlighting import ALIASES, MAX_CHARACTERS, MAX_LINE, highlight_lines, lines_of

CODE = 'def greet(name):\n    """Say\n    hello."""\n    return f"hi {name}"  # <b>\n'


class Reader(HTMLParser):
    """Reads HTML back: its text, its tags, and what stays open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.text, self.tags, self.open = "", [], 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.open += 1

    def handle_endtag(self, tag: str) -> None:
        self.open -= 1

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("", [""]),
        ("a", ["a"]),
        ("a\n", ["a"]),
        ("a\n\n", ["a", ""]),
        ("a\nb", ["a", "b"]),
        ("a\r\nb\r\n", ["a", "b"]),
        ("\n", [""]),
        ("a\u2028b\x0cc\x85d", ["a\u2028b\x0cc\x85d"]),
    ],
)
def test_lines_are_counted_as_editors_do(text: str, lines: list[str]) -> None:
    assert lines_of(text) == lines


def test_each_line_is_a_whole_piece_of_html() -> None:
    lines = highlight_lines(CODE, "python")

    assert len(lines) == 4
    assert all(read(line).open == 0 for line in lines)
    assert "".join(read(line).text + "\n" for line in lines) == CODE


def test_tokens_have_classes_and_no_styles() -> None:
    line = highlight_lines(CODE, "python")[0]

    assert '<span class="k">def</span>' in line
    assert "style" not in line


def test_a_string_over_several_lines_keeps_its_class_on_each() -> None:
    lines = highlight_lines(CODE, "python")

    assert 'class="sd"' in lines[1]
    assert 'class="sd"' in lines[2]


@pytest.mark.parametrize("language", ["", "text", "klingon", "no such; language", "<script>"])
def test_unknown_languages_are_shown_plainly(language: str) -> None:
    assert highlight_lines("a < b", language) == ["a &lt; b"]


@pytest.mark.parametrize(
    "language", ["python", "typescript", "go", "shell", "csharp", "toml", "yaml", "json", "sql"]
)
def test_nothing_of_a_text_becomes_markup(language: str) -> None:
    text = "\"'><script>alert(1)</script><img src=x onerror=alert(2)>\n</span></code></pre>"

    for line in highlight_lines(text, language):
        assert {tag for tag, _ in read(line).tags} <= {"span"}
        assert all(set(attrs) == {"class"} for _, attrs in read(line).tags)


def test_words_are_lit_whatever_their_case() -> None:
    [line] = highlight_lines("Chunk the chunks", "", marks=["chunk"])

    assert line == "<mark>Chunk</mark> the <mark>chunk</mark>s"


def test_marks_are_words_and_not_patterns() -> None:
    [line] = highlight_lines("a.*b <x>", "", marks=[".*", "<x>"])

    assert line == "a<mark>.*</mark>b <mark>&lt;x&gt;</mark>"


def test_the_longest_mark_wins() -> None:
    [line] = highlight_lines("getUserById", "", marks=["User", "getUserById"])

    assert line == "<mark>getUserById</mark>"


@pytest.mark.parametrize(
    ("character", "name"),
    [("\u202e", "U+202E"), ("\u200b", "U+200B"), ("\U000e0041", "U+E0041"), ("\r", "U+000D")],
)
def test_what_hides_in_a_line_is_shown(character: str, name: str) -> None:
    [line] = highlight_lines(f"if admin:{character} return", "python")

    assert f'<span class="invisible">{name}</span>' in line
    assert character not in line


def test_long_texts_and_lines_are_shown_without_colours() -> None:
    assert "<span" not in highlight_lines("x = 1\n" * (MAX_CHARACTERS // 6 + 1), "python")[0]
    assert "<span" not in highlight_lines("x = 1;" * MAX_LINE, "javascript")[0]


@given(st.text(max_size=300))
def test_any_text_keeps_its_lines(text: str) -> None:
    lines = highlight_lines(text, "python")

    assert len(lines) == len(lines_of(text))
    assert all(read(line).open == 0 for line in lines)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("python", "'''" * 20_000),
        ("javascript", "/" * 4_000 + "\n" + "`${" * 1_300),
        ("markdown", "[" * 4_000),
        ("html", "<a " * 1_600),
        ("yaml", "- " * 2_400),
        ("json", "[" * 4_900),
        ("sql", "'" * 4_900),
        # Each of these took the lexer a minute.
        ("java", "\n".join("a1 < b2 < " * 12 for _ in range(1_600))),
        ("csharp", "\n".join(f"v{number} w{number} " * 8 for number in range(2_500))),
        ("typescript", "\n".join("/* a /* b " * 12 for _ in range(2_000))),
    ],
)
def test_hostile_texts_are_highlighted_in_time(language: str, text: str) -> None:
    started = time.thread_time()
    lines = highlight_lines(text, language)

    assert time.thread_time() - started < 2
    assert len(lines) == len(lines_of(text))
    assert [read(line).text for line in lines[-3:]] == lines_of(text)[-3:]


def test_every_language_of_a_file_is_highlighted() -> None:
    for language in {*LANGUAGE_OF_EXTENSION.values(), *LANGUAGE_OF_NAME.values()}:
        if language not in {"text", "csv"}:
            get_lexer_by_name(ALIASES.get(language, language))

import time

import pytest
from django.utils.safestring import SafeString
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.rendering import MAX_CHARACTERS, TAGS, headings_of, render_markdown
from tests.knowledge.payloads import LINKS, TEXTS
from tests.knowledge.test_highlighting import Reader, read

ALLOWED = {
    "href": {"a"},
    "rel": {"a"},
    "class": {"a", "span", "pre", "td", "th"},
    "id": {"h1", "h2", "h3", "h4", "h5", "h6"},
    "start": {"ol"},
}
SOURCES = {1: "/sources/x/at/y/a.py?lines=1-2#L1", 2: "/two", 12: "/twelve"}


def check_harmless(html: str) -> Reader:
    page = read(html)
    for tag, attrs in page.tags:
        assert tag in TAGS
        for name, value in attrs.items():
            assert tag in ALLOWED.get(name, set()), f"{name} on {tag}"
            if name == "href":
                assert (value or "").startswith(("http://", "https://", "mailto:", "#"))
    return page


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_becomes_more_than_text(text: str) -> None:
    html = render_markdown(text)

    check_harmless(html)
    assert isinstance(html, SafeString)


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize(
    "around",
    ["- {}", "> {}", "# {}", "a {} b", "**{}**", "[{}](https://example.org)", "| {} |\n|--|"],
)
def test_no_text_becomes_more_anywhere(text: str, around: str) -> None:
    check_harmless(render_markdown(around.replace("{}", text), citations=SOURCES_ELSEWHERE))


SOURCES_ELSEWHERE = {1: "https://example.org/1"}


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize(
    "form", ["[x]({})", "[x](<{}>)", "[x][y]\n\n[y]: {}", "<{}>", "![x]({})", "[x]({} 'title')"]
)
def test_no_link_leads_where_it_must_not(link: str, form: str) -> None:
    page = check_harmless(render_markdown(form.replace("{}", link)))

    for tag, attrs in page.tags:
        if tag == "a" and attrs.get("href"):
            assert "script" not in (attrs["href"] or "").lower().split(":")[0]
            assert attrs["rel"] == "noreferrer nofollow"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("![a chart](https://evil.example/?q=secret)", "a chart (evil.example)"),
        ("![a chart](//evil.example/x.png)", "a chart (evil.example)"),
        ("![](https://evil.example/x.png)", "image (evil.example)"),
        ("![local](pictures/x.png)", "local"),
        ("![odd](https://[bad)", "odd"),
    ],
)
def test_images_are_said_and_not_loaded(text: str, shown: str) -> None:
    page = check_harmless(render_markdown(text))

    assert shown in page.text
    assert "img" not in [tag for tag, _ in page.tags]


def test_web_links_stay_and_tell_nobody_where_from() -> None:
    html = render_markdown("[docs](https://example.org/a?b=c&d)")

    assert '<a href="https://example.org/a?b=c&amp;d" rel="noreferrer nofollow">docs</a>' in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("One [1].", ">1</a>."),
        ("Both [1][2].", ">1</a>"),
        ("Both [1, 2].", ">2</a>"),
        ("In **bold [12]**", ">12</a>"),
        ("| a [1] |\n|---|", ">1</a>"),
    ],
)
def test_numbers_of_sources_become_citations(text: str, html: str) -> None:
    shown = render_markdown(text, citations=SOURCES)

    assert html in shown
    assert 'class="citation"' in shown


@pytest.mark.parametrize(
    "text",
    [
        "Three [3].",
        "`a[1]`",
        "```\na[1]\n```",
        "\\[1]",
        "[1](https://evil.example)",
        "[0] [999]",
        "[x]",
    ],
)
def test_other_numbers_stay_as_they_are(text: str) -> None:
    assert "citation" not in render_markdown(text, citations=SOURCES)


def test_a_text_cannot_say_where_a_citation_leads() -> None:
    html = render_markdown("See [1].\n\n[1]: https://evil.example/", citations=SOURCES)

    assert "evil" not in html
    assert 'href="/sources/x/at/y/a.py?lines=1-2#L1"' in html


def test_without_sources_numbers_are_text() -> None:
    assert render_markdown("a[1] b") == "<p>a[1] b</p>\n"


@pytest.mark.parametrize(
    ("title", "anchor"),
    [
        ("Getting started", "getting-started"),
        ("What's new in 2.0?", "whats-new-in-20"),
        ("`manage.py add`", "managepy-add"),
        ("Ünïcode & more", "ünïcode--more"),
        ("A_b-c", "a_b-c"),
        ("???", "section"),
    ],
)
def test_headings_have_the_anchors_of_github(title: str, anchor: str) -> None:
    [heading] = headings_of(f"## {title}")

    assert heading.anchor == anchor
    assert f'id="{anchor}"' in render_markdown(f"## {title}")


def test_equal_headings_are_told_apart() -> None:
    assert [h.anchor for h in headings_of("# A\n# A\n# A")] == ["a", "a-1", "a-2"]


def test_a_number_sign_in_a_fence_is_no_heading() -> None:
    assert headings_of("```\n# not one\n```\n\nOne\n===\n")[0].text == "One"


def test_relative_links_are_resolved_or_dropped() -> None:
    text = "[a](docs/a.md#x) [b](/admin/) [c](#here)"

    assert 'href="docs' not in render_markdown(text)
    shown = render_markdown(text, links=lambda href: f"/files/{href}")
    assert 'href="/files/docs/a.md#x"' in shown
    assert "/admin/" not in shown
    assert 'href="#here"' in shown


def test_code_is_highlighted_by_classes() -> None:
    html = render_markdown("```python\ndef f():\n    pass\n```")

    assert '<pre class="code"><code><span class="k">def</span>' in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("~~gone~~", "<s>gone</s>"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        ("3. three", '<ol start="3">'),
        ("a  \nb", "<br>"),
        ("> q", "<blockquote>"),
    ],
)
def test_ordinary_markdown_is_rendered(text: str, html: str) -> None:
    assert html in render_markdown(text)


def test_a_text_of_any_size_is_shown() -> None:
    html = render_markdown("<b>" * (MAX_CHARACTERS // 3 + 1))

    assert html.startswith('<pre class="plain">&lt;b&gt;')


@given(st.text(alphabet="[]()!`*_<>#|-\\\n 1a:/\"'&;~", max_size=120))
@settings(max_examples=300, deadline=None)
def test_any_jumble_is_harmless(text: str) -> None:
    check_harmless(render_markdown(text, citations=SOURCES_ELSEWHERE))


BOMBS = {
    "brackets": "[" * 50_000,
    "images": "![" * 25_000,
    "ticks": "".join("`" * n + " " for n in range(310)),
    "stars": "*a " * 16_000,
    "underlines": "_a" * 25_000,
    "quotes": "> " * 25_000,
    "links": "[a](" * 12_500,
    "stars and underlines": "*_" * 25_000,
    "pairs": "[" * 25_000 + "]" * 25_000,
    "citations": "[1]" * 16_000,
    "half citations": "[1, " * 12_500,
    "angles": "<" * 50_000,
    "comments": "<!--" * 12_500,
    "lists": "".join("  " * n + "- a\n" for n in range(220)),
    "table": "|a" * 500 + "\n" + "|-" * 500 + "\n" + "|\n" * 20_000,
    "references": "[a]: b\n" * 7_000,
    "entities": "&#x" * 16_000,
    "headings": "# a\n" * 12_500,
}


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_texts_are_rendered_in_time(name: str) -> None:
    started = time.perf_counter()
    render_markdown(BOMBS[name], citations=SOURCES)

    assert time.perf_counter() - started < 5

import time

import pytest
from django.utils.safestring import SafeString
from hypothesis import given, settings
from hypothesis import strategies as st

from knowledge.parsing_markdown import MAX_CHARACTERS
from knowledge.rendering import TAGS, Heading, parse_document, render_markdown
from tests.knowledge.payloads import BOMBS, LINKS, TEXTS
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


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\U000e0041"])
@pytest.mark.parametrize(
    "text",
    ["a{}b", "[a{}b](https://example.org/{})", "# a{}b", "`a{}b`", "[a](x '{}')", "x" * 10**6],
)
def test_characters_that_deceive_are_shown(text: str, character: str) -> None:
    page = check_harmless(render_markdown(f"{text}\n\n{{}}".replace("{}", character)))

    assert character not in page.text
    assert f"U+{ord(character):04X}" in page.text
    assert all(character not in str(attrs) for _, attrs in page.tags)


def test_joiners_that_emoji_and_languages_need_are_left() -> None:
    assert "\U0001f469\u200d\U0001f4bb" in render_markdown("\U0001f469\u200d\U0001f4bb")


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


def headings_of(text: str) -> list[Heading]:
    parsed = parse_document(text)
    assert parsed is not None
    return parsed.headings


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
    shown = render_markdown(text, links=lambda href: f"/files/{href}" if "docs" in href else "")
    assert 'href="/files/docs/a.md#x"' in shown
    assert "/admin/" not in shown
    assert 'href="#here"' in shown


def test_a_document_knows_where_it_leads() -> None:
    parsed = parse_document(
        "[a](a.md#x) ![b](img/b.png) [c](https://example.org) [d](#d) [e](mailto:a@b.c)\n\n"
        "[![f](f.svg)](g.md) ![h](//example.org/h.png) [i](<a b.md>) [j]\n\n[j]: /j.md\n"
        "`[k](k.md)`\n\n<img src='l.png'> [m](data:text/html,x)\n"
    )

    assert parsed is not None
    assert parsed.targets == {
        *("a.md#x", "img/b.png", "f.svg", "g.md", "a%20b.md", "/j.md"),
    }


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("![plan](plan.svg)", '<a href="/f/plan.svg" rel="noreferrer nofollow">plan</a>'),
        ("![](plan.svg)", '<a href="/f/plan.svg" rel="noreferrer nofollow">image</a>'),
        ("![x](lost.png)", "<p>x</p>"),
        ("![x](https://evil.example/a.png)", "<p>x (evil.example)</p>"),
        (
            "[![plan](plan.svg)](plan.md)",
            '<a href="/f/plan.md" rel="noreferrer nofollow">plan</a>',
        ),
    ],
)
def test_images_become_links_to_known_files_and_are_never_loaded(text: str, html: str) -> None:
    shown = render_markdown(text, links=lambda href: f"/f/{href}" if "plan" in href else "")

    assert html in shown
    assert "<img" not in shown


def test_a_parsed_document_is_rendered_like_any() -> None:
    for text in (*TEXTS, *LINKS, "# A\n\n# A\n\n[a](b.md) ![c](d.png)\n"):
        parsed = parse_document(text)
        assert parsed is not None
        assert parsed.html(lambda _: "") == render_markdown(text)


def test_a_huge_document_is_not_parsed() -> None:
    assert parse_document("a" * (MAX_CHARACTERS + 1)) is None


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


@pytest.mark.parametrize("name", BOMBS)
def test_hostile_texts_are_rendered_in_time(name: str) -> None:
    started = time.perf_counter()
    render_markdown(BOMBS[name], citations=SOURCES)

    assert time.perf_counter() - started < 5

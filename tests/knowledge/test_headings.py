import time

import pytest

from knowledge.chunking import chunk_document
from knowledge.headings import (
    markdown_headings,
    plain_title,
    rst_anchor,
    rst_headings,
    slug_of,
)
from tests.knowledge.samples import assert_covers

PARAGRAPH = "Orders are paid before they are shipped, and shipped before they are reviewed. " * 6


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Installation", "installation"),
        ("Getting Started", "getting-started"),
        ("What's new?", "whats-new"),
        ("API / REST & more", "api--rest--more"),
        ("`make run` and **bold**", "make-run-and-bold"),
        ("The [guide](https://example.org/a_(b)) here", "the-guide-here"),
        ("![logo](x.png) Name", "name"),
        ("snake_case stays", "snake_case-stays"),
        ("_emphasis_ goes", "emphasis-goes"),
        ("Version 1.2.3 (2026-11-21)", "version-123-2026-11-21"),
        ("<b>Tags</b> &amp; entities", "tags--entities"),
        ("Überschrift für alle", "überschrift-für-alle"),
        ("日本語 の 見出し", "日本語-の-見出し"),
        ("C++ and C#", "c-and-c"),
        (r"Escaped \*stars\*", "escaped-stars"),
        ("🚀 Launch", "-launch"),
        ("a - b", "a---b"),
    ],
)
def test_anchors_are_those_that_github_gives(title: str, slug: str) -> None:
    assert slug_of(title) == slug


def test_titles_are_shown_without_their_marks() -> None:
    assert plain_title("The `run` of [all](x) **things**") == "The run of all things"


def test_headings_of_every_kind_are_found() -> None:
    text = (
        "# One #\n\n## Two ##\ntext\n\nThree\n=====\n\nFour\n----\n\n### \n###### Six\n"
        "####### seven\n#none\n   ### Indented\n    # code\n"
    )

    found = [(h.row, h.level, h.title) for h in markdown_headings(text)]

    assert found == [
        (0, 1, "One"),
        (2, 2, "Two"),
        (5, 1, "Three"),
        (8, 2, "Four"),
        (11, 3, ""),
        (12, 6, "Six"),
        (15, 3, "Indented"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "```\n# code\n```\n",
        "~~~python\n# code\n~~~\n",
        "````\n```\n# code\n```\n# code\n````\n",
        "```\n# never closed\n",
        "<!--\n# comment\n-->\n",
        "    # indented code\n",
        "---\ntitle: front\n---\n",
        "- item\n---\n",
        "| a |\n---\n",
        "text\n\n---\n",
        "> quote\n===\n",
    ],
)
def test_what_only_looks_like_a_heading_is_none(text: str) -> None:
    assert markdown_headings(text) == []


def test_repeated_titles_get_numbered_anchors() -> None:
    text = "# Usage\n# Usage\n# Usage-1\n# Usage\n"

    anchors = [heading.anchor for heading in markdown_headings(text)]

    assert anchors == ["#usage", "#usage-1", "#usage-1-1", "#usage-2"]


def test_a_setext_title_may_take_several_lines() -> None:
    (heading,) = markdown_headings("A title\nin two lines\n===\n")

    assert (heading.row, heading.title) == (0, "A title in two lines")


def test_sections_carry_their_headings_and_anchors() -> None:
    text = f"# Shop\n\n{PARAGRAPH}\n\n## Paying\n\n{PARAGRAPH}\n\n### By card\n\n{PARAGRAPH}\n"
    text += f"{PARAGRAPH}\n\n## Shipping\n\n{PARAGRAPH}\n"

    chunks = chunk_document("docs/shop.md", text).chunks

    assert [(c.anchor, c.start_line, c.header) for c in chunks] == [
        ("#shop", 1, "docs/shop.md > Shop"),
        ("#paying", 5, "docs/shop.md > Shop > Paying"),
        ("#by-card", 9, "docs/shop.md > Shop > Paying > By card"),
        ("#shipping", 14, "docs/shop.md > Shop > Shipping"),
    ]
    assert {chunk.kind for chunk in chunks} == {"section"}
    assert {chunk.symbol for chunk in chunks} == {""}
    assert_covers(text, chunks)


def test_a_small_section_stays_with_its_subsections_and_names_them() -> None:
    (chunk,) = chunk_document(
        "a.md", "# One\n\ntext\n\n## Two\n\ntext\n\n## Three\n\ntext\n"
    ).chunks

    assert chunk.anchor == "#one"
    assert chunk.header == "a.md > One : Two, Three"


def test_a_bare_heading_goes_with_the_first_section_under_it() -> None:
    text = f"# Shop\n\n## Paying\n\n{PARAGRAPH}\n{PARAGRAPH}\n\n## Shipping\n\n{PARAGRAPH}\n"

    first = chunk_document("a.md", text).chunks[0]

    assert (first.start_line, first.anchor) == (1, "#paying")


def test_a_long_section_is_split_between_paragraphs_under_one_anchor() -> None:
    text = "# Shop\n\n" + f"{PARAGRAPH}\n\n" * 8

    chunks = chunk_document("a.md", text).chunks

    assert len(chunks) > 2
    assert {chunk.anchor for chunk in chunks} == {"#shop"}
    assert all(chunk.text.endswith(PARAGRAPH) for chunk in chunks)
    assert_covers(text, chunks)


RST = """.. _shop:

====
Shop
====

Sells.

Paying
------

.. code-block:: python

    # no title
    ======

.. _card:

By :ref:`card <x>`
~~~~~~~~~~~~~~~~~~

text

Shipping
--------

=====  =====
table  rows
=====  =====
"""


def test_titles_of_restructured_text_are_found_by_their_lines() -> None:
    found = [(h.row, h.level, h.title, h.anchor) for h in rst_headings(RST)]

    assert found == [
        (0, 1, "Shop", "#shop"),
        (8, 2, "Paying", "#paying"),
        (16, 3, "By card <x>", "#by-card-x"),
        (23, 2, "Shipping", "#shipping"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "a\n=\n",
        "----\n",
        "text\n\n----\n\ntext\n",
        "one\ntwo\n-----\n",
        "a long title\n---\n",
        "===\n===\n",
    ],
)
def test_rules_and_tables_are_no_titles(text: str) -> None:
    assert rst_headings(text) == []


def test_text_files_with_titles_are_cut_at_them() -> None:
    text = f"Shop\n====\n\n{PARAGRAPH}\n{PARAGRAPH}\n\nPaying\n======\n\n{PARAGRAPH}\n{PARAGRAPH}\n"

    chunks = chunk_document("docs/shop.txt", text).chunks

    assert [(c.header, c.anchor) for c in chunks] == [
        ("docs/shop.txt > Shop", "#shop"),
        ("docs/shop.txt > Paying", "#paying"),
    ]
    assert_covers(text, chunks)


def test_anchors_of_restructured_text_are_those_of_docutils() -> None:
    assert rst_anchor("``Flask.run()`` -- and more") == "#flask-run-and-more"


@pytest.mark.parametrize(
    "text",
    [
        "# " + "[" * 100_000,
        "# " + "_a" * 100_000,
        "a\n=\n" * 20_000,
        "<!--\n" * 20_000,
        "```\n" * 20_001,
        "![" * 50_000 + "](x)",
        "# " + "`" * 100_000,
        "#" * 200_000,
        "a\n" * 50_000 + "===\n",
    ],
)
def test_hostile_markdown_is_read_quickly(text: str) -> None:
    started = time.process_time()
    chunk_document("a.md", text)
    chunk_document("a.rst", text)

    assert time.process_time() - started < 2

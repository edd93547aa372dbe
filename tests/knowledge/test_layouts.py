"""How files are laid out, and where the links of documents lead."""

import json

import pytest
from django.urls import reverse

from accounts.viewers import Viewer
from knowledge.layouts import can_be_laid_out, facts_of, lay_out, links_from
from knowledge.parsing_markdown import MAX_CHARACTERS
from knowledge.viewing import Version, find_version

COMMIT = "c" * 40


@pytest.fixture
def open_version(viewer: Viewer, source, index):
    def get(path: str, text: str) -> Version:
        index(source, path, text, commit=COMMIT)
        version = find_version(viewer, source.pk, COMMIT, path)
        assert version is not None
        return version

    return get


@pytest.mark.parametrize(
    ("path", "text", "drawn"),
    [
        ("a.md", "# A\n\n## B\n\n#### D\n", {"html", "headings", "facts"}),
        ("a.csv", "a,b\n1,2\n", {"table"}),
        ("a.tsv", "a\tb\n1\t2\n", {"table"}),
        ("a.csv", "one line\n", {"why_lines"}),
        ("a.ipynb", json.dumps({"cells": []}), {"notebook", "cells"}),
        ("a.ipynb", "{}", {"why_lines"}),
        ("a.md", "a" * (MAX_CHARACTERS + 1), {"why_lines"}),
    ],
)
def test_each_kind_is_laid_out_its_own_way(
    viewer: Viewer, open_version, path: str, text: str, drawn: set[str]
) -> None:
    version = open_version(path, text)

    assert can_be_laid_out(version)
    assert set(lay_out(viewer, version)) == drawn


@pytest.mark.parametrize("path", ["a.py", "a.json", "a.yml", "a.toml", "a.xml", "a.txt", "a.rst"])
def test_other_kinds_are_read_by_their_lines(open_version, path: str) -> None:
    assert not can_be_laid_out(open_version(path, "a = 1\n"))


def test_the_contents_stop_at_the_third_level(viewer: Viewer, open_version) -> None:
    text = "---\ntitle: x\n---\n# A\n\n## B\n\n### C\n\n#### D\n\n## B\n"

    layout = lay_out(viewer, open_version("a.md", text))

    assert [h.anchor for h in layout["headings"]] == ["a", "b", "c", "b-1"]


def test_front_matter_is_told_apart_from_the_text(viewer: Viewer, open_version) -> None:
    text = "---\ncategory: style\ntags: [a, b]\n---\n# Naming\n"

    layout = lay_out(viewer, open_version("a.md", text))

    assert layout["facts"] == [("category", ["style"]), ("tags", ["a", "b"])]
    assert "category" not in str(layout["html"])
    assert facts_of("# Naming\n") == []


def test_cells_are_rendered_by_their_kind(viewer: Viewer, open_version) -> None:
    cells = [
        {"cell_type": "markdown", "source": "# T\n\n<script>alert(1)</script>"},
        {
            "cell_type": "code",
            "source": "def f():\n    return '<b>'",
            "outputs": [{"text": "<script>alert(2)</script>"}],
        },
    ]

    layout = lay_out(viewer, open_version("a.ipynb", json.dumps({"cells": cells})))

    markdown, code = layout["cells"]
    assert "<script" not in markdown.html
    assert '<span class="k">def</span>' in code.lines[0]
    assert "<b>" not in "".join(code.lines)
    assert code.output == "<script>alert(2)</script>"  # a text, escaped by the template


@pytest.fixture
def links(viewer: Viewer, source, index, skip_file):
    """Return what the links of `docs/a.md` lead to."""
    for path in ("README.md", "docs/b.md", "docs/ü b.md", "src/app.py", "src/x/y.py"):
        index(source, path, "# T\n", commit=COMMIT)
    skip_file(source, "docs/logo.png", "binary")
    index(source, "docs/a.md", "# A\n", commit=COMMIT)
    version = find_version(viewer, source.pk, COMMIT, "docs/a.md")
    assert version is not None

    def lead(address: str) -> str:
        return links_from(viewer, version, {address})(address)

    return lead


@pytest.mark.parametrize(
    ("address", "path", "end"),
    [
        ("b.md", "docs/b.md", ""),
        ("./b.md", "docs/b.md", ""),
        ("b.md#part", "docs/b.md", "#part"),
        ("b.md?raw=true#part", "docs/b.md", "#part"),
        ("%C3%BC%20b.md", "docs/ü b.md", ""),
        ("../README.md", "README.md", ""),
        ("/README.md", "README.md", ""),
        ("/docs/../src/app.py", "src/app.py", ""),
        ("../src/app.py#L3", "src/app.py", "?lines=3-3#L3"),
        ("../src/app.py#L3-L7", "src/app.py", "?lines=3-7#L3"),
        ("b.md#%C3%BC", "docs/b.md", "#%C3%BC"),
        ("b.md#ü", "docs/b.md", "#%C3%BC"),
        ('b.md#"><x>', "docs/b.md", "#%22%3E%3Cx%3E"),
    ],
)
def test_links_lead_to_files_at_the_same_commit(
    links, source, address: str, path: str, end: str
) -> None:
    assert links(address) == reverse("file", args=[source.pk, COMMIT, path]) + end


@pytest.mark.parametrize("address", ["../src", "../src/", "/src/x", "../src/x/#top"])
def test_links_to_folders_open_the_folder(links, source, address: str) -> None:
    folder = "src/x" if "x" in address.replace("src", "") else "src"

    assert links(address) == f"{reverse('files', args=[source.pk])}?folder={folder}"


@pytest.mark.parametrize(
    "address",
    [
        *("lost.md", "../../README.md", "../../../etc/passwd", "logo.png", "..", "", "/"),
        *("b.md%00", "%00", "b%0A.md", "%ff", "b.md/", "%2e%2e/%2e%2e/x", "?x", "#x"),
    ],
)
def test_links_to_what_is_not_here_lead_nowhere(links, address: str) -> None:
    lead = links(address)

    assert lead == "" or (address == "b.md/" and lead.endswith("/docs/b.md"))


def test_links_of_an_old_version_lead_to_old_versions(viewer: Viewer, source, index) -> None:
    index(source, "a.md", "[b](b.md)\n", commit="1" * 40)
    index(source, "b.md", "old\n", commit="1" * 40)
    index(source, "b.md", "new\n", commit="2" * 40)
    old = find_version(viewer, source.pk, "1" * 40, "a.md")
    assert old is not None

    lead = links_from(viewer, old, {"b.md"})("b.md")

    assert lead == reverse("file", args=[source.pk, "1" * 40, "b.md"])
    then = find_version(viewer, source.pk, "1" * 40, "b.md")
    assert then is not None
    assert then.text == "old\n"


def test_the_links_of_a_document_take_a_few_queries(
    viewer: Viewer, source, index, django_assert_max_num_queries
) -> None:
    for number in range(30):
        index(source, f"n{number}.md", "# N\n", commit=COMMIT)
    text = "".join(f"[{n}](n{n}.md) [{n}](lost{n}.md)\n" for n in range(30))
    index(source, "a.md", text, commit=COMMIT)
    version = find_version(viewer, source.pk, COMMIT, "a.md")
    assert version is not None

    with django_assert_max_num_queries(3):
        layout = lay_out(viewer, version)

    assert str(layout["html"]).count("<a href=") == 30

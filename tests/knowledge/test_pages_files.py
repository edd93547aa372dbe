from urllib.parse import quote

import pytest
from django.urls import reverse

from knowledge.models import Document

COMMIT = "c" * 40
CODE = "".join(f"value_{number} = {number}\n" for number in range(1, 31))


@pytest.fixture
def open_file(client_for, alice, source, index):
    client = client_for(alice)

    def get(path: str, text: str | None = None, query: str = "", commit: str = COMMIT) -> str:
        if text is not None:
            index(source, path, text, commit=commit)
        answer = client.get(reverse("file", args=[source.pk, commit, path]) + query)
        assert answer.status_code == 200
        return answer.content.decode()

    get.client = client
    return get


def test_a_file_is_shown_with_what_is_known_of_it(open_file, source) -> None:
    page = open_file("pkg/a.py", CODE)

    assert f'<code title="{COMMIT}">cccccccc</code>' in page
    assert "30 lines" in page
    assert "<li>python</li>" in page
    assert f'href="{reverse("files", args=[source.pk])}?folder=pkg"' in page


def test_every_line_can_be_linked_to(open_file) -> None:
    page = open_file("a.py", CODE)

    assert page.count('class="line"') == 30
    assert 'id="L10"' in page
    assert 'href="?lines=10#L10"' in page


@pytest.mark.parametrize(
    ("lines", "lit"),
    [
        ("10-12", [10, 11, 12]),
        ("L7", [7]),
        ("12-10", [10, 11, 12]),
        ("99", []),
        ("x", []),
        ("", []),
    ],
)
def test_the_lines_asked_for_are_lit_without_scripts(open_file, lines: str, lit: list[int]) -> None:
    page = open_file("a.py", CODE, f"?lines={lines}")

    shown = [n for n in range(1, 31) if f'class="line line--lit" id="L{n}"' in page]
    assert shown == lit


def test_code_is_coloured_by_classes_and_never_by_styles(open_file) -> None:
    page = open_file("a.py", "def f():\n    return None\n")

    assert '<span class="k">def</span>' in page
    assert "style=" not in page


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "# </code></pre><script>alert(1)</script>\n"),
        ("a.html", "<script>alert(1)</script>\n"),
        ("a.svg", "<svg onload=alert(1)>\n"),
        ("a.md", "<script>alert(1)</script>\n\n[x](javascript:alert(1))\n"),
        ("a.csv", "a,b\n<script>alert(1)</script>,=1+1\n"),
        ("a.json", '{"<script>alert(1)</script>": "</script>"}\n'),
        ("a.ipynb", '{"cells": [], "x": "<script>alert(1)</script>"}\n'),
        ("<script>alert(1)</script>.py", "x = 1\n"),
        ('a"onmouseover="alert(1).py', "x = 1\n"),
    ],
)
@pytest.mark.parametrize("query", ["", "?lines=1", "?view=lines"])
def test_no_file_becomes_more_than_text(open_file, path: str, text: str, query: str) -> None:
    page = open_file(path, text, query)

    assert "<script>alert" not in page
    assert "<svg onload" not in page
    assert 'href="javascript' not in page
    assert '"onmouseover="' not in page


def test_markdown_is_rendered_with_its_contents_beside_it(open_file) -> None:
    page = open_file("docs/a.md", "# Title\n\n## First steps\n\ntext\n")

    assert '<h2 id="first-steps">First steps</h2>' in page
    assert '<a href="#first-steps">First steps</a>' in page
    assert 'href="?view=lines"' in page


def test_markdown_is_shown_by_lines_where_lines_are_asked_for(open_file) -> None:
    page = open_file("docs/a.md", "# Title\n\ntext\n", "?lines=1-2")

    assert 'class="line line--lit" id="L1"' in page
    assert 'id="first-steps"' not in page
    assert "Rendered" in page


def test_documents_lead_to_their_neighbours(open_file, source) -> None:
    page = open_file(
        "docs/a.md", "[b](b.md#part) [up](../README.md) [out](../../etc) [/](/admin/)\n"
    )

    assert f'href="{reverse("file", args=[source.pk, COMMIT, "docs/b.md"])}#part"' in page
    assert f'href="{reverse("file", args=[source.pk, COMMIT, "README.md"])}"' in page
    assert f"{COMMIT}/etc" not in page
    assert "../etc" not in page
    assert '<a rel="noreferrer nofollow">/</a>' in page


def test_tables_are_shown_as_tables(open_file) -> None:
    page = open_file("a.csv", "name,age\nowl,7\n")

    assert '<th scope="col">name</th>' in page
    assert "<td>owl</td>" in page
    assert 'id="L1"' in open_file("a.csv", query="?view=lines")


@pytest.mark.parametrize(
    ("path", "text"),
    [("a.json", '{"a": 1}\n'), ("a.yml", "a: 1\n"), ("a.toml", "a = 1\n"), ("notes.txt", "a\n")],
)
def test_other_texts_are_shown_by_lines(open_file, path: str, text: str) -> None:
    assert 'id="L1"' in open_file(path, text)


def test_a_long_file_opens_at_the_page_of_its_lines(open_file) -> None:
    page = open_file("a.txt", "word\n" * 5_500, "?lines=4100")

    assert 'class="line line--lit" id="L4100"' in page
    assert 'id="L4000"' not in page
    assert "lines 4\u202f001–5\u202f500 of 5\u202f500" in page
    assert 'href="?view=lines&amp;page=2"' in page


def test_an_old_version_says_that_it_is_one(open_file, source, index) -> None:
    open_file("a.py", "old = 1\n", commit="a" * 40)
    index(source, "a.py", "new = 1\n", commit="b" * 40)
    now = reverse("file", args=[source.pk, "b" * 40, "a.py"])

    page = open_file("a.py", commit="a" * 40)
    assert "old" in page
    assert "it has changed since" in page
    assert f'href="{now}"' in page
    assert "changed since" not in open_file("a.py", commit="b" * 40)


def test_a_file_that_is_gone_still_opens_for_citations(open_file) -> None:
    open_file("a.py", "old = 1\n")
    Document.objects.all().delete()

    assert "not indexed any more" in open_file("a.py")


@pytest.mark.parametrize("name", ["file", "file-raw"])
@pytest.mark.parametrize(
    ("commit", "path"),
    [("f" * 40, "a.py"), (COMMIT, "b.py"), (COMMIT, "../../etc/passwd"), ("x", "a.py")],
)
def test_what_is_not_there_is_not_found(
    open_file, source, name: str, commit: str, path: str
) -> None:
    open_file("a.py", "a = 1\n")

    address = reverse(name, args=[source.pk, commit, path])
    assert open_file.client.get(address).status_code == 404


@pytest.mark.parametrize("path", ["a.html", "a b.py", "ünï/cøde.py", 'a"b.py', "a;b.py"])
def test_a_download_is_text_and_nothing_that_runs(open_file, source, path: str) -> None:
    text = "<script>alert(1)</script>\n"
    open_file(path, text)

    answer = open_file.client.get(reverse("file-raw", args=[source.pk, COMMIT, path]))

    assert answer.content.decode() == text
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer["X-Content-Type-Options"] == "nosniff"
    name = quote(path.rpartition("/")[2], safe="")
    assert answer["Content-Disposition"] == f"attachment; filename*=UTF-8''{name}"


def test_folders_are_walked_level_by_level(open_file, source) -> None:
    open_file("pkg/deep/a.py", "a = 1\n")
    address = reverse("files", args=[source.pk])

    top = open_file.client.get(address).content.decode()
    assert 'href="?folder=pkg"' in top
    assert "a.py" not in top
    inside = open_file.client.get(address, {"folder": "pkg/deep"}).content.decode()
    assert reverse("file", args=[source.pk, COMMIT, "pkg/deep/a.py"]) in inside


@pytest.mark.parametrize("folder", ["nowhere", "../..", "%", "pkg/../.."])
def test_a_folder_that_is_not_there_is_not_found(open_file, source, folder: str) -> None:
    open_file("pkg/a.py", "a = 1\n")

    address = reverse("files", args=[source.pk])
    assert open_file.client.get(address, {"folder": folder}).status_code == 404


def test_a_source_without_files_says_so(open_file, source) -> None:
    page = open_file.client.get(reverse("files", args=[source.pk])).content.decode()

    assert "No file of this source is indexed yet." in page


def test_the_viewer_takes_the_same_queries_for_large_folders(
    open_file, source, django_assert_max_num_queries
) -> None:
    open_file("pkg/a.py", CODE)
    Document.objects.bulk_create(
        Document(project=source.project, source=source, path=f"pkg/f{n}", state="skipped")
        for n in range(200)
    )

    with django_assert_max_num_queries(11):
        open_file("pkg/a.py")

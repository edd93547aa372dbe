import json
from urllib.parse import quote

import pytest
from django.urls import reverse

from knowledge.models import Document
from knowledge.writing import create_document

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


@pytest.mark.parametrize(
    "path", ["new\nline.py", "\r\nSet-Cookie: a=b", "a?b#c%25.py", "folder\n/x.py", "\u2028.py"]
)
def test_any_name_that_git_takes_has_pages(open_file, source, path: str) -> None:
    open_file(path, "named = 1\n")

    for address in (
        reverse("files", args=[source.pk]),
        reverse("source", args=[source.pk]) + "?state=indexed",
        reverse("file-raw", args=[source.pk, COMMIT, path]),
    ):
        answer = open_file.client.get(address)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers


def test_characters_that_hide_in_names_are_shown(open_file, source) -> None:
    page = open_file("\u202egpj.py", "def is_ad\u200bmin():\n    pass\n")

    assert '<span class="invisible">U+202E</span>gpj.py' in page
    assert "is_ad\u200bmin" not in page
    listing = open_file.client.get(reverse("files", args=[source.pk])).content.decode()
    assert ">\u202e" not in listing


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


def test_documents_lead_to_their_neighbours(open_file, source, index) -> None:
    for path in ("docs/b.md", "README.md"):
        index(source, path, "# Owls\n")
    page = open_file(
        "docs/a.md",
        "[b](b.md#part) [up](../README.md) [out](../../etc) [/](/admin/) [l](lost.md)\n",
    )

    assert f'href="{reverse("file", args=[source.pk, COMMIT, "docs/b.md"])}#part"' in page
    assert f'href="{reverse("file", args=[source.pk, COMMIT, "README.md"])}"' in page
    assert f"{COMMIT}/etc" not in page
    assert f"{COMMIT}/docs/lost.md" not in page
    assert "../etc" not in page
    assert '<a rel="noreferrer nofollow">/</a>' in page


def test_tables_are_shown_as_tables(open_file) -> None:
    page = open_file("a.csv", "name,age\nowl,7\n")

    assert '<th scope="col">name</th>' in page
    assert "<td>owl</td>" in page
    assert 'id="L1"' in open_file("a.csv", query="?view=lines")


def test_a_long_table_has_pages(open_file) -> None:
    text = "n,m\n" + "".join(f"{n},x\n" for n in range(1, 1_200))
    page = open_file("a.csv", text)

    assert "rows 1–500 of 1\u202f199" in page
    assert 'href="?page=2"' in page
    assert "<td>501</td>" not in page
    assert "<td>501</td>" in open_file("a.csv", query="?page=2")
    assert 'href="?lines=502#L502"' in open_file("a.csv", query="?page=2")


def test_a_wide_table_says_what_it_leaves_out(open_file) -> None:
    page = open_file("a.csv", ",".join("c" * 60) + "\n" + ",".join("1" * 60) + "\n")

    assert "20 more columns in its" in page


def test_a_table_that_is_none_is_shown_by_lines(open_file) -> None:
    page = open_file("a.csv", "no table\n")

    assert 'id="L1"' in page
    assert "This is no table that can be read." in page
    assert "Rendered" not in page


def test_a_notebook_is_shown_as_cells(open_file) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Orders"]},
        {
            "cell_type": "code",
            "execution_count": 3,
            "source": ["print('<b>')"],
            "outputs": [{"text": "<script>alert(1)</script>"}],
        },
    ]
    page = open_file("a.ipynb", json.dumps({"cells": cells}, indent=1))

    assert '<h1 id="orders">Orders</h1>' in page
    assert "[3]" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page
    assert 'href="?view=lines"' in page
    assert 'id="L1"' in open_file("a.ipynb", query="?view=lines")


def test_front_matter_is_shown_as_facts(open_file) -> None:
    page = open_file("a.md", "---\ncategory: <b>style</b>\ntags: [x, y]\n---\n# Naming\n")

    assert "<dt>category</dt><dd><span>&lt;b&gt;style&lt;/b&gt;</span></dd>" in page
    assert "<span>x</span><span>y</span>" in page
    assert "<hr" not in page.partition("<article")[2].partition("</article>")[0]


def test_a_written_document_opens_like_any_file(client_for, alice, bob, project) -> None:
    document = create_document(project, by=alice, title="Owls", content="# Owls\n\n## Hunt\n")
    address = reverse("file", args=[document.source_id, document.commit, document.path])

    page = client_for(bob).get(address).content.decode()

    assert '<h2 id="hunt">Hunt</h2>' in page
    assert f'href="{reverse("document", args=[document.pk])}"' in page


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


def test_the_tree_beside_a_file_is_open_down_to_it(open_file, source, index) -> None:
    for path in ("pkg/b.py", "lib/deep/c.py", "top.py"):
        index(source, path, "b = 1\n")
    page = open_file("pkg/a.py", CODE)
    tree = page.partition('class="tree"')[2].partition("</file-tree>")[0]

    assert '<details data-folder="pkg" open>' in tree
    assert '<details data-folder="lib">' in tree
    assert "c.py" not in tree
    here = reverse("file", args=[source.pk, COMMIT, "pkg/a.py"])
    assert f'href="{here}" title="pkg/a.py" aria-current="page"' in tree
    assert reverse("file", args=[source.pk, COMMIT, "pkg/b.py"]) in tree


def test_a_folder_of_the_tree_is_fetched_alone(open_file, source) -> None:
    open_file("pkg/deep/a.py", CODE)

    answer = open_file.client.get(
        reverse("files", args=[source.pk]), {"folder": "pkg", "part": "tree"}
    )

    part = answer.content.decode()
    assert part.lstrip().startswith("<ul>")
    assert 'data-folder="pkg/deep"' in part
    assert "<html" not in part


@pytest.mark.parametrize("part", ["", "tree"])
def test_files_are_found_by_their_path(open_file, source, index, part: str) -> None:
    for path in ("lib/cache.py", "lib/mail.py", "docs/cache.md"):
        index(source, path, "b = 1\n")
    get = open_file.client.get
    address = reverse("files", args=[source.pk])

    page = get(address, {"filter": " cache  lib ", "part": part}).content.decode()
    assert reverse("file", args=[source.pk, COMMIT, "lib/cache.py"]) in page
    assert "mail.py" not in page
    assert "docs/cache.md" not in page
    nothing = get(address, {"filter": "<script>alert(1)</script>", "part": part})
    assert nothing.status_code == 200
    assert "<script>alert" not in nothing.content.decode()


def test_files_can_be_opened_before_the_first_sync_has_ended(open_file, source, index) -> None:
    open_file("pkg/a.py", CODE)
    type(source).objects.filter(pk=source.pk).update(head="")
    here = reverse("file", args=[source.pk, COMMIT, "pkg/a.py"])

    assert here in open_file("pkg/a.py")
    for query in ({"folder": "pkg"}, {"filter": "a"}, {"folder": "pkg", "part": "tree"}):
        page = open_file.client.get(reverse("files", args=[source.pk]), query)
        assert here in page.content.decode()


def test_the_viewer_takes_the_same_queries_for_large_folders(
    open_file, source, django_assert_max_num_queries
) -> None:
    open_file("pkg/a.py", CODE)
    Document.objects.bulk_create(
        Document(project=source.project, source=source, path=f"pkg/f{n}", state="skipped")
        for n in range(200)
    )

    with django_assert_max_num_queries(12):
        open_file("pkg/a.py")

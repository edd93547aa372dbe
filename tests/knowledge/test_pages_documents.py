"""The pages where people write, read and bring back documents."""

import html

import pytest
from django.urls import reverse

from knowledge.document_views import DELETED
from knowledge.models import Document, DocumentVersion
from knowledge.writing import change_document, create_document, upload_of, version_of
from projects.jobs import run_all
from projects.models import Membership

TEXT = "# Hunting\n\nOwls hunt at **night**.\n\n## By ear\n\nNot by sight.\n"


@pytest.fixture
def client(client_for, alice):
    return client_for(alice)


@pytest.fixture
def document(project, alice) -> Document:
    return create_document(project, by=alice, title="How owls hunt", content=TEXT)


def address(name: str, thing: object) -> str:
    return reverse(name, args=[thing.pk])  # type: ignore[attr-defined]


def said(document: Document, **changes: str) -> dict[str, str]:
    """What the form sends that a person opened and changed."""
    upload = upload_of(document)
    assert upload is not None
    form = {"title": upload.title, "content": bytes(upload.content).decode(), "metadata": ""}
    return {**form, "version": version_of(upload), **changes}


def test_without_documents_the_page_says_what_will_be_here(client_for, alice, bob, project) -> None:
    page = client_for(alice).get(address("documents", project)).content.decode()
    assert "No documents yet" in page
    assert address("document-new", project) in page

    page = client_for(bob).get(address("documents", project)).content.decode()
    assert "An editor of the project can write one." in page
    assert address("document-new", project) not in page


def test_documents_are_listed_the_last_change_first(client, project, alice, document) -> None:
    create_document(project, by=alice, title="Second", content="text")
    change_document(document, by=alice, content="changed")

    page = client.get(address("documents", project)).content.decode()

    assert page.index("How owls hunt") < page.index("Second")
    assert "Alice" in page


def test_files_of_sources_are_not_listed(client, project, document, source, index) -> None:
    index(source, "readme.md", "# Readme\n")

    assert "readme" not in client.get(address("documents", project)).content.decode().lower()


@pytest.mark.parametrize(
    ("words", "finds"),
    [("hunt", True), ("OWLS sight", True), ("owls zebra", False), ("%", False), ("_", False)],
)
def test_documents_are_searched_by_title_and_text(
    client, project, document, words: str, finds: bool
) -> None:
    page = client.get(address("documents", project), {"q": words}).content.decode()

    assert (address("document", document) in page) == finds
    assert ("No document says this." in page) != finds


def test_a_long_list_has_pages_and_few_queries(
    client, project, alice, django_assert_max_num_queries
) -> None:
    for number in range(51):
        create_document(project, by=alice, title=f"Owl {number:02}", content="text")

    with django_assert_max_num_queries(10):
        page = client.get(address("documents", project)).content.decode()

    assert "1 of 2" in page
    assert "Owl 50" in page
    assert "Owl 00" not in page
    assert "Owl 00" in client.get(address("documents", project), {"page": "2"}).content.decode()


def test_writing_a_document_leads_to_it(client, project, alice) -> None:
    form = {"title": "Owls", "content": TEXT, "metadata": '{"audience": "keepers"}'}

    answer = client.post(address("document-new", project), form, follow=True)

    document = Document.objects.get()
    assert answer.redirect_chain == [(address("document", document), 302)]
    assert (document.user, document.metadata) == (alice, {"audience": "keepers"})
    assert '<h2 id="by-ear">By ear</h2>' in answer.content.decode()


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        ({"title": "", "content": "x"}, "This field is required."),
        ({"title": "x", "content": ""}, "This field is required."),
        ({"title": "x", "content": " \n "}, "Write something first."),
        ({"title": "x" * 513, "content": "x"}, "at most 512 characters"),
        ({"title": "x", "content": "a\x07b"}, "control characters"),
        ({"title": "x", "content": "y" * 500_001}, "at most 500000 characters"),
        ({"title": "x", "content": "ü" * 300_000}, "500 kB at most"),
        ({"title": "x", "content": "x", "metadata": "{"}, "This is not JSON."),
        ({"title": "x", "content": "x", "metadata": "[1]"}, "Write an object"),
        ({"title": "x", "content": "x", "metadata": "[" * 5_000}, "This is not JSON."),
        ({"title": "x", "content": "x", "metadata": '{"a": NaN}'}, "nothing that JSON can hold"),
        ({"title": "x", "content": "x", "metadata": '{"a": "%s"}' % ("x" * 17_000)}, "16 KB"),
    ],
)
@pytest.mark.parametrize("button", [{}, {"preview": "1"}])
def test_what_can_not_be_kept_is_said_beside_its_field(
    client, project, form: dict[str, str], sentence: str, button: dict[str, str]
) -> None:
    answer = client.post(address("document-new", project), {**form, **button})

    assert answer.status_code == 400
    assert sentence in html.unescape(answer.content.decode())
    assert not Document.objects.exists()


def test_a_preview_saves_nothing_and_runs_nothing(client, project) -> None:
    text = "# Draft\r\n\r\n<script>alert(1)</script>\r\n[x](javascript:alert(1))\r\n"

    answer = client.post(
        address("document-new", project), {"title": "x", "content": text, "preview": "1"}
    )

    page = answer.content.decode()
    assert answer.status_code == 200
    assert '<h1 id="draft">Draft</h1>' in page
    assert "<script>alert" not in page
    assert 'href="javascript' not in page
    assert not Document.objects.exists()


def test_a_document_is_shown_to_be_read(client_for, bob, document) -> None:
    page = client_for(bob).get(address("document", document)).content.decode()

    assert "<strong>night</strong>" in page
    assert '<a href="#by-ear">By ear</a>' in page
    assert "Written by Alice" in page
    assert address("document-edit", document) not in page
    assert address("document-history", document) in page


def test_similar_documents_stand_beside(client, project, alice, document, index, source) -> None:
    twin = create_document(project, by=alice, title="Hunting owls", content=TEXT)
    file = index(source, "docs/hunting.md", TEXT)
    run_all()

    page = client.get(address("document", document)).content.decode()
    beside = page.partition("Similar documents")[2]

    assert f'<a href="{address("document", twin)}">Hunting owls</a>' in beside
    assert address("document", file) in beside
    assert client.get(address("document", file)).url == reverse(
        "file", args=[source.pk, file.commit, file.path]
    )


def test_before_it_is_embedded_the_page_says_so(client, document) -> None:
    page = client.get(address("document", document)).content.decode()

    assert "embedded yet" in page


def test_editing_begins_with_what_stands(client, document) -> None:
    page = client.get(address("document-edit", document)).content.decode()

    assert html.escape(TEXT) in page
    assert f'value="{said(document)["version"]}"' in page


def test_a_change_is_saved(client, document) -> None:
    form = said(document, content="New text.\r\n", title="New title")

    assert client.post(address("document-edit", document), form).status_code == 302

    document.refresh_from_db()
    assert (document.title, document.content) == ("New title", "New text.\n")


def test_who_comes_second_is_told_and_keeps_their_text(client, alice, document) -> None:
    form = said(document, content="Mine.\n")
    change_document(document, by=alice, content="Theirs.\n")

    late = client.post(address("document-edit", document), form)

    page = late.content.decode()
    assert late.status_code == 409
    assert "Somebody changed this document meanwhile." in page
    assert "-Theirs." in html.unescape(page)
    assert "Mine.\n</textarea>" in page
    document.refresh_from_db()
    assert document.content == "Theirs.\n"
    again = {**form, "version": said(document)["version"]}
    assert again["version"] in page
    assert client.post(address("document-edit", document), again).status_code == 302
    document.refresh_from_db()
    assert document.content == "Mine.\n"


def test_a_form_that_does_not_say_where_it_began_saves_nothing(client, document) -> None:
    form = {**said(document, content="x"), "version": ""}

    assert client.post(address("document-edit", document), form).status_code == 409
    document.refresh_from_db()
    assert document.content == TEXT


def test_the_history_opens_each_version(client, alice, document) -> None:
    change_document(document, by=alice, content="New.\n")

    page = client.get(address("document-history", document)).content.decode()

    assert page.count("Let it stand again") == 1
    for version in DocumentVersion.objects.all():
        link = reverse("file", args=[document.source_id, version.commit, document.path])
        assert f'href="{link}"' in page
        assert client.get(link).status_code == 200


def test_an_earlier_text_can_stand_again(client, alice, document) -> None:
    first = document.commit
    change_document(document, by=alice, content="New.\n")

    answer = client.post(address("document-restore", document), {"commit": first})

    assert answer.status_code == 302
    document.refresh_from_db()
    assert (document.content, document.commit) == (TEXT, first)


@pytest.mark.parametrize("commit", ["", "x", "f" * 40, "f" * 99])
def test_a_version_that_was_never_there_can_not(client, document, commit: str) -> None:
    answer = client.post(address("document-restore", document), {"commit": commit})

    assert answer.status_code == 404


def test_a_deletion_is_asked_about_and_can_be_undone(client, project, document) -> None:
    page = client.get(address("document-delete", document)).content.decode()
    assert "Its 1 passage will no longer be found." in page

    gone = client.post(
        address("document-delete", document), {"version": said(document)["version"]}, follow=True
    )
    assert not Document.objects.exists()
    assert "How owls hunt was deleted." in gone.content.decode()

    back = client.post(address("document-undo", project), follow=True)
    assert back.redirect_chain == [(address("document", document), 302)]
    assert "How owls hunt is back." in back.content.decode()
    assert Document.objects.get().content == TEXT
    assert DELETED not in client.session
    assert client.post(address("document-undo", project)).status_code == 404


def test_a_document_that_was_changed_meanwhile_is_not_deleted(client, alice, document) -> None:
    began = said(document)["version"]
    change_document(document, by=alice, content="New.\n")

    for version in (began, ""):
        answer = client.post(
            address("document-delete", document), {"version": version}, follow=True
        )
        assert "Somebody changed this document meanwhile." in answer.content.decode()
    assert Document.objects.exists()


def test_who_may_not_write_any_more_can_not_undo(client, alice, project, document) -> None:
    client.post(address("document-delete", document), {"version": said(document)["version"]})
    Membership.objects.filter(user=alice).update(role=Membership.Role.VIEWER)

    assert client.post(address("document-undo", project)).status_code == 404
    assert not Document.objects.exists()


def test_an_editor_may_change_what_another_wrote(client_for, bob, document) -> None:
    Membership.objects.filter(user=bob).update(role=Membership.Role.EDITOR)

    form = said(document, content="By bob.\n")
    assert client_for(bob).post(address("document-edit", document), form).status_code == 302
    document.refresh_from_db()
    assert (document.content, document.user.username) == ("By bob.\n", "alice")


@pytest.mark.parametrize(
    "hostile", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7|add:7 }}"]
)
def test_titles_are_shown_and_not_run(client, project, alice, hostile: str) -> None:
    document = create_document(
        project, by=alice, title=hostile, content=hostile, metadata={hostile: hostile}
    )
    pages = [address("documents", project)]
    pages += [
        address(name, document)
        for name in ("document", "document-edit", "document-history", "document-delete")
    ]

    for page in pages:
        text = client.get(page).content.decode()
        assert "<script>alert" not in text
        assert "<img" not in text
        assert html.escape(hostile) in text

"""Documents that people write: indexed as they are saved, kept through every sync."""

import threading
from uuid import uuid4

import pytest
from django.db import connection

from accounts.viewers import Viewer
from knowledge.models import Chunk, Document, DocumentVersion, TermCount, Upload
from knowledge.origins import UploadedFiles
from knowledge.retrieval import search
from knowledge.viewing import find_version
from knowledge.writing import (
    LARGEST_METADATA,
    LARGEST_TEXT,
    LONGEST_TITLE,
    ChangedMeanwhile,
    NotWrittenHere,
    WritingRefused,
    change_document,
    create_document,
    delete_document,
    history_of,
    restore_document,
    upload_of,
    version_of,
)
from projects.jobs import claim, run_next
from projects.leases import Lease, LeaseLost
from projects.models import Job, Source

TEXT = "# Hunting\n\nOwls hunt at night, by ear alone.\n"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4"

PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{'x' * 64}\n-----END RSA PRIVATE KEY-----"


@pytest.fixture
def write(project, alice):
    def create(title: str = "How owls hunt", content: str = TEXT, **more: object) -> Document:
        return create_document(project, by=alice, title=title, content=content, **more)

    return create


def version(document: Document) -> str:
    upload = upload_of(document)
    assert upload is not None
    return version_of(upload)


def stored(document: Document) -> dict[str, object]:
    """Everything of a document that a sync must leave as it is."""
    row = Document.objects.filter(pk=document.pk).values().get()
    chunks = Chunk.objects.filter(document=document).order_by("chunk_index")
    return {**row, "updated_at": None, "chunks": [bytes(c.body_hash) for c in chunks]}


def test_a_document_is_there_at_once(write, project, alice) -> None:
    document = write(metadata={"audience": "keepers"})

    assert (document.title, document.path) == ("How owls hunt", "how-owls-hunt.md")
    assert (document.user, document.content) == (alice, TEXT)
    assert (document.state, document.language) == ("indexed", "markdown")
    assert document.metadata == {"audience": "keepers"}
    assert document.source is not None
    assert (document.source.kind, document.source.name) == ("written", "Written documents")
    found = search(Viewer(alice), "owls hunt by ear", project_ids=[project.pk])
    assert [hit.chunk.document_id for hit in found.hits] == [document.pk]


def test_its_meaning_is_embedded_behind_it(write) -> None:
    document = write()

    job = Job.objects.get()
    assert (job.kind, job.source) == ("embed", document.source)
    assert run_next()
    assert Chunk.objects.filter(document=document, vectors=None).count() == 0


def test_a_project_has_one_source_for_them(write, project) -> None:
    assert write().source == write("Another").source
    assert project.sources.filter(kind="written").count() == 1


def test_its_name_makes_way_for_one_that_is_taken(write, project) -> None:
    for name in ("Written documents", "Written documents 2"):
        Source.objects.create(project=project, name=name, kind="upload")

    assert write().source.name == "Written documents 3"


@pytest.mark.parametrize(
    ("title", "path"),
    [
        ("How owls hunt", "how-owls-hunt.md"),
        ("  Größe & Maß ", "größe-maß.md"),
        ("猫頭鷹", "猫頭鷹.md"),
        ("../../etc/passwd", "etcpasswd.md"),
        ("unit_test", "unit-test.md"),
        ("???", "document.md"),
        ("x" * 300, "x" * 80 + ".md"),
        ("Dockerfile", "dockerfile.md"),
        ("requirements", "requirements.md"),
    ],
)
def test_the_path_is_made_of_the_title(write, title: str, path: str) -> None:
    document = write(title)

    assert (document.path, document.language, document.layer) == (path, "markdown", "documentation")


def test_paths_are_never_used_twice(write, alice) -> None:
    first, second = write("Owls"), write("Owls")
    delete_document(first, by=alice)

    assert [second.path, write("Owls!").path] == ["owls-2.md", "owls-3.md"]


def test_the_path_stays_when_the_title_changes(write, alice) -> None:
    document = change_document(write(), by=alice, title="How they hunt")

    assert (document.title, document.path) == ("How they hunt", "how-owls-hunt.md")
    assert document.content == TEXT


def test_a_change_keeps_what_was_cited(write, alice) -> None:
    first = write()
    second = change_document(first, by=alice, content="# Hunting\n\nBy sight.\n")

    assert second.pk == first.pk
    assert second.content == "# Hunting\n\nBy sight.\n"
    assert second.source.head == second.commit != first.commit
    then = find_version(Viewer(alice), first.source_id, first.commit, first.path)
    assert then is not None
    assert (then.text, then.has_changed) == (TEXT, True)


def test_a_text_that_stands_again_is_the_newest_version(write, alice) -> None:
    first = write()
    second = change_document(first, by=alice, content="Other.")
    third = change_document(second, by=alice, content=TEXT)

    assert third.commit == first.commit
    assert [past.commit for past in history_of(third)] == [first.commit, second.commit]
    assert DocumentVersion.objects.count() == 2


def test_the_history_says_who_wrote_what(write, alice, bob) -> None:
    document = change_document(write(), by=bob, content="By bob.")
    document = change_document(document, by=alice, title="New title")

    assert [past.by for past in history_of(document)] == ["Alice", "Alice"]
    document = change_document(document, by=bob, content="By bob again.")
    assert [past.by for past in history_of(document)] == ["bob", "Alice", "Alice"]


def test_saving_the_same_again_changes_nothing(write, alice) -> None:
    document = write(metadata={"tags": ["a"]})
    before = stored(document)

    again = change_document(
        document, by=alice, title=" How  owls hunt", content=TEXT, metadata={"tags": "a"}
    )

    assert stored(again) == before
    assert DocumentVersion.objects.count() == 1


@pytest.mark.parametrize(
    "change", [{"title": "New"}, {"content": "new"}, {"metadata": {"a": 1}}], ids=str
)
def test_a_change_that_began_from_another_version_is_refused(write, alice, change) -> None:
    document = write()
    began = version(document)
    change_document(document, by=alice, version=began, **change)

    with pytest.raises(ChangedMeanwhile):
        change_document(document, by=alice, content="mine", version=began)
    with pytest.raises(ChangedMeanwhile):
        delete_document(document, by=alice, version=began)


def test_a_document_that_is_gone_can_not_be_changed(write, alice) -> None:
    document = write()
    delete_document(document, by=alice)

    with pytest.raises(NotWrittenHere):
        change_document(document, by=alice, title="New")


def test_a_file_of_a_source_is_not_written_here(source, index, alice) -> None:
    document = index(source, "a.md", "# A\n")

    for act in (change_document, delete_document):
        with pytest.raises(NotWrittenHere, match="where it is from"):
            act(document, by=alice)
    assert upload_of(document) is None


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("title", {"title": ""}),
        ("title", {"title": " \n "}),
        ("title", {"title": "x" * (LONGEST_TITLE + 1)}),
        ("title", {"title": "a\0b"}),
        ("content", {"content": ""}),
        ("content", {"content": " \r\n\t"}),
        ("content", {"content": "a\0b"}),
        ("content", {"content": "a\x1bb"}),
        ("content", {"content": "a\ud800b"}),
        ("content", {"content": "ü" * (LARGEST_TEXT // 2 + 1)}),
        ("content", {"content": "<!-- @generated -->\n\ntext"}),
        ("content", {"content": "%PDF-1.7 and so on"}),
        ("metadata", {"metadata": {"a": "x" * LARGEST_METADATA}}),
        ("metadata", {"metadata": {"a": float("nan")}}),
        ("metadata", {"metadata": {"a": object()}}),
        ("metadata", {"metadata": {"a": "\0"}}),
        ("metadata", {"metadata": {"a": "\ud800"}}),
        ("metadata", {"metadata": {"a": PRIVATE_KEY}}),
    ],
)
def test_what_can_not_be_kept_is_refused(write, field: str, given: dict[str, object]) -> None:
    with pytest.raises(WritingRefused) as refusal:
        write(**given)

    assert refusal.value.field == field
    assert not Document.objects.exists()
    assert not Upload.objects.exists()


def test_the_longest_of_everything_is_taken(write) -> None:
    document = write("x" * LONGEST_TITLE, "ü" * (LARGEST_TEXT // 2), metadata={"a": "x" * 16_000})

    assert document.file_size == LARGEST_TEXT


def test_secrets_are_never_kept(write, alice) -> None:
    document = write(
        f"Key {TOKEN}", f"The token is {TOKEN}.\n", metadata={"note": TOKEN, "n": {"x": [TOKEN]}}
    )

    assert "secrets masked" in document.notes
    kept = [document.title, document.content, str(document.metadata), str(upload_of(document))]
    kept += [bytes(Upload.objects.get().content).decode(), str(Upload.objects.values().get())]
    assert not any(TOKEN in text for text in kept)
    before = stored(document)
    assert stored(change_document(document, by=alice, content=document.content)) == before


def test_line_ends_of_browsers_are_line_feeds(write) -> None:
    assert write(content="\ufeffone\r\ntwo\rthree").content == "one\ntwo\nthree"


@pytest.mark.parametrize(
    ("front", "given", "metadata", "collection"),
    [
        ("", {}, {}, "documents"),
        ("", {"category": "style", "tags": "a, b"}, None, "standards"),
        ("", {"area": "core", "key-files": ["a.py"]}, None, "architecture"),
        ("table: users\ncolumns: id, name", {}, None, "schemas"),
        ("category: x\ntags: [a]", {"category": "y"}, {"category": "y", "tags": ["a"]}, None),
        ("title: Front", {}, {"title": "Front"}, None),
        ("", {"deep": {"er": [1, {"x": None}]}}, {"deep": {"er": [1, {"x": None}]}}, None),
    ],
)
def test_metadata_is_what_was_given_over_what_the_text_says(
    write, front: str, given: dict[str, object], metadata: object, collection: str | None
) -> None:
    text = f"---\n{front}\n---\n{TEXT}" if front else TEXT

    document = write(content=text, metadata=given)

    assert document.title == "How owls hunt"
    assert metadata is None or document.metadata == metadata
    assert collection is None or document.collection == collection
    assert {chunk.collection for chunk in document.chunks.all()} == {document.collection}


def test_a_source_may_choose_the_collection(write, alice) -> None:
    document = write()
    Source.objects.update(collection="standards")

    assert change_document(document, by=alice, content="new").collection == "standards"


def test_a_deleted_document_is_forgotten_and_still_cited(write, alice, project) -> None:
    document = write()
    delete_document(document, by=alice)

    assert search(Viewer(alice), "owls hunt", project_ids=[project.pk]).hits == []
    assert not Upload.objects.exists()
    assert sum(TermCount.objects.values_list("chunks", flat=True)) == 0
    source = Source.objects.get()
    assert (source.state, source.head) == ("empty", "")
    then = find_version(Viewer(alice), source.pk, document.commit, document.path)
    assert then is not None
    assert then.text == TEXT


def test_a_deletion_can_be_undone(write, alice, bob) -> None:
    document = write(metadata={"a": 1})
    before = stored(document)
    gone = delete_document(document, by=bob)

    back = restore_document(
        gone.source,
        by=bob,
        path=gone.path,
        title=gone.title,
        content=bytes(gone.content).decode(),
        metadata=gone.metadata,
        user=alice,
        pk=document.pk,
    )

    now = stored(back)
    anew = dict.fromkeys(("created_at", "changed_at"))
    assert now | anew == before | anew
    with pytest.raises(ChangedMeanwhile):
        restore_document(
            gone.source, by=bob, path=gone.path, title="x", content="y", metadata={}, user=bob,
            pk=uuid4(),
        )  # fmt: skip


def test_the_words_of_a_project_are_counted_right(write, alice) -> None:
    document = write()
    counts = dict(TermCount.objects.values_list("term", "chunks"))
    change_document(document, by=alice, content="# Other\n\nNothing of it.\n")
    change_document(document, by=alice, content=TEXT)

    now = dict(TermCount.objects.exclude(chunks=0).values_list("term", "chunks"))
    assert now == counts


# --- Beside syncs ----------------------------------------------------------------------------


def sync(source: Source) -> Job:
    job = Job.objects.create(project=source.project, source=source, kind="sync")
    assert run_next(job.pk)
    job.refresh_from_db()
    return job


def test_a_sync_finds_nothing_to_do(write, alice) -> None:
    documents = [
        write("One", metadata={"category": "c", "tags": ["t"]}),
        write("Two", f"---\ntitle: Front\n---\n{TOKEN}\n"),
    ]
    before = [stored(document) for document in documents]
    head = Source.objects.get().head

    assert sync(documents[0].source).state == "done"

    assert [stored(document) for document in documents] == before
    assert Source.objects.get().head == head == UploadedFiles(Source.objects.get()).commit


def test_reading_everything_anew_keeps_what_people_said(write) -> None:
    document = write(
        metadata={"area": "core", "key_files": "a.py"}, content=f"---\ntitle: Front\n---\n{TEXT}"
    )
    before = stored(document)
    Document.objects.update(chunker_version=0)

    assert sync(document.source).state == "done"

    now = stored(document)
    assert now == before
    assert now["title"] == "How owls hunt"
    assert now["collection"] == "architecture"


def test_a_document_whose_row_was_lost_comes_back_with_its_author(write, alice) -> None:
    document = write(metadata={"a": 1})
    Chunk.objects.all().delete()
    Document.objects.all().delete()

    sync(Source.objects.get())

    back = Document.objects.get()
    assert (back.title, back.user, back.metadata) == (document.title, alice, {"a": 1})


def test_a_sync_that_runs_meanwhile_begins_anew(write, alice) -> None:
    document = write()
    job = Job.objects.create(
        project=document.project, source=document.source, kind="sync", state="running",
        attempts=1, fence=7,
    )  # fmt: skip

    change_document(document, by=alice, content="new")

    job.refresh_from_db()
    assert (job.state, job.fence, job.attempts) == ("queued", 8, 0)


def test_what_such_a_sync_has_listed_is_never_written(write, alice) -> None:
    document = write()
    sync_of = Job.objects.create(project=document.project, source=document.source, kind="sync")
    job = claim(sync_of.pk)
    assert job is not None
    with Lease(job) as lease:
        lease.hold()

        change_document(document, by=alice, content="new")

        with pytest.raises(LeaseLost):
            lease.hold()
    assert run_next(job.pk)
    assert Document.objects.get().content == "new"


@pytest.mark.django_db(transaction=True)
def test_of_two_changes_at_once_one_is_told(write, alice) -> None:
    document = write()
    began = version(document)
    ends: list[str] = []
    gate = threading.Barrier(2)

    def change(content: str) -> None:
        gate.wait()
        try:
            change_document(document, by=alice, content=content, version=began)
            ends.append("saved")
        except ChangedMeanwhile:
            ends.append("told")
        finally:
            connection.close()

    threads = [threading.Thread(target=change, args=[text]) for text in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ends) == ["saved", "told"]
    assert Document.objects.get().content in {"one", "two"}


@pytest.mark.django_db(transaction=True)
def test_first_documents_that_are_written_at_once_share_a_source(write, project) -> None:
    gate = threading.Barrier(3)

    def begin() -> None:
        gate.wait()
        write("Owls")
        connection.close()

    threads = [threading.Thread(target=begin) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    paths = Document.objects.order_by("path").values_list("path", flat=True)
    assert list(paths) == ["owls-2.md", "owls-3.md", "owls.md"]
    assert Source.objects.get().documents.count() == 3

"""Sources of every kind, from a real repository to what search finds."""

from pathlib import Path

import pytest

from knowledge.models import Chunk, Document, DocumentVersion, EmbeddedText, Upload, Vector
from projects import jobs
from projects.models import Job, Source
from tests.projects.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(
        {
            "src/app.py": "def handle(request):\n    return 'hello'\n",
            "README.md": "# Hello\n\nA small application.\n",
            "logo.png": b"\x89PNG\r\n\x1a\n" + bytes(100),
        }
    )
    return made


@pytest.fixture
def source(project, repository: Repository) -> Source:
    return Source.objects.create(project=project, name="code", path=str(repository.path))


def sync(source: Source) -> Source:
    jobs.enqueue(source)
    while jobs.run_next():
        pass
    source.refresh_from_db()
    return source


def contents(source: Source) -> dict[str, str]:
    found = Document.objects.filter(source=source, state=Document.State.INDEXED)
    return {document.path: document.content for document in found.select_related("blob")}


def stored(source: Source) -> set[tuple[str, bytes]]:
    rows = Chunk.objects.filter(document__source=source)
    return {(path, bytes(h)) for path, h in rows.values_list("document__path", "body_hash")}


def test_a_repository_is_indexed_at_its_head(source, repository):
    sync(source)
    assert source.state == Source.State.READY
    assert source.head == repository.head()
    assert source.last_synced_at
    assert set(contents(source)) == {"src/app.py", "README.md"}
    assert Document.objects.get(path="logo.png").error == "binary"
    assert Job.objects.filter(state=Job.State.DONE).count() == 2  # the sync and the embedding


def test_a_secret_in_a_commit_message_is_masked(source, repository):
    secret = "ghp_" + "a1B2c3D4e5" * 4
    repository.commit({"a.py": "a = 1\n"}, message=f"Remove {secret}")
    sync(source)
    assert source.head_subject.startswith("Remove ghp_*")
    assert secret not in source.head_subject


def test_every_chunk_gets_its_vector(source):
    sync(source)
    assert Vector.objects.count() == Chunk.objects.count() > 0


def test_nothing_is_read_again_when_nothing_changed(source):
    sync(source)
    before = set(Chunk.objects.values_list("pk", flat=True))
    sync(source)
    assert set(Chunk.objects.values_list("pk", flat=True)) == before


def test_a_commit_changes_what_it_changed_and_nothing_else(source, repository):
    sync(source)
    kept = Chunk.objects.get(document__path="README.md").pk
    repository.commit(
        {
            "src/app.py": "def handle(request):\n    return 'goodbye'\n",
            "src/new.py": "def added():\n    return 1\n",
            "README.md": "# Hello\n\nA small application.\n",
        },
        parents=[repository.head()],
    )
    sync(source)
    assert set(contents(source)) == {"src/app.py", "src/new.py", "README.md"}
    assert "goodbye" in contents(source)["src/app.py"]
    assert Chunk.objects.get(document__path="README.md").pk == kept
    assert not Document.objects.filter(path="logo.png").exists()


def test_a_rename_embeds_no_body_again(source, repository):
    sync(source)
    before = EmbeddedText.objects.count()
    repository.commit({"lib/app.py": "def handle(request):\n    return 'hello'\n"})
    sync(source)
    assert set(contents(source)) == {"lib/app.py"}
    assert EmbeddedText.objects.count() == before + 1  # the header, which holds the path


def test_a_rewritten_history_comes_out_as_a_fresh_index(source, repository, project):
    sync(source)
    repository.commit({"other.py": "def other():\n    return 2\n"}, parents=())
    Source.objects.filter(pk=source.pk).update(may_shrink=True)
    sync(source)
    fresh = Source.objects.create(project=project, name="fresh", path=source.path)
    sync(fresh)
    assert stored(source) == stored(fresh) != set()


def test_a_citation_survives_what_happens_to_the_file(source, repository):
    sync(source)
    first = source.head
    repository.commit({"other.py": "x = 1\n"}, parents=())
    sync(source)
    version = DocumentVersion.objects.get(source=source, path="src/app.py", commit=first)
    assert version.blob.text.startswith("def handle")


def test_a_folder_and_a_branch_narrow_what_is_indexed(source, repository):
    repository.commit({"docs/a.md": "# A\n", "src/b.py": "b = 1\n"}, parents=(), branch="feature")
    source.folder_path, source.branch = "docs", "feature"
    source.save()
    sync(source)
    assert set(contents(source)) == {"docs/a.md"}


def test_an_empty_repository_is_done_with_nothing_to_index(project, tmp_path):
    empty = Repository(tmp_path / "empty")
    source = Source.objects.create(project=project, name="empty", path=str(empty.path))
    sync(source)
    assert (source.state, source.error, source.head) == (Source.State.EMPTY, "", "")


def test_a_plain_folder_is_indexed_too(project, tmp_path):
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "notes.txt").write_text("The meeting is on Monday.\n")
    source = Source.objects.create(project=project, name="plain", path=str(folder))
    sync(source)
    assert contents(source) == {"notes.txt": "The meeting is on Monday.\n"}


def test_a_repository_that_vanished_fails_and_what_was_indexed_stays(source, repository):
    sync(source)
    before = contents(source)
    repository.path.rename(repository.path.with_name("elsewhere"))
    sync(source)
    assert source.state == Source.State.FAILED
    assert source.error
    assert str(repository.path.parent) not in source.error
    assert contents(source) == before
    assert source.head


def test_a_branch_that_is_not_there_fails_with_a_sentence(source):
    source.branch = "no-such-branch"
    source.save()
    sync(source)
    assert source.state == Source.State.FAILED
    assert "no branch" in source.error


def test_a_path_outside_the_roots_is_not_read(source, settings, tmp_path):
    settings.SOURCE_ROOTS = [tmp_path / "somewhere-else"]
    sync(source)
    assert source.state == Source.State.FAILED
    assert contents(source) == {}


def test_links_and_submodules_are_noted_not_followed(source, repository):
    tree = repository.tree(
        [
            ("120000", b"passwd", repository.blob("/etc/passwd")),
            ("160000", b"module", "1" * 40),
            ("100644", b"fine.py", repository.blob("fine = 1\n")),
        ]
    )
    repository.commit(tree)
    sync(source)
    reasons = dict(Document.objects.exclude(error="").values_list("path", "error"))
    assert reasons == {"passwd": "not a file: symbolic link", "module": "not a file: submodule"}
    assert contents(source) == {"fine.py": "fine = 1\n"}


def test_files_that_are_too_large_are_skipped_unread(source, repository, settings):
    settings.MAX_FILE_BYTES = 1000
    repository.commit({"big.txt": "x" * 5000, "long-line.js": "y" * 1001, "small.txt": "ok\n"})
    sync(source)
    reasons = dict(Document.objects.exclude(error="").values_list("path", "error"))
    assert reasons == {"big.txt": "too large", "long-line.js": "too large"}
    assert contents(source) == {"small.txt": "ok\n"}


def test_odd_names_are_indexed_once_each(source, repository):
    names = {"-rf", "a\nb.txt", 'quo"te.txt', "$(id).txt", "<img onerror=x>.txt", "ünï.txt"}
    repository.commit({name: f"text of {name}\n" for name in names})
    sync(source)
    assert set(contents(source)) == names


def test_a_file_that_failed_is_tried_again(source):
    sync(source)
    Document.objects.filter(path="src/app.py").update(state=Document.State.FAILED, error="broken")
    sync(source)
    assert Document.objects.get(path="src/app.py").state == Document.State.INDEXED


def test_a_newer_chunker_reads_everything_again(source):
    sync(source)
    Document.objects.update(chunker_version=0)
    before = set(Chunk.objects.values_list("pk", flat=True))
    sync(source)
    assert not before & set(Chunk.objects.values_list("pk", flat=True))


def test_uploaded_files_are_indexed_like_a_repository(project):
    source = Source.objects.create(project=project, name="up", kind=Source.Kind.UPLOAD)
    Upload.objects.create(
        source=source, path="a.md", content=b"# Alpha\n\nText.\n", git_sha="1" * 40, size=15
    )
    sync(source)
    assert source.state == Source.State.READY
    assert contents(source) == {"a.md": "# Alpha\n\nText.\n"}
    first = source.head
    Upload.objects.create(source=source, path="b.md", content=b"# Beta\n", git_sha="2" * 40, size=7)
    sync(source)
    assert set(contents(source)) == {"a.md", "b.md"}
    assert source.head != first


def test_cancelling_keeps_what_was_there(source, repository):
    sync(source)
    before, head = contents(source), source.head
    repository.commit({"new.py": "x = 1\n"})
    job = jobs.enqueue(source)
    Job.objects.filter(pk=job.pk).update(cancel_requested=True)
    jobs.run_next()
    source.refresh_from_db()
    job.refresh_from_db()
    assert job.state == Job.State.CANCELLED
    assert (source.head, source.state) == (head, Source.State.READY)
    assert contents(source) == before


def test_an_embedder_that_fails_leaves_words_searchable(source, settings):
    settings.EMBEDDING_ADAPTER = "compatible"
    settings.EMBEDDING_BASE_URL = "http://127.0.0.1:1/v1"
    settings.EMBEDDING_MODEL = "m"
    sync(source)
    assert source.state == Source.State.READY
    assert Chunk.objects.exists()
    job = Job.objects.get(kind=Job.Kind.EMBED)
    assert (job.state, job.error) == (
        Job.State.QUEUED,
        "The server of m can't be reached.",
    )

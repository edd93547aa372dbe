"""Who last changed a document, and when: told by its history or by who gave it."""

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from knowledge.authorship import attribute_documents
from knowledge.models import Document
from knowledge.query_syntax import read_query
from knowledge.retrieval import search
from knowledge.scopes import Filters
from knowledge.uploads import store_uploads
from knowledge.writing import change_document, create_document
from projects import jobs
from projects.jobs import claim, enqueue
from projects.leases import Lease
from projects.models import Job, Source
from projects.trees import Reach
from tests.projects.repositories import ENVIRONMENT, Repository, plain_folder

APP = "def handle(request):\n    return 'hello'\n"
GUIDE = "# Guide\n\nHow to handle a request.\n"


def month(number: int) -> datetime:
    return datetime(2026, number, 1, tzinfo=UTC)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    first = made.commit(
        {"app.py": APP, "docs/guide.md": GUIDE}, when=month(1).isoformat(), author="Ada Lovelace"
    )
    made.commit(
        {"app.py": APP + "\n# more\n", "docs/guide.md": GUIDE},
        parents=[first],
        when=month(3).isoformat(),
        author="Grace Hopper",
    )
    return made


@pytest.fixture
def source(project, repository: Repository) -> Source:
    return Source.objects.create(project=project, name="code", path=str(repository.path))


def push(
    repository: Repository, files: Mapping[str, bytes | str], author: str, number: int
) -> None:
    parents = [repository.head()]
    repository.commit(files, parents=parents, when=month(number).isoformat(), author=author)


def sync(source: Source) -> Job:
    enqueue(source)
    while jobs.run_next():
        pass
    source.refresh_from_db()
    return Job.objects.filter(source=source, kind=Job.Kind.SYNC).latest("created_at")


def authors(source: Source) -> dict[str, tuple[str, datetime | None]]:
    rows = Document.objects.filter(source=source).values_list("path", "author", "changed_at")
    return {path: (author, changed_at) for path, author, changed_at in rows}


def test_the_newest_change_of_each_file_is_told(source):
    sync(source)
    assert authors(source) == {
        "app.py": ("Grace Hopper", month(3)),
        "docs/guide.md": ("Ada Lovelace", month(1)),
    }
    assert Document.objects.get(path="app.py").author_email == "grace@example.org"


def test_a_folder_of_a_repository_is_told_of_too(source):
    Source.objects.update(folder_path="docs")
    sync(source)
    assert authors(source) == {"docs/guide.md": ("Ada Lovelace", month(1))}


def test_one_changed_file_changes_its_own_author_and_no_other(source, repository):
    sync(source)
    push(repository, {"app.py": APP + "\n# more\n", "docs/guide.md": GUIDE + "More.\n"}, "Tim", 4)
    sync(source)
    assert authors(source) == {
        "app.py": ("Grace Hopper", month(3)),
        "docs/guide.md": ("Tim", month(4)),
    }


def test_whoever_renames_a_file_changed_it(source, repository):
    sync(source)
    push(repository, {"main.py": APP + "\n# more\n", "docs/guide.md": GUIDE}, "Tim", 4)
    sync(source)
    assert authors(source)["main.py"] == ("Tim", month(4))


def test_whoever_wrote_what_was_merged_changed_it_and_not_who_merged(source, repository):
    root = repository.head()
    files = {"app.py": APP + "\n# more\n", "docs/guide.md": GUIDE}
    push(repository, files | {"new.py": "new = 1\n"}, "Tim", 4)
    side = repository.commit(
        files | {"docs/guide.md": GUIDE + "Merged.\n"},
        branch="side",
        parents=[root],
        when=month(5).isoformat(),
        author="Margaret",
    )
    repository.commit(
        files | {"new.py": "new = 1\n", "docs/guide.md": GUIDE + "Merged.\n"},
        parents=[repository.head(), side],
        when=month(6).isoformat(),
        author="Bot",
    )
    sync(source)
    assert authors(source)["docs/guide.md"] == ("Margaret", month(5))
    assert authors(source)["new.py"] == ("Tim", month(4))


def test_what_only_a_merge_changed_has_its_date_and_no_author(source, repository):
    root = repository.head()
    files = {"app.py": APP + "\n# more\n", "docs/guide.md": GUIDE}
    push(repository, files | {"new.py": "new = 1\n"}, "Tim", 4)
    side = repository.commit(files, branch="side", parents=[root], when=month(5).isoformat())
    repository.commit(
        files | {"new.py": "new = 1\n", "by_hand.py": "by_hand = 1\n"},
        parents=[repository.head(), side],
        when=month(6).isoformat(),
    )
    sync(source)
    assert authors(source)["by_hand.py"] == ("", month(6))


def test_a_hostile_author_is_kept_harmless(source, repository, client_for, alice):
    tree = repository.files({"app.py": APP})
    # Git itself takes no angle brackets in a name.
    name = b'&lt;b&gt; "A" \x1b[31m \xff' + b"n" * 400
    repository.raw_commit(tree, name + b" <" + b"e" * 400 + b"> 1767000000 +0000")
    sync(source)
    document = Document.objects.get(path="app.py")
    assert document.author.startswith('&lt;b&gt; "A" [31m \ufffdnnn')
    assert (len(document.author), len(document.author_email)) == (255, 255)
    address = reverse("file", args=[source.pk, source.head, "app.py"])
    page = client_for(alice).get(address).content.decode()
    assert "by &amp;lt;b&amp;gt; &quot;A&quot; [31m" in page


def test_a_commit_from_the_future_changed_its_files_today_at_the_latest(source, repository):
    tree = repository.files({"app.py": APP})
    repository.raw_commit(tree, b"Ada <ada@x> 253402300799 +0000")
    sync(source)
    [(author, changed_at)] = authors(source).values()
    assert author == "Ada"
    assert timezone.now() - timedelta(minutes=5) < changed_at <= timezone.now()


def test_of_a_plain_folder_only_the_date_is_known(source, tmp_path):
    folder = plain_folder(tmp_path / "plain", {"notes.md": "# Notes\n"})
    Source.objects.update(path=str(folder))
    sync(Source.objects.get())
    [(author, changed_at)] = authors(source).values()
    assert author == ""
    assert changed_at is not None


def loose(mirror: Path, sha: str) -> Path:
    """Take a mirror's objects out of their packs; return where one of them is."""
    for pack in mirror.glob("objects/pack/*.pack"):
        content = pack.read_bytes()
        pack.unlink()
        pack.with_suffix(".idx").unlink()
        command = ["git", f"--git-dir={mirror}", "unpack-objects", "-q"]
        subprocess.run(command, input=content, env=ENVIRONMENT, check=True)
    lost = mirror / "objects" / sha[:2] / sha[2:]
    lost.chmod(0o600)
    return lost


@pytest.fixture
def lease(source) -> Lease:
    sync(source)
    Document.objects.update(author="", author_email="", changed_at=None)
    enqueue(source)
    return Lease(claim())


def test_what_a_walk_does_not_reach_has_the_date_of_the_head_and_no_author(source, lease):
    attribute_documents(source, source.head, lease, hold=lease.hold, reach=Reach(commits=1))
    assert authors(source) == {
        "app.py": ("Grace Hopper", month(3)),
        "docs/guide.md": ("", month(3)),
    }


def test_asking_again_changes_nothing_that_is_known(source, lease, django_assert_num_queries):
    attribute_documents(source, source.head, lease, hold=lease.hold)
    with django_assert_num_queries(1):
        attribute_documents(source, source.head, lease, hold=lease.hold)


def test_a_walk_that_fails_leaves_the_sync_done_and_the_next_one_asks_again(source, repository):
    root = repository.git("rev-parse", "HEAD~1")
    push(repository, {"app.py": APP, "docs/guide.md": GUIDE}, "Tim", 4)
    sync(source)
    Document.objects.update(author="", author_email="", changed_at=None)
    lost = loose(source.mirror, root)
    kept = lost.read_bytes()
    lost.unlink()

    job = sync(source)
    assert (job.state, source.state) == (Job.State.DONE, Source.State.READY)
    assert authors(source)["docs/guide.md"] == ("", None)

    lost.write_bytes(kept)
    sync(source)
    assert authors(source)["docs/guide.md"] == ("Ada Lovelace", month(1))


def test_who_wrote_a_document_here_changed_it(project, alice, bob):
    document = create_document(project, by=alice, title="Words", content="What they mean.\n")
    assert (document.author, document.author_email) == ("Alice", alice.email)
    written = document.changed_at
    changed = change_document(document, by=bob, content="What they mean here.\n")
    assert changed.changed_at > written


def test_who_uploaded_a_file_changed_it(project, bob):
    source = Source.objects.create(project=project, name="files", kind=Source.Kind.UPLOAD)
    store_uploads(source, [("notes.md", b"# Notes\n")], bob)
    sync(source)
    [document] = Document.objects.all()
    assert (document.author, document.user) == ("bob", None)
    assert document.changed_at == source.uploads.get().updated_at


def test_a_search_can_ask_who_and_since_when(source, viewer):
    sync(source)

    def found(filters: Filters) -> set[str]:
        return {hit.path for hit in search(viewer, "handle request", filters=filters).hits}

    assert found(Filters(author="lovelace")) == {"docs/guide.md"}
    assert found(Filters(author="GRACE@example")) == {"app.py"}
    assert found(Filters(author="nobody")) == set()
    assert found(Filters(since=month(2))) == {"app.py"}
    assert found(Filters(since=month(1))) == {"app.py", "docs/guide.md"}


def test_a_query_can_say_so_in_words(source, viewer):
    sync(source)
    query = read_query("handle request author:ada since:2026-01-01")
    hits = search(viewer, query.words, filters=query.filters).hits
    assert {hit.path for hit in hits} == {"docs/guide.md"}


def test_the_page_and_the_api_tell_who_and_when_without_the_address(source, client_for, alice):
    sync(source)
    client = client_for(alice)
    page = client.get(reverse("file", args=[source.pk, source.head, "app.py"])).content.decode()
    assert "by Grace Hopper" in page
    [document] = [
        d for d in client.get("/api/v1/documents").json()["results"] if d["path"] == "app.py"
    ]
    assert document["author"] == "Grace Hopper"
    assert document["changed_at"].startswith("2026-03-01")
    assert "grace@example.org" not in page + str(document)

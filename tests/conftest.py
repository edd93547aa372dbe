"""Three people stand for every access rule: alice owns, bob may look, charlie is a stranger."""

import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha1
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client

from accounts.models import User
from accounts.viewers import Viewer
from knowledge.ingestion import blank_document, read_file, replace_documents, skipped
from knowledge.models import Chunk, Document
from projects.models import Membership, Project, Source
from projects.trees import Entry
from tests.emptying import empty_small_tables_quickly
from tests.hashed_embedder import HashedWords, use_embedder
from tests.template import migrated_template

PASSWORD = "correct horse battery"
MEMORY = "/dev/shm"
ROOM = 4 * 2**30  # bytes: ten times what all tests keep at once


def keep_files_in_memory() -> None:
    """Have tests write where a file costs a fifth, if there is room and programs may run there."""
    with suppress(OSError):
        found = os.statvfs(MEMORY)
        if found.f_bavail * found.f_frsize >= ROOM and not found.f_flag & os.ST_NOEXEC:
            os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", MEMORY)


keep_files_in_memory()
empty_small_tables_quickly()


def redis_of_this_process(offset: int = 1) -> str:
    """Return the address of a database of Redis that no other test process empties."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return f"{os.environ['REDIS_URL'].partition('?')[0]}?db={(worker + offset) % 16}"


# Once: a cache that is set anew for each test leaves ten thousand connections behind.
django_settings.REDIS_URL = redis_of_this_process()
django_settings.CACHES["default"]["LOCATION"] = django_settings.REDIS_URL


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Migrating takes each process eight seconds, copying what is migrated a moment."""
    connection.settings_dict["TEST"]["TEMPLATE"] = migrated_template()


@pytest.fixture(scope="session", autouse=True)
def static_files(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Pages name static files by the hash of their content, so they must be collected once."""
    # One folder for each process: two that collect into the same one would trip over each other.
    django_settings.STATIC_ROOT = tmp_path_factory.mktemp("static")
    call_command("collectstatic", interactive=False, verbosity=0)


@pytest.fixture(autouse=True)
def own_places(settings, tmp_path: Path) -> None:
    """Each test keeps its mirrors to itself, reads sources below its own folder, and is fast."""
    settings.MIRRORS_DIR = tmp_path / "mirrors"
    settings.SOURCE_ROOTS = [tmp_path]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    use_embedder(settings, HashedWords)
    # Else each client would look through all static files before its first request.
    settings.WHITENOISE_AUTOREFRESH = True
    cache.clear()


def person(username: str, **fields: str) -> User:
    """Keep somebody who is known to be right: checking each takes longer than most tests."""
    made = User(username=username, **fields)
    made.set_password(PASSWORD)
    made.save()
    return made


@pytest.fixture
def alice(db) -> User:
    """Owns the project."""
    return person("alice", name="Alice")


@pytest.fixture
def bob(db) -> User:
    """May look at the project."""
    return person("bob")


@pytest.fixture
def charlie(db) -> User:
    """Is a stranger to the project."""
    return person("charlie")


@pytest.fixture
def admin(db) -> User:
    return person("admin", role=User.Role.ADMIN)


@pytest.fixture
def project(alice: User, bob: User) -> Project:
    project = Project.objects.create(name="nightowl", owner=alice)
    Membership.objects.create(project=project, user=alice, role=Membership.Role.OWNER)
    Membership.objects.create(project=project, user=bob, role=Membership.Role.VIEWER)
    return project


@pytest.fixture
def source(project: Project, tmp_path: Path) -> Source:
    folder = tmp_path / "checkout"
    folder.mkdir()
    return Source.objects.create(project=project, name="code", path=str(folder))


@pytest.fixture
def viewer(alice: User) -> Viewer:
    return Viewer(alice)


@pytest.fixture
def client_for() -> Callable[[User | None], Client]:
    """Return a browser in which a person is signed in, or nobody."""

    def sign_in(user: User | None) -> Client:
        client = Client()
        if user is not None:
            client.force_login(user)
        return client

    return sign_in


@pytest.fixture
def index(db) -> Callable[..., Document]:
    """Index a text as a sync would, without a repository: `index(source, "a.py", "…")`."""

    def store(source: Source, path: str, text: str, *, commit: str = "c" * 40) -> Document:
        data = text.encode()
        entry = Entry(
            "100644",
            "file",
            sha1(data, usedforsecurity=False).hexdigest(),
            len(data),
            path.encode(),
        )
        there = Document.objects.filter(source=source, path=path).values_list("pk", flat=True)
        reading = read_file(source, entry, data, commit=commit, document_id=there.first())
        with transaction.atomic():
            replace_documents([reading])
        Source.objects.filter(pk=source.pk).update(head=commit, state=Source.State.READY)
        source.refresh_from_db()
        return Document.objects.get(source=source, path=path)

    return store


@pytest.fixture
def skip_file(db) -> Callable[..., Document]:
    """Note a file as skipped with a reason, as a sync would."""

    def store(source: Source, path: str, reason: str) -> Document:
        entry = Entry("100644", "file", "0" * 40, 10, path.encode())
        with transaction.atomic():
            replace_documents([skipped(blank_document(source, entry, commit="c" * 40), reason)])
        return Document.objects.get(source=source, path=path)

    return store


@pytest.fixture
def make_chunks(source, index):
    """Return many passages of a source at once, which need no text of their own here."""

    def make(count: int, of: Source = source, language: str = "python", **fields) -> list[Chunk]:
        name = f"{language}-{Document.objects.count()}"
        document = index(of, f"{name}.py", "x = 1\n")
        pattern = document.chunks.get()
        copied = ("project_id", "document_id", "chunk_text", "weights", "body_hash", "header_hash")
        same = {field: getattr(pattern, field) for field in copied}
        same |= {"collection": pattern.collection, **fields}
        return Chunk.objects.bulk_create(
            Chunk(**same, chunk_index=n, start_line=1, end_line=1, language=language, terms=[])
            for n in range(1, count + 1)
        )

    return make

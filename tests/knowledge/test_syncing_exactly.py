"""A sync leaves what a fresh index would hold, and asks before it forgets much."""

from collections.abc import Callable
from pathlib import Path

import pytest

from knowledge.differences import MOST_ATTEMPTS
from knowledge.models import Chunk, Document, EmbeddedText
from projects import jobs
from projects.models import Job, Source
from tests.projects.repositories import Repository

FILES = {f"src/part_{n}.py": f"def part_{n}():\n    return {n}\n" for n in range(6)}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "repository")
    made.commit(FILES)
    return made


@pytest.fixture
def source(project, repository: Repository) -> Source:
    return Source.objects.create(project=project, name="code", path=str(repository.path))


def sync(source: Source, **changes: object) -> Source:
    if changes:
        Source.objects.filter(pk=source.pk).update(**changes)
    jobs.enqueue(source)
    while jobs.run_next():
        pass
    source.refresh_from_db()
    return source


def with_mode(repository: Repository, mode: str) -> str:
    """Return a tree of the same files, the first of them of another kind."""
    first, *others = FILES
    names = [(mode, first), *(("100644", path) for path in others)]
    entries = [(m, path[4:].encode(), repository.blob(FILES[path])) for m, path in names]
    return repository.tree([("40000", b"src", repository.tree(entries))])


def indexed(source: Source) -> set[str]:
    found = Document.objects.filter(source=source, state=Document.State.INDEXED)
    return set(found.values_list("path", flat=True))


def reasons(source: Source) -> dict[str, str]:
    found = Document.objects.filter(source=source).exclude(state=Document.State.INDEXED)
    return dict(found.values_list("path", "error"))


class TestForgettingMost:
    """More than half of the files gone may be a mistake elsewhere: a person has to say so."""

    @pytest.fixture
    def shrunk(self, source, repository) -> Source:
        sync(source)
        repository.commit({"src/part_0.py": FILES["src/part_0.py"]}, parents=())
        return sync(source)

    def test_nothing_is_forgotten_until_somebody_answers(self, shrunk, repository):
        assert shrunk.state == Source.State.ASKS
        assert "5 of 6 indexed files are gone" in shrunk.question
        assert indexed(shrunk) == set(FILES)
        assert shrunk.head != repository.head()

    def test_nothing_is_added_either_so_that_the_index_stays_one_commit(self, source, repository):
        sync(source)
        repository.commit({"new.py": "x = 1\n"}, parents=())
        sync(source)
        assert source.state == Source.State.ASKS
        assert indexed(source) == set(FILES)

    def test_it_asks_again_at_the_next_sync(self, shrunk):
        first = shrunk.question
        assert sync(shrunk).question == first

    def test_a_yes_is_for_one_sync(self, shrunk, repository):
        sync(shrunk, may_shrink=True)
        assert (shrunk.state, shrunk.question) == (Source.State.READY, "")
        assert indexed(shrunk) == {"src/part_0.py"}
        assert shrunk.head == repository.head()
        assert not shrunk.may_shrink

    def test_a_commit_that_brings_the_files_back_takes_the_question_away(self, shrunk, repository):
        repository.commit({**FILES, "more.py": "m = 1\n"}, parents=())
        sync(shrunk)
        assert (shrunk.state, shrunk.question) == (Source.State.READY, "")
        assert indexed(shrunk) == {*FILES, "more.py"}

    def test_a_repository_that_is_suddenly_empty_asks(self, source, repository):
        sync(source)
        repository.commit({}, parents=())
        assert sync(source).state == Source.State.ASKS

    def test_half_is_not_most(self, source, repository):
        sync(source)
        repository.commit(dict(list(FILES.items())[:3]), parents=())
        assert sync(source).state == Source.State.READY

    def test_what_only_moved_is_not_forgotten(self, source, repository):
        sync(source)
        bodies = EmbeddedText.objects.count()
        repository.commit({path.replace("src/", "lib/"): text for path, text in FILES.items()})
        sync(source)
        assert indexed(source) == {path.replace("src/", "lib/") for path in FILES}
        assert EmbeddedText.objects.count() == bodies + len(FILES)  # headers hold the path

    def test_a_listing_that_fails_forgets_nothing(self, source, repository):
        sync(source)
        head = source.head
        sync(source, folder_path="gone", may_shrink=True)
        assert source.state == Source.State.FAILED
        assert indexed(source) == set(FILES)
        assert source.head == head


class TestChoosing:
    def test_globs_choose_and_their_change_comes_out_as_a_fresh_index(self, source):
        sync(source, exclude="part_1.py\npart_2.py")
        assert indexed(source) == set(FILES) - {"src/part_1.py", "src/part_2.py"}
        assert reasons(source)["src/part_1.py"] == "excluded in the settings"
        sync(source, exclude="", include="part_[12].py", may_shrink=True)
        assert indexed(source) == {"src/part_1.py", "src/part_2.py"}
        sync(source, include="")
        assert indexed(source) == set(FILES)
        assert reasons(source) == {}

    def test_what_is_chosen_no_longer_has_no_passages(self, source):
        sync(source)
        sync(source, exclude="*.py", may_shrink=True)
        assert not Chunk.objects.exists()

    def test_the_ignore_file_of_the_repository_is_honoured(self, source, repository):
        repository.commit({**FILES, ".nightowlignore": "part_3.py\n", "src/.nightowlignore": "*\n"})
        sync(source)
        assert "src/part_3.py" not in indexed(source)
        assert reasons(source)["src/part_3.py"] == "ignored by .nightowlignore"
        repository.commit({**FILES, ".nightowlignore": "# nothing\n"})
        assert set(FILES) <= indexed(sync(source))

    def test_the_ignore_file_stands_at_the_top_of_what_is_indexed(self, source, repository):
        repository.commit({**FILES, ".nightowlignore": "*\n", "src/.nightowlignore": "part_3.py\n"})
        sync(source, folder_path="src")
        assert indexed(source) == {*FILES, "src/.nightowlignore"} - {"src/part_3.py"}

    def test_a_file_that_becomes_a_link_and_back_is_told_each_time(self, source, repository):
        sync(source)
        repository.commit(with_mode(repository, "120000"))
        sync(source)
        assert reasons(source) == {"src/part_0.py": "not a file: symbolic link"}
        repository.commit(with_mode(repository, "100755"))
        assert indexed(sync(source)) == set(FILES)

    def test_a_higher_limit_reads_what_was_too_large(self, source, repository, settings):
        repository.commit({**FILES, "long.txt": "word " * 100})
        settings.MAX_FILE_BYTES = 400
        assert reasons(sync(source)) == {"long.txt": "too large"}
        settings.MAX_FILE_BYTES = 600
        assert reasons(sync(source)) == {}

    def test_the_collection_of_a_source_is_that_of_all_its_passages(self, source):
        sync(source, collection="standards")
        assert set(Chunk.objects.values_list("collection", flat=True)) == {"standards"}


class TestFailing:
    @pytest.fixture
    def failing(self, source, settings, repository) -> Callable[[], Document]:
        """Make one file fail to be read, as one that takes too long does."""
        repository.commit({**FILES, "slow.py": "x = 1\n" * 2_000_000})
        settings.MAX_FILE_BYTES = 20_000_000
        settings.READER_SECONDS = 0.6

        def again() -> Document:
            sync(source)
            return Document.objects.get(source=source, path="slow.py")

        return again

    def test_a_file_that_fails_is_tried_a_few_times_and_then_left_alone(self, failing, source):
        for attempt in range(1, MOST_ATTEMPTS + 1):
            document = failing()
            assert document.state == Document.State.FAILED
            assert document.attempts == attempt
        assert failing().attempts == MOST_ATTEMPTS
        assert indexed(source) == set(FILES)
        assert source.head  # it has a recorded reason

    def test_a_changed_file_is_tried_anew(self, failing, source, repository):
        for _ in range(MOST_ATTEMPTS):
            failing()
        repository.commit({**FILES, "slow.py": "x = 2\n"})
        document = failing()
        assert (document.state, document.attempts) == (Document.State.INDEXED, 0)

    def test_a_file_that_is_read_at_last_has_no_attempts_left_over(self, failing, settings):
        assert failing().attempts == 1
        settings.READER_SECONDS, settings.READER_MEGABYTES = 20, 2_000
        document = failing()
        assert (document.state, document.attempts) == (Document.State.INDEXED, 0)

    def test_an_older_index_is_read_again_whole(self, source):
        sync(source)
        Document.objects.filter(source=source).update(chunker_version=0)
        Chunk.objects.all().delete()
        sync(source)
        assert Chunk.objects.count() == len(FILES)


def test_a_sync_without_a_change_reads_nothing_and_embeds_nothing(source, monkeypatch):
    sync(source)
    before = list(Chunk.objects.order_by("pk").values_list("pk", "updated_at"))
    monkeypatch.setattr("knowledge.syncing.read_apart", lambda _: pytest.fail("a file was read"))
    monkeypatch.setattr("knowledge.syncing.replace_documents", lambda _: pytest.fail("stored"))
    Source.objects.filter(pk=source.pk).update(last_synced_at=None)
    sync(source)
    assert source.last_synced_at
    assert list(Chunk.objects.order_by("pk").values_list("pk", "updated_at")) == before
    assert Job.objects.filter(state=Job.State.FAILED).count() == 0

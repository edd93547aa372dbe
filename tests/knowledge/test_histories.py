"""Whatever happens to a repository, its index is what a fresh one would be."""

import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from accounts.models import User
from knowledge.models import Chunk, Document, EmbeddedText, EmbeddingSpace
from projects import jobs
from projects.models import Job, Project, Source
from projects.sourcing import answer_question, change_source
from providers.embedding import Effort, EmbedderUnavailable, Vectors
from tests.hashed_embedder import HashedWords, use_embedder
from tests.knowledge.exactness import Rows, check_filled, check_same, check_sound, contents
from tests.knowledge.histories import (
    FILE,
    LINK,
    TOO_LARGE,
    Body,
    Clear,
    History,
    Put,
    QuickRepository,
    SetMode,
    Settings,
    Step,
    Trouble,
    first_files,
    steps,
)

pytestmark = pytest.mark.django_db(transaction=True)


class Broken(OperationalError):
    """A statement that this test let fail."""


class CountingWords(HashedWords):
    """Counts what it embeds, and sometimes does not answer."""

    dimensions = 32
    paid: Counter[str] = Counter()
    last: Sequence[str] = ()
    moods: Random | None = None

    def embed(self, texts: Sequence[str], effort: Effort | None = None) -> Vectors:
        if CountingWords.moods and CountingWords.moods.random() < 0.5:
            raise EmbedderUnavailable("The embedding model does not answer.")
        CountingWords.paid.update(texts)
        CountingWords.last = texts
        return super().embed(texts)

    def embed_question(self, text: str) -> Vectors:
        vector: Vectors = super().embed([text])[0]
        return vector


class Life:
    """One source over the steps of a history."""

    def __init__(self, folder: Path, files: list[Put]) -> None:
        CountingWords.paid, CountingWords.moods = Counter(), None
        self.history = History(QuickRepository(folder / "repository", bare=True), files)
        owner = User.objects.create_user("owner", "password")
        self.projects = [Project.objects.create(name=n, owner=owner) for n in ("grown", "fresh")]
        path = str(self.history.repository.path)
        self.source = Source.objects.create(project=self.projects[0], name="code", path=path)
        self.texts: set[str] = set()  # what was ever a body or a header
        self.twice: set[str] = set()  # what was embedded when a statement broke

    @property
    def branch(self) -> str:
        return self.source.branch or "main"

    def live(self, step: Step) -> None:
        if changes := step.settings.values():
            change_source(self.source, by=self.source.project.owner, **changes)
        self.history.commit(self.branch, step)
        before, head = contents(self.source), self.source.head
        should_ask = self.would_forget_most()
        self.sync(step.trouble)
        if step.trouble.kind != "none":
            before, head = contents(self.source), self.source.head
            should_ask = self.would_forget_most()
            self.sync(Trouble())
        if self.source.state != Source.State.FAILED:
            assert should_ask == (self.source.state == Source.State.ASKS)
        if self.source.state == Source.State.ASKS:
            self.answer(step.answer, before, head)
        self.check_outcome(before, head)
        self.check_embedded()

    def would_forget_most(self) -> bool:
        """Whether more than half of what is indexed is nowhere in the newest commit."""
        there = self.history.objects(self.branch, self.source.folder_path)
        indexed = Document.objects.filter(source=self.source, state=Document.State.INDEXED)
        rows = list(indexed.values_list("path", "git_sha"))
        lost = [path for path, sha in rows if path not in there and sha not in there.values()]
        self.source.refresh_from_db()
        return not self.source.may_shrink and 2 * len(lost) > len(rows)

    def answer(self, yes: bool, before: dict[str, Rows], head: str) -> None:
        """As long as nobody has said yes, nothing is forgotten."""
        assert self.source.question
        check_same(contents(self.source), before, of="after a sync that asks")
        answer_question(self.source, yes=yes, by=self.source.project.owner)
        if yes:
            self.sync(Trouble())
            assert self.source.state != Source.State.ASKS
        else:
            self.source.refresh_from_db()
            assert (self.source.question, self.source.head) == ("", head)

    def check_outcome(self, before: dict[str, Rows], head: str) -> None:
        has_arrived = self.source.head == self.history.head(self.branch)
        if has_arrived:
            check_filled(self.source)
        else:  # it failed, or the answer was no
            check_same(contents(self.source), before, of="after a sync that ended early")
            assert self.source.head == head
        if has_arrived or self.source.state == Source.State.FAILED:
            self.check_fresh()

    def trouble(self, trouble: Trouble) -> Callable[[], AbstractContextManager[Any]]:
        """Return what is round each job of the sync."""
        CountingWords.moods = Random(trouble.at) if trouble.kind == "embedder" else None
        happenings = {
            "break": self.break_down,
            "cancel": self.cancel,
            "push": self.push,
            "settings": self.change_settings,
        }
        if trouble.kind not in happenings:
            return nullcontext
        wrapper = after(trouble.at, happenings[trouble.kind])
        return lambda: connection.execute_wrapper(wrapper)

    def break_down(self) -> None:
        self.twice.update(CountingWords.last)
        raise Broken

    def cancel(self) -> None:
        for job in Job.objects.open():
            jobs.request_cancel(job)

    def change_settings(self) -> None:
        source = Source.objects.get(pk=self.source.pk)
        collection = "" if source.collection else "standards"
        change_source(source, by=source.project.owner, collection=collection, exclude="*.csv")

    def push(self) -> None:
        n = self.history.number
        self.history.commit(
            self.branch,
            Step(edits=[Put(b"pushed.py", Body("code", n)), Put(b"more.md", Body("prose", n))]),
        )

    def sync(self, trouble: Trouble) -> None:
        jobs.enqueue(self.source)
        drain(self.trouble(trouble), after_each=self.note_texts)
        self.source.refresh_from_db()
        check_sound(self.source)

    def note_texts(self) -> None:
        """Keep in mind what may be embedded: also what stands there between two syncs."""
        for body, header in Chunk.objects.values_list("chunk_text", "header"):
            self.texts |= {body, header}

    def check_fresh(self) -> None:
        ours = self.source
        same = ("path", "branch", "folder_path", "include", "exclude", "collection")
        fresh = Source.objects.create(
            project=self.projects[1], name="code", **{name: getattr(ours, name) for name in same}
        )
        bought = CountingWords.paid.total()
        jobs.enqueue(fresh)
        drain()
        fresh.refresh_from_db()
        shown = ("error",) if ours.state == Source.State.FAILED else SHOWN
        for name in ("state", *shown):
            assert getattr(ours, name) == getattr(fresh, name), name
        if ours.state != Source.State.FAILED:
            assert CountingWords.paid.total() == bought, "a fresh index embedded known texts again"
            check_same(contents(ours), contents(fresh), of="against a fresh index")
        fresh.delete()
        shutil.rmtree(fresh.mirror, ignore_errors=True)

    def check_embedded(self) -> None:
        """Each text was embedded once, and what is kept of it is what the model says."""
        again = [t for t, times in CountingWords.paid.items() if times > 1 and t not in self.twice]
        assert not again, again[:5]
        assert set(CountingWords.paid) <= self.texts | self.twice
        by_hash = {sha256(text.encode()).digest(): text for text in self.texts}
        kept = EmbeddedText.objects.values_list("text_hash", "embedding")
        rows = [
            (by_hash[bytes(h)], np.asarray(v, dtype=np.float32))
            for h, v in kept
            if bytes(h) in by_hash
        ]
        model = HashedWords()
        model.dimensions = CountingWords.dimensions
        if rows:
            texts, vectors = zip(*rows, strict=True)
            assert np.allclose(np.stack(vectors), model.embed(texts), atol=1e-3)


SHOWN = ("head", "head_subject", "last_commit_date", "error")


def after(statements: int, happens: Callable[[], None]) -> Callable[..., Any]:
    """Let something happen once, before the statement after so many.

    What others do happens between two transactions: within one, they would have to wait.
    """
    left = [statements]

    def execute(run: Callable[..., Any], *what: Any) -> Any:
        left[0] -= 1
        is_ours = happens.__name__ == Life.break_down.__name__
        if left[0] < 0 and (is_ours or not connection.in_atomic_block):
            left[0] = 1_000_000
            happens()
        return run(*what)

    return execute


def drain(
    round_each: Callable[[], AbstractContextManager[Any]] = nullcontext,
    after_each: Callable[[], None] = lambda: None,
) -> None:
    """Run what there is to run, as if all waiting times passed at once."""
    for _ in range(30):
        try:
            with round_each():
                ran = jobs.run_next()
        except Broken:  # where a worker would die, or ring again
            ran = True
        after_each()
        if not ran and not Job.objects.open().exists():
            return
        now = timezone.now()
        Job.objects.open().update(due_at=now)
        running = Job.objects.filter(state=Job.State.RUNNING)
        running.update(lease_until=now - timedelta(seconds=1))
    raise AssertionError(f"jobs never end: {list(Job.objects.open().values())}")


def live_through(settings: Any, files: list[Put], story: list[Step]) -> None:
    with TemporaryDirectory() as folder:
        settings.SOURCE_ROOTS = [Path(folder)]
        settings.MIRRORS_DIR = Path(folder) / "mirrors"
        settings.MAX_FILE_BYTES = TOO_LARGE
        use_embedder(settings, CountingWords)
        try:
            life = Life(Path(folder), files)
            for step in [Step(), *story]:
                life.live(step)
        finally:
            EmbeddingSpace.objects.all().delete()
            Project.objects.all().delete()
            User.objects.all().delete()


def stories(examples: int) -> Callable[..., Any]:
    usual = hypothesis_settings(
        max_examples=examples,
        deadline=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
        # Making a failing history smaller takes minutes: do it by hand, with what is printed.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
    )

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        return usual(given(files=first_files, story=st.lists(steps, max_size=6))(test))

    return decorate


A_FEW = [Put(b"src/app.py", Body("code", 1)), Put(b"notes.md", Body("prose", 2))]


@example(files=A_FEW, story=[Step([SetMode(0, LINK)]), Step([SetMode(0, FILE)])])
@example(files=A_FEW, story=[Step([Clear()], answer=False), Step([Clear()], answer=True)])
@example(files=A_FEW, story=[Step(settings=Settings(folder_path="gone")), Step()])
@example(files=A_FEW, story=[Step(trouble=Trouble("settings", n)) for n in (5, 10, 20)])
@example(files=A_FEW, story=[Step(trouble=Trouble("cancel", n)) for n in (24, 36, 46)])
@stories(examples=15)
def test_any_history_ends_as_a_fresh_index(settings, files, story) -> None:
    live_through(settings, files, story)


@pytest.mark.slow
@stories(examples=120)
def test_many_histories_end_as_a_fresh_index(settings, files, story) -> None:
    live_through(settings, files, story)

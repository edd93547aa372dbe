"""A repository with a history worth reviewing, the source that is made of it, and its nights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from projects.jobs import run_next
from projects.models import Job, Project, Source
from providers.models import Provider
from reviews.digests import tell
from reviews.models import Finding, NightlyRun, Review
from reviews.planning import begin_run
from tests.model_server import ModelServer, model_server
from tests.projects.repositories import Repository
from tests.reviews.rows import SENDING, night_of

LEDGER = '''"""What people owe."""


def total(lines):
    """Add up the lines of an invoice."""
    return sum(line.amount for line in lines)
'''
TESTS = """from ledger import total


def test_nothing_costs_nothing():
    assert total([]) == 0
"""
README = "# Ledger\n\n`total` adds up the lines of an invoice.\n"


class History:
    """A repository that grows by files that change, as a checkout would."""

    def __init__(self, path: Path) -> None:
        self.repository = Repository(path)
        self.files = {"ledger.py": LEDGER, "tests/test_ledger.py": TESTS, "README.md": README}
        self.head = self.repository.commit(self.files, message="Begin")
        self.day = 1

    def change(self, message: str, *, author: str = "Alice", **how: object) -> str:
        """Commit changed files, given by their paths as `files`; a file of None goes."""
        self.files = {**self.files, **how["files"]}
        self.files = {path: text for path, text in self.files.items() if text is not None}
        self.day += 1
        self.head = self.repository.commit(
            self.files,
            parents=[self.head, *how.get("also", ())],
            message=message,
            author=author,
            when=f"2026-01-{self.day:02}T03:04:05+00:00",
        )
        return self.head


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "ledger")


@pytest.fixture
def ledger(project: Project, history: History) -> Source:
    """The repository as a source, synced when a night begins."""
    return Source.objects.create(project=project, name="ledger", path=str(history.repository.path))


def work(most: int = 400) -> None:
    """Run what waits, at once, until nothing does."""
    for _ in range(most):
        Job.objects.open().update(due_at="2026-01-01T00:00:00Z")  # nobody waits in a test
        if not run_next():
            return


@pytest.fixture
def night(ledger: Source, project: Project) -> Callable[..., NightlyRun]:
    """Run a night from its beginning to its end, as the workers would."""

    def run(**how) -> NightlyRun:
        how = {"trigger": NightlyRun.Trigger.BUTTON, "by": project.owner, **how}
        begun = begin_run(project, **how)
        work()
        begun.refresh_from_db()
        assert begun.state == NightlyRun.State.DONE, begun.error
        return begun

    return run


@pytest.fixture
def found(night, history) -> Finding:
    """A finding that a night made, as it is told in the morning."""
    sha = history.change("Send reminders", author="Cai", files={"sending.py": SENDING})
    night()
    return Finding.objects.get(
        review=Review.objects.get(commit__sha=sha), rule="nightowl/swallowed-error"
    )


@pytest.fixture
def swallowed(source: Source) -> Finding:
    """The same finding without the night that made it: what is asked about it comes after."""
    finding = night_of(source)
    tell(finding.review.run)
    return finding


@pytest.fixture
def server():
    with model_server() as running:
        yield running


@pytest.fixture
def model(db, server: ModelServer) -> Provider:
    """The default provider: a model behind the OpenAI API."""
    return Provider.objects.create(
        provider_name="openai",
        model_name="m",
        is_default=True,
        api_config={"base_url": server.url, "timeout": 5},
    )

"""A repository with a history worth reviewing, the source that is made of it, and its nights."""

from collections.abc import Callable
from pathlib import Path

import pytest

from projects.jobs import run_next
from projects.models import Job, Project, Source
from reviews.models import NightlyRun
from reviews.planning import begin_run
from tests.projects.repositories import Repository

LEDGER = '''"""What people owe."""


def total(lines):
    """Add up the lines of an invoice."""
    return sum(line.amount for line in lines)
'''
TESTS = '''from ledger import total


def test_nothing_costs_nothing():
    assert total([]) == 0
'''
README = "# Ledger\n\n`total` adds up the lines of an invoice.\n"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "ledger")
    made.commit({"ledger.py": LEDGER, "tests/test_ledger.py": TESTS, "README.md": README})
    return made


@pytest.fixture
def ledger(project: Project, repository: Repository) -> Source:
    """The repository as a source, synced when a night begins."""
    return Source.objects.create(project=project, name="ledger", path=str(repository.path))


@pytest.fixture
def night(ledger: Source, project: Project) -> Callable[..., NightlyRun]:
    """Run a night from its beginning to its end, as the workers would."""

    def run(**how) -> NightlyRun:
        how = {"trigger": NightlyRun.Trigger.BUTTON, "by": project.owner, **how}
        begun = begin_run(project, **how)
        for _ in range(60):
            Job.objects.open().update(due_at=begun.created_at)  # nobody waits in a test
            if not run_next():
                break
        begun.refresh_from_db()
        return begun

    return run

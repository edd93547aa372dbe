"""What the tests of polling do to a source and its repository."""

from projects.models import Job, Source
from projects.polling import poll
from tests.projects.repositories import Repository


def look_again(source: Source) -> Source:
    """Let the time of the source come, poll, and return it as it is then."""
    Source.objects.filter(pk=source.pk).update(next_poll_at=None)
    assert poll() >= 1
    source.refresh_from_db()
    return source


def push(repository: Repository, text: str = "two\n", **how: str) -> str:
    parents = [repository.head()]
    return repository.commit({"docs/a.md": text}, parents=parents, **how)


def jobs_of(source: Source) -> int:
    return Job.objects.filter(source=source).count()

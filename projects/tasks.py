"""The bell, a Celery task that rings while job rows decide the rest; and the poll."""

from celery import shared_task

from projects import polling, workers


@shared_task(name="projects.tasks.ring")  # type: ignore[untyped-decorator]
def ring() -> None:
    """Run what waits until nothing does."""
    workers.run_what_waits()


@shared_task(name="projects.tasks.poll", expires=50)  # type: ignore[untyped-decorator]
def poll() -> None:
    """Look at the remote repositories whose time has come."""
    polling.poll()

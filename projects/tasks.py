"""The bell: one Celery task that rings, and the sweep that rings when nobody did."""

from celery import shared_task

from projects import jobs


@shared_task(name="projects.tasks.ring")  # type: ignore[untyped-decorator]
def ring() -> None:
    """Run what waits until nothing does."""
    while jobs.run_next():
        pass


@shared_task(name="projects.tasks.sweep", expires=10)  # type: ignore[untyped-decorator]
def sweep() -> None:
    """Say that this worker lives, and pick up what was queued or left by a dead one."""
    jobs.beat(jobs.runner_name())
    ring()

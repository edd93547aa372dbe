"""What runs by the clock."""

from celery import shared_task

from conversations import keeping


@shared_task(name="conversations.tasks.forget_deleted", expires=600)  # type: ignore[untyped-decorator]
def forget_deleted() -> None:
    keeping.forget_deleted()

"""What runs by the clock."""

from celery import shared_task

from knowledge import forgetting


@shared_task(name="knowledge.tasks.forget_texts", expires=600)  # type: ignore[untyped-decorator]
def forget_texts() -> None:
    forgetting.forget_texts()

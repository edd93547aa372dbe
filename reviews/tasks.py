"""What runs by the clock."""

from celery import shared_task

from reviews import delivering, planning


@shared_task(name="reviews.tasks.tend_nights", expires=55)  # type: ignore[untyped-decorator]
def tend_nights() -> None:
    planning.tend_nights()


@shared_task(name="reviews.tasks.send_due", expires=55)  # type: ignore[untyped-decorator]
def send_due() -> None:
    delivering.send_due()

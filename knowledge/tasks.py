"""What runs by the clock."""

from celery import shared_task

from knowledge import evaluations, forgetting, overviews, tending, tending_replicas


@shared_task(name="knowledge.tasks.forget_texts", expires=600)  # type: ignore[untyped-decorator]
def forget_texts() -> None:
    forgetting.forget_texts()


@shared_task(name="knowledge.tasks.tend_spaces", expires=55)  # type: ignore[untyped-decorator]
def tend_spaces() -> None:
    tending.tend_spaces()


@shared_task(name="knowledge.tasks.tend_replicas", expires=30)  # type: ignore[untyped-decorator]
def tend_replicas() -> None:
    tending_replicas.tend_replicas()


@shared_task(name="knowledge.tasks.tend_overviews", expires=55)  # type: ignore[untyped-decorator]
def tend_overviews() -> None:
    overviews.tend_overviews()


@shared_task(name="knowledge.tasks.tend_evaluations", expires=55)  # type: ignore[untyped-decorator]
def tend_evaluations() -> None:
    evaluations.tend_evaluations()

from datetime import timedelta

import pytest
from django.utils import timezone

from knowledge.models import Chunk, EmbeddingSpace, Vector
from knowledge.standing import counts_of, is_stuck, standing_of, work_is_stuck
from projects.models import Job, Source, WorkerBeat


def wait(source: Source, seconds: int, **fields: object) -> Job:
    due = timezone.now() - timedelta(seconds=seconds)
    return Job.objects.create(
        project=source.project, source=source, kind=Job.Kind.SYNC, due_at=due, **fields
    )


def test_a_new_source_stands_empty(source: Source) -> None:
    standing = standing_of(source)

    assert (standing.counts.files, standing.chunks, standing.meaning_percent) == (0, 0, 0)
    assert not standing.is_busy
    assert not standing.no_worker


def test_files_are_counted_by_what_became_of_them(source: Source, index, skip_file) -> None:
    index(source, "a.py", "a = 1\n")
    index(source, "b.py", "b = 1\n")
    skip_file(source, "c.bin", "Binary")

    counts = counts_of([source])[source.pk]
    assert (counts.indexed, counts.skipped, counts.failed, counts.files) == (2, 1, 0, 3)


def test_reasons_are_grouped_the_commonest_first(source: Source, skip_file) -> None:
    skip_file(source, "a.bin", "Binary")
    skip_file(source, "b.bin", "Binary")
    skip_file(source, "c.sql", "Larger than 2 MB")

    reasons = standing_of(source).reasons
    assert [(r.state, r.sentence, r.files) for r in reasons] == [
        ("skipped", "Binary", 2),
        ("skipped", "Larger than 2 MB", 1),
    ]


@pytest.mark.parametrize(("vectors", "percent"), [(0, 0), (1, 50), (2, 100)])
def test_meaning_is_told_in_percent_of_the_chunks(
    source: Source, index, vectors: int, percent: int
) -> None:
    index(source, "a.py", "a = 1\n")
    index(source, "b.py", "b = 1\n")
    space = EmbeddingSpace.objects.create(model_name="m", dimensions=16, state="active")
    for chunk in Chunk.objects.all()[:vectors]:
        Vector.objects.create(
            space=space, chunk=chunk, project=source.project, embedding=[0.25] * 16
        )

    assert standing_of(source).chunks == 2
    assert standing_of(source).meaning_percent == percent


@pytest.mark.parametrize(
    ("seconds", "state", "stuck"),
    [(60, "queued", True), (1, "queued", False), (60, "running", False)],
)
def test_work_that_waits_long_with_nobody_there_is_stuck(
    source: Source, seconds: int, state: str, stuck: bool
) -> None:
    job = wait(source, seconds, state=state)

    assert is_stuck([job]) is stuck
    assert work_is_stuck(source.project) is stuck


def test_work_is_not_stuck_while_a_worker_lives(source: Source) -> None:
    wait(source, 60)
    WorkerBeat.objects.create(name="worker")

    assert not standing_of(source).no_worker


def test_a_worker_that_fell_silent_does_not_count(source: Source) -> None:
    wait(source, 60)
    WorkerBeat.objects.create(name="worker", seen_at=timezone.now() - timedelta(minutes=5))

    assert standing_of(source).no_worker
    assert standing_of(source).is_busy


def test_work_that_waits_for_a_later_try_is_not_stuck(source: Source) -> None:
    assert not is_stuck([wait(source, -30)])

"""The golden questions that a project keeps: what its search is measured by."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from knowledge.golden_models import GoldenQuestion
from knowledge.golden_sets import Golden, Passage, write_set
from projects.models import Project

LONGEST_QUERY = 2000
LONGEST_PATH = 4096
LONGEST_ID = 100
LONGEST_NOTE = 500
MOST_FILES = 50
MOST_QUESTIONS = 1000  # of a project: each is a search, and all are asked each night


class QuestionRefused(Exception):
    """A golden question can't be kept; the message says why."""


def keep_golden_question(
    project: Project, query: str, relevant: Iterable[str | Passage], by: User | None
) -> GoldenQuestion:
    """Keep one question with what answers it, in place of the same question's earlier answers.

    What answers is a file's path, or some lines of it. Raises QuestionRefused with a sentence.
    """
    golden = golden_from(query, [Passage(o) if isinstance(o, str) else o for o in relevant])
    with transaction.atomic():
        keep_golden(project, [golden], by=by)
        return GoldenQuestion.objects.get(project=project, query=golden.query)


def golden_from(query: str, passages: Sequence[Passage], note: str = "") -> Golden:
    return Golden(
        "",
        query.strip(),
        frozenset(passage.path for passage in passages),
        frozenset(passage for passage in passages if passage.has_lines),
        note.strip(),
    )


def change_golden_question(row: GoldenQuestion, changed: Golden, *, by: User) -> None:
    """Change a question, its answers or its note; raises QuestionRefused with a sentence."""
    _check(changed)
    row.query, row.note, row.user = changed.query, changed.note, by
    row.relevant = sorted(changed.relevant)
    row.lines = _lines(changed)
    try:
        with transaction.atomic():
            row.save()
    except IntegrityError as error:
        raise QuestionRefused("This question is among the golden ones already.") from error


def restore_golden_question(project: Project, kept: Mapping[str, Any], *, by: User) -> bool:
    """Bring a deleted question back as it was; False if it was asked anew meanwhile."""
    _, is_back = GoldenQuestion.objects.get_or_create(
        project=project, query=kept["query"], defaults={**kept, "user": by}
    )
    return is_back


def remembered(row: GoldenQuestion) -> dict[str, Any]:
    """Return what `restore_golden_question` needs, as a session can keep it."""
    names = ("query", "relevant", "lines", "set_id", "note")
    return {"id": str(row.pk), **{name: getattr(row, name) for name in names}}


@transaction.atomic
def keep_golden(project: Project, questions: Iterable[Golden], *, by: User | None = None) -> int:
    """Keep questions with the files that answer them, all or none; return how many were new."""
    # Two who add at once would both find room for one more.
    Project.objects.select_for_update().get(pk=project.pk)
    new = 0
    for question in questions:
        _check(question)
        _, is_new = GoldenQuestion.objects.update_or_create(
            project=project,
            query=question.query,
            defaults={
                "relevant": sorted(question.relevant),
                "lines": _lines(question),
                "user": by,
                # Whoever keeps it once more, without these, takes nothing away.
                **({"set_id": question.id[:LONGEST_ID]} if question.id else {}),
                **({"note": question.note[:LONGEST_NOTE]} if question.note else {}),
            },
        )
        new += is_new
    if GoldenQuestion.objects.filter(project=project).count() > MOST_QUESTIONS:
        raise QuestionRefused(f"A project keeps at most {MOST_QUESTIONS:,} golden questions.")
    return new


def golden_of(project: Project) -> list[Golden]:
    """Return the questions of a project in the order they came, each under its row's id."""
    return [as_golden(row) for row in _rows(project)]


def as_golden(row: GoldenQuestion) -> Golden:
    lines = frozenset(Passage(path, start, end) for path, start, end in row.lines)
    return Golden(str(row.pk), row.query, frozenset(row.relevant), lines, row.note)


def export_golden(project: Project) -> str:
    """Return a project's questions as a set, under the ids that they came with."""
    return write_set(
        replace(as_golden(row), id=row.set_id or str(row.pk)) for row in _rows(project)
    )


def _rows(project: Project) -> Iterable[GoldenQuestion]:
    return GoldenQuestion.objects.filter(project=project).order_by("created_at", "pk")


def _lines(question: Golden) -> list[list[Any]]:
    return [[one.path, one.start_line, one.end_line] for one in sorted(question.lines)]


def _check(question: Golden) -> None:
    told = [question.id, question.query, question.note, *question.relevant]
    if not question.query.strip() or len(question.query) > LONGEST_QUERY:
        raise QuestionRefused(f"A question has 1 to {LONGEST_QUERY:,} characters.")
    if not 1 <= len(question.relevant) <= MOST_FILES:
        raise QuestionRefused(f"A golden question names 1 to {MOST_FILES} files that answer it.")
    if any(not path.strip() or len(path) > LONGEST_PATH for path in question.relevant):
        raise QuestionRefused(f"A path has 1 to {LONGEST_PATH:,} characters.")
    if any("\0" in text for text in told):
        raise QuestionRefused("A text with a zero byte can't be kept.")

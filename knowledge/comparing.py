"""Comparing what two spaces of vectors find, on the questions that the projects keep."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.viewers import Viewer
from knowledge.evaluation import Outcome, agreement, summarise
from knowledge.golden_sets import Golden
from knowledge.measuring import CannotMeasure, compare_runs, measure
from knowledge.models import EmbeddingSpace, GoldenQuestion
from knowledge.retrieval import search
from knowledge.spaces import SpaceRefused, active_space, audit, call_for_care
from knowledge.suggestions import suggested_questions
from projects.models import Project

DEPTH = 50  # passages, so that at least ten files are among them
PROJECTS_ASKED = 20
QUESTIONS_OF_A_PROJECT = 5

Asked = tuple[Project, str]


def ask_to_compare(space: EmbeddingSpace, *, by: User | None = None) -> None:
    """Have a worker compare the space with the one that answers."""
    _other(space)
    space.comparison = {"asked_at": timezone.now().isoformat()}
    space.save(update_fields=["comparison", "updated_at"])
    audit(by, "compared", space)
    call_for_care()


def compare_what_was_asked() -> None:
    for space in EmbeddingSpace.objects.filter(comparison__has_key="asked_at"):
        try:
            compare(space)
        except SpaceRefused as refusal:
            EmbeddingSpace.objects.filter(pk=space.pk).update(comparison={"verdict": str(refusal)})


def compare(space: EmbeddingSpace) -> dict[str, Any]:
    """Ask the same questions of a space and of the active one; keep and return what came out."""
    other = _other(space)
    golden = list(GoldenQuestion.objects.select_related("project__owner").order_by("pk"))
    found: dict[str, Any] = {
        "at": timezone.now().isoformat(),
        "against": str(other),
        "against_id": str(other.pk),
    }
    outcome = _by_golden(golden, space, other) if golden else _by_suggestions(space, other)
    space.comparison = found | outcome
    EmbeddingSpace.objects.filter(pk=space.pk).update(comparison=space.comparison)
    return found | outcome


def _other(space: EmbeddingSpace) -> EmbeddingSpace:
    """Return whom to compare with: the active space, and for that one the one before it."""
    if space.state == EmbeddingSpace.State.RETIRED:
        raise SpaceRefused("A retired space has no vectors to compare.")
    if space.state == EmbeddingSpace.State.ACTIVE:
        other = EmbeddingSpace.objects.filter(state=EmbeddingSpace.State.KEPT).first()
    else:
        other = active_space()
    if other is None:
        raise SpaceRefused("There is no other space to compare with.")
    return other


def _by_golden(
    golden: Sequence[GoldenQuestion], space: EmbeddingSpace, other: EmbeddingSpace
) -> dict[str, Any]:
    this, that = _asked_in(space, golden), _asked_in(other, golden)
    return {
        "questions": len(golden),
        "this": summarise(this).as_dict(),
        "other": summarise(that).as_dict(),
        "verdict": compare_runs(this, that).sentence,
    }


def _asked_in(space: EmbeddingSpace, golden: Sequence[GoldenQuestion]) -> list[Outcome]:
    of_projects: dict[Project, list[Golden]] = defaultdict(list)
    for row in golden:
        question = Golden(str(row.pk), row.query, frozenset(row.relevant))
        of_projects[row.project].append(question)
    try:
        return [
            outcome
            for project, questions in of_projects.items()
            for outcome in measure(project, questions, space=space).outcomes
        ]
    except CannotMeasure as error:
        raise SpaceRefused(f"{space.model_name} does not answer: nothing was compared.") from error


def _by_suggestions(space: EmbeddingSpace, other: EmbeddingSpace) -> dict[str, Any]:
    projects = Project.objects.select_related("owner").order_by("created_at", "pk")
    asked: list[Asked] = [
        (project, question)
        for project in projects[:PROJECTS_ASKED]
        for question in suggested_questions(project, count=QUESTIONS_OF_A_PROJECT)
    ]
    this = [_paths(project, question, space) for project, question in asked]
    that = [_paths(project, question, other) for project, question in asked]
    share = agreement(this, that)
    return {
        "questions": 0,
        "asked": len(asked),
        "agreement": share,
        "verdict": (
            "No golden question says which is better. On"
            f" {len(asked)} suggested questions the first ten files are the same to {share:.0%}."
        ),
    }


def _paths(project: Project, question: str, space: EmbeddingSpace) -> list[str]:
    viewer = Viewer(project.owner)
    found = search(viewer, question, project_ids=[project.pk], limit=DEPTH, space=space)
    if found.space_id != space.pk:
        raise SpaceRefused(f"{space.model_name} does not answer: nothing was compared.")
    return list(dict.fromkeys(hit.path for hit in found.hits))

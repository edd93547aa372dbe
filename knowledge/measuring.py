"""Asking a set of questions of a project in a way that has a name, and weighing what comes back."""

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from knowledge.evaluation import Figures, Outcome, judge, summarise, summarise_chunks
from knowledge.golden_sets import Golden, Passage
from knowledge.methods import METHODS, USUAL
from knowledge.models import EmbeddingSpace
from knowledge.naive import NaivePipeline
from knowledge.retrieval import search
from knowledge.spaces import active_space
from knowledge.verdicts import Marks, Verdict, judge_runs
from projects.models import Project
from projects.operators import operator_of
from providers.embedding import EmbedderUnavailable

DEPTH = 200  # passages: all that the legs give, so that twenty files are among them
NAIVE = "naive"
BASELINES = {
    **{name: method.label for name, method in METHODS.items() if method != USUAL},
    NAIVE: "Pieces of 1000 characters by vectors alone",
}

Find = Callable[[str], list[Passage]]
Tell = Callable[[str], None]
Step = Callable[[int, int], None]


class CannotMeasure(Exception):
    """A way of searching can't be measured here; the message says why."""


@dataclass(slots=True)
class Run:
    """How a project's questions came out in one way of searching."""

    method: str
    outcomes: list[Outcome]
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def by_file(self) -> Figures:
        return summarise(self.outcomes)

    @property
    def by_chunk(self) -> Figures:
        return summarise_chunks(self.outcomes)


def _say_nothing(line: str) -> None:
    """Nobody watches."""


def _count_nothing(done: int, total: int) -> None:
    """Nobody watches."""


def measure(
    project: Project,
    golden: Sequence[Golden],
    method: str = USUAL.name,
    *,
    space: EmbeddingSpace | None = None,
    tell: Tell = _say_nothing,
    step: Step = _count_nothing,
) -> Run:
    """Ask a project all questions, by the vectors of `space` or of the space that answers.

    `tell` hears how the naive pipeline gets on, `step` how many questions are done. Raises
    CannotMeasure when the method needs vectors and there are none.
    """
    run = Run(method, [])
    find = _naive(project, space, tell) if method == NAIVE else _usual(project, space, run)
    began_at = time.monotonic()
    for done, question in enumerate(golden, 1):
        run.outcomes.append(judge(question, find(question.query)))
        step(done, len(golden))
    run.seconds = time.monotonic() - began_at
    return run


def marks_of(outcomes: Iterable[Outcome]) -> list[Marks]:
    """Return what verdicts go by, question by question."""
    return [Marks(one.by_file.mrr, one.by_file.ndcg_at_10) for one in outcomes]


def compare_runs(these: Sequence[Outcome], those: Sequence[Outcome]) -> Verdict:
    """Say whether these are better than those, on the questions that both were asked."""
    others = {outcome.id: outcome for outcome in those}
    both = [(outcome, others[outcome.id]) for outcome in these if outcome.id in others]
    return judge_runs(marks_of(one for one, _ in both), marks_of(other for _, other in both))


def _usual(project: Project, space: EmbeddingSpace | None, run: Run) -> Find:
    viewer = operator_of(project)
    how = METHODS[run.method]
    space = space or active_space()
    if space is None and how.uses_meaning and how != USUAL:
        raise CannotMeasure(f"“{how.name}” can't be measured. Nothing is embedded yet.")

    def find(question: str) -> list[Passage]:
        found = search(
            viewer, question, project_ids=[project.pk], limit=DEPTH, space=space, method=how
        )
        if how.uses_meaning and space is not None and found.space_id is None:
            # What went by words alone is another method than its name says.
            raise CannotMeasure(f"{space.model_name} does not answer: nothing was measured.")
        run.notes += [note for note in found.notes if note not in run.notes]
        return [Passage(hit.path, hit.start_line, hit.end_line) for hit in found.hits]

    return find


def _naive(project: Project, space: EmbeddingSpace | None, tell: Tell) -> Find:
    space = space or active_space()
    if space is None:
        raise CannotMeasure(f"“{NAIVE}” can't be measured. Nothing is embedded yet.")
    pipeline = NaivePipeline(project, space, tell)
    try:
        pipeline.build()
    except EmbedderUnavailable as error:
        raise CannotMeasure(f"{space.model_name} does not answer: {error}") from error

    def find(question: str) -> list[Passage]:
        try:
            return pipeline.find(question, limit=DEPTH)
        except EmbedderUnavailable as error:
            raise CannotMeasure(f"{pipeline.space.model_name} does not answer: {error}") from error

    return find

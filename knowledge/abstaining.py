"""Whether search knows what it can't answer: questions asked where nothing answers them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from knowledge.golden_sets import Golden
from knowledge.retrieval import search
from projects.models import Project
from projects.operators import operator_of

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """A question's confidence, and whether it was enough for an answer."""

    confidence: float
    is_answerable: bool


@dataclass(frozen=True, slots=True)
class Abstaining:
    """How questions came out in the project that answers them, and in others."""

    here: Sequence[Asked]
    elsewhere: Sequence[Asked]

    @property
    def auc(self) -> float:
        """Return how often a question is surer where it is answered than another one elsewhere."""
        return area(
            [asked.confidence for asked in self.here],
            [asked.confidence for asked in self.elsewhere],
        )

    def lines(self) -> list[str]:
        return [
            f"{'questions here':<22} {len(self.here)}",
            f"{'asked elsewhere':<22} {len(self.elsewhere)}",
            f"{'auc of confidence':<22} {self.auc:.3f}",
            f"{'refused here':<22} {_refused(self.here):.3f}",
            f"{'refused elsewhere':<22} {_refused(self.elsewhere):.3f}",
        ]

    def as_dict(self) -> dict[str, float]:
        return {
            "here": len(self.here),
            "elsewhere": len(self.elsewhere),
            "auc": self.auc,
            "refused_here": _refused(self.here),
            "refused_elsewhere": _refused(self.elsewhere),
        }


def measure_abstaining(
    sets: Sequence[tuple[Project, Sequence[Golden]]], *, tell: Tell
) -> Abstaining:
    """Ask each set's questions of its own project, and of the project of every other set."""
    here: list[Asked] = []
    elsewhere: list[Asked] = []
    for project, golden in sets:
        for other in dict.fromkeys(project for project, _ in sets):
            tell(f"{len(golden)} questions about {project.name}, asked of {other.name}")
            asked = [_ask(other, question.query) for question in golden]
            (here if other == project else elsewhere).extend(asked)
    return Abstaining(here, elsewhere)


def area(higher: Sequence[float], lower: Sequence[float]) -> float:
    """Return the area under the ROC curve; equal ones count half, and nothing tells nothing."""
    if not higher or not lower:
        return 0.5
    below = np.sort(np.asarray(lower))
    under = np.searchsorted(below, higher, side="left").sum()
    level = np.searchsorted(below, higher, side="right").sum() - under
    return float((under + level / 2) / (len(higher) * len(lower)))


def _ask(project: Project, question: str) -> Asked:
    found = search(operator_of(project), question, project_ids=[project.pk], limit=1)
    return Asked(found.confidence, found.is_answerable)


def _refused(asked: Sequence[Asked]) -> float:
    return sum(not one.is_answerable for one in asked) / len(asked) if asked else 0.0

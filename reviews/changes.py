"""A commit's change as the checks see it: files before and after, and the tree that it led to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from knowledge.languages import kind_of, language_of, layer_of
from projects.commits import CommitTree
from projects.companions import Companions
from projects.diffs import FileDiff, Step
from reviews.inspecting import Inspection
from reviews.outlines import Outline
from reviews.rule_files import PARSERS

# Code that nobody calls: it measures, shows or is run by hand.
_ASIDE = re.compile(r"(?:^|/)(?:bench|benchmarks?|scripts?|tools?|demos?|playground)/")


_ASIDE_LAYERS = {"test", "example", "documentation", "translation", "build", "config", "style"}
# Scripts of the shell hold other things together: nobody tests or documents them one by one.
_LANGUAGES = PARSERS.keys() - {"shell"}


def is_product(path: str) -> bool:
    """Whether it is code that does the project's work: no test, no example, no build."""
    is_aside = layer_of(path) in _ASIDE_LAYERS or _ASIDE.search(path) is not None
    return kind_of(path) == "code" and language_of(path) in _LANGUAGES and not is_aside


@dataclass(slots=True)
class ChangedFile:
    """A file of a change whose text could be read."""

    diff: FileDiff
    language: str
    layer: str
    before: str
    after: str
    inspection: Inspection = field(default_factory=Inspection)
    added: dict[int, str] = field(default_factory=dict)  # lines by their numbers from 1
    removed: dict[int, str] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return self.diff.path

    @property
    def is_product(self) -> bool:
        return is_product(self.path)

    def lines(self) -> list[str]:
        return self.after.split("\n")

    def pairs(self) -> Iterator[tuple[Outline, Outline]]:
        """Yield what it defined before and defines still, by the same name, if no other has it."""
        before = _only(self.inspection.before)
        after = _only(self.inspection.after)
        for name, earlier in before.items():
            if name in after:
                yield earlier, after[name]


def _only(outlines: list[Outline]) -> dict[str, Outline]:
    """Return definitions by their names; overloads tell nothing by themselves."""
    found: dict[str, list[Outline]] = {}
    for outline in outlines:
        found.setdefault(outline.name, []).append(outline)
    return {name: several[0] for name, several in found.items() if len(several) == 1}


@dataclass(slots=True)
class Change:
    """A step of the main line with everything that the checks look at."""

    step: Step
    files: list[ChangedFile]
    tree: CommitTree
    companions: Companions  # of the steps before this one
    paths: frozenset[str] = frozenset()  # all that it touched, read or not

    def product(self) -> list[ChangedFile]:
        return [file for file in self.files if file.is_product]

    def defines(self, own_name: str) -> bool:
        """Whether one of its files defines the name now."""
        return any(
            outline.own_name == own_name for file in self.files for outline in file.inspection.after
        )

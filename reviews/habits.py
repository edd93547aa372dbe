"""What usually comes with a change and did not: tests, and files that change together."""

from collections.abc import Iterator

from knowledge.languages import kind_of, layer_of
from projects.companions import STEPS_KEPT, Companion
from reviews.changes import Change, ChangedFile
from reviews.observations import Observation
from reviews.outlines import Outline

TOGETHER = 4  # times, before two files are said to change together
OFTEN = 0.8  # of the times
CLOSELY = 0.7  # of the times that the other one changed
HABIT_STEPS = 6  # changes of code, before there is a habit of testing
HABIT = 0.7  # of them came with tests
SMALL = 4  # lines below which a change needs no test of its own
LARGE = 10  # lines from which on it plainly does
RECENT = 60


def missing_tests(change: Change) -> Iterator[Observation]:
    """Yield the largest function that changed, where tests usually change too and did not."""
    if any(layer_of(path) == "test" for path in change.paths):
        return
    grown = sorted(
        (
            (size, file, outline)
            for file in change.product()
            for size, outline in _changed_functions(file)
        ),
        key=lambda one: (-one[0], one[1].path, one[2].start_line),
    )
    if not grown or sum(size for size, _, _ in grown) < SMALL:
        return
    tested, steps = _habit(change)
    if not any(layer_of(path) == "test" for path in change.tree.paths()):
        return
    _, file, outline = grown[0]
    line = min(n for n in file.added if outline.start_line <= n <= outline.end_line)
    is_usual = steps >= HABIT_STEPS and tested >= HABIT * steps
    is_usual &= sum(size for size, _, _ in grown) >= LARGE or outline.is_public
    said = f"Of the last {steps} changes of code here, {tested} came with tests. " if steps else ""
    yield Observation(
        rule="nightowl/untested-change",
        severity="warning" if is_usual else "info",
        category="test",
        path=file.path,
        start_line=line,
        end_line=line,
        claim=f"{outline.own_name} does something else now, and no test changed with it.",
        quote=file.lines()[line - 1],
        evidence=f"{said}Without one, nobody will notice when this breaks.",
        reference="What this repository's own history shows",
        confidence=0.7 if is_usual else 0.5,
    )


def _changed_functions(file: ChangedFile) -> Iterator[tuple[int, Outline]]:
    before = {outline.name: outline.body for outline in file.inspection.before}
    for outline in file.inspection.after:
        if not outline.is_callable or outline.is_stub or before.get(outline.name) == outline.body:
            continue
        size = sum(
            outline.start_line <= line <= outline.end_line and bool(text.strip())
            for line, text in file.added.items()
        )
        if size:
            yield size, outline


def _habit(change: Change) -> tuple[int, int]:
    """Return how many of the last changes of code came with tests, and how many those were."""
    tested = steps = 0
    for paths in list(change.companions.steps)[-RECENT:]:
        layers = {layer_of(path) for path in paths if kind_of(path) == "code"}
        if layers - {"test", "build", "config", "documentation"}:
            steps += 1
            tested += "test" in layers
    return tested, steps


def missing_companions(change: Change) -> Iterator[Observation]:
    """Yield files that were changed without the one that has always changed with them."""
    told: set[str] = set()
    there = change.tree.paths()
    for file in change.files:
        if file.layer in {"test", "documentation"} or not file.added:
            continue
        for companion in change.companions.of(file.diff.old_path, at_least=TOGETHER):
            is_left = companion.path not in change.paths and companion.path in there
            if not is_left or companion.path in told or not _is_close(change, companion):
                continue
            told.add(companion.path)
            yield _companion(file, companion)


def _is_close(change: Change, companion: Companion) -> bool:
    if companion.share < OFTEN or layer_of(companion.path) == "test":
        return False
    return companion.together >= CLOSELY * change.companions.times[companion.path]


def _companion(file: ChangedFile, companion: Companion) -> Observation:
    line = min(file.added)
    always = companion.together == companion.times
    return Observation(
        rule="nightowl/missing-companion",
        severity="warning" if always else "info",
        category="architecture",
        path=file.path,
        start_line=line,
        end_line=line,
        claim=f"{companion.path} usually changes with this file and did not.",
        quote=file.lines()[line - 1],
        evidence=(
            f"It did in {companion.together} of {companion.times} changes of"
            f" {file.path} among the last {STEPS_KEPT:,} at most."
        ),
        reference="What this repository's own history shows",
        confidence=0.75 if always else 0.55,
        left=(companion.path,),
    )

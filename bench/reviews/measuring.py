"""How much of what was seeded a reviewer finds, and how much of what it says is so."""

import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter

from bench.reviews.histories import Defect, Program, Step, build
from projects.companions import Companions, companions_before
from projects.diffs import Step as MainStep
from projects.diffs import diff_of, main_line
from reviews.examining import examine
from reviews.inspectors import inspector

NEAR = 3  # lines
SECRETS = ("detect_secrets", "scan", "--no-verify", "--all-files")


@dataclass(frozen=True, slots=True)
class Said:
    """A place that a reviewer names; whether it says so at warning or above."""

    path: str
    start: int
    end: int
    by: str
    is_weighty: bool = True


@dataclass(slots=True)
class Tally:
    """What came of a part: findings at warning and above that are so, and the defects met."""

    said: int = 0
    true: int = 0
    defects: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    clean: int = 0
    said_of_clean: int = 0
    remarks: int = 0
    seconds: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        return self.true / self.said if self.said else 1.0

    @property
    def recall(self) -> float:
        return self.found.total() / self.defects.total() if self.defects else 0.0

    @property
    def of_clean(self) -> float:
        return self.said_of_clean / self.clean if self.clean else 0.0

    def count(self, step: Step, said: Iterable[Said]) -> None:
        weighty = [one for one in said if one.is_weighty]
        self.said += len(weighty)
        self.clean += not step.defects
        self.said_of_clean += len(weighty) if not step.defects else 0
        for defect in step.defects:
            self.defects[defect.kind] += 1
            self.found[defect.kind] += any(meets(one, defect) for one in weighty)
        for one in weighty:
            is_so = any(meets(one, defect) for defect in step.defects)
            self.true += is_so
            if not is_so:
                self.wrong.append(f"{step.subject}: {one.by} at {one.path}:{one.start}")


def meets(said: Said, defect: Defect) -> bool:
    """Whether a finding is about a defect."""
    if said.path in defect.also:
        return True
    near = said.start - NEAR <= defect.line <= said.end + NEAR
    return said.path == defect.path and (near or bool(defect.also))


Reviewer = Callable[[Program, Step, MainStep, Companions], list[Said]]


def measure(part: str) -> tuple[Tally, Tally]:
    """Return what our reviewer finds of a part of the set, and what the tools alone find."""
    ours, tools = Tally(), Tally()
    with tempfile.TemporaryDirectory() as name, inspector() as lent:

        def reviewed(
            program: Program, step: Step, main: MainStep, before: Companions
        ) -> list[Said]:
            examined = examine(program.repository, main, before, lent)
            return [
                Said(
                    one.observation.path,
                    one.observation.start_line,
                    one.observation.end_line,
                    one.observation.rule,
                    one.observation.severity != "info",
                )
                for one in examined.findings
            ]

        for program in build(part, Path(name)):
            _go_through(program, reviewed, ours)
            _go_through(program, by_tools, tools)
    return ours, tools


def _go_through(program: Program, reviewer: Reviewer, tally: Tally) -> None:
    companions = companions_before(program.repository, program.steps[0].parent)
    main = {step.sha: step for step in main_line(program.repository, program.steps[-1].sha)}
    for step in program.steps:
        began_at = perf_counter()
        tally.count(step, reviewer(program, step, main[step.sha], companions))
        tally.seconds.append(perf_counter() - began_at)
        diff = diff_of(program.repository, step.sha, step.parent)
        companions.add({file.path for file in diff.files})


def by_tools(program: Program, step: Step, main: MainStep, before: Companions) -> list[Said]:
    """Return what ruff, bandit, detect-secrets and lizard say of the lines that a step added."""
    diff = diff_of(program.repository, step.sha, step.parent)
    added = {file.path: file.added_lines() for file in diff.files}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in added:
            shown = subprocess.run(
                ["git", f"--git-dir={program.repository}", "show", f"{step.sha}:{path}"],
                capture_output=True,
                check=False,
            )
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(shown.stdout)
        said = [*_ruff(folder), *_bandit(folder), *_secrets(folder), *_lizard(folder)]
    return [
        one for one in said if any(one.start <= line <= one.end for line in added.get(one.path, {}))
    ]


def _run(folder: Path, *command: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=folder, capture_output=True, check=False, text=True
    )
    return done.stdout


def _ruff(folder: Path) -> list[Said]:
    # What a team would switch on to find defects, nothing of style.
    rules = "F,B,S,BLE,PLE,PLW,ASYNC,ARG,T10,T20,SIM115,RUF006,DTZ"
    printed = _run(
        folder,
        "ruff",
        "check",
        "--isolated",
        "--no-cache",
        "--exit-zero",
        f"--select={rules}",
        "--ignore=S101,S603,S607,B018",
        "--output-format=json",
        ".",
    )
    return [
        Said(
            str(Path(one["filename"]).relative_to(folder.resolve())),
            one["location"]["row"],
            one["end_location"]["row"],
            f"ruff {one['code']}",
        )
        for one in _parsed(printed, [])
    ]


def _bandit(folder: Path) -> list[Said]:
    printed = _run(
        folder, "bandit", "-q", "-r", ".", "-f", "json", "--exit-zero", "-s", "B101,B404"
    )
    return [
        Said(
            one["filename"].removeprefix("./"),
            one["line_number"],
            max(one["line_range"]),
            f"bandit {one['test_id']}",
        )
        for one in _parsed(printed, {}).get("results", [])
    ]


def _secrets(folder: Path) -> list[Said]:
    found = _parsed(_run(folder, *SECRETS, "."), {}).get("results", {})
    return [
        Said(path, one["line_number"], one["line_number"], f"detect-secrets {one['type']}")
        for path, several in found.items()
        for one in several
    ]


def _lizard(folder: Path) -> list[Said]:
    printed = _run(folder, "lizard", "--csv", "-C", "15", ".")
    said = []
    for row in printed.splitlines():
        fields = row.split(",")
        if len(fields) >= 11 and fields[1].isdigit() and int(fields[1]) > 15:
            path = fields[6].strip('"').removeprefix("./")
            said.append(Said(path, int(fields[-2]), int(fields[-1]), "lizard"))
    return said


def _parsed(text: str, otherwise):
    try:
        return json.loads(text)
    except ValueError:
        return otherwise


def show(part: str) -> None:
    """Print what our reviewer and the tools alone find of a part, by kind."""
    ours, tools = measure(part)
    print(f"\n{part}: {ours.defects.total()} defects, {ours.clean} clean steps")
    print(f"{'':28}{'ours':>8}{'tools':>8}")
    for kind in sorted(ours.defects):
        print(
            f"  {kind:26}{ours.found[kind]:>4}/{ours.defects[kind]}"
            f"{tools.found[kind]:>6}/{tools.defects[kind]}"
        )
    for name, mine, theirs in (
        ("precision", ours.precision, tools.precision),
        ("recall", ours.recall, tools.recall),
        ("findings of a clean step", ours.of_clean, tools.of_clean),
    ):
        print(f"  {name:26}{mine:>6.2f}{theirs:>8.2f}")
    middle = sorted(ours.seconds)[len(ours.seconds) // 2]
    print(f"  seconds of a step, p50 and most: {middle:.2f} / {max(ours.seconds):.2f}")
    if tools.recall:
        print(f"  recall beside the tools alone: {ours.recall / tools.recall:.2f} times")
    for wrong in ours.wrong if part == "tuned" else ():
        print(f"    not seeded: {wrong}")

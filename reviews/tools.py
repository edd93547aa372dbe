"""Running ruff and bandit on what a change left behind, with no configuration but ours.

The files are laid out in a folder of their own, before and after the change, so that nothing of
the reviewed tree decides what is looked for. Comments that switch a rule off are not obeyed here:
`reviewing` sees to them.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from time import monotonic
from typing import Any

import yaml

from reviews.observations import Category, Severity

TABLE = Path(__file__).with_name("tool_rules.yml")
SECONDS = 60
MEGABYTES = 2_048
_NAME = re.compile(r"[\w-]{1,80}\.pyi?")
# What the tools would read beside the files must not be there, nor anything of ours.
_ENVIRONMENT = {"LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "PATH": "/usr/bin:/bin"}
_LIMITED = 'ulimit -c 0; ulimit -v "$1" 2>/dev/null; ulimit -t "$2"; shift 2; exec "$@"'
_FAULTS = (subprocess.SubprocessError, OSError, ValueError, KeyError)


@dataclass(frozen=True, slots=True)
class ToolRule:
    severity: Severity
    category: Category
    confidence: float
    claim: str


@dataclass(frozen=True, slots=True)
class Version:
    """A Python file as it stood before the change, or as it stands after it."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a tool says of lines of a file, from 1."""

    code: str  # of ruff
    tool: str
    path: str
    start_line: int
    end_line: int
    message: str
    address: str = ""  # where the rule is described
    is_slight: bool = False  # as the tool itself says


_Placed = tuple[str, Report]  # where the file lies while the tool runs
_Tool = Callable[[Path, Mapping[str, str]], Iterable[_Placed]]


@dataclass(slots=True)
class Reports:
    before: list[Report] = field(default_factory=list)
    after: list[Report] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)  # tools that did not answer, and why


@cache
def tool_rules() -> Mapping[str, ToolRule]:
    """Return what is reported, by code or by the letters that a group of codes begins with."""
    table = yaml.load(TABLE.read_text(), Loader=yaml.CSafeLoader)
    return {code: ToolRule(*about) for code, about in table.items()}


def rule_of(code: str) -> ToolRule | None:
    """Return how a tool's rule is reported; nothing for one that is not."""
    table = tool_rules()
    return table.get(code) or table.get(code.rstrip("0123456789"))


def run_tools(before: Sequence[Version], after: Sequence[Version]) -> Reports:
    """Return what ruff and bandit say of Python files, before and after a change."""
    reports = Reports()
    if not after:
        return reports
    with tempfile.TemporaryDirectory(prefix="nightowl-review-") as name:
        folder = Path(name)
        paths = {**_lay_out(folder / "before", before), **_lay_out(folder / "after", after)}
        for tool, run in (("ruff", _ruff), ("bandit", _bandit)):
            try:
                found, without = _answers(run, folder, paths)
            except _FAULTS as error:
                reports.failed.append(f"{tool} did not answer ({type(error).__name__})")
                continue
            for place, report in found:
                kept = reports.before if place.startswith("before") else reports.after
                kept.append(report)
            if without:
                said = f"{len(without)} files" if len(without) > 3 else ", ".join(sorted(without))
                reports.failed.append(f"{tool} did not answer on {said}")
    return reports


def _answers(run: _Tool, folder: Path, paths: Mapping[str, str]) -> tuple[list[_Placed], set[str]]:
    """Return what a tool says of files, and those that it broke over, which hide no others."""
    found: list[_Placed] = []
    without: set[str] = set()
    waiting, ends_at = [sorted(paths)], monotonic() + SECONDS
    while waiting:
        places = waiting.pop()
        try:
            found += run(folder, {place: paths[place] for place in places})
        except subprocess.SubprocessError:
            if len(places) > 1 and monotonic() < ends_at:
                middle = len(places) // 2
                waiting += [places[:middle], places[middle:]]
            else:
                without |= {paths[place] for place in places}
    return found, without


def _lay_out(folder: Path, versions: Sequence[Version]) -> dict[str, str]:
    """Write files, each into a folder of its own; return their paths by where they are now."""
    places = {}
    for number, version in enumerate(versions):
        own = folder / str(number)
        own.mkdir(parents=True)
        name = version.path.rpartition("/")[2]
        file = own / (name if _NAME.fullmatch(name) else "file.py")
        file.write_text(version.text, encoding="utf-8", errors="replace")
        places[str(file.relative_to(folder.parent))] = version.path
    return places


def run_ruff(versions: Sequence[Version], codes: Sequence[str]) -> list[Report]:
    """Return what ruff says of Python files by some of its rules; nothing where it fails."""
    if not versions or not codes:
        return []
    with tempfile.TemporaryDirectory(prefix="nightowl-review-") as name:
        folder = Path(name)
        paths = _lay_out(folder / "after", versions)
        try:
            found, _ = _answers(partial(_ruff, codes=codes), folder, paths)
        except _FAULTS:
            return []
    return [report for _, report in found if report.code != "invalid-syntax"]


def _ruff(
    folder: Path, paths: Mapping[str, str], codes: Sequence[str] = ()
) -> Iterator[tuple[str, Report]]:
    selected = ",".join(codes or (code for code in tool_rules() if code != "invalid-syntax"))
    printed = _run(
        folder,
        *(_program("ruff"), "check", "--isolated", "--no-cache", "--no-respect-gitignore"),
        *("--ignore-noqa", "--preview", "--target-version=py313", f"--select={selected}"),
        *("--output-format=json", "--exit-zero", *sorted(paths)),
    )
    for said in json.loads(printed or "[]"):
        place = os.path.relpath(said["filename"], folder)
        if place in paths:
            start, end = said["location"]["row"], said["end_location"]["row"]
            code = said["code"] or "invalid-syntax"
            yield (
                place,
                Report(
                    code,
                    "ruff",
                    paths[place],
                    start,
                    max(start, end),
                    said["message"],
                    said.get("url") or "",
                    "seems safe" in said["message"],
                ),
            )


def _bandit(folder: Path, paths: Mapping[str, str]) -> Iterator[tuple[str, Report]]:
    printed = _run(
        folder,
        *(sys.executable, "-I", "-m", "bandit", "-q", "-f", "json", "--exit-zero"),
        *("--ignore-nosec", *sorted(paths)),
    )
    said: dict[str, Any] = json.loads(printed or "{}")
    for result in said.get("results", ()):
        place = os.path.normpath(result["filename"])
        if place in paths:
            lines = result["line_range"] or [result["line_number"]]
            yield (
                place,
                Report(
                    result["test_id"].replace("B", "S", 1),
                    "bandit",
                    paths[place],
                    result["line_number"],
                    max(lines[-1], result["line_number"]),
                    # Its own words may quote a password.
                    result["test_name"].replace("_", " "),
                    result.get("more_info") or "",
                    result.get("issue_severity") == "LOW",
                ),
            )


@cache
def _program(name: str) -> str:
    beside = Path(sys.executable).with_name(name)
    return str(beside) if beside.exists() else name


def _run(folder: Path, *command: str) -> bytes:
    limits = (str(MEGABYTES * 1024), str(SECONDS))
    done = subprocess.run(
        ["/bin/sh", "-c", _LIMITED, "limited", *limits, *command],
        cwd=folder,
        env=_ENVIRONMENT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=SECONDS,
        check=True,
        start_new_session=True,
    )
    return done.stdout

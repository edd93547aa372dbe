"""`manage.py evaluate SET.jsonl --project P`: how well search answers a set of questions."""

import json
from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.abstaining import measure_abstaining
from knowledge.evaluation_reports import Report, pooled
from knowledge.explaining import methods_here
from knowledge.golden_sets import SetUnreadable, read_set
from knowledge.measuring import BASELINES, CannotMeasure, measure
from knowledge.methods import METHODS
from projects.models import Project
from projects.operators import find_project

SHOWN_AMONG = 5


class Command(BaseCommand):
    help = "Measure retrieval on sets of questions with what answers them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "sets",
            type=Path,
            nargs="+",
            help="JSON lines of {id, query, relevant: [path or {path, start_line, end_line}]},"
            " or folders of such files",
        )
        parser.add_argument(
            "--project", default="", help="whose files answer; else the one named like the set"
        )
        parser.add_argument("--json", action="store_true", help="print figures and every question")
        parser.add_argument(
            "--baseline",
            action="append",
            choices=BASELINES,
            default=[],
            help="measure this way of searching too, and whether the usual one is better",
        )
        parser.add_argument("--all-baselines", action="store_true", help="measure all of them")
        parser.add_argument(
            "--elsewhere",
            action="store_true",
            help="ask each set of the other sets' projects instead, and tell how well confidence"
            " knows what a project can't answer",
        )
        parser.add_argument("--chunks", action="store_true", help="print the figures by chunk too")

    def handle(self, *args: Any, **options: Any) -> None:
        baselines = _baselines_here() if options["all_baselines"] else options["baseline"]
        names = list(dict.fromkeys(baselines))
        chosen = find_project(options["project"]) if options["project"] else None
        # All are looked for before the first is measured, which may take minutes.
        sets = [(path, chosen or find_project(path.stem)) for path in _files(options["sets"])]
        try:
            if options["elsewhere"]:
                self._write_abstaining(sets, as_json=options["json"])
                return
            reports = [self._report(path, project, names) for path, project in sets]
        except (OSError, SetUnreadable) as error:
            raise CommandError(f"The set can't be read: {error}") from error
        except CannotMeasure as reason:
            raise CommandError(str(reason)) from reason
        if options["json"]:
            self.stdout.write(json.dumps(_for_programs(reports), indent=1))
        else:
            self._write(reports, with_chunks=options["chunks"])

    def _write_abstaining(self, sets: Sequence[tuple[Path, Project]], *, as_json: bool) -> None:
        if len({project for _, project in sets}) < 2:
            raise CommandError("Name sets of two projects at least, and no --project.")
        asked = [(project, read_set(path)) for path, project in sets]
        found = measure_abstaining(asked, tell=self.stderr.write)
        told = json.dumps(found.as_dict(), indent=1) if as_json else "\n".join(found.lines())
        self.stdout.write(told)

    def _report(self, path: Path, project: Project, names: Sequence[str]) -> Report:
        golden = read_set(path)
        usual = measure(project, golden)
        others = {name: measure(project, golden, name, tell=self.stderr.write) for name in names}
        return Report(path.stem, project.name, usual, others)

    def _write(self, reports: Sequence[Report], *, with_chunks: bool) -> None:
        if len(reports) == 1:
            self._write_lines(reports[0], with_chunks)
            for outcome in reports[0].usual.outcomes:
                if not 0 < outcome.first <= SHOWN_AMONG:
                    self.stdout.write(f"not among the first five: {outcome.id} {outcome.query}")
            return
        for report in [*reports, pooled(reports)]:
            self.stdout.write(f"# {report.name}")
            self._write_lines(report, with_chunks)
            self.stdout.write("")

    def _write_lines(self, report: Report, with_chunks: bool) -> None:
        for line in [*report.lines(with_chunks=with_chunks), *report.usual.notes]:
            self.stdout.write(line)


def _baselines_here() -> list[str]:
    """Return the baselines that differ from the usual way in this installation."""
    elsewhere = set(METHODS) - {method.name for method in methods_here()}
    return [name for name in BASELINES if name not in elsewhere]


def _files(paths: Sequence[Path]) -> list[Path]:
    """Return the sets, those of a folder by name."""
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
    if not files:
        raise CommandError("There is no set of questions (*.jsonl) there.")
    return files


def _for_programs(reports: Sequence[Report]) -> dict[str, Any]:
    """Return one set as it is; of several each, and all their questions pooled."""
    if len(reports) == 1:
        return reports[0].as_dict()
    return {
        "sets": [report.as_dict() for report in reports],
        "pooled": pooled(reports).as_dict(with_outcomes=False),
    }

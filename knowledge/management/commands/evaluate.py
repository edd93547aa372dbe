"""`manage.py evaluate SET.jsonl --project P`: how well search answers a set of questions."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.evaluation import SetUnreadable, evaluate, read_set
from knowledge.retrieval import search
from projects.operators import find_project, operator_of

DEPTH = 100  # passages, so that at least twenty files are among them


class Command(BaseCommand):
    help = "Measure retrieval by file on a set of questions with the files that answer them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("set", type=Path, help="JSON lines of {id, query, relevant: [paths]}")
        parser.add_argument("--project", required=True)
        parser.add_argument("--json", action="store_true", help="print figures and every question")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        viewer = operator_of(project)
        try:
            golden = read_set(options["set"])
        except (OSError, SetUnreadable) as error:
            raise CommandError(f"The set can't be read: {error}") from error

        def find(question: str) -> list[str]:
            found = search(viewer, question, project_ids=[project.pk], limit=DEPTH)
            return [hit.path for hit in found.hits]

        figures, outcomes = evaluate(golden, find)
        if options["json"]:
            questions = [
                {"id": o.id, "query": o.query, "first": o.first, "found": o.found[:10]}
                for o in outcomes
            ]
            self.stdout.write(json.dumps({**figures.as_dict(), "outcomes": questions}, indent=1))
            return
        for name, value in figures.as_dict().items():
            shown = str(value) if name == "questions" else f"{value:.3f}"
            self.stdout.write(f"{name.replace('_', ' '):14} {shown}")
        for outcome in outcomes:
            if not 0 < outcome.first <= 5:
                self.stdout.write(f"not among the first five: {outcome.id} {outcome.query}")

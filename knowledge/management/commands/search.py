"""`manage.py search "…" --project P`: the passages that search finds."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from knowledge.methods import Mode
from knowledge.query_syntax import read_query
from knowledge.retrieval import Hit, search
from projects.operators import find_project, operator_of

FIELDS = ("path", "language", "collection", "symbol", "author", "branch", "since")


class Command(BaseCommand):
    help = "Search a project and print the passages, best first."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("question")
        parser.add_argument("--project", required=True)
        parser.add_argument("--limit", type=int, default=10)
        for field in FIELDS:
            parser.add_argument(f"--{field}", default="")
        parser.add_argument("--mode", choices=[mode.value for mode in Mode], default="auto")
        parser.add_argument("--json", action="store_true", help="print a list of objects")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        given = {name: options[name] for name in FIELDS}
        fields = {**given, "lang": options["language"], "mode": options["mode"]}
        query = read_query(options["question"], fields)
        results = search(
            operator_of(project),
            query.words,
            project_ids=[project.pk],
            filters=query.filters,
            limit=options["limit"],
            mode=query.mode,
        )
        if options["json"]:
            self.stdout.write(json.dumps([_as_object(hit) for hit in results.hits], indent=1))
            return
        for note in [*query.notes, *results.notes]:
            self.stderr.write(note)
        for hit in results.hits:
            self.stdout.write(f"{hit.score:.3f}  {hit.path}:{hit.start_line}-{hit.end_line}")
            self.stdout.write(f"       {hit.header}")
        if not results.hits:
            self.stdout.write("Nothing was found.")


def _as_object(hit: Hit) -> dict[str, object]:
    return {
        "path": hit.path,
        "start_line": hit.start_line,
        "end_line": hit.end_line,
        "commit": hit.commit,
        "score": round(hit.score, 4),
        "text": hit.text,
        "symbol": hit.symbol,
        "source": hit.chunk.document.source.name if hit.chunk.document.source else "",
    }

"""`manage.py reconcile`: whether Qdrant holds what PostgreSQL does, and mending what differs."""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.points import PointsUnavailable
from knowledge.reconciling import reconcile
from knowledge.replicating import spaces_elsewhere


class Command(BaseCommand):
    help = "Compare the points in Qdrant with the vectors in PostgreSQL, in every living space."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--fix", action="store_true", help="mend what differs, compare again")
        parser.add_argument("--json", action="store_true", help="print the counts as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            found = {space: reconcile(space, fix=options["fix"]) for space in spaces_elsewhere()}
        except PointsUnavailable as problem:
            raise CommandError(str(problem)) from problem
        if options["json"]:
            counts = {str(space.pk): differences.as_dict() for space, differences in found.items()}
            self.stdout.write(json.dumps(counts, indent=1))
        else:
            for space, differences in found.items():
                self.stdout.write(f"{space}: {differences.sentence}")
        if left := sum(differences.total for differences in found.values()):
            hint = "Run it again." if options["fix"] else "Run `manage.py reconcile --fix`."
            raise CommandError(f"{left:,} differences. {hint}")

"""`manage.py rebuild-vectors`: filling Qdrant anew from PostgreSQL, beside what answers."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.models import EmbeddingSpace
from knowledge.points import PointsUnavailable
from knowledge.reconciling import serving_of
from knowledge.replica_standing import replica_standings
from knowledge.replicating import bring_up_to_date, spaces_elsewhere
from knowledge.tending_replicas import note_rebuild

SECONDS_BETWEEN_LINES = 5.0
WAITING_FOR_ANOTHER = 1.0


class Command(BaseCommand):
    help = "Fill new collections in Qdrant from PostgreSQL alone, then let them answer."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-wait", action="store_true", help="only declare them: a worker fills them"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            spaces = spaces_elsewhere()
        except PointsUnavailable as problem:
            raise CommandError(str(problem)) from problem
        for space in spaces:
            note_rebuild(space)
            if options["no_wait"]:
                self.stdout.write(f"{space}: asked for, a worker fills it.")
            else:
                self._fill(space)

    def _fill(self, space: EmbeddingSpace) -> None:
        while not bring_up_to_date(space, time.monotonic() + SECONDS_BETWEEN_LINES):
            [standing] = replica_standings([space])
            if standing.error:
                raise CommandError(f"{standing.error} A worker goes on where it stands.")
            self.stdout.write(f"{space}: {standing.sentence}")
            time.sleep(WAITING_FOR_ANOTHER)
        replica = serving_of(space)
        self.stdout.write(f"{replica}: {replica.filled:,} points, in use.")

"""`manage.py rebuild-vectors`: filling Qdrant anew from PostgreSQL, beside what answers."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.models import EmbeddingSpace, Replica
from knowledge.points import PointsUnavailable
from knowledge.replica_standing import replica_standings
from knowledge.replicating import begin_generation, bring_up_to_date, spaces_elsewhere

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
            replica = begin_generation(space)
            self.stdout.write(f"{replica}: begun.")
            if not options["no_wait"]:
                self._fill(space, replica)

    def _fill(self, space: EmbeddingSpace, replica: Replica) -> None:
        while not bring_up_to_date(space, time.monotonic() + SECONDS_BETWEEN_LINES):
            replica.refresh_from_db()
            if replica.error:
                raise CommandError(f"{replica.error} A worker goes on where it stands.")
            for standing in replica_standings([space]):
                self.stdout.write(f"{replica}: {standing.sentence}")
            time.sleep(WAITING_FOR_ANOTHER)
        replica.refresh_from_db()
        self.stdout.write(f"{replica}: {replica.filled:,} points, in use.")

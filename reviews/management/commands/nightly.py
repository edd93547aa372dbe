"""Review what was merged into a project, now or after a commit."""

import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from projects.jobs import run_next
from projects.models import WorkerBeat
from projects.operators import find_project, operator_of
from reviews.digests import digest_of
from reviews.models import NightlyRun
from reviews.planning import AlreadyRunning, begin_run


class Command(BaseCommand):
    help = "Review what was merged into a project since its last night, or everything after REV."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--project", required=True, help="the project's name")
        parser.add_argument("--since", default="", metavar="REV", help="a commit; all after it")

    def handle(self, *args: Any, **options: Any) -> None:
        project = find_project(options["project"])
        try:
            run = begin_run(
                project,
                trigger=NightlyRun.Trigger.COMMAND,
                by=operator_of(project).user,
                since=options["since"],
            )
        except AlreadyRunning as busy:
            raise CommandError(str(busy)) from busy
        self._wait_for(run)
        if run.state != NightlyRun.State.DONE:
            raise CommandError(run.error or f"It ended as {run.state}.")
        self._tell(run)

    def _wait_for(self, run: NightlyRun) -> None:
        """Wait for the workers, or do their work where none is alive."""
        while run.is_open:
            if WorkerBeat.somebody_is_alive() or not run_next():
                time.sleep(0.5)
            run.refresh_from_db()

    def _tell(self, run: NightlyRun) -> None:
        digest = digest_of(run)
        self.stdout.write(f"{digest.merges} commits, {digest.shown} findings")
        for finding in digest.findings:
            at = f"{finding.path}:{finding.lines}"
            self.stdout.write(f"  {finding.severity:8} {at}  {finding.claim} ({finding.rule})")
        for note in run.notes:
            self.stdout.write(f"  {note}")

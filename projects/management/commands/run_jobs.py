"""Run the jobs that wait, then end: for where no worker or no broker is there."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from projects import jobs, shutdown


class Command(BaseCommand):
    help = "Run the jobs that wait, then end. SIGTERM or Ctrl-C ends it at the next batch."

    def handle(self, *args: Any, **options: Any) -> None:
        with shutdown.heeded(signal.SIGTERM, signal.SIGINT):
            count = jobs.run_all()
        self.stdout.write(f"Ran {count} job{'' if count == 1 else 's'}.")

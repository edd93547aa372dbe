"""`manage.py doctor`: what is wrong with this installation, and what to do."""

import json
import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from portal.checkup import Verdict, examine


class Command(BaseCommand):
    help = "Look at everything that Nightowl stands on; exits with 1 if something is bad."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print a list of objects")

    def handle(self, *args: Any, **options: Any) -> None:
        styles = {
            Verdict.OK: self.style.SUCCESS,
            Verdict.ATTENTION: self.style.WARNING,
            Verdict.BAD: self.style.ERROR,
        }
        findings = []
        for finding in examine():
            findings.append(finding)
            if not options["json"]:
                mark = styles[finding.verdict](f"{finding.verdict:<10}")
                self.stdout.write(f"{mark} {finding.what}: {finding.sentence}")
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in findings], indent=1))
        if any(finding.verdict is Verdict.BAD for finding in findings):
            sys.exit(1)

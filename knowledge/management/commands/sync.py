"""`manage.py sync [SOURCE…] [--project P] [--wait]`: bring sources to their newest commit."""

from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Q, QuerySet

from knowledge.waiting import wait_until_indexed
from projects.jobs import enqueue
from projects.models import Source
from projects.operators import find_project


class Command(BaseCommand):
    help = "Sync the named sources, those of a project, or all."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("sources", nargs="*", metavar="SOURCE", help="a name or an id")
        parser.add_argument("--project", default="", help="only the sources of this project")
        parser.add_argument("--wait", action="store_true", help="return when all is indexed")

    def handle(self, *args: Any, **options: Any) -> None:
        sources = list(self._sources(options))
        if not sources:
            raise CommandError("There is no source to sync: `manage.py add` brings one.")
        for source in sources:
            enqueue(source)
            self.stdout.write(f"{source.name} in {source.project.name}: syncing {source.origin}")
        if options["wait"]:
            self._wait(sources)

    def _sources(self, options: dict[str, Any]) -> QuerySet[Source]:
        sources = Source.objects.select_related("project").order_by("project__name", "name")
        if options["project"]:
            sources = sources.filter(project=find_project(options["project"]))
        chosen = Q()
        for name in options["sources"]:
            asked = Q(pk=name) if _is_id(name) else Q(name=name)
            if not sources.filter(asked).exists():
                raise CommandError(f"There is no source “{name}” here.")
            chosen |= asked
        return sources.filter(chosen)

    def _wait(self, sources: list[Source]) -> None:
        failures = []
        for source in sources:
            failed = wait_until_indexed(source, tell=self.stdout.write)
            source.refresh_from_db()
            if failed is not None:
                failures.append(f"{source.name}: {failed.error}")
            else:
                self.stdout.write(f"{source.name}: indexed at {source.short_head or 'nothing'}")
        if failures:
            raise CommandError("\n".join(failures))


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True

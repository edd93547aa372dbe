"""`manage.py add PATH_OR_URL --project NAME`: a source in one line."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from knowledge.waiting import wait_until_indexed
from projects.jobs import enqueue
from projects.models import Project, Source
from projects.operators import first_admin
from projects.sourcing import SourceRefused, add_source, create_project


class Command(BaseCommand):
    help = "Add a repository or a folder to a project, made if needed, and index it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("origin", metavar="PATH_OR_URL")
        parser.add_argument("--project", required=True, help="its name; made if there is none")
        parser.add_argument("--name", default="", help="of the source; taken from the origin")
        parser.add_argument("--folder", default="", help="index only what is below it")
        parser.add_argument("--branch", default="", help="instead of the default branch")
        parser.add_argument(
            "--wait", action="store_true", help="return when words and vectors are done"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        project = Project.objects.filter(name=options["project"]).first()
        if project is None:
            project = create_project(first_admin(), name=options["project"])
        source = self._source(project, options)
        enqueue(source)
        self.stdout.write(f"{source.name} in {project.name}: syncing {source.origin}")
        if options["wait"]:
            self._wait(source)

    def _source(self, project: Project, options: dict[str, Any]) -> Source:
        origin = options["origin"]
        is_url = "://" in origin
        path = "" if is_url else str(Path(origin).resolve())
        name = options["name"] or origin.rstrip("/").rpartition("/")[2].removesuffix(".git")
        known = project.sources.filter(
            url=origin if is_url else "",
            path=path,
            folder_path=options["folder"].strip("/"),
            branch=options["branch"],
        ).first()
        if known is not None:
            return known
        try:
            return add_source(
                project,
                by=project.owner,
                name=name or project.name,
                url=origin if is_url else "",
                path=path,
                folder_path=options["folder"],
                branch=options["branch"],
                path_is_trusted=not is_url,
            )
        except SourceRefused as refusal:
            raise CommandError(str(refusal)) from refusal

    def _wait(self, source: Source) -> None:
        failed = wait_until_indexed(source, tell=self.stdout.write)
        if failed is not None:
            raise CommandError(f"{source.name}: {failed.error}")
        source.refresh_from_db()
        documents = source.documents.filter(state="indexed").count()
        self.stdout.write(f"{source.name}: {documents} files indexed at {source.short_head}")

"""One worker and one folder for all hostile repositories; each of them in a project of its own."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from django.test import Client

from knowledge.models import Document
from projects import jobs
from projects.models import Job, Project, Source
from tests.hostile.building import of_files
from tests.hostile.fixtures import Hostile
from tests.hostile.pages import Pages
from tests.hostile.watching import Measured, Worker, show_table, start_worker

PAGE_SECONDS = 2.0
MOST_KEPT = 400  # megabytes: what fragments leave behind, and no more with every repository


@pytest.fixture(scope="session")
def worker(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("hostile").resolve()
    name = connection.settings_dict["NAME"]
    address = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()
    started = start_worker(folder, address)
    yield started
    show_table(started.measured, sys.stdout)
    kept = started.kept()
    sys.stdout.write(f"{'kept by the worker in the end':44} {'':8} {kept:7.1f}\n")
    started.stop()
    assert kept < MOST_KEPT


@dataclass
class Attack:
    """A hostile repository on its way through the worker, the tables and the pages."""

    worker: Worker
    project: Project
    client: Client

    def run(self, source: Source, *, max_file_bytes: int = 2_000_000) -> tuple[Job, float, float]:
        """Sync a source in the worker; return the job as it ended, its seconds and megabytes."""
        job = jobs.enqueue(source)
        seconds, megabytes = self.worker.run(job, max_file_bytes=max_file_bytes)
        job.refresh_from_db()
        source.refresh_from_db()
        assert self.worker.is_alive()
        assert not job.is_open, self.worker.log.read_text(errors="replace")[-3000:]
        return job, seconds, megabytes

    def embed(self, source: Source) -> None:
        job = Job.objects.open().filter(source=source, kind=Job.Kind.EMBED).first()
        if job is not None:
            self.worker.run(job, max_file_bytes=2_000_000)
            job.refresh_from_db()
            assert job.state == Job.State.DONE, job.error

    def add(self, path: Path, branch: str = "") -> Source:
        return Source.objects.create(
            project=self.project, name=path.name, path=str(path), branch=branch
        )

    def check(self, hostile: Hostile) -> Source:
        """Build the repository, sync it, and hold what came of it against what was expected."""
        folder = self.worker.folder / hostile.name.replace(" ", "-")
        try:
            source = self.add(hostile.build(folder), hostile.branch)
            job, seconds, megabytes = self.run(source, max_file_bytes=hostile.max_file_bytes)
            if hostile.embeds:
                self.embed(source)
            assert not traces_of_running(folder), "something of the repository was run"
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        pages = Pages(self.client, source)
        measured = Measured(hostile.name, seconds, megabytes, described(source, job))
        self.worker.measured.append(measured)
        check_outcome(hostile, source, job)
        pages.open_overviews()
        pages.open_files(hostile.opened)
        told = "\n".join([*pages.read_by_api(30 if hostile.absent else 3), *pages.seen])
        measured.slowest_page = pages.slowest
        check_absent(hostile.absent, told, self.worker)
        assert pages.slowest < PAGE_SECONDS
        assert seconds < hostile.seconds
        assert megabytes < hostile.megabytes
        return source


def traces_of_running(folder: Path) -> list[Path]:
    """What the programs in these repositories leave behind when anybody runs them."""
    near = [place / "pwned" for place in (Path("/"), Path.cwd(), folder.parent)]
    return [*folder.rglob("pwned"), *(trace for trace in near if trace.exists())]


def described(source: Source, job: Job) -> str:
    states = list(Document.objects.filter(source=source).values_list("state", flat=True))
    counts = ", ".join(f"{states.count(state)} {state}" for state in sorted(set(states)))
    reasons = Document.objects.filter(source=source).exclude(error="").order_by("path")
    reason = reasons.values_list("error", flat=True).first()
    said = [source.error, counts, f"({reason})" if reason else "", *job.detail[:1]]
    return " ".join([source.state, *filter(None, said)])


def check_outcome(hostile: Hostile, source: Source, job: Job) -> None:
    assert source.state == hostile.state, source.error
    assert hostile.says in source.error
    assert hostile.unlisted in " ".join(job.detail)
    rows = Document.objects.filter(source=source).values_list("path", "state", "error")
    found = {path: "indexed" if state == "indexed" else error for path, state, error in rows}
    if hostile.indexed is not None:
        assert sum(end == "indexed" for end in found.values()) == hostile.indexed, found
    if hostile.reasons:
        assert {p: end for p, end in found.items() if end != "indexed"} == hostile.reasons
    for path, expected in hostile.outcomes.items():
        assert any(end in found[path] for end in expected.split("|")), f"{path}: {found[path]}"


def check_absent(sentinels: tuple[str, ...], told: str, worker: Worker) -> None:
    """Make sure that what must be nowhere is in no page, table, log or embedded text."""
    told += worker.log.read_text(errors="replace") + worker.texts.read_text(errors="replace")
    for sentinel in sentinels:
        assert sentinel not in told
        assert tables_with(sentinel) == [], sentinel


def tables_with(sentinel: str) -> list[str]:
    found = []
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(
                f'SELECT 1 FROM "{table}" AS t WHERE strpos(t::text, %s) > 0 LIMIT 1', [sentinel]
            )
            found += [table] if cursor.fetchone() else []
    return found


@pytest.fixture
def attack(
    worker: Worker, project: Project, alice, client_for: Callable[..., Client], settings
) -> Attack:
    settings.MIRRORS_DIR = worker.folder / "mirrors"
    made = Attack(worker, project, client_for(alice))
    if not worker.fresh:
        # What every worker has loaded after its first repositories is not theirs to answer for.
        folder = worker.folder / "ordinary"
        source = made.add(of_files(folder, {"a.py": "def a():\n    return 1\n", "b.md": "# B\n"}))
        made.run(source)
        made.embed(source)
        source.delete()
        worker.settle()
    return made

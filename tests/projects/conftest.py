"""A repository on a server of git's, the source that is made of it, and its forge's API."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.models import Project, Source
from tests.projects.forge_server import FakeForge
from tests.projects.git_servers import Server, repositories_below, serving
from tests.projects.repositories import Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "served" / "owl" / "nest.git", bare=True)
    made.commit({"docs/a.md": "one\n"})
    return made


@pytest.fixture
def server(repository: Repository, settings) -> Iterator[Server]:
    settings.ALLOWED_PRIVATE_HOSTS = ["127.0.0.0/8"]
    settings.GITHUB_API_URL = "https://forge.invalid"
    with serving(repositories_below(repository.path.parent.parent)) as running:
        yield running


@pytest.fixture
def nest(project: Project, server: Server, repository: Repository) -> Source:
    """A source that is indexed at the newest commit of a server without an API."""
    return Source.objects.create(
        project=project,
        name="nest",
        url=f"http://127.0.0.1:{server.server_port}/owl/nest.git",
        head=repository.head(),
        state=Source.State.READY,
    )


@pytest.fixture
def forge(repository: Repository, nest: Source, settings) -> Iterator[FakeForge]:
    """The API of the server that the nest is on."""
    forge = FakeForge(repository)
    with serving(forge) as running:
        settings.GITHUB_API_URL = f"http://127.0.0.1:{running.server_port}"
        yield forge

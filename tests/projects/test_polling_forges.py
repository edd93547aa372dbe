"""What polling makes of GitHub's API: facts, quota, and git wherever the API fails."""

import logging
from datetime import timedelta

import pytest
from django.core import serializers
from django.utils import timezone

from projects import remotes
from projects.models import ForgeQuota, Job, Project, Source
from projects.polling import polling_of
from tests.projects import git_servers
from tests.projects.forge_server import FakeForge
from tests.projects.git_servers import Server, serving
from tests.projects.looks import jobs_of, look_again, push
from tests.projects.repositories import Repository

TOKEN = "seeded-token-9a4b"


def test_the_api_tells_repository_date_and_quota(
    nest: Source, forge: FakeForge, repository: Repository, server: Server
) -> None:
    nest = look_again(nest)

    project, watched = Project.objects.get(), polling_of(nest)
    assert (project.github_repo_id, project.default_branch) == (4711, "main")
    assert nest.last_commit_date.isoformat() == "2026-01-02T03:04:05+00:00"
    assert (watched.repository_id, watched.repository_name) == (4711, "owl/nest")
    assert (watched.default_branch, watched.note, watched.trouble) == ("main", "", "")
    assert (watched.quota.limit, watched.quota.remaining) == (60, 58)
    assert watched.quota.is_anonymous
    assert server.requests == []  # git was not needed
    assert jobs_of(nest) == 0
    push(repository)
    assert jobs_of(look_again(nest)) == 1


def test_what_has_not_changed_keeps_facts_and_quota(
    nest: Source, forge: FakeForge, monkeypatch
) -> None:
    monkeypatch.setenv("GIT_TOKEN_127_0_0_1", TOKEN)
    forge.token, forge.limit = TOKEN, 5000
    first = look_again(nest).forge
    second = look_again(nest)

    assert forge.unchanged == 2
    assert {**second.forge, "checked_at": "", "answers": ""} == {
        **first,
        "checked_at": "",
        "answers": "",
    }
    quota = ForgeQuota.objects.get()
    assert (quota.remaining, quota.limit, quota.is_anonymous) == (4998, 5000, False)
    assert polling_of(second).quota == quota


def test_without_quota_git_is_asked_until_there_is_more(
    nest: Source, forge: FakeForge, repository: Repository, server: Server
) -> None:
    forge.limit = 2
    look_again(nest)
    assert ForgeQuota.objects.get().remaining == 0
    asked = len(forge.asked)
    push(repository)

    nest = look_again(nest)

    assert len(forge.asked) == asked
    assert server.requests
    assert "takes no more requests until" in polling_of(nest).note
    assert (nest.poll_failures, jobs_of(nest)) == (0, 1)
    assert polling_of(nest).repository_id == 4711

    Job.objects.all().delete()
    ForgeQuota.objects.update(resets_at=timezone.now())
    forge.limit = 60
    nest = look_again(nest)
    assert len(forge.asked) > asked
    assert polling_of(nest).note == ""


@pytest.mark.parametrize("mode", ["gone", "broken", "garbage", "secondary", "redirect", "endless"])
def test_an_api_that_fails_does_not_keep_git_from_telling(
    nest: Source, forge: FakeForge, repository: Repository, mode: str
) -> None:
    forge.mode, forge.elsewhere = mode, "http://127.0.0.9:1080"
    push(repository)

    nest = look_again(nest)

    assert (jobs_of(nest), nest.poll_failures) == (1, 0)
    assert polling_of(nest).note
    assert (nest.forge["head"], nest.state) == (repository.head(), "ready")


def test_when_git_is_refused_too_the_forge_has_the_better_sentence(
    nest: Source, forge: FakeForge, repository: Repository
) -> None:
    forge.mode = "gone"
    repository.path.rename(repository.path.with_name("gone.git"))

    nest = look_again(nest)

    assert "needs a token in GIT_TOKEN_127_0_0_1" in polling_of(nest).trouble
    assert nest.poll_failures == 1


def test_a_renamed_and_an_archived_repository_are_noted(
    nest: Source, forge: FakeForge, monkeypatch
) -> None:
    forge.is_archived = True
    assert "archived" in polling_of(look_again(nest)).note

    monkeypatch.setattr(remotes, "DESCRIPTION_STAYS", timedelta())
    Source.objects.update(url=nest.url.replace("owl/nest.git", "old/name"))
    nest = look_again(nest)
    assert "is called owl/nest now" in polling_of(nest).note
    assert polling_of(nest).is_archived


def test_a_project_takes_no_id_that_another_has_nor_of_another_repository(
    nest: Source, forge: FakeForge, project: Project
) -> None:
    Project.objects.filter(pk=project.pk).update(repository_url="https://example.org/owl/other")
    look_again(nest)
    project.refresh_from_db()
    assert project.github_repo_id is None

    Project.objects.filter(pk=project.pk).update(repository_url="")
    other = Project.objects.create(name="other", owner=project.owner, github_repo_id=4711)
    look_again(nest)
    project.refresh_from_db()
    assert project.github_repo_id is None

    other.delete()
    forge.default_branch = "trunk"
    Source.objects.update(forge={})
    forge.repository.git("update-ref", "refs/heads/trunk", forge.repository.head())
    look_again(nest)
    project.refresh_from_db()
    assert (project.github_repo_id, project.default_branch) == (4711, "trunk")


@pytest.mark.parametrize(
    ("url", "api", "is_served"),
    [
        ("https://github.com/a/b", "https://api.github.com", True),
        ("https://GitHub.com/a/b", "https://api.github.com", True),
        ("https://ghe.example.org/a/b", "https://ghe.example.org/api/v3", True),
        ("https://acme.ghe.com/a/b", "https://api.acme.ghe.com", True),
        ("https://gitlab.com/a/b", "https://api.github.com", False),
        ("https://evil.github.com/a/b", "https://api.github.com", False),
        ("https://api.github.com.evil.org/a/b", "https://api.github.com", False),
        ("https://github.com/a/b", "https://ghe.example.org/api/v3", False),
        ("", "https://api.github.com", False),
        ("https://gitlab.com/a/b", "", False),
    ],
)
def test_only_the_forge_of_the_host_is_asked(settings, url: str, api: str, is_served: bool) -> None:
    settings.GITHUB_API_URL = api

    assert (remotes.forge_of(Source(url=url)) is not None) == is_served


def test_an_api_at_an_address_that_may_not_be_used_is_not_asked(
    nest: Source, forge: FakeForge, settings
) -> None:
    settings.GITHUB_API_URL = "http://127.0.0.1:6379"

    nest = look_again(nest)

    assert "GITHUB_API_URL cannot be used" in polling_of(nest).note
    assert (forge.asked, nest.poll_failures) == ([], 0)


@pytest.mark.parametrize("mode", ["well", "gone", "strangers", "refused", "broken", "redirect"])
def test_the_token_is_in_no_log_and_no_row(
    nest: Source, forge: FakeForge, monkeypatch, caplog, mode: str, repository: Repository
) -> None:
    monkeypatch.setenv("GIT_TOKEN_127_0_0_1", TOKEN)
    caplog.set_level(logging.DEBUG)
    forge.token, forge.mode = TOKEN, mode
    if mode != "well":
        repository.path.rename(repository.path.with_name("gone.git"))
    with serving(git_servers.status(200)) as other:
        forge.elsewhere = f"http://127.0.0.1:{other.server_port}"
        look_again(nest)

    rows = [*Source.objects.all(), *Job.objects.all(), *ForgeQuota.objects.all()]
    assert forge.tokens == {f"Bearer {TOKEN}"}
    assert other.requests == []
    assert TOKEN not in serializers.serialize("json", rows)
    assert TOKEN not in caplog.text
    assert git_servers.basic(TOKEN).split()[1] not in caplog.text

"""Running git: what it is given, what it may take and how its errors read."""

from pathlib import Path

import pytest

from projects.git import Git, find_git
from projects.git_errors import (
    BranchMissing,
    GitError,
    GitMissing,
    LimitReached,
    RepositoryDamaged,
    RepositoryMissing,
    RepositoryRefused,
    RepositoryUnreachable,
    explain,
    scrub,
)
from projects.mirrors import check_branch
from tests.projects.git_servers import is_gone
from tests.projects.repositories import Repository


def test_git_runs_without_anything_of_the_person_who_started_us(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9/")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    (tmp_path / ".gitconfig").write_text("[user]\n\tname = Mallory\n")

    listed = Git().run("config", "--list").decode()

    assert "Mallory" not in listed
    assert "http.followredirects=false" in listed
    assert "core.hookspath=/dev/null" in listed
    assert not (tmp_path / "trace").exists()


def test_output_without_end_is_cut(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "many")
    sha = repository.commit({"a": "1"})
    for number in range(20):
        repository.point(f"branch-{number}", sha)

    with pytest.raises(LimitReached):
        Git(directory=repository.git_dir).run("for-each-ref", max_output=100)


def test_closing_a_stream_ends_git(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "closed-early")
    repository.commit({f"{number}": "x" for number in range(50)})
    stream = Git(directory=repository.git_dir).stream("cat-file", "--batch-all-objects", "--batch")

    next(stream)
    stream.close()

    assert is_gone("closed-early")


@pytest.mark.parametrize("says", ["git version 2.17.1", None])
def test_a_missing_or_old_git_is_said_plainly(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, says: str | None
) -> None:
    if says:
        (tmp_path / "git").write_text(f"#!/bin/sh\necho {says}\n")
        (tmp_path / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    find_git.cache_clear()

    try:
        with pytest.raises(GitMissing, match=r"install git 2\.31"):
            Git().run("version")
    finally:
        find_git.cache_clear()


@pytest.mark.parametrize(
    "branch",
    [
        "",
        "a..b",
        "a b",
        "a\nb",
        "/a",
        "a/",
        "a//b",
        ".a",
        "a/.b",
        "a.lock",
        "a@{1}",
        "a:b",
        "*",
        "x" * 201,
        "a\x00b",
        "~1",
        "a^",
        "a\\b",
    ],
)
def test_what_cannot_be_a_branch_is_refused_before_git_sees_it(branch: str) -> None:
    with pytest.raises(BranchMissing):
        check_branch(branch)


@pytest.mark.parametrize("branch", ["main", "-x", "feature/ü", "v1.2", "$(id)", "--upload-pack=x"])
def test_odd_names_that_git_allows_are_branches(branch: str) -> None:
    check_branch(branch)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        ("fatal: detected dubious ownership in repository at '/srv/x'", RepositoryRefused),
        (
            "fatal: unable to access 'https://h/x/': Could not resolve host: h",
            RepositoryUnreachable,
        ),
        ("fatal: unable to access 'https://h/x/': SSL certificate problem", RepositoryUnreachable),
        ("fatal: repository 'https://user:pw@h/x/' not found", RepositoryMissing),
        ("error: pack-objects died of signal 25", LimitReached),
        ("fatal: Out of memory, malloc failed (tried to allocate 5 bytes)", LimitReached),
        ("fatal: bad config line 1 in file /etc/passwd", RepositoryDamaged),
        ("fatal: something nobody has seen", GitError),
        ("remote: Authentication failed\nfatal: something nobody has seen", GitError),
    ],
)
def test_what_git_says_is_explained_without_paths_and_addresses(
    said: str, error: type[GitError]
) -> None:
    explained = explain("\n".join(x for x in said.splitlines() if "remote:" not in x), 128)

    assert type(explained) is error
    for secret in ("/srv", "/etc", "https://", "pw@", "user:"):
        assert secret not in explained.message + explained.detail


def test_scrubbing_keeps_the_rest() -> None:
    text = "fatal: https://u:p@h/x.git in /home/a/b: Authorization: Basic abc= failed\x1b[0m"

    assert scrub(text) == "fatal: <address> in <path>: Authorization <secret> failed[0m"


def test_git_is_given_nothing_of_ours_and_secrets_by_environment_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "git"
    program.write_text(
        '#!/bin/sh\nif [ $# = 1 ]; then echo git version 2.45.0; else echo "$@"; env; fi\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("SECRET_KEY", "of-the-application")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    find_git.cache_clear()

    try:
        shown = Git(settings={"http.https://h/.extraHeader": "X: 1"}).run("version", "--x").decode()
    finally:
        find_git.cache_clear()

    arguments, _, environment = shown.partition("\n")
    assert "GIT_CONFIG_VALUE_0=X: 1" in environment
    assert "GIT_ALLOW_PROTOCOL=\n" in environment
    assert "GIT_TERMINAL_PROMPT=0" in environment
    assert "of-the-application" not in shown
    assert "X: 1" not in arguments
    assert "http.followRedirects=false" in arguments

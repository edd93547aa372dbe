"""Mirrors of repositories on a server, over real http on loopback."""

import fcntl
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from projects.git import Git, Limits, Watch
from projects.git_errors import (
    AccessDenied,
    BranchMissing,
    GitError,
    LimitReached,
    RepositoryBusy,
    RepositoryMissing,
    RepositoryRefused,
    RepositoryUnreachable,
    SyncCancelled,
)
from projects.mirrors import (
    Fetched,
    mirror_remote,
    remote_head,
    remove_mirror,
    resolve_branch,
)
from projects.trees import list_tree
from tests.projects import git_servers
from tests.projects.git_servers import Server, is_gone, repositories_below, serving
from tests.projects.repositories import Repository

TOKEN = "seeded-token-5f1c"


@pytest.fixture
def origin(tmp_path: Path) -> Repository:
    repository = Repository(tmp_path / "served" / "origin.git", bare=True)
    repository.commit({"README.md": "# One\n", "src/app.py": "one = 1\n"})
    return repository


@pytest.fixture
def server(origin: Repository) -> Iterator[Server]:
    with serving(repositories_below(origin.path.parent)) as running:
        yield running


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirrors" / "one.git"


def paths(mirror: Path, fetched: Fetched) -> list[str]:
    assert fetched.commit is not None
    return [entry.path for entry in list_tree(mirror, fetched.commit)]


def left_in(mirror: Path) -> list[str]:
    """What is beside the mirrors, apart from the files that locks are taken on."""
    return sorted(p.name for p in mirror.parent.iterdir() if not p.name.endswith(".lock"))


def test_a_first_sync_mirrors_the_default_branch(
    server: Server, origin: Repository, mirror: Path
) -> None:
    fetched = mirror_remote(server.address("origin.git"), mirror)

    assert fetched == Fetched(origin.head(), "main")
    assert paths(mirror, fetched) == ["README.md", "src/app.py"]
    assert not (mirror / "hooks").exists()


def test_a_second_sync_brings_what_was_pushed(
    server: Server, origin: Repository, mirror: Path
) -> None:
    first = mirror_remote(server.address("origin.git"), mirror)
    pushed = origin.commit({"new.py": "two = 2\n"}, parents=[origin.head()])

    second = mirror_remote(server.address("origin.git"), mirror)

    assert second.commit == pushed
    assert paths(mirror, second) == ["new.py"]
    assert paths(mirror, first) == ["README.md", "src/app.py"]


def test_rewritten_history_replaces_the_branch(
    server: Server, origin: Repository, mirror: Path
) -> None:
    mirror_remote(server.address("origin.git"), mirror)
    rewritten = origin.commit({"other.py": "from scratch\n"}, message="Unrelated")

    assert mirror_remote(server.address("origin.git"), mirror).commit == rewritten
    assert resolve_branch(mirror, "main") == rewritten


def test_only_the_wanted_branch_is_fetched(
    server: Server, origin: Repository, mirror: Path
) -> None:
    origin.commit({"wip.py": "x\n"}, branch="feature/x")
    origin.git("tag", "v1", origin.head())

    fetched = mirror_remote(server.address("origin.git"), mirror, branch="feature/x")

    assert fetched.branch == "feature/x"
    assert paths(mirror, fetched) == ["wip.py"]
    refs = Git(directory=mirror).run("for-each-ref", "--format=%(refname)").decode().split()
    assert refs == ["refs/heads/feature/x"]


def test_the_branch_can_change_between_syncs(
    server: Server, origin: Repository, mirror: Path
) -> None:
    origin.commit({"wip.py": "x\n"}, branch="topic")
    mirror_remote(server.address("origin.git"), mirror)

    assert paths(mirror, mirror_remote(server.address("origin.git"), mirror, branch="topic")) == [
        "wip.py"
    ]


def test_a_branch_may_turn_into_a_folder_of_branches(
    server: Server, origin: Repository, mirror: Path
) -> None:
    sha = origin.commit({"a": "1"}, branch="topic")
    mirror_remote(server.address("origin.git"), mirror, branch="topic")
    origin.git("update-ref", "-d", "refs/heads/topic")
    origin.point("topic/next", sha)

    fetched = mirror_remote(server.address("origin.git"), mirror, branch="topic/next")

    assert fetched == Fetched(sha, "topic/next")


def test_an_empty_repository_has_no_commit(server: Server, tmp_path: Path, mirror: Path) -> None:
    Repository(tmp_path / "served" / "empty.git", bare=True)

    assert mirror_remote(server.address("empty.git"), mirror) == Fetched(None, "")
    assert mirror_remote(server.address("empty.git"), mirror, branch="main").commit is None
    assert not mirror.exists()


def test_a_head_that_leads_nowhere_falls_back_to_a_usual_branch(
    server: Server, origin: Repository, mirror: Path
) -> None:
    origin.commit({"m": "1"}, branch="master")
    origin.git("update-ref", "-d", "refs/heads/main")

    assert mirror_remote(server.address("origin.git"), mirror).branch == "master"
    assert remote_head(server.address("origin.git")).branch == "master"


def test_a_missing_branch_says_its_name(server: Server, mirror: Path) -> None:
    with pytest.raises(BranchMissing, match="no branch named nope"):
        mirror_remote(server.address("origin.git"), mirror, branch="nope")


def test_a_vanished_repository_leaves_the_mirror_alone(
    server: Server, origin: Repository, mirror: Path
) -> None:
    fetched = mirror_remote(server.address("origin.git"), mirror)
    origin.path.rename(origin.path.with_name("moved.git"))

    with pytest.raises(RepositoryMissing):
        mirror_remote(server.address("origin.git"), mirror)

    assert paths(mirror, fetched) == ["README.md", "src/app.py"]


def test_a_repository_of_the_other_hash_is_mirrored(
    server: Server, tmp_path: Path, mirror: Path
) -> None:
    other = Repository(tmp_path / "served" / "long.git", bare=True, hashes="sha256")
    sha = other.commit({"a.py": "a = 1\n"})

    fetched = mirror_remote(server.address("long.git"), mirror)

    assert len(sha) == 64
    assert fetched.commit == sha
    assert paths(mirror, fetched) == ["a.py"]


# --- Tokens ------------------------------------------------------------------------------


def test_a_token_opens_a_private_repository_and_stays_secret(
    origin: Repository, mirror: Path
) -> None:
    with serving(repositories_below(origin.path.parent, token=TOKEN)) as server:
        fetched = mirror_remote(server.address("origin.git"), mirror, token=TOKEN)

    encoded = git_servers.basic(TOKEN).removeprefix("Basic ")
    assert fetched.commit == origin.head()
    assert all("git-remote-http" in commands for commands in server.commands)
    for commands in server.commands:
        assert TOKEN not in commands
        assert encoded not in commands
    for file in mirror.rglob("*"):
        content = file.read_bytes() if file.is_file() else b""
        assert TOKEN.encode() not in content
        assert encoded.encode() not in content


@pytest.mark.parametrize("token", [None, "wrong"])
def test_a_wrong_token_is_access_denied(
    origin: Repository, mirror: Path, token: str | None
) -> None:
    with (
        serving(repositories_below(origin.path.parent, token=TOKEN)) as server,
        pytest.raises(AccessDenied) as caught,
    ):
        mirror_remote(server.address("origin.git"), mirror, token=token)

    assert "127.0.0.1" not in caught.value.message + caught.value.detail
    assert not mirror.exists()


def test_a_token_is_not_sent_where_a_redirect_leads(origin: Repository, mirror: Path) -> None:
    with (
        serving(repositories_below(origin.path.parent)) as target,
        serving(git_servers.redirect_to(f"http://127.0.0.1:{target.server_port}")) as first,
        pytest.raises(RepositoryRefused, match="redirects"),
    ):
        mirror_remote(first.address("origin.git"), mirror, token=TOKEN)

    assert len(first.requests) == 1
    assert target.requests == []


def test_a_token_with_a_line_break_is_refused(server: Server, mirror: Path) -> None:
    with pytest.raises(AccessDenied):
        mirror_remote(server.address("origin.git"), mirror, token="a\r\nX-Other: b")
    assert server.requests == []


# --- Servers that misbehave ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (git_servers.status(401), AccessDenied),
        (git_servers.status(403), AccessDenied),
        (git_servers.status(404), RepositoryMissing),
        (git_servers.status(500), RepositoryUnreachable),
        (git_servers.say(b"<html>Welcome</html>"), RepositoryMissing),
        (git_servers.redirect_to("file:///etc"), RepositoryRefused),
        (git_servers.redirect_to("ssh://127.0.0.1"), RepositoryRefused),
        (
            git_servers.say(
                b"001e# service=git-upload-pack\n",
                kind="application/x-git-upload-pack-advertisement",
                length=5000,
            ),
            RepositoryUnreachable,
        ),
    ],
)
def test_what_servers_say_becomes_an_error_with_a_plain_sentence(
    answer: git_servers.Answer, error: type[GitError], mirror: Path
) -> None:
    with serving(answer) as server, pytest.raises(error) as caught:
        mirror_remote(server.address("origin.git"), mirror)

    assert caught.value.message.endswith(".")
    assert "://" not in caught.value.message
    assert str(server.server_port) not in caught.value.message
    assert not mirror.exists()


def test_nobody_at_the_port_is_unreachable(mirror: Path) -> None:
    with serving(git_servers.status(200)) as server:
        address = server.address("origin.git")
    with pytest.raises(RepositoryUnreachable):
        mirror_remote(address, mirror)


@pytest.mark.parametrize("answer", [git_servers.stay_silent, git_servers.drip])
@pytest.mark.parametrize(
    "limits", [Limits(low_speed_seconds=1), Limits(wall_seconds=0.6, low_speed_seconds=60)]
)
def test_a_server_that_keeps_us_waiting_is_left(
    answer: git_servers.Answer, limits: Limits, mirror: Path
) -> None:
    started = time.monotonic()
    with serving(answer) as server, pytest.raises(LimitReached) as caught:
        mirror_remote(server.address("origin.git"), mirror, watch=Watch(limits=limits))

    assert caught.value.limit in {"speed", "time"}
    assert time.monotonic() - started < 6


def test_a_cancelled_sync_ends_git_and_leaves_nothing(mirror: Path) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 1

    with serving(git_servers.stay_silent) as server:
        address = server.address("cancelled-repository.git")
        with pytest.raises(SyncCancelled):
            mirror_remote(address, mirror, watch=Watch(cancelled=cancelled))

    assert is_gone("cancelled-repository.git")
    assert not mirror.exists()


def test_a_pack_over_the_limit_is_stopped_and_removed(
    server: Server, origin: Repository, mirror: Path
) -> None:
    noise = random.Random(1).randbytes(3_000_000)
    origin.commit({"noise.bin": noise})

    address = server.address("origin.git")

    with pytest.raises(LimitReached) as caught:
        mirror_remote(address, mirror, watch=Watch(limits=Limits(max_pack_bytes=1_000_000)))

    assert caught.value.limit == "size"
    assert left_in(mirror) == []


def test_progress_is_told_in_percent(server: Server, mirror: Path) -> None:
    told: list[tuple[str, int]] = []
    watch = Watch(progress=lambda what, percent: told.append((what, percent)))

    mirror_remote(server.address("origin.git"), mirror, watch=watch)

    assert ("Receiving objects", 100) in told


# --- What is left when something was killed -----------------------------------------------


def test_what_a_killed_sync_left_behind_is_swept(
    server: Server, origin: Repository, mirror: Path
) -> None:
    mirror_remote(server.address("origin.git"), mirror)
    pushed = origin.commit({"new.py": "2"}, parents=[origin.head()])
    partial = mirror.parent / f".{mirror.name}.partial-dead"
    (partial / "objects").mkdir(parents=True)
    (mirror / "refs/heads/main.lock").write_text("")
    (mirror / "objects/pack/tmp_pack_dead").write_bytes(b"PACK")
    (mirror / ".facade-dead").mkdir()

    assert mirror_remote(server.address("origin.git"), mirror).commit == pushed
    assert left_in(mirror) == [mirror.name]
    assert not list(mirror.rglob("*dead*"))


def test_a_ruined_mirror_is_built_anew(server: Server, origin: Repository, mirror: Path) -> None:
    mirror_remote(server.address("origin.git"), mirror)
    for pack in mirror.glob("objects/pack/*"):
        pack.chmod(0o600)
        pack.write_bytes(b"")

    fetched = mirror_remote(server.address("origin.git"), mirror)

    assert fetched.commit == origin.head()
    assert paths(mirror, fetched) == ["README.md", "src/app.py"]


def test_two_syncs_of_one_mirror_do_not_meet(server: Server, mirror: Path) -> None:
    mirror_remote(server.address("origin.git"), mirror)
    with (mirror.parent / f".{mirror.name}.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(RepositoryBusy):
            mirror_remote(server.address("origin.git"), mirror)


def test_many_small_packs_are_rolled_into_few(
    server: Server, origin: Repository, mirror: Path
) -> None:
    mirror_remote(server.address("origin.git"), mirror)
    inside = Repository(mirror, bare=True)
    for number in range(31):
        inside.commit({f"{number}.py": str(number)}, branch=f"old-{number}")
        inside.git("repack", "-d", "-q")
    assert len(list(mirror.glob("objects/pack/*.pack"))) == 32

    fetched = mirror_remote(server.address("origin.git"), mirror)

    assert len(list(mirror.glob("objects/pack/*.pack"))) < 10
    assert paths(mirror, fetched) == ["README.md", "src/app.py"]
    assert inside.git("show", "old-0:0.py") == "0"


def test_a_removed_mirror_leaves_nothing(server: Server, mirror: Path) -> None:
    mirror_remote(server.address("origin.git"), mirror)
    (mirror.parent / f".{mirror.name}.partial-dead").mkdir()

    remove_mirror(mirror)
    remove_mirror(mirror)

    assert list(mirror.parent.iterdir()) == []


def test_odd_branches_are_fetched_by_their_full_names(
    server: Server, origin: Repository, mirror: Path, tmp_path: Path
) -> None:
    sentinel = tmp_path / "pwned"
    for branch in ("-x", f"--upload-pack=touch${{IFS}}{sentinel}", "$(id)", "HEAD"):
        sha = origin.commit({"f": branch}, branch=branch)
        address = server.address("origin.git")
        assert mirror_remote(address, mirror, branch=branch) == Fetched(sha, branch)
    assert not sentinel.exists()


@pytest.mark.parametrize("branch", [None, "main", "feature/x"])
def test_the_head_is_told_without_fetching(
    server: Server, origin: Repository, branch: str | None
) -> None:
    origin.commit({"wip.py": "x\n"}, branch="feature/x")
    name = branch or "main"

    head = remote_head(server.address("origin.git"), branch=branch)

    assert head == Fetched(origin.head(name), name)
    assert len([path for path, _ in server.requests if "info/refs" in path]) == 1


def test_the_head_of_nothing_and_of_a_branch_that_is_not_there(
    server: Server, origin: Repository
) -> None:
    with pytest.raises(BranchMissing, match="no branch named nope"):
        remote_head(server.address("origin.git"), branch="nope")
    origin.git("update-ref", "-d", "refs/heads/main")

    assert remote_head(server.address("origin.git")) == Fetched(None, "")
    assert remote_head(server.address("origin.git"), branch="nope") == Fetched(None, "nope")


def test_a_detached_head_is_told_as_it_would_be_mirrored(
    server: Server, origin: Repository, mirror: Path
) -> None:
    sha = origin.head()
    origin.git("update-ref", "--no-deref", "HEAD", sha)

    head = remote_head(server.address("origin.git"))

    assert head == mirror_remote(server.address("origin.git"), mirror)

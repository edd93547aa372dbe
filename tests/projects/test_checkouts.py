"""Mirrors of repositories and folders of this machine."""

import os
import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from projects.checkouts import find_checkout, local_head, mirror_local, mirror_path
from projects.folders import snapshot_folder
from projects.git import Limits, Watch
from projects.git_errors import (
    BranchMissing,
    GitError,
    LimitReached,
    RepositoryDamaged,
    RepositoryRefused,
)
from projects.mirrors import Fetched
from projects.trees import commit_info, list_tree, read_blobs
from tests.projects.repositories import ENVIRONMENT, Repository, plain_folder


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path / "code")
    made.commit({"README.md": "# One\n", "src/app.py": "one = 1\n"})
    return made


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirrors" / "one.git"


def paths(mirror: Path, fetched: Fetched) -> list[str]:
    assert fetched.commit is not None
    return [entry.path for entry in list_tree(mirror, fetched.commit)]


def clone(source: Repository, target: Path, *options: str) -> Path:
    command = ["git", "clone", "-q", *options, f"file://{source.path}", str(target)]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    return target


def worktree(source: Repository, target: Path, *options: str) -> Path:
    source.git("worktree", "add", "-q", "-f", *options, str(target), "main")
    return target


def history(mirror: Path, commit: str) -> int:
    command = ["git", f"--git-dir={mirror}", "rev-list", "--count", commit]
    return int(subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True).stdout)


# --- Repositories -------------------------------------------------------------------------


def test_what_is_committed_on_the_current_branch_is_mirrored(
    repository: Repository, mirror: Path
) -> None:
    (repository.path / "not-committed.py").write_text("x")

    fetched = mirror_path(repository.path, mirror)

    assert fetched == Fetched(repository.head(), "main")
    assert paths(mirror, fetched) == ["README.md", "src/app.py"]
    assert not (mirror / "objects/info/alternates").exists()


def test_the_mirror_does_not_need_the_source_any_more(repository: Repository, mirror: Path) -> None:
    fetched = mirror_path(repository.path, mirror)
    shutil.rmtree(repository.path)

    shas = [entry.sha for entry in list_tree(mirror, fetched.commit or "")]
    assert dict(read_blobs(mirror, shas)) == {shas[0]: b"# One\n", shas[1]: b"one = 1\n"}


def test_later_commits_and_rewritten_history_follow(repository: Repository, mirror: Path) -> None:
    mirror_path(repository.path, mirror)
    second = repository.commit({"two.py": "2"}, parents=[repository.head()])
    assert mirror_path(repository.path, mirror).commit == second

    rewritten = repository.commit({"three.py": "3"})
    assert mirror_path(repository.path, mirror).commit == rewritten


def test_a_named_branch_is_mirrored(repository: Repository, mirror: Path) -> None:
    topic = repository.commit({"topic.py": "t"}, branch="topic")

    assert mirror_path(repository.path, mirror, branch="topic") == Fetched(topic, "topic")
    with pytest.raises(BranchMissing):
        mirror_path(repository.path, mirror, branch="gone")


def test_a_bare_repository_is_mirrored(tmp_path: Path, mirror: Path) -> None:
    bare = Repository(tmp_path / "bare.git", bare=True)
    sha = bare.commit({"a": "1"})

    assert mirror_path(bare.path, mirror) == Fetched(sha, "main")


def test_an_empty_repository_has_no_commit(tmp_path: Path, mirror: Path) -> None:
    empty = Repository(tmp_path / "empty")

    assert mirror_path(empty.path, mirror) == Fetched(None, "")
    assert not mirror.exists()


def test_a_detached_head_is_mirrored_where_it_is(repository: Repository, mirror: Path) -> None:
    first = repository.head()
    repository.commit({"two.py": "2"}, parents=[first])
    repository.git("update-ref", "--no-deref", "HEAD", first)
    (repository.git_dir / "HEAD").write_text(f"{first}\n")

    assert mirror_path(repository.path, mirror) == Fetched(first, "")


def test_a_shallow_clone_is_mirrored_and_may_grow(
    repository: Repository, tmp_path: Path, mirror: Path
) -> None:
    for number in range(4):
        repository.commit({"n": str(number)}, parents=[repository.head()])
    shallow = clone(repository, tmp_path / "shallow", "--depth=2")

    fetched = mirror_path(shallow, mirror)
    assert fetched.commit == repository.head()
    assert history(mirror, repository.head()) == 2

    command = ["git", "-C", str(shallow), "fetch", "-q", "--unshallow"]
    subprocess.run(command, env=ENVIRONMENT, check=True)
    assert mirror_path(shallow, mirror) == fetched
    assert history(mirror, repository.head()) == 5


def test_a_shallow_clone_may_be_cut_again(
    repository: Repository, tmp_path: Path, mirror: Path
) -> None:
    shallow = clone(repository, tmp_path / "shallow", "--depth=1")
    mirror_path(shallow, mirror)
    for number in range(3):
        repository.commit({"n": str(number)}, parents=[repository.head()])
    for command in (["fetch", "-q", "--depth=1"], ["reset", "-q", "--soft", "origin/main"]):
        subprocess.run(["git", "-C", str(shallow), *command], env=ENVIRONMENT, check=True)

    assert mirror_path(shallow, mirror).commit == repository.head()


@pytest.mark.parametrize("options", [(), ("--detach",)])
def test_a_worktree_is_mirrored(
    repository: Repository, tmp_path: Path, mirror: Path, options: tuple[str, ...]
) -> None:
    linked = worktree(repository, tmp_path / "linked", *options)

    fetched = mirror_path(linked, mirror, roots=[linked])

    assert fetched == Fetched(repository.head(), "" if options else "main")
    assert paths(mirror, fetched) == ["README.md", "src/app.py"]


def test_a_repository_of_the_other_hash_is_mirrored(tmp_path: Path, mirror: Path) -> None:
    long = Repository(tmp_path / "long", hashes="sha256")
    sha = long.commit({"a": "1"})

    assert mirror_path(long.path, mirror).commit == sha


def test_a_submodule_is_mirrored_when_its_repository_is_in_the_roots(
    tmp_path: Path, mirror: Path
) -> None:
    outer = Repository(tmp_path / "outer")
    inner = Repository(outer.git_dir / "modules" / "inner", bare=True)
    sha = inner.commit({"i": "1"})
    folder = outer.path / "inner"
    folder.mkdir()
    (folder / ".git").write_text("gitdir: ../.git/modules/inner\n")

    assert mirror_path(folder, mirror, roots=[tmp_path]).commit == sha
    with pytest.raises(RepositoryRefused, match="outside"):
        mirror_path(folder, mirror, roots=[folder])


# --- Repositories that reach out ----------------------------------------------------------


def test_a_worktree_that_its_repository_does_not_know_is_refused(
    repository: Repository, tmp_path: Path, mirror: Path
) -> None:
    worktree(repository, tmp_path / "linked")
    forged = tmp_path / "forged"
    forged.mkdir()
    shutil.copy(tmp_path / "linked" / ".git", forged / ".git")

    with pytest.raises(RepositoryRefused, match="does not know it"):
        mirror_path(forged, mirror, roots=[forged])


def test_a_git_file_to_another_place_is_refused(
    repository: Repository, tmp_path: Path, mirror: Path
) -> None:
    folder = tmp_path / "roots" / "mine"
    folder.mkdir(parents=True)
    (folder / ".git").write_text(f"gitdir: {repository.git_dir}\n")

    with pytest.raises(RepositoryRefused, match="outside of SOURCE_ROOTS"):
        mirror_path(folder, mirror, roots=[tmp_path / "roots"])


@pytest.mark.parametrize("text", ["", "gitdir:", "nonsense", "gitdir: \0", "\xff" * 5000])
def test_a_git_file_that_says_nothing_is_refused(tmp_path: Path, mirror: Path, text: str) -> None:
    folder = plain_folder(tmp_path / "odd", {".git": text})

    with pytest.raises((RepositoryDamaged, RepositoryRefused)):
        mirror_path(folder, mirror, roots=[tmp_path / "roots"])


@pytest.mark.parametrize("name", ["alternates", "http-alternates"])
def test_objects_of_another_repository_are_never_read(
    repository: Repository, tmp_path: Path, mirror: Path, name: str
) -> None:
    thief = Repository(tmp_path / "thief")
    (thief.git_dir / "objects/info").mkdir(exist_ok=True)
    (thief.git_dir / f"objects/info/{name}").write_text(f"{repository.git_dir}/objects\n")
    thief.git_dir.joinpath("refs/heads/main").write_text(repository.head() + "\n")

    with pytest.raises(RepositoryRefused, match="borrows objects"):
        mirror_path(thief.path, mirror)
    assert not mirror.exists()


@pytest.mark.parametrize("name", ["objects", "refs", "objects/pack", "HEAD", "refs/heads/main"])
def test_symbolic_links_inside_of_a_repository_are_refused(
    repository: Repository, tmp_path: Path, mirror: Path, name: str
) -> None:
    thief = Repository(tmp_path / "thief")
    thief.commit({"own": "1"})
    place = thief.git_dir / name
    if place.is_dir():
        shutil.rmtree(place)
    else:
        place.unlink()
    place.symlink_to(repository.git_dir / name)

    with pytest.raises(RepositoryRefused, match="symbolic links"):
        mirror_path(thief.path, mirror)


def test_a_linked_git_folder_is_refused(
    repository: Repository, tmp_path: Path, mirror: Path
) -> None:
    folder = tmp_path / "thief"
    folder.mkdir()
    (folder / ".git").symlink_to(repository.git_dir)

    with pytest.raises(RepositoryRefused, match="symbolic links"):
        mirror_path(folder, mirror)


def test_a_common_folder_elsewhere_is_refused(
    repository: Repository, tmp_path: Path, mirror: Path
) -> None:
    thief = Repository(tmp_path / "thief")
    (thief.git_dir / "commondir").write_text(f"{repository.git_dir}\n")

    with pytest.raises(RepositoryRefused, match="another place"):
        mirror_path(thief.path, mirror)


def test_a_repository_of_another_user_is_refused(
    repository: Repository, mirror: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SUDO_UID", raising=False)
    if os.geteuid() == 0:
        os.chown(repository.git_dir, 65534, 65534)
    else:
        monkeypatch.setattr(os, "geteuid", lambda: 65534)

    with pytest.raises(RepositoryRefused, match="belongs to another user"):
        mirror_path(repository.path, mirror)


@pytest.mark.parametrize("what", ["pack", "object", "head", "shallow"])
def test_a_damaged_repository_fails_with_a_plain_sentence(
    repository: Repository, mirror: Path, what: str
) -> None:
    if what == "pack":
        repository.git("repack", "-a", "-d", "-q")
        for pack in repository.git_dir.glob("objects/pack/*.pack"):
            pack.chmod(0o600)
            pack.write_bytes(pack.read_bytes()[:40])
    elif what == "object":
        blob = repository.blob("one = 1\n")
        (repository.git_dir / f"objects/{blob[:2]}/{blob[2:]}").unlink()
    elif what == "head":
        (repository.git_dir / "HEAD").unlink()
    else:
        (repository.git_dir / "shallow").write_text("../../nonsense\n")

    with pytest.raises(GitError) as caught:
        mirror_local(repository.path, mirror)

    assert str(repository.path) not in caught.value.message + caught.value.detail
    assert not mirror.exists()


def test_a_failed_sync_keeps_what_was_there(repository: Repository, mirror: Path) -> None:
    fetched = mirror_path(repository.path, mirror)
    repository.commit({"two.py": "2"}, parents=[repository.head()])
    blob = repository.blob("2")
    (repository.git_dir / f"objects/{blob[:2]}/{blob[2:]}").unlink()

    with pytest.raises(RepositoryDamaged):
        mirror_path(repository.path, mirror)

    assert paths(mirror, fetched) == ["README.md", "src/app.py"]
    assert not list(mirror.glob(".facade-*"))


# --- Folders ------------------------------------------------------------------------------


def test_a_plain_folder_becomes_a_commit(tmp_path: Path, mirror: Path) -> None:
    folder = plain_folder(tmp_path / "release", {"README.md": "# One\n", "src/a b.py": "a = 1\n"})

    fetched = mirror_path(folder, mirror)

    assert fetched.branch == ""
    assert paths(mirror, fetched) == ["README.md", "src/a b.py"]
    assert commit_info(mirror, fetched.commit or "").author == "nightowl"


def test_a_folder_is_committed_again_only_when_it_changed(tmp_path: Path, mirror: Path) -> None:
    folder = plain_folder(tmp_path / "release", {"a": "1", "b": "2"})
    first = snapshot_folder(folder, mirror)
    assert snapshot_folder(folder, mirror) == first

    (folder / "b").unlink()
    second = snapshot_folder(folder, mirror)

    assert second != first
    assert paths(mirror, second) == ["a"]
    assert paths(mirror, first) == ["a", "b"]


def test_what_belongs_to_tools_is_left_out(tmp_path: Path, mirror: Path) -> None:
    left_out = [
        ".venv/x.py",
        "web/node_modules/x.js",
        "a/__pycache__/x.pyc",
        "var/x",
        ".git2/.GIT/x",
    ]
    kept = [".git2/a", ".gitignore", "src/var/x.py", "web/x.js"]
    folder = plain_folder(tmp_path / "release", dict.fromkeys([*left_out, *kept], "x"))
    (folder / ".gitignore").write_text("*.log\nbuild/\n")
    plain_folder(folder, {"noise.log": "x", "build/out.js": "x", "src/deep/y.log": "x"})

    assert paths(mirror, snapshot_folder(folder, mirror)) == kept


def test_repositories_inside_of_a_folder_are_read_as_folders(tmp_path: Path, mirror: Path) -> None:
    folder = plain_folder(tmp_path / "all", {"a.py": "1", "inner/b.py": "2", "inner/c/d.py": "3"})
    Repository(folder / "inner")
    Repository(folder / "inner" / "c")

    fetched = snapshot_folder(folder, mirror)

    assert paths(mirror, fetched) == ["a.py", "inner/b.py", "inner/c/d.py"]


def test_links_in_a_folder_are_recorded_and_not_followed(tmp_path: Path, mirror: Path) -> None:
    folder = plain_folder(tmp_path / "release", {"real.py": "1"})
    secret = plain_folder(tmp_path / "outside", {"secret": "TENANT-B"})
    (folder / "file-link").symlink_to(secret / "secret")
    (folder / "folder-link").symlink_to(secret)
    os.mkfifo(folder / "pipe")

    fetched = snapshot_folder(folder, mirror)
    entries = {entry.path: entry for entry in list_tree(mirror, fetched.commit or "")}

    assert {path: entry.kind for path, entry in entries.items()} == {
        "file-link": "symlink",
        "folder-link": "symlink",
        "real.py": "file",
    }
    content = dict(read_blobs(mirror, [entry.sha for entry in entries.values()]))
    assert b"TENANT-B" not in content.values()


def test_odd_names_and_modes_in_a_folder_survive(tmp_path: Path, mirror: Path) -> None:
    names = [b"new\nline", b'quo"te', b"back\\slash", b"\xff.py", b"-rf", b" space ", b"tab\t"]
    folder = tmp_path / "release"
    folder.mkdir()
    for name in names:
        (folder / os.fsdecode(name)).write_bytes(name)
    (folder / "-rf").chmod(stat.S_IRWXU)

    fetched = snapshot_folder(folder, mirror)
    entries = list(list_tree(mirror, fetched.commit or ""))

    assert {entry.raw for entry in entries} == set(names)
    assert [entry.mode for entry in entries if entry.path == "-rf"] == ["100755"]
    contents = dict(read_blobs(mirror, [entry.sha for entry in entries]))
    assert {contents[entry.sha] for entry in entries} == set(names)


@pytest.mark.parametrize(
    ("limits", "limit"), [(Limits(max_paths=2), "paths"), (Limits(max_pack_bytes=5000), "size")]
)
def test_a_folder_over_the_limits_is_refused(
    tmp_path: Path, mirror: Path, limits: Limits, limit: str
) -> None:
    folder = plain_folder(tmp_path / "release", {"a": "1", "b": b"x" * 6000, "c": "3"})

    with pytest.raises(LimitReached) as caught:
        snapshot_folder(folder, mirror, watch=Watch(limits=limits))

    assert caught.value.limit == limit
    assert not mirror.exists()


def test_an_empty_folder_has_no_commit(tmp_path: Path, mirror: Path) -> None:
    (tmp_path / "empty").mkdir()

    assert mirror_path(tmp_path / "empty", mirror) == Fetched(None, "")
    assert find_checkout(tmp_path / "empty") is None


def test_a_folder_is_no_repository(tmp_path: Path, mirror: Path) -> None:
    with pytest.raises(RepositoryRefused, match="not a git repository"):
        mirror_local(plain_folder(tmp_path / "release", {"a": "1"}), mirror)


def test_a_folder_that_becomes_a_repository_goes_on_in_its_mirror(
    tmp_path: Path, mirror: Path
) -> None:
    folder = plain_folder(tmp_path / "release", {"a.py": "1"})
    mirror_path(folder, mirror)
    sha = Repository(folder).commit({"b.py": "2"})

    assert mirror_path(folder, mirror) == Fetched(sha, "main")


def test_the_head_of_a_checkout_is_told_without_mirroring(repository: Repository) -> None:
    repository.commit({"wip": "x"}, branch="wip")

    assert local_head(repository.path) == Fetched(repository.head(), "main")
    assert local_head(repository.path, branch="wip") == Fetched(repository.head("wip"), "wip")
    with pytest.raises(BranchMissing):
        local_head(repository.path, branch="nope")


def test_a_plain_folder_has_no_head(tmp_path: Path) -> None:
    assert local_head(plain_folder(tmp_path / "plain", {"a": "1"})) is None

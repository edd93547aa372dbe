"""Repositories and addresses made to hurt whoever reads them."""

import os
import resource
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from projects.addresses import Address
from projects.checkouts import mirror_path
from projects.git import Git, Limits, Watch
from projects.git_errors import GitError, LimitReached, RepositoryDamaged, RepositoryRefused
from projects.mirrors import mirror_remote
from projects.trees import Entry, commit_info, last_commit_date, list_tree, read_blobs
from tests.projects.git_servers import repositories_below, serving
from tests.projects.repositories import (
    ODD_NAMES,
    Repository,
    deep,
    tree_bomb,
    with_entry,
    with_odd_names,
    with_submodule,
    with_symlinks,
)

HARMLESS_MODULES = '[submodule "library"]\n\tpath = library\n\turl = https://example.org/l.git\n'


@pytest.fixture
def mirror(tmp_path: Path) -> Path:
    return tmp_path / "mirrors" / "one.git"


@pytest.fixture
def sentinel(tmp_path: Path) -> Path:
    """A file that only appears when something of a repository was run."""
    return tmp_path / "pwned"


def listed(mirror: Path, repository: Repository) -> list[Entry]:
    fetched = mirror_path(repository.path, mirror)
    assert fetched.commit is not None
    return list(list_tree(mirror, fetched.commit))


# --- Names and kinds of entries -----------------------------------------------------------


def test_every_odd_name_is_listed_once_and_can_be_read(tmp_path: Path, mirror: Path) -> None:
    entries = listed(mirror, with_odd_names(tmp_path / "names"))

    assert sorted(entry.raw for entry in entries) == sorted(ODD_NAMES)
    contents = dict(read_blobs(mirror, [entry.sha for entry in entries]))
    assert all(contents[entry.sha] == b"content of " + entry.raw for entry in entries)
    for entry in entries:
        entry.path.encode()  # can be stored and shown: no lone surrogates
    assert "\\xff\\xfe.py" in {entry.path for entry in entries}


def test_symbolic_links_are_listed_and_never_followed(tmp_path: Path, mirror: Path) -> None:
    entries = listed(mirror, with_symlinks(tmp_path / "links"))

    assert {entry.kind for entry in entries if entry.path.startswith("link")} == {"symlink"}
    contents = b"".join(content for _, content in read_blobs(mirror, [e.sha for e in entries]))
    assert b"root:" not in contents


def test_a_submodule_is_listed_and_not_fetched(tmp_path: Path, mirror: Path) -> None:
    entries = listed(mirror, with_submodule(tmp_path / "outer", HARMLESS_MODULES))

    library = next(entry for entry in entries if entry.path == "library")
    assert (library.kind, library.size) == ("submodule", None)
    assert list(read_blobs(mirror, [library.sha])) == []


@pytest.mark.parametrize(
    "name", [b".git", b".GIT", b"git~1", b"..", b".", b"../../evil", b"a/b", b".g\xe2\x80\x8cit"]
)
@pytest.mark.parametrize("below", [True, False])
def test_entries_that_would_escape_a_checkout_are_refused(
    tmp_path: Path, mirror: Path, name: bytes, below: bool
) -> None:
    with pytest.raises(RepositoryRefused, match="refuses as unsafe"):
        mirror_path(with_entry(tmp_path / "evil", name, below=below).path, mirror)
    assert not mirror.exists()


@pytest.mark.parametrize(
    "gitmodules",
    [
        '[submodule "x"]\n\tpath = x\n\turl = ext::sh -c touch% {sentinel}\n',
        '[submodule "x"]\n\tpath = x\n\turl = -u./payload\n',
        '[submodule "../../x"]\n\tpath = x\n\turl = https://example.org/\n',
        '[submodule "x"]\n\tpath = -x\n\turl = https://example.org/\n',
    ],
)
def test_hostile_submodules_run_nothing(
    tmp_path: Path, mirror: Path, sentinel: Path, gitmodules: str
) -> None:
    repository = with_submodule(tmp_path / "evil", gitmodules.format(sentinel=sentinel))

    try:
        entries = listed(mirror, repository)
    except RepositoryRefused:
        assert not mirror.exists()
    else:
        assert "library" in {entry.path for entry in entries}
    assert not sentinel.exists()


# --- Bombs --------------------------------------------------------------------------------


def test_a_tree_bomb_is_stopped_while_it_is_listed(tmp_path: Path, mirror: Path) -> None:
    fetched = mirror_path(tree_bomb(tmp_path / "bomb").path, mirror)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    started = time.monotonic()

    entries = list_tree(mirror, fetched.commit or "")
    count = sum(1 for _ in islice(entries, 200_000))
    with pytest.raises(LimitReached, match="more than 200,000 paths"):
        next(entries)

    assert count == 200_000
    assert time.monotonic() - started < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # kilobytes


def test_a_large_file_is_not_read(tmp_path: Path, mirror: Path) -> None:
    repository = Repository(tmp_path / "large")
    repository.commit({"zeros.py": bytes(40_000_000), "small.py": "s = 1\n"})
    entries = {entry.path: entry for entry in listed(mirror, repository)}
    shas = [entry.sha for entry in entries.values()]

    started = time.monotonic()
    read = dict(read_blobs(mirror, shas))

    assert entries["zeros.py"].size == 40_000_000
    assert read == {entries["small.py"].sha: b"s = 1\n"}
    assert time.monotonic() - started < 1


def test_a_path_of_six_hundred_folders_is_listed(tmp_path: Path, mirror: Path) -> None:
    (entry,) = listed(mirror, deep(tmp_path / "deep"))

    assert len(entry.raw) > 10_000
    assert entry.path.endswith("/bottom.py")


def test_many_branches_do_not_slow_the_one_we_want(tmp_path: Path, mirror: Path) -> None:
    repository = Repository(tmp_path / "many")
    sha = repository.commit({"a": "1"})
    commands = "".join(f"create refs/heads/b{number} {sha}\n" for number in range(2000))
    repository.git("update-ref", "--stdin", stdin=commands.encode())

    assert mirror_path(repository.path, mirror).commit == sha
    assert len(list(mirror.glob("refs/heads/*"))) == 1


# --- Configuration, hooks and replaced objects --------------------------------------------


def script(path: Path, sentinel: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch '{sentinel}'\nexec \"$@\"\n")
    path.chmod(0o755)
    return path


def test_nothing_that_a_repository_configures_is_run(
    tmp_path: Path, mirror: Path, sentinel: Path
) -> None:
    repository = Repository(tmp_path / "evil")
    sha = repository.commit({"a.py": "1"})
    payload = script(tmp_path / "payload", sentinel)
    for hook in ("post-checkout", "reference-transaction", "post-update", "pre-auto-gc"):
        script(repository.git_dir / "hooks" / hook, sentinel)
    repository.configure(
        f"[core]\n\tfsmonitor = {payload}\n\tsshCommand = {payload}\n\tpager = {payload}\n"
        f"\talternateRefsCommand = {payload}\n\tgitProxy = {payload}\n"
        f'[uploadpack]\n\tpackObjectsHook = {payload}\n[alias]\n\tfetch = "!{payload}"\n'
        f'[credential]\n\thelper = "!{payload}"\n[gpg]\n\tprogram = {payload}\n'
        f"[log]\n\tshowSignature = true\n"
        f'[filter "evil"]\n\tsmudge = {payload}\n\tprocess = {payload}\n'
    )
    (repository.git_dir / "info").mkdir(exist_ok=True)
    (repository.git_dir / "info/attributes").write_text("* filter=evil\n")

    assert mirror_path(repository.path, mirror).commit == sha
    assert commit_info(mirror, sha).subject == "A commit"
    assert not sentinel.exists()
    assert "evil" not in (mirror / "config").read_text()


def test_a_partial_clone_is_not_completed_from_where_it_says(
    tmp_path: Path, mirror: Path, sentinel: Path
) -> None:
    repository = Repository(tmp_path / "partial")
    repository.commit({"a.py": "missing"})
    blob = repository.blob("missing")
    (repository.git_dir / f"objects/{blob[:2]}/{blob[2:]}").unlink()
    payload = script(tmp_path / "payload", sentinel)
    repository.configure(
        "[core]\n\trepositoryFormatVersion = 1\n[extensions]\n\tpartialClone = origin\n"
        f'[remote "origin"]\n\turl = ext::{payload}\n\tuploadpack = {payload}\n\tpromisor = true\n'
    )

    with pytest.raises(RepositoryDamaged):
        mirror_path(repository.path, mirror)
    assert not sentinel.exists()


def test_an_included_file_is_not_told_apart_from_a_missing_one(
    tmp_path: Path, mirror: Path
) -> None:
    said = set()
    for number, included in enumerate(("/etc/passwd", "/etc/no-such-file-here")):
        repository = Repository(tmp_path / f"evil{number}")
        repository.configure(f"[include]\n\tpath = {included}\n[broken\n")
        with pytest.raises(GitError) as caught:
            mirror_path(repository.path, mirror)
        said.add(caught.value.message)
        assert "/etc" not in caught.value.message + caught.value.detail
        assert "passwd" not in caught.value.message + caught.value.detail
    assert len(said) == 1


def test_replaced_objects_do_not_change_what_is_read(tmp_path: Path, mirror: Path) -> None:
    repository = Repository(tmp_path / "replaced")
    honest = repository.blob("honest\n")
    sha = repository.commit({"a.py": "honest\n"})
    repository.git("replace", honest, repository.blob("replaced\n"))

    (entry,) = listed(mirror, repository)

    assert dict(read_blobs(mirror, [entry.sha])) == {honest: b"honest\n"}
    assert commit_info(mirror, sha).sha == sha


def test_a_repository_inside_of_a_tree_is_only_files(
    tmp_path: Path, mirror: Path, sentinel: Path
) -> None:
    payload = script(tmp_path / "payload", sentinel)
    repository = Repository(tmp_path / "outer")
    repository.commit(
        {
            "docs/HEAD": "ref: refs/heads/main\n",
            "docs/config": f"[core]\n\tbare = false\n\tfsmonitor = {payload}\n",
            "docs/objects/x": "",
            "docs/refs/x": "",
        }
    )

    assert len(listed(mirror, repository)) == 4
    assert not sentinel.exists()


# --- Faults that honest repositories have ---------------------------------------------------


@pytest.mark.parametrize(
    "author",
    [
        b"<script>alert(1)</script> <a@b> 1 +0000",
        b"A <a@b> 99999999999999 +9999",
        b"A <a@b> -1 +0000",
        b"A <a@b> 01 +0000",
        b"<a@b> 1 +0000",
        b"A<a@b> 1 +0000",
        b"\x1b[31mRed <a@b> 1 +0000",
        b"A <a@b> 1 +51800",
    ],
)
def test_odd_commits_of_old_repositories_are_read(
    tmp_path: Path, mirror: Path, author: bytes
) -> None:
    repository = Repository(tmp_path / "old")
    tree = repository.files({"a.py": "1"})
    sha = repository.raw_commit(tree, author, b"Gr\xfc\xdfe " + b"x" * 100_000 + b"\n\nbody\n")
    fetched = mirror_path(repository.path, mirror)

    info = commit_info(mirror, sha)

    assert fetched.commit == info.sha == sha
    assert info.subject.startswith("Gr")
    assert len(info.subject) == 500
    assert info.author.isprintable()
    assert 1970 <= info.committed_at.year <= 9999
    moment = last_commit_date(mirror, sha)
    assert moment is not None
    assert moment.tzinfo is not None


def test_long_attribute_lines_are_tolerated_and_filters_not_run(
    tmp_path: Path, mirror: Path
) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1000000000000\n"
    repository = Repository(tmp_path / "attributes")
    repository.commit(
        {
            ".gitattributes": "*.bin filter=lfs\n" + "x" * 3000 + " text\n",
            ".lfsconfig": "[lfs]\n\turl = http://169.254.169.254/\n",
            "large.bin": pointer,
        }
    )

    entries = {entry.path: entry for entry in listed(mirror, repository)}

    assert dict(read_blobs(mirror, [entries["large.bin"].sha])).popitem()[1] == pointer.encode()


@pytest.mark.parametrize(
    "build",
    [with_odd_names, with_symlinks, tree_bomb, lambda path: with_entry(path, b".git")],
)
def test_a_server_can_send_no_more_than_a_folder(
    tmp_path: Path, mirror: Path, build: Callable[[Path], Repository]
) -> None:
    repository = build(tmp_path / "served" / "evil")
    with serving(repositories_below(tmp_path / "served")) as server:
        try:
            fetched = mirror_remote(server.address("evil/.git"), mirror)
        except RepositoryRefused:
            assert not mirror.exists()
        else:
            assert fetched.commit == repository.head()


# --- Arguments and transports -----------------------------------------------------------------

PAYLOADS = [
    "--upload-pack=touch {sentinel}",
    "-utouch {sentinel}",
    "-u./payload",
    "--config=core.sshCommand=touch {sentinel}",
    "-oProxyCommand=touch {sentinel}",
    "ext::sh -c touch% {sentinel}",
    "ext::touch {sentinel}",
    "fd::17",
    "file://{folder}",
    "{folder}",
    "ssh://-oProxyCommand=touch%20{sentinel}/x",
    "git@-oProxyCommand=touch {sentinel}:x",
    "git://127.0.0.1:1/x",
    "ftp://127.0.0.1:1/x",
    "https://127.0.0.1:1/x\n--upload-pack=touch {sentinel}",
    "https://127.0.0.1:1/$(touch {sentinel})",
    "https://127.0.0.1:1/`touch {sentinel}`;touch {sentinel}",
]


@pytest.mark.parametrize("payload", PAYLOADS)
@pytest.mark.parametrize("scheme", ["https", "http", "file", "ext"])
def test_an_address_that_slipped_through_still_runs_nothing(
    tmp_path: Path, mirror: Path, sentinel: Path, payload: str, scheme: str
) -> None:
    folder = Repository(tmp_path / "local")
    folder.commit({"secret": "TENANT-B"})
    url = payload.format(sentinel=sentinel, folder=folder.path)

    with pytest.raises(GitError) as caught:
        mirror_remote(Address(scheme, "127.0.0.1", 1, ("127.0.0.1",), url), mirror)

    assert not sentinel.exists()
    assert not mirror.exists()
    assert str(tmp_path) not in caught.value.message


@pytest.mark.parametrize("payload", PAYLOADS)
def test_an_address_is_never_a_branch_either(
    tmp_path: Path, mirror: Path, sentinel: Path, payload: str
) -> None:
    repository = Repository(tmp_path / "local")
    repository.commit({"a": "1"})

    branch = payload.format(sentinel=sentinel, folder=repository.path)

    with pytest.raises(GitError):
        mirror_path(repository.path, mirror, branch=branch)
    assert not sentinel.exists()


@pytest.mark.parametrize(
    "commit", ["HEAD", "--output=x", "main", "a" * 39, "A" * 40, "a" * 41, f"{'a' * 40}\n", ""]
)
def test_only_the_sha_of_a_commit_is_read(tmp_path: Path, mirror: Path, commit: str) -> None:
    repository = Repository(tmp_path / "local")
    repository.commit({"a": "1"})
    mirror_path(repository.path, mirror)

    for reading in (
        lambda: list(list_tree(mirror, commit)),
        lambda: commit_info(mirror, commit),
        lambda: last_commit_date(mirror, commit),
        lambda: list(read_blobs(mirror, [commit])),
    ):
        with pytest.raises(ValueError, match="not the sha"):
            reading()


def test_the_local_recipe_talks_to_no_server(tmp_path: Path) -> None:
    git = Git(directory=tmp_path)

    for url in ("https://127.0.0.1:1/x", "file:///x", "ext::true", str(tmp_path)):
        with pytest.raises(GitError):
            git.run("ls-remote", "--", url)
    assert os.listdir(tmp_path) == []


def test_memory_is_limited(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "local")
    sha = repository.commit({"a": "1"}, message="x" * 20_000_000)
    git = Git(directory=repository.git_dir, watch=Watch(limits=Limits(max_memory_bytes=40_000_000)))

    with pytest.raises(LimitReached) as caught:
        git.run("log", "-1", "--format=%B%B%B", sha, max_output=10**9)

    assert caught.value.limit == "memory"

"""Mirroring a repository of this machine without trusting what it says about itself.

Its configuration, hooks and alternates are never used. What is fetched from is a facade: an empty
repository of ours that borrows its objects and has the one branch we want.
"""

import os
import re
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from projects.folders import snapshot_folder
from projects.git import UNWATCHED, Git, Watch
from projects.git_errors import RepositoryDamaged, RepositoryRefused
from projects.mirrors import (
    DETACHED,
    SHA,
    Fetched,
    Head,
    Heads,
    fetch,
    initialise,
    writable,
)

_LINKED = "The repository has symbolic links among its own files."
_BORROWED = (
    "The repository borrows objects from another one (alternates), which is not read;"
    " `git repack -a -d` in it and removing objects/info/alternates make it complete."
)

# What a foreign commit-graph or multi-pack-index claims is not checked by a fetch. Looking for new
# deltas takes most of the time on what was never packed; those that there are get reused. A file
# over the threshold is sent in pieces instead of being held whole.
_FACADE = """
[core]
	bigFileThreshold = 16m
	commitGraph = false
	multiPackIndex = false
[pack]
	window = 0
	compression = 1
"""


@dataclass(frozen=True, slots=True)
class Checkout:
    """Where a repository keeps its head and, the same unless it is a worktree, all the rest."""

    git_dir: Path
    common_dir: Path


def mirror_path(
    path: Path,
    mirror: Path,
    *,
    branch: str | None = None,
    roots: Collection[Path] = (),
    watch: Watch = UNWATCHED,
) -> Fetched:
    """Mirror a repository, a worktree or a plain folder of this machine.

    `path` comes from `addresses.check_source_path`.
    """
    if find_checkout(path, roots) is None:
        return snapshot_folder(path, mirror, watch=watch)
    return mirror_local(path, mirror, branch=branch, roots=roots, watch=watch)


def mirror_local(
    path: Path,
    mirror: Path,
    *,
    branch: str | None = None,
    roots: Collection[Path] = (),
    watch: Watch = UNWATCHED,
) -> Fetched:
    """Fetch what is committed on a branch, on the checked out one unless told."""
    checkout = find_checkout(path, roots)
    if checkout is None:
        raise RepositoryRefused("The folder is not a git repository.")
    _check_objects(checkout.common_dir)
    head = _heads(checkout, watch).choose(branch)
    if head is None:
        return Fetched(None, branch or "")
    with writable(mirror, Git(watch=watch), head.sha) as repository:
        return _fetch_through_facade(repository, checkout, head)


def local_head(
    path: Path,
    *,
    branch: str | None = None,
    roots: Collection[Path] = (),
    watch: Watch = UNWATCHED,
) -> Fetched | None:
    """Return what `mirror_path` would bring of a repository now; None for a plain folder."""
    checkout = find_checkout(path, roots)
    if checkout is None:
        return None
    head = _heads(checkout, watch).choose(branch)
    return Fetched(head.sha, head.branch) if head else Fetched(None, branch or "")


def find_checkout(path: Path, roots: Collection[Path] = ()) -> Checkout | None:
    """Return where the repository of a folder is, None if the folder is not one."""
    dot_git = path / ".git"
    if dot_git.is_symlink():
        raise RepositoryRefused(_LINKED)
    if dot_git.is_file():
        checkout = _follow(dot_git, roots)
    elif dot_git.is_dir():
        checkout = Checkout(dot_git, dot_git)
    elif _is_bare(path):
        checkout = Checkout(path, path)
    else:
        return None
    _check_owner(path, checkout.git_dir, checkout.common_dir, checkout.common_dir / "objects")
    if (checkout.common_dir / "commondir").exists():
        raise RepositoryRefused("The repository keeps its objects in another place.")
    return checkout


def _is_bare(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def _follow(dot_git: Path, roots: Collection[Path]) -> Checkout:
    """Return what a `.git` file points to: a worktree that is known there, or one in the roots."""
    git_dir = _named_in(dot_git, prefix="gitdir: ")
    if git_dir.parent.name == "worktrees":
        common = git_dir.parent.parent
        # Whoever can write the worktree could name any repository of the machine; that it is
        # listed there can only be written by someone who may write there too.
        known = _named_in(git_dir / "gitdir") == dot_git.resolve()
        if known and _named_in(git_dir / "commondir") == common:
            return Checkout(git_dir, common)
        raise RepositoryRefused("The worktree's repository does not know it: `git worktree repair`")
    if any(git_dir.is_relative_to(Path(root).resolve()) for root in roots):
        return Checkout(git_dir, git_dir)
    raise RepositoryRefused("The folder's .git file points to a place outside of SOURCE_ROOTS.")


def _named_in(file: Path, *, prefix: str = "") -> Path:
    try:
        with file.open("rb") as opened:
            text = os.fsdecode(opened.read(4096)).rstrip("\n")
        if text.startswith(prefix):
            return (file.parent / text.removeprefix(prefix)).resolve()
    except (OSError, ValueError) as error:
        raise RepositoryDamaged from error
    raise RepositoryDamaged


def _check_owner(*places: Path) -> None:
    trusted = {0, os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdigit():
        trusted.add(int(os.environ["SUDO_UID"]))
    try:
        owners = {place.stat().st_uid for place in places}
    except OSError as error:
        raise RepositoryDamaged from error
    if owners - trusted:
        raise RepositoryRefused(
            "The repository belongs to another user of this machine than the one that"
            " Nightowl runs as; change its owner, or add it by its https address."
        )


def _check_objects(common: Path) -> None:
    """Refuse a repository whose objects or branches are those of another one."""
    for name in ("alternates", "http-alternates"):
        if os.path.lexists(common / "objects" / "info" / name):
            raise RepositoryRefused(_BORROWED)
    if any(place.is_symlink() for place in _own_files(common)):
        raise RepositoryRefused(_LINKED)


def _own_files(common: Path) -> Iterator[Path]:
    for name in (
        "HEAD",
        "config",
        "objects",
        "packed-refs",
        "refs",
        "reftable",
        "shallow",
    ):
        yield common / name
    for folder, folders, files in os.walk(common / "refs"):
        yield from (Path(folder) / name for name in folders + files)
    for folder, folders, files in os.walk(common / "objects"):
        yield from (Path(folder) / name for name in folders + files)


def _heads(checkout: Checkout, watch: Watch) -> Heads:
    # With an explicit --git-dir and no transport allowed, naming refs runs nothing of theirs.
    git = Git(directory=checkout.git_dir, watch=watch)
    current = git.run("symbolic-ref", "--quiet", "HEAD", allowed=(0, 1)).strip()
    commit = git.run("rev-parse", "--quiet", "--verify", "HEAD", allowed=(0, 1)).decode().strip()
    branches = {}
    for line in git.run(
        "for-each-ref", "--format=%(objectname) %(refname)", "refs/heads"
    ).splitlines():
        sha, _, name = line.decode("utf-8", "replace").partition(" refs/heads/")
        if SHA.fullmatch(sha) and "\ufffd" not in name:
            branches[name] = sha
    named = current.decode("utf-8", "replace").removeprefix("refs/heads/")
    return Heads(named, commit if SHA.fullmatch(commit) else "", branches)


def _fetch_through_facade(repository: Git, checkout: Checkout, head: Head) -> Fetched:
    assert repository.directory is not None
    with tempfile.TemporaryDirectory(prefix=".facade-", dir=repository.directory) as name:
        facade = Path(name)
        initialise(facade, head.sha)
        with (facade / "config").open("a", encoding="ascii") as config:
            config.write(_FACADE)
        alternates = facade / "objects" / "info" / "alternates"
        alternates.parent.mkdir(exist_ok=True)
        alternates.write_bytes(os.fsencode(checkout.common_dir / "objects") + b"\n")
        shallow = _shallow(checkout.common_dir)
        (facade / "shallow").write_text(shallow, encoding="ascii")
        ref = f"refs/heads/{head.branch}" if head.branch else DETACHED
        Git(directory=facade).run("update-ref", ref, head.sha)
        was_shallow = (repository.directory / "shallow").exists()
        options = ("--unshallow",) if was_shallow and not shallow else ()
        allowed = replace(repository, protocol="file")
        fetched = fetch(allowed, name, Head(head.branch, ref, head.sha), *options)
    # The objects of the alternates were looked at before; they must not have come since.
    _check_objects(checkout.common_dir)
    return fetched


def _shallow(common: Path) -> str:
    """Return the commits at which a shallow clone's history was cut, one a line."""
    try:
        text = (common / "shallow").read_text(encoding="ascii")
    except FileNotFoundError:
        return ""
    except (OSError, ValueError) as error:
        raise RepositoryDamaged from error
    if not re.fullmatch(r"(?:[0-9a-f]{40,64}\n)*", text):
        raise RepositoryDamaged
    return text

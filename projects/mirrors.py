"""Keeping a bare mirror of one branch, and fetching it from a server."""

import base64
import fcntl
import os
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from projects.addresses import Address
from projects.git import UNWATCHED, Git, Watch
from projects.git_errors import (
    AccessDenied,
    BranchMissing,
    RepositoryBusy,
    RepositoryDamaged,
    RepositoryMissing,
    RepositoryRefused,
)

DETACHED = "refs/nightowl/detached"  # where a head that is on no branch is kept
SHA = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_BRANCH = re.compile(
    r"(?!.*(?:\.\.|@\{|//|/\.|\.lock(?:/|$)))[^\x00-\x20\x7f~^:?*\[\\./][^\x00-\x20\x7f~^:?*\[\\]*"
    r"(?<![./])"
)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a mirror holds: no commit when there is nothing yet, no branch when on none."""

    commit: str | None
    branch: str


@dataclass(frozen=True, slots=True)
class Heads:
    """What a repository offers to fetch."""

    current: str  # the branch that HEAD names, "" when on none
    detached: str  # the commit of HEAD, "" when there is none
    branches: Mapping[str, str]

    def choose(self, wanted: str | None) -> "Head | None":
        """Return the wanted branch, else the current one; None when nothing is committed."""
        if wanted:
            check_branch(wanted)
            if wanted not in self.branches and (self.branches or self.detached):
                raise BranchMissing(f"The repository has no branch named {wanted}.")
            return self._branch(wanted)
        if self.current in self.branches:
            return self._branch(self.current)
        if self.detached and not self.current:
            return Head("", "HEAD", self.detached)
        usual = [name for name in ("main", "master", *sorted(self.branches)) if self._branch(name)]
        return self._branch(usual[0]) if usual else None

    def _branch(self, name: str) -> "Head | None":
        sha = self.branches.get(name)
        return None if sha is None else Head(name, f"refs/heads/{name}", sha)


@dataclass(frozen=True, slots=True)
class Head:
    branch: str
    ref: str
    sha: str

    @property
    def kept_as(self) -> str:
        return f"refs/heads/{self.branch}" if self.branch else DETACHED


def mirror_remote(
    address: Address,
    mirror: Path,
    *,
    branch: str | None = None,
    token: str | None = None,
    watch: Watch = UNWATCHED,
) -> Fetched:
    """Clone or fetch a branch of a server's repository, its default one unless told.

    The connection goes to the numbers that were judged, whatever the name stands for by then.
    """
    git = _connected(address, token, watch)
    head = _heads(git, address).choose(branch)
    if head is None:
        return Fetched(None, branch or "")
    with writable(mirror, git, head.sha) as repository:
        return fetch(repository, address.url, head)


def remote_head(
    address: Address,
    *,
    branch: str | None = None,
    token: str | None = None,
    watch: Watch = UNWATCHED,
) -> Fetched:
    """Return what `mirror_remote` would bring now, without bringing it."""
    git = _connected(address, token, watch)
    if branch:
        check_branch(branch)
        options, ref = "--heads", f"refs/heads/{branch}"
    else:
        options, ref = "--symref", "HEAD"
    listed = _converse(git, "ls-remote", options, "--", address.url, ref, max_output=1 << 20)
    offered = _parse_heads(listed)
    if branch and branch in offered.branches:
        return Fetched(offered.branches[branch], branch)
    if not branch and offered.current and offered.detached:
        return Fetched(offered.detached, offered.current)
    head = _heads(git, address).choose(branch)
    return Fetched(head.sha, head.branch) if head else Fetched(None, branch or "")


def fetch(repository: Git, origin: str, head: Head, *options: str) -> Fetched:
    """Bring the head into the mirror, whatever the branch pointed to before."""
    _make_room(repository, head.kept_as)
    _converse(
        repository,
        "fetch",
        *("--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head"),
        *("--no-auto-maintenance", "--update-shallow", "--progress", *options),
        *("--", origin, f"+{head.ref}:{head.kept_as}"),
    )
    return settle(repository, head)


def settle(repository: Git, head: Head) -> Fetched:
    """Make the head the mirror's own, and return it."""
    commit = resolve_ref(repository, head.kept_as)
    if commit is None:
        raise RepositoryRefused("The branch does not lead to a commit.")
    repository.run("symbolic-ref", "HEAD", head.kept_as)
    assert repository.directory is not None
    packs = list(repository.directory.glob("objects/pack/*.pack"))
    if len(packs) > 30:
        repository.run("repack", "--geometric=2", "-d", "-q")
    return Fetched(commit, head.branch)


def resolve_ref(repository: Git, ref: str) -> str | None:
    """Return the commit that a full ref name leads to."""
    found = repository.run(
        *("rev-parse", "--quiet", "--verify", "--end-of-options", f"{ref}^{{commit}}"),
        allowed=(0, 1, 128),
    )
    commit = found.decode().strip()
    return commit if SHA.fullmatch(commit) else None


def resolve_branch(mirror: Path, branch: str) -> str | None:
    """Return the commit that the mirror has for a branch ("" for a head on none)."""
    if branch:
        check_branch(branch)
    return resolve_ref(Git(directory=mirror), f"refs/heads/{branch}" if branch else DETACHED)


def check_branch(branch: str) -> None:
    if not _BRANCH.fullmatch(branch) or len(branch.encode("utf-8", "replace")) > 200:
        raise BranchMissing("That is not the name of a branch.")


@contextmanager
def writable(mirror: Path, git: Git, like: str = "") -> Iterator[Git]:
    """Give the mirror to one writer; a new one appears only once it is complete.

    `like` is a commit of the repository to come: its length says which hash the mirror uses.
    """
    mirror = mirror.absolute()
    mirror.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _lock(mirror):
        _remove_partials(mirror)
        if _is_sound(mirror, len(like)):
            _remove_leftovers(mirror)
            try:
                yield replace(git, directory=mirror)
            finally:
                _remove_leftovers(mirror)
            return
        partial = Path(tempfile.mkdtemp(prefix=f".{mirror.name}.partial-", dir=mirror.parent))
        try:
            initialise(partial, like)
            yield replace(git, directory=partial)
            if mirror.exists():
                shutil.rmtree(mirror)
            partial.rename(mirror)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def remove_mirror(mirror: Path) -> None:
    """Remove a mirror with all that was beside it; one that is not there is no error."""
    if not mirror.parent.is_dir():
        return
    with _lock(mirror):
        _remove_partials(mirror)
        if mirror.exists():
            shutil.rmtree(mirror)
        (mirror.parent / f".{mirror.name}.lock").unlink()


def initialise(folder: Path, like: str) -> None:
    """Make an empty bare repository, without hooks, of the hash that the commit `like` has."""
    hashes = "sha256" if len(like) == 64 else "sha1"
    Git().run(
        "init",
        "--quiet",
        "--bare",
        "--template=",
        f"--object-format={hashes}",
        str(folder),
    )


@contextmanager
def _lock(mirror: Path) -> Iterator[None]:
    with open(mirror.parent / f".{mirror.name}.lock", "ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RepositoryBusy from error
        yield


def _is_sound(mirror: Path, sha_length: int) -> bool:
    if not (mirror / "HEAD").is_file():
        return False
    try:
        commit = resolve_ref(Git(directory=mirror), "HEAD")
    except RepositoryDamaged:
        return False
    return commit is not None and sha_length in {0, len(commit)}


def _remove_partials(mirror: Path) -> None:
    for leftover in mirror.parent.glob(f".{mirror.name}.partial-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _remove_leftovers(mirror: Path) -> None:
    # What a git that was killed was writing. Nobody else writes while we hold the lock.
    for pattern in (
        "*.lock",
        "refs/**/*.lock",
        "objects/pack/tmp_*",
        "objects/*/tmp_obj_*",
    ):
        for leftover in mirror.glob(pattern):
            with suppress(FileNotFoundError):
                leftover.unlink()
    for pattern in ("objects/tmp_objdir-*", ".facade-*"):
        for leftover in mirror.glob(pattern):
            shutil.rmtree(leftover, ignore_errors=True)


def _make_room(repository: Git, ref: str) -> None:
    # A branch `a` that became `a/b`, or the other way round, cannot be stored beside its old self.
    for line in repository.run("for-each-ref", "--format=%(refname)", "refs/heads").splitlines():
        known = os.fsdecode(line)
        if known.startswith(f"{ref}/") or ref.startswith(f"{known}/"):
            repository.run("update-ref", "-d", known)


def _connected(address: Address, token: str | None, watch: Watch) -> Git:
    """Return a git that can talk to the address and to nothing else."""
    if address.scheme not in {"https", "http"}:
        raise RepositoryRefused("Only https addresses can be fetched.")
    settings = {"http.curloptResolve": ":".join(address.pin)}
    if token:
        if not token.isascii() or not token.isprintable():
            raise AccessDenied("The token holds characters that a token cannot have.")
        pair = token if ":" in token else f"x-access-token:{token}"
        secret = base64.b64encode(pair.encode()).decode()
        # Bound to the server's address, so that it goes nowhere else.
        server = "/".join(address.url.split("/")[:3])
        settings[f"http.{server}/.extraHeader"] = f"Authorization: Basic {secret}"
    return Git(protocol=address.scheme, settings=settings, watch=watch)


def _heads(git: Git, address: Address) -> Heads:
    listed = _converse(git, "ls-remote", "--symref", "--", address.url, "HEAD", "refs/heads/*")
    return _parse_heads(listed)


def _converse(git: Git, *arguments: str, max_output: int = 16 * 1024**2) -> bytes:
    """Run git against a far side that must speak git's own protocol.

    Git takes any web page for an old kind of repository, an empty one at that; from a real one of
    that kind it would fetch without checking what it gets.
    """
    with tempfile.NamedTemporaryFile(prefix="git-trace-") as trace:
        output = replace(git, trace=Path(trace.name)).run(*arguments, max_output=max_output)
        if b'"negotiated-version"' not in trace.read():
            raise RepositoryMissing("What answers at this address is not a git repository.")
    return output


def _parse_heads(listed: bytes) -> Heads:
    current, detached, branches = "", "", {}
    for line in listed.splitlines():
        value, _, name = line.partition(b"\t")
        try:
            text = name.decode()
            target = value.decode()
        except UnicodeDecodeError:
            continue
        if text == "HEAD" and target.startswith("ref: refs/heads/"):
            current = target.removeprefix("ref: refs/heads/")
        elif text == "HEAD" and SHA.fullmatch(target):
            detached = target
        elif text.startswith("refs/heads/") and SHA.fullmatch(target):
            branches[text.removeprefix("refs/heads/")] = target
    if not current and detached:  # old servers do not say which branch HEAD is
        current = next((name for name, sha in branches.items() if sha == detached), "")
    return Heads(current, detached, branches)

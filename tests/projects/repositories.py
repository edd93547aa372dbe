"""Building real repositories, honest and hostile, out of git's own plumbing."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Alice",
    "GIT_AUTHOR_EMAIL": "alice@example.org",
    "GIT_COMMITTER_NAME": "Bob",
    "GIT_COMMITTER_EMAIL": "bob@example.org",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05+00:00",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05+00:00",
}

TreeEntry = tuple[str, bytes, str]  # mode, name, sha


class Repository:
    """A repository whose objects are written one by one; nothing is ever checked out."""

    def __init__(self, path: Path, *, bare: bool = False, hashes: str = "sha1") -> None:
        self.path = path
        self.git_dir = path if bare else path / ".git"
        options = ["--bare"] if bare else []
        command = ["git", "init", "-q", "-b", "main", "--template=", f"--object-format={hashes}"]
        subprocess.run([*command, *options, str(path)], env=ENVIRONMENT, check=True)

    def git(self, *arguments: str, stdin: bytes = b"", **environment: str) -> str:
        done = subprocess.run(
            ["git", f"--git-dir={self.git_dir}", *arguments],
            input=stdin,
            env=ENVIRONMENT | environment,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode().strip()

    def blob(self, content: bytes | str) -> str:
        data = content.encode() if isinstance(content, str) else content
        return self.git("hash-object", "-w", "--stdin", stdin=data)

    def raw(self, kind: str, content: bytes) -> str:
        """Write an object as it is, whatever git would say about it."""
        return self.git("hash-object", "-t", kind, "--literally", "-w", "--stdin", stdin=content)

    def tree(self, entries: Sequence[TreeEntry]) -> str:
        """Write a tree with whatever names, in the order that git wants."""

        def order(entry: TreeEntry) -> bytes:
            return entry[1] + (b"/" if entry[0] == "40000" else b"")

        content = b"".join(
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(sha)
            for mode, name, sha in sorted(entries, key=order)
        )
        return self.raw("tree", content)

    def files(self, contents: Mapping[str, bytes | str]) -> str:
        """Write a tree, and those below it, of ordinary files by path."""
        here: list[TreeEntry] = []
        folders: dict[str, dict[str, bytes | str]] = {}
        for path, content in contents.items():
            name, _, rest = path.partition("/")
            if rest:
                folders.setdefault(name, {})[rest] = content
            else:
                here.append(("100644", name.encode(), self.blob(content)))
        for name, inside in folders.items():
            here.append(("40000", name.encode(), self.files(inside)))
        return self.tree(here)

    def commit(
        self,
        content: str | Mapping[str, bytes | str],
        *,
        branch: str = "main",
        parents: Sequence[str] = (),
        message: str = "A commit",
        when: str = "2026-01-02T03:04:05+00:00",
        author: str = "Alice",
    ) -> str:
        """Commit a tree, or files, as the new head of a branch."""
        tree = content if isinstance(content, str) else self.files(content)
        flags = [part for parent in parents for part in ("-p", parent)]
        sha = self.git(
            "commit-tree",
            *(*flags, tree),
            stdin=message.encode(),
            GIT_AUTHOR_NAME=author,
            GIT_AUTHOR_EMAIL=f"{author.split(maxsplit=1)[0].lower()}@example.org",
            GIT_AUTHOR_DATE=when,
            GIT_COMMITTER_DATE=when,
        )
        self.point(branch, sha)
        return sha

    def raw_commit(self, tree: str, author: bytes, message: bytes = b"Odd\n") -> str:
        content = b"tree %s\nauthor %s\ncommitter %s\n\n%s" % (
            tree.encode(),
            author,
            author,
            message,
        )
        sha = self.raw("commit", content)
        self.point("main", sha)
        return sha

    def point(self, branch: str, sha: str) -> None:
        self.git("update-ref", f"refs/heads/{branch}", sha)

    def head(self, branch: str = "main") -> str:
        return self.git("rev-parse", f"refs/heads/{branch}")

    def configure(self, text: str) -> None:
        with (self.git_dir / "config").open("a", encoding="utf-8") as config:
            config.write(text)


ODD_NAMES = [
    b"-rf",
    b"--upload-pack=x",
    b"new\nline",
    b"tab\tname",
    b"quote\"and'",
    b"$(touch pwned)",
    b"`id`",
    b"\x1b[31mred",
    b"<img src=x onerror=alert(1)>",
    "\u202egpj.exe".encode(),
    "e\u0301".encode(),
    "\u00e9".encode(),
    b"A",
    b"a",
    b"CON",
    b"n" * 255,
    b"back\\slash",
    b"=cmd",
    b"\xff\xfe.py",
    b":(glob)*",
]


def with_odd_names(path: Path) -> Repository:
    """Every name that somebody forgot about, each with content of its own."""
    repository = Repository(path)
    entries: list[TreeEntry] = [
        ("100644", name, repository.blob(b"content of " + name)) for name in ODD_NAMES
    ]
    repository.commit(repository.tree(entries))
    return repository


def with_symlinks(path: Path) -> Repository:
    repository = Repository(path)
    targets = [
        "/etc/passwd",
        ".git/config",
        "/proc/self/environ",
        "itself",
        "../../..",
        "/dev/zero",
    ]
    entries: list[TreeEntry] = [
        ("120000", f"link{number}".encode(), repository.blob(target))
        for number, target in enumerate(targets)
    ]
    entries.append(("100644", b"real.py", repository.blob("real = True\n")))
    repository.commit(repository.tree(entries))
    return repository


def with_submodule(path: Path, gitmodules: str) -> Repository:
    repository = Repository(path)
    entries: list[TreeEntry] = [
        ("100644", b".gitmodules", repository.blob(gitmodules)),
        ("160000", b"library", "1" * 40),
        ("100644", b"real.py", repository.blob("real = True\n")),
    ]
    repository.commit(repository.tree(entries))
    return repository


def with_entry(path: Path, name: bytes, *, below: bool = False) -> Repository:
    """One entry of a name that no honest tree has."""
    repository = Repository(path)
    inner = repository.files({"post-checkout": "#!/bin/sh\n"})
    mode, sha = ("40000", inner) if below else ("100644", repository.blob("x"))
    repository.commit(repository.tree([(mode, name, sha)]))
    return repository


def tree_bomb(path: Path, *, depth: int = 10, width: int = 10) -> Repository:
    """`width` to the power of `depth` paths out of a dozen objects."""
    repository = Repository(path)
    names = [f"d{number}".encode() for number in range(width)]
    blob = repository.blob("boom")
    tree = repository.tree([("100644", name, blob) for name in names])
    for _ in range(depth - 1):
        tree = repository.tree([("40000", name, tree) for name in names])
    repository.commit(tree)
    return repository


def deep(path: Path, *, levels: int = 600) -> Repository:
    repository = Repository(path)
    tree = repository.files({"bottom.py": "deep = True\n"})
    for level in range(levels):
        tree = repository.tree([("40000", f"level-{level:012d}".encode(), tree)])
    repository.commit(tree)
    return repository


def plain_folder(path: Path, contents: Mapping[str, bytes | str]) -> Path:
    for name, content in contents.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return path

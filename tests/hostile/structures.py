"""Repositories whose structure is made to hurt: entries, names, references, objects, settings."""

import os
from collections.abc import Callable
from pathlib import Path

from tests.hostile.building import blob_of_zeros, object_file, of_files, script
from tests.hostile.fixtures import EMPTY, FAILED, Hostile
from tests.projects.repositories import (
    ODD_NAMES,
    Repository,
    TreeEntry,
    deep,
    tree_bomb,
    with_entry,
    with_odd_names,
    with_submodule,
    with_symlinks,
)

Build = Callable[[Path], Path]

NAMES_FOR_PAGES = [
    "\u202egpj.py",
    "a?b=c&d#e.py",
    "100%25.py",
    "%2e%2e",
    " space ",
    "trailing.",
    "...",
    "~",
    "co:lon",
    "semi;colon",
    "plus+plus",
    "{{ template }}",
    "{% url %}",
    "'><script src=x>.md",
    '" onmouseover=alert(1) x=".md',
    "javascript:alert(1)",
    "\u2028line\u0085end",
    "\r\nSet-Cookie: a=b.py",
    "\U0001f989.py",
    "nul\x01control\x7f",
    "n" * 250 + ".py",
]

UNSAFE = "refuses as unsafe"
LINK = "not a file: symbolic link"
MODULE = "not a file: submodule"
TENANT_B = "TENANT-B-SECRET-77e1"
PASSWD = "root:x:0:0"

ESCAPES = {
    "dotgit": b".git",
    "dotgit case": b".GIT",
    "dotgit short": b"git~1",
    "dotgit invisible": b".g\xe2\x80\x8cit",
    "dotdot": b"..",
    "dot": b".",
    "slashname": b"../../evil",
}
MODULES = {
    "submodule option": '[submodule "x"]\n\tpath = x\n\turl = -u./p\n',
    "submodule path": '[submodule "../../x"]\n\tpath = x\n\turl = https://example.org/\n',
}
QUIET_MODULES = {
    "submodule ext": '[submodule "library"]\n\tpath = library\n\turl = ext::sh -c touch% pwned\n',
    "submodule benign": '[submodule "library"]\n\tpath = library\n\turl = https://example.org/\n',
    "submodule metadata": '[submodule "library"]\n\tpath = library\n\turl = http://169.254.169.254/\n',
    "submodule return": '[submodule "library"]\n\tpath = "library\r"\n\turl = https://example.org/\n',
}
AUTHORS = {
    "author script": b"<script>alert(1)</script> <a@b> 1 +0000",
    "author far": b"A <a@b> 99999999999999 +9999",
    "author early": b"A <a@b> -1 +0000",
    "author nameless": b"<a@b> 1 +0000",
    "author escape": b"\x1b[31mRed <a@b> 1 +0000",
}


def of(build: Callable[[Path], Repository]) -> Build:
    return lambda path: build(path).path


def with_submodule_of(gitmodules: str) -> Build:
    return lambda path: with_submodule(path, gitmodules).path


def with_entry_of(name: bytes) -> Build:
    return lambda path: with_entry(path, name, below=name.startswith((b".g", b".G", b"git"))).path


def with_names_for_pages(path: Path) -> Path:
    repository = Repository(path)
    entries: list[TreeEntry] = [
        ("100644", name.encode(), repository.blob(f"named = {number}\n"))
        for number, name in enumerate(NAMES_FOR_PAGES)
    ]
    repository.commit(repository.tree(entries))
    return path


def with_twins(path: Path) -> Path:
    """Bytes that are no text, and a name that spells their escape: two files all the same."""
    repository = Repository(path)
    entries: list[TreeEntry] = [
        ("100644", b"\xe9.py", repository.blob("bytes = 1\n")),
        ("100644", b"\\xe9.py", repository.blob("spelled = 1\n")),
    ]
    repository.commit(repository.tree(entries))
    return path


def blob_bomb(path: Path) -> Path:
    repository = Repository(path)
    entries: list[TreeEntry] = [
        ("100644", b"zeros.py", blob_of_zeros(repository, 512 << 20)),
        ("100644", b"small.py", repository.blob("small = 1\n")),
    ]
    repository.commit(repository.tree(entries))
    return path


def with_odd_refs(path: Path) -> Path:
    repository = Repository(path)
    sha = repository.commit({"a.py": "a = 1\n"})
    names = [f"b{number}" for number in range(2000)]
    names += ["-x", "--upload-pack=touch${IFS}pwned", "$(id)", "HEAD", "v1"]
    commands = "".join(f"create refs/heads/{name} {sha}\n" for name in names)
    repository.git("update-ref", "--stdin", stdin=commands.encode())
    repository.git("update-ref", "refs/tags/v1", sha)
    return path


def with_no_default_branch(path: Path) -> Path:
    repository = Repository(path)
    repository.commit({"a.py": "a = 1\n"}, branch="work")
    repository.git("symbolic-ref", "HEAD", "refs/heads/nowhere")
    return path


def with_author(author: bytes) -> Build:
    def build(path: Path) -> Path:
        repository = Repository(path)
        message = b"Gr\xfc\xdfe <img src=x onerror=alert(1)> " + b"x" * 100_000 + b"\n"
        repository.raw_commit(repository.files({"a.py": "a = 1\n"}), author, message)
        return path

    return build


def with_replaced_objects(path: Path) -> Path:
    repository = Repository(path)
    honest = repository.blob("honest = 1\n")
    repository.commit({"a.py": "honest = 1\n"})
    repository.git("replace", honest, repository.blob(f"{TENANT_B}\n"))
    return path


def with_alternates(path: Path) -> Path:
    victim = Repository(path / "b")
    victim.commit({"secret.py": f'x = "{TENANT_B}"\n'})
    thief = Repository(path / "a")
    (thief.git_dir / "objects/info").mkdir(exist_ok=True)
    (thief.git_dir / "objects/info/alternates").write_text(f"{victim.git_dir}/objects\n")
    (thief.git_dir / "refs/heads/main").write_text(victim.head() + "\n")
    return thief.path


def with_evil_settings(path: Path) -> Path:
    repository = Repository(path)
    repository.commit({"a.py": "a = 1\n"})
    payload = script(path / "payload", path / "pwned")
    for hook in ("post-checkout", "reference-transaction", "post-update", "pre-auto-gc"):
        script(repository.git_dir / "hooks" / hook, path / "pwned")
    repository.configure(
        f"[core]\n\tfsmonitor = {payload}\n\tsshCommand = {payload}\n\tpager = {payload}\n"
        f"\talternateRefsCommand = {payload}\n[uploadpack]\n\tpackObjectsHook = {payload}\n"
        f'[filter "evil"]\n\tsmudge = {payload}\n\tprocess = {payload}\n'
    )
    return path


def with_included_file(path: Path) -> Path:
    repository = Repository(path)
    repository.commit({"a.py": "a = 1\n"})
    repository.configure("[include]\n\tpath = /etc/passwd\n")
    return path


def with_inner_repository(path: Path) -> Path:
    inside = f"[core]\n\tbare = false\n\tfsmonitor = {script(path / 'payload', path / 'pwned')}\n"
    files = {
        "HEAD": "ref: refs/heads/main\n",
        "config": inside,
        "objects/x": "x\n",
        "refs/x": "x\n",
    }
    return of_files(path, {f"docs/{name}": text for name, text in files.items()})


def with_attributes(path: Path) -> Path:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1000000000000\n"
    return of_files(
        path,
        {
            ".gitattributes": "*.csv filter=lfs working-tree-encoding=UTF-16\n"
            + "x" * 3000
            + " text\n",
            ".lfsconfig": "[lfs]\n\turl = http://169.254.169.254/\n",
            "large.csv": pointer,
        },
    )


def with_corrupt_object(path: Path) -> Path:
    repository = Repository(path)
    repository.commit({"a.py": "a = 1\n"})
    place = object_file(repository, repository.blob("a = 1\n"))
    os.chmod(place, 0o600)
    place.write_bytes(place.read_bytes()[:-4] + b"\0\0\0\0")
    return path


def with_truncated_pack(path: Path) -> Path:
    repository = Repository(path)
    repository.commit({f"{number}.py": f"a = {number}\n" * 50 for number in range(20)})
    repository.git("repack", "-a", "-d", "-q")
    for pack in repository.git_dir.glob("objects/pack/*.pack"):
        os.chmod(pack, 0o600)
        pack.write_bytes(pack.read_bytes()[: pack.stat().st_size // 2])
    return path


def with_missing_object(path: Path) -> Path:
    repository = Repository(path)
    repository.commit({"a.py": "a = 1\n"})
    object_file(repository, repository.blob("a = 1\n")).unlink()
    return path


def with_grafts(path: Path) -> Path:
    repository = Repository(path)
    first = repository.commit({"a.py": "a = 1\n"})
    second = repository.commit({"a.py": "a = 2\n"}, parents=[first])
    (repository.git_dir / "info").mkdir(exist_ok=True)
    (repository.git_dir / "info/grafts").write_text(f"{second} {'1' * 40}\n")
    return path


def shallow(path: Path) -> Path:
    repository = Repository(path)
    first = repository.commit({"a.py": "a = 1\n"})
    repository.commit({"a.py": "a = 2\n"}, parents=[first])
    (repository.git_dir / "shallow").write_text(f"{repository.head()}\n")
    object_file(repository, first).unlink()
    return path


STRUCTURES = [
    Hostile(
        name="symlinks",
        build=of(with_symlinks),
        indexed=1,
        reasons={f"link{number}": LINK for number in range(6)},
        absent=(PASSWD,),
        quick=True,
    ),
    *(
        Hostile(
            name=name, build=with_entry_of(entry), state=FAILED, says=UNSAFE, indexed=0, quick=True
        )
        for name, entry in ESCAPES.items()
    ),
    *(
        Hostile(name=name, build=with_submodule_of(text), state=FAILED, says=UNSAFE, indexed=0)
        for name, text in MODULES.items()
    ),
    *(
        Hostile(name=name, build=with_submodule_of(text), indexed=2, reasons={"library": MODULE})
        for name, text in QUIET_MODULES.items()
    ),
    Hostile(
        name="names",
        build=of(with_odd_names),
        indexed=len(ODD_NAMES) - 1,
        reasons={"\u202egpj.exe": "binary"},
        quick=True,
    ),
    Hostile(
        name="names for pages", build=with_names_for_pages, indexed=len(NAMES_FOR_PAGES), quick=True
    ),
    Hostile(name="names that look alike", build=with_twins, indexed=1, unlisted="reads the same"),
    Hostile(name="deep", build=of(deep), state=EMPTY, indexed=0, unlisted="path too long"),
    Hostile(
        name="tree bomb",
        build=of(tree_bomb),
        state=FAILED,
        says="more than 200,000 paths",
        indexed=0,
    ),
    Hostile(name="blob bomb", build=blob_bomb, indexed=1, reasons={"zeros.py": "too large"}),
    Hostile(name="no default branch", build=with_no_default_branch, indexed=1, quick=True),
    Hostile(name="refs", build=with_odd_refs, indexed=1),
    Hostile(name="branch like an option", build=with_odd_refs, indexed=1, branch="-x"),
    Hostile(name="branch named HEAD", build=with_odd_refs, indexed=1, branch="HEAD"),
    *(Hostile(name=name, build=with_author(who), indexed=1) for name, who in AUTHORS.items()),
    Hostile(name="replaced objects", build=with_replaced_objects, indexed=1, absent=(TENANT_B,)),
    Hostile(
        name="alternates",
        build=with_alternates,
        state=FAILED,
        says="borrows objects",
        indexed=0,
        absent=(TENANT_B,),
        quick=True,
    ),
    Hostile(name="evil settings", build=with_evil_settings, indexed=1, quick=True),
    Hostile(
        name="included file", build=with_included_file, state=FAILED, indexed=0, absent=(PASSWD,)
    ),
    Hostile(name="inner repository", build=with_inner_repository, indexed=4),
    Hostile(name="attributes", build=with_attributes, indexed=3),
    Hostile(name="empty", build=of(Repository), state=EMPTY, indexed=0, quick=True),
    Hostile(
        name="corrupt object", build=with_corrupt_object, state=FAILED, says="damaged", indexed=0
    ),
    Hostile(
        name="truncated pack", build=with_truncated_pack, state=FAILED, says="damaged", indexed=0
    ),
    Hostile(
        name="missing object", build=with_missing_object, state=FAILED, says="damaged", indexed=0
    ),
    Hostile(name="grafts", build=with_grafts, indexed=1),
    Hostile(name="shallow", build=shallow, indexed=1),
]

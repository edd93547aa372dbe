"""Where a program starts: what its manifests, its file names and its main functions tell."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_OF_A_FILE = 6
LONGEST = 160

MANIFESTS = frozenset(
    {
        *("pyproject.toml", "setup.cfg", "package.json", "cargo.toml", "makefile", "gnumakefile"),
        *("justfile", "dockerfile", "containerfile", "procfile", "composer.json"),
    }
)
_STARTS = (
    (re.compile(r"(?:^|/)manage\.py$"), "Management commands", "python {path}"),
    (re.compile(r"(?:^|/)__main__\.py$"), "Runs as a module", "python -m {module}"),
    (re.compile(r"(?:^|/)(?:wsgi|asgi)\.py$"), "Served by a web server", ""),
    (re.compile(r"(?:^|/)cmd/[^/]+/main\.go$"), "Command", "go run ./{folder}"),
    (re.compile(r"^main\.go$"), "Main program", "go run ."),
    (re.compile(r"(?:^|/)src/main\.rs$"), "Main program", "cargo run"),
    (re.compile(r"(?:^|/)src/lib\.rs$"), "Root of the library", ""),
    (
        re.compile(r"(?:^|/)(?:Program\.cs|Main\.java|main\.(?:c|cc|cpp|swift|kt|dart))$"),
        "Main program",
        "",
    ),
    (re.compile(r"^(?:src/)?(?:app|main|server|cli)\.(?:py|[cm]?[jt]sx?|rb)$"), "Main program", ""),
    (re.compile(r"^config\.ru$"), "Served by a web server", "rackup"),
)


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """A way into a program: what it is, the words that start it, and the file that tells."""

    what: str
    detail: str
    path: str
    target: str = ""  # the module or file that it leads to, where the manifest names one


def is_manifest(path: str) -> bool:
    return path.rpartition("/")[2].lower() in MANIFESTS


def entry_points_by_name(paths: Iterable[str]) -> Iterator[EntryPoint]:
    """Yield what file names alone tell."""
    for path in paths:
        folder = path.rpartition("/")[0]
        module = re.sub(r"^(?:src|lib|python)/", "", folder).replace("/", ".")
        for pattern, what, words in _STARTS:
            if pattern.search(path) and not (words.endswith("{module}") and not module):
                detail = words.format(path=path, module=module, folder=folder)
                yield EntryPoint(what, detail, path, path)
                break


def entry_points_in(path: str, text: str) -> list[EntryPoint]:
    """Return what a manifest tells; nothing from one that can't be read."""
    read = _READERS[path.rpartition("/")[2].lower()]
    try:
        return list(read(path, text))[:MOST_OF_A_FILE]
    except (ValueError, RecursionError):  # not what its name says, or hostile
        return []


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _of_pyproject(path: str, text: str) -> Iterator[EntryPoint]:
    whole = tomllib.loads(text)
    project = _table(whole.get("project"))
    poetry = _table(_table(whole.get("tool")).get("poetry"))
    for table in (project.get("scripts"), project.get("gui-scripts"), poetry.get("scripts")):
        for name, target in _table(table).items():
            if isinstance(target, str):
                yield EntryPoint("Command", name, path, target)


def _of_setup_cfg(path: str, text: str) -> Iterator[EntryPoint]:
    section = re.search(r"^console_scripts\s*=\s*\n((?:[ \t]+\S[^\n]*\n?)+)", text, re.MULTILINE)
    for line in section[1].splitlines() if section else ():
        name, _, target = line.partition("=")
        yield EntryPoint("Command", name.strip(), path, target.strip())


def _of_package(path: str, text: str) -> Iterator[EntryPoint]:
    package = _table(json.loads(text))
    name, commands = str(package.get("name", "")), package.get("bin")
    if isinstance(commands, str):
        commands = {name.rpartition("/")[2]: commands}
    for command, target in _table(commands).items():
        yield EntryPoint("Command", command, path, str(target))
    if isinstance(main := package.get("module") or package.get("main"), str) and name:
        yield EntryPoint("Imported as", name, path, main)
    scripts = _table(package.get("scripts"))
    for script in ("start", "dev", "serve", "build", "test"):
        if isinstance(scripts.get(script), str):
            yield EntryPoint("Script", f"npm run {script}", path)


def _of_cargo(path: str, text: str) -> Iterator[EntryPoint]:
    programs = tomllib.loads(text).get("bin")
    for program in map(_table, programs if isinstance(programs, list) else ()):
        if isinstance(program.get("name"), str):
            yield EntryPoint("Command", program["name"], path, str(program.get("path", "")))


def _of_makefile(path: str, text: str) -> Iterator[EntryPoint]:
    tool = "just" if path.lower().endswith("justfile") else "make"
    names = re.findall(r"^([A-Za-z][\w-]*)(?:[ \t]+[\w-]+)*[ \t]*:(?![=:])", text, re.MULTILINE)
    known = ("run", "start", "serve", "dev", "up", "build", "test", "check", "lint", "docs", "help")
    found = [name for name in known if name in names] or list(dict.fromkeys(names))[:3]
    for name in found:
        yield EntryPoint("Target", f"{tool} {name}", path)


def _of_dockerfile(path: str, text: str) -> Iterator[EntryPoint]:
    lines = re.findall(r"^(?:CMD|ENTRYPOINT)[ \t]+([^\n]+)", text, re.MULTILINE | re.IGNORECASE)
    for line in lines[-1:]:
        words = re.sub(r"[\[\]\",]+", " ", line)
        yield EntryPoint("Container", " ".join(words.split())[:LONGEST], path)


def _of_procfile(path: str, text: str) -> Iterator[EntryPoint]:
    for name, words in re.findall(r"^(\w[\w-]*):[ \t]*([^\n]+)", text, re.MULTILINE):
        yield EntryPoint(f"Process {name}"[:40], words.strip()[:LONGEST], path)


_READERS = {
    "pyproject.toml": _of_pyproject,
    "setup.cfg": _of_setup_cfg,
    "package.json": _of_package,
    "composer.json": _of_package,
    "cargo.toml": _of_cargo,
    "makefile": _of_makefile,
    "gnumakefile": _of_makefile,
    "justfile": _of_makefile,
    "dockerfile": _of_dockerfile,
    "containerfile": _of_dockerfile,
    "procfile": _of_procfile,
}


def file_of(target: str, beside: str, paths: Iterable[str]) -> str:
    """Return the file that a manifest's words lead to: `pack.cli:main` or `./lib/index.js`."""
    target = target.partition(":")[0].strip().removeprefix("./")
    if not target:
        return ""
    folder = beside.rpartition("/")[0]
    known = set(paths)
    if "/" in target or re.search(r"\.(?:[cm]?[jt]sx?|rs|py)$", target):
        whole = f"{folder}/{target}".lstrip("/")
        return whole if whole in known else ""
    ends = (f"{target.replace('.', '/')}.py", f"{target.replace('.', '/')}/__init__.py")
    found = (p for p in known for end in ends if p == end or p.endswith(f"/{end}"))
    return min(found, key=lambda p: (len(p), p), default="")

"""Reading the histories of small programs with seeded defects, and making repositories of them.

A `.history` file is meant to be read: it begins with the files of the first commit, then come
steps, each with its edits and the defects that it brings in.
"""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import SequenceMatcher
from pathlib import Path

HERE = Path(__file__).parent
BEGINNING = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PACE = timedelta(hours=19)


class HistoryBroken(Exception):
    """A history can't be rebuilt as it is written; says which one and where."""


@dataclass(frozen=True, slots=True)
class Defect:
    """Something wrong that a step brought in: the line that shows it, and why it is wrong."""

    kind: str
    path: str
    text: str  # of the line, without the space around it
    why: str
    also: tuple[str, ...] = ()  # files that should have changed with it
    line: int = 0  # in the tree of its step


@dataclass(slots=True)
class Written:
    """A step as it is written down: what it does to files, perhaps in commits of a branch."""

    subject: str
    author: str
    is_merge: bool = False
    commits: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the main line as it was committed."""

    sha: str
    parent: str
    subject: str
    defects: tuple[Defect, ...]


@dataclass(frozen=True, slots=True)
class Program:
    name: str
    language: str
    repository: Path
    steps: tuple[Step, ...]


def build(part: str, into: Path) -> list[Program]:
    """Return the programs of a part of the set, `tuned` or `unseen`, as repositories."""
    return [build_one(path, into) for path in sorted((HERE / part).glob("*.history"))]


def build_one(path: Path, into: Path) -> Program:
    """Return the program that a history tells of; the same commits each time."""
    language, steps = read_history(path)
    repository = into / path.stem
    git = _Git(repository)
    git.run("init", "-q", "--bare", "-b", "main", "--template=", str(repository))
    tree: dict[str, str] = {}
    head, made = "", []
    for number, step in enumerate(steps):
        parent, before = head, dict(tree)
        moment = BEGINNING + number * PACE
        for subject, changes in step.commits:
            _apply(tree, changes)
            parents = [head] if head else []
            head = git.commit(tree, parents, subject, step.author, moment)
        if step.is_merge:
            head = git.commit(tree, [parent, head], step.subject, step.author, moment)
        if number:
            defects = tuple(_placed(path, defect, before, tree) for defect in step.defects)
            made.append(Step(head, parent, step.subject, defects))
    git.run("update-ref", "refs/heads/main", head)
    return Program(path.stem, language, repository, tuple(made))


def _apply(tree: dict[str, str], changes: dict[str, str | None]) -> None:
    for path, text in changes.items():
        if text is None:
            tree.pop(path)
        else:
            tree[path] = text


def _placed(history: Path, defect: Defect, before: dict[str, str], after: dict[str, str]) -> Defect:
    """Return a defect with its line, which the step must have added; of copies the last."""
    added = _added(before.get(defect.path, ""), after.get(defect.path, ""))
    found = [number for number, line in added if line == defect.text]
    if not found:
        raise HistoryBroken(f"{history.name}: the step does not add “{defect.text}”")
    missing = [path for path in defect.also if path not in after]
    if missing:
        raise HistoryBroken(f"{history.name}: there is no {missing[0]}")
    return Defect(defect.kind, defect.path, defect.text, defect.why, defect.also, found[-1])


def _added(before: str, after: str) -> Iterator[tuple[int, str]]:
    """Yield numbers and texts, without the space around them, of the lines that are new."""
    old, new = ([line.strip() for line in text.split("\n")] for text in (before, after))
    for name, _, _, start, end in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if name != "equal":
            yield from enumerate(new[start:end], start=start + 1)


def read_history(path: Path) -> tuple[str, list[Written]]:
    """Return the language of a history and its steps; the first holds what it begins with."""
    reader = _Reader(path)
    for head, body in _sections(path):
        reader.take(head, body)
    return reader.language, reader.steps


def _sections(path: Path) -> Iterator[tuple[str, list[str]]]:
    head, body = "", list[str]()
    for line in path.read_text(encoding="utf-8").split("\n"):
        if line.startswith("@@ "):
            yield head, body
            head, body = line[3:], []
        else:
            body.append(line)
    yield head, body


class _Reader:
    """Follows a history from its first section to its last."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.language = ""
        self.tree: dict[str, str] = {}
        self.steps = [Written("Begin", "Ana Ruiz", commits=[("Begin", {})])]

    def take(self, head: str, body: list[str]) -> None:
        word, _, rest = head.partition(" ")
        if word == "":
            self.language = body[0].removeprefix("language: ")
        elif word == "step":
            subject, author, *merge = [part.strip() for part in rest.split(" | ")]
            commits: list[tuple[str, dict[str, str | None]]] = [] if merge else [(subject, {})]
            self.steps.append(Written(subject, author, bool(merge), commits))
        elif word == "commit":
            self.steps[-1].commits.append((rest, {}))
        elif word == "defect":
            self.steps[-1].defects.append(_defect(rest, body))
        else:
            self._change(word, rest, body)

    def _change(self, word: str, rest: str, body: list[str]) -> None:
        changes = self.steps[-1].commits[-1][1]
        if word == "file":
            self.tree[rest] = changes[rest] = "\n".join(body).strip("\n") + "\n"
        elif word == "edit":
            self.tree[rest] = changes[rest] = self._edited(rest, body)
        elif word == "delete":
            changes[rest] = None
            del self.tree[rest]
        elif word == "move":
            old, new = rest.split()
            self.tree[new] = changes[new] = self.tree.pop(old)
            changes[old] = None
        else:
            raise HistoryBroken(f"{self.path.name}: what is “{word}”?")

    def _edited(self, path: str, body: list[str]) -> str:
        text = self.tree[path]
        for block in "\n".join(body).split("<<<<\n")[1:]:
            old, _, rest = block.partition("\n====\n")
            new = rest.partition(">>>>")[0].removesuffix("\n")
            if text.count(old) != 1:
                raise HistoryBroken(f"{self.path.name}: {path} has {text.count(old)} times:\n{old}")
            text = text.replace(old, new)
        return text


def _defect(rest: str, body: list[str]) -> Defect:
    kind, path = rest.split()
    lines = [line for line in body if line.strip()]
    also = lines[2].removeprefix("also: ").split(", ") if len(lines) > 2 else []
    return Defect(kind, path, lines[0].strip(), lines[1], tuple(also))


class _Git:
    """Git's plumbing, with nothing of the machine's configuration: the same shas everywhere."""

    def __init__(self, repository: Path) -> None:
        self.repository = repository

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> str:
        done = subprocess.run(
            ["git", f"--git-dir={self.repository}", *arguments],
            input=stdin,
            env={
                "PATH": os.environ["PATH"],
                "HOME": "/nonexistent",
                "GIT_CONFIG_GLOBAL": "/dev/null",
                "GIT_CONFIG_NOSYSTEM": "1",
                **environment,
            },
            capture_output=True,
            check=True,
            encoding="utf-8",
        )
        return done.stdout.strip()

    def commit(
        self, tree: dict[str, str], parents: list[str], subject: str, author: str, moment: datetime
    ) -> str:
        name = author.partition(" ")[0].lower()
        when = moment.isoformat()
        flags = [part for parent in parents for part in ("-p", parent)]
        return self.run(
            "commit-tree",
            self._tree(tree),
            *flags,
            stdin=subject,
            GIT_AUTHOR_NAME=author,
            GIT_AUTHOR_EMAIL=f"{name}@example.org",
            GIT_AUTHOR_DATE=when,
            GIT_COMMITTER_NAME=author,
            GIT_COMMITTER_EMAIL=f"{name}@example.org",
            GIT_COMMITTER_DATE=when,
        )

    def _tree(self, files: dict[str, str]) -> str:
        here: list[str] = []
        folders: dict[str, dict[str, str]] = {}
        for path, text in files.items():
            name, _, rest = path.partition("/")
            if rest:
                folders.setdefault(name, {})[rest] = text
            else:
                sha = self.run("hash-object", "-w", "--stdin", stdin=text)
                here.append(f"100644 blob {sha}\t{name}")
        here += [f"040000 tree {self._tree(inside)}\t{name}" for name, inside in folders.items()]
        return self.run("mktree", stdin="".join(f"{line}\n" for line in here))

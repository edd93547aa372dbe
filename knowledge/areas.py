"""Parting a project's files into areas: by what they are for, then by folder."""

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from knowledge.languages import file_type, kind_of

SMALLEST_TO_SPLIT = 12  # files
SHARE_TO_SPLIT = 0.2
SMALLEST_SHARE = 0.02
MOST_AREAS = 12
MOST = 0.7  # of a role's files, in the folder that it is named by

_BY_PATH = tuple(
    (role, re.compile(pattern, re.IGNORECASE))
    for role, pattern in (
        ("built", r"\.(?:egg|dist)-info/|(?:^|/)PKG-INFO$"),
        ("examples", r"(?:^|/)(?:examples?|samples?|demos?|tutorials?|playground|\w+_template)/"),
        ("tests", r"(?:^|/)(?:tests?|testing|__tests__|specs?|bench\w*)/"),
        ("build", r"^(?:scripts?|hack|ci|extra|\.\w+)/"),
        ("documentation", r"(?:^|/)(?:docs?|documentation|website)/"),
    )
)
_BUILT = re.compile(r"(?P<stem>.+?)(?:\.d\.[cm]?ts|\.[cm]?js)$")
_FROM_SOURCE = re.compile(r"(?P<stem>.+?)(?<!\.d)\.(?:[cm]?ts|tsx)$")
_SETTINGS_OF_TOOLS = re.compile(r"\.config\.[cm]?[jt]s$|^[^/]+$")
_READABLE = frozenset({"", "md", "mdx", "markdown", "rst", "txt", "text", "adoc", "org", "tex"})
_ROLE_OF_LAYER = {
    "test": "tests",
    "example": "examples",
    "documentation": "documentation",
    "translation": "translations",
    "build": "build",
    "config": "build",
    "migration": "migrations",
}
# What each role is called beside its folder; code is called by its folder alone.
ROLE_NAMES = {
    "documentation": "Documentation",
    "tests": "Tests",
    "examples": "Examples",
    "migrations": "Migrations",
    "translations": "Translations",
    "build": "Build and settings",
    "data": "Data",
    "built": "Built files",
}


@dataclass(frozen=True, slots=True)
class File:
    """What is known of an indexed file without reading it."""

    pk: UUID
    source: str
    path: str
    language: str
    layer: str
    size: int
    chunks: int

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]

    @property
    def stem(self) -> str:
        return self.name.partition(".")[0].lower()

    @property
    def folder(self) -> str:
        return self.path.rpartition("/")[0]


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a project: files that are for the same, in one folder or one role."""

    name: str
    role: str
    folder: str
    source: str
    files: tuple[int, ...]


def roles_of(files: Sequence[File]) -> list[str]:
    """Return what each file is for: code, tests, documentation, examples and the like."""
    sources = defaultdict(set)
    for file in files:
        if found := _FROM_SOURCE.match(file.path):
            sources[file.source].add(_stem_of(found["stem"]))
    return [_role_of(file, sources[file.source]) for file in files]


def _stem_of(path: str) -> str:
    return "/".join(part for part in path.split("/") if part not in {"src", "lib", "dist", "build"})


def _role_of(file: File, written: set[str]) -> str:
    built = _BUILT.match(file.path)
    if built and _stem_of(built["stem"]) in written:
        return "built"  # out of a source that is here as well
    by_path = next((role for role, pattern in _BY_PATH if pattern.search(file.path)), "")
    return by_path or _role_by_kind(file)


def _role_by_kind(file: File) -> str:
    kind = kind_of(file.path)
    role = _ROLE_OF_LAYER.get(file.layer, "")
    if file.layer == "config" and kind == "code" and not _SETTINGS_OF_TOOLS.search(file.path):
        return "code"
    if kind == "docs" and (not role or (role == "build" and file.language != "text")):
        return "documentation" if file_type(file.path) in _READABLE else "data"
    return role or ("data" if kind == "data" else "code")


def leading_role(files: Sequence[File], roles: Sequence[str]) -> str:
    """Return what a project is about: its code, unless that is a small part of its texts."""
    passages: Counter[str] = Counter()
    for file, role in zip(files, roles, strict=True):
        passages[role] += file.chunks or 1
    if "code" in passages and passages["code"] >= 0.1 * passages["documentation"]:
        return "code"
    return max(passages, key=lambda role: (passages[role], role), default="code")


def areas_of(
    files: Sequence[File], roles: Sequence[str], weight_of: Callable[[int], float]
) -> list[Area]:
    """Return a project's areas: the weightiest code first, then what stands beside the code."""
    by_role: dict[str, list[int]] = defaultdict(list)
    for number, role in enumerate(roles):
        by_role[role].append(number)
    areas = []
    for role in dict.fromkeys([leading_role(files, roles), "code"]):
        if by_role[role]:
            parted = _part(files, by_role.pop(role), role)
            areas += sorted(parted, key=lambda area: -sum(map(weight_of, area.files)))
    names = {file.source for file in files}
    for role in ("documentation", "tests", "examples", "migrations", "translations", "build"):
        if by_role[role]:
            areas.append(_whole(files, by_role[role], role, named=len(names) > 1))
    for role in ("data", "built"):
        if len(by_role[role]) > 2:
            areas.append(_whole(files, by_role[role], role, named=len(names) > 1))
    return areas


def _whole(files: Sequence[File], numbers: Sequence[int], role: str, *, named: bool) -> Area:
    folder = _folder_of_most([files[number].folder for number in numbers])
    sources = {files[number].source for number in numbers}
    source = sources.pop() if len(sources) == 1 else ""
    return Area(_named(source if named else "", folder), role, folder, source, tuple(numbers))


def _named(*parts: str) -> str:
    return "/".join(part for part in parts if part)


def _folder_of_most(folders: Sequence[str]) -> str:
    """Return the deepest folder that holds nearly all; strays do not hide where a role lives."""
    counts: Counter[str] = Counter()
    for folder in folders:
        parts = folder.split("/") if folder else []
        counts.update("/".join(parts[:depth]) for depth in range(1, len(parts) + 1))
    holding = [folder for folder, count in counts.items() if count >= MOST * len(folders)]
    return max(holding, key=lambda folder: (folder.count("/"), folder), default="")


Place = tuple[str, ...]


def _part(files: Sequence[File], numbers: Sequence[int], role: str) -> list[Area]:
    """Split folders while one holds much of the whole; join what is small to what is above it."""
    places = {
        number: (files[number].source, *files[number].folder.split("/"))
        if files[number].folder
        else (files[number].source,)
        for number in numbers
    }
    groups: dict[Place, list[int]] = {(): list(numbers)}
    least = max(SMALLEST_TO_SPLIT, SHARE_TO_SPLIT * len(numbers))
    finished: set[Place] = set()
    while waiting := [place for place in groups if place not in finished]:
        place = max(waiting, key=lambda key: (len(groups[key]), key))
        finished.add(place)
        if len(place) < 2 or len(groups[place]) >= least:
            finished -= _split(groups, place, places)
    _join_small(groups, max(2, SMALLEST_SHARE * len(numbers)))
    several = len({place[0] for place in groups if place}) > 1
    return [_area(place, groups, role, several=several) for place in groups]


def _split(groups: dict[Place, list[int]], place: Place, places: Mapping[int, Place]) -> set[Place]:
    """Give each folder below its own group; return the groups that may be split further."""
    own = groups.pop(place)
    depth = len(place)
    made: set[Place] = set()
    for number in own:
        below = places[number][: depth + 1]
        groups.setdefault(below, []).append(number)
        if len(below) > depth:
            made.add(below)
    return made


def _join_small(groups: dict[Place, list[int]], least: float) -> None:
    """Move what is too small, and what is too many, into the folder above."""
    while len(groups) > 1:
        # A source of its own is joined to others only where there are too many of them.
        shortest = 0 if len(groups) > MOST_AREAS else 1
        below = [place for place in groups if len(place) > shortest]
        place = min(below, key=lambda key: (len(groups[key]), -len(key), key), default=())
        is_fine = not place or (len(groups[place]) >= least and len(groups) <= MOST_AREAS)
        if is_fine:
            return
        groups.setdefault(place[:-1], []).extend(groups.pop(place))


def _area(place: Place, groups: Mapping[Place, list[int]], role: str, *, several: bool) -> Area:
    source, folder = (place[0], "/".join(place[1:])) if place else ("", "")
    return Area(
        _named(source if several else "", folder), role, folder, source, tuple(groups[place])
    )

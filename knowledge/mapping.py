"""A map of a project from its files, symbols and mentions: areas, what matters, where to start."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from knowledge.areas import Area, File, areas_of, leading_role
from knowledge.entry_points import EntryPoint, entry_points_by_name, file_of, is_manifest
from knowledge.importance import Definition, Importance
from knowledge.languages import kind_of

LEAST_SHARE = 0.01  # of the bytes, for a language to be named
KEY_FILES, KEY_SYMBOLS, ENTRY_POINTS, TO_START_WITH, LANGUAGES = 8, 12, 10, 5, 6
FILES_AN_AREA, SYMBOLS_AN_AREA, SYMBOLS_A_FILE = 3, 4, 2
MOST_MANIFESTS = 12

# How much a file's own mentions count: code that is used says more than its tests.
_VOICES = {"code": 1.0, "documentation": 0.6, "examples": 0.6, "tests": 0.3}
_PLAIN_KINDS = frozenset({"module", "method", "lines", "section", "key"})
_INDEXES = frozenset({"__init__", "index", "mod", "doc"})
# What everything leans on, and nobody should read first.
_SUPPORT = re.compile(
    r"(?:.*_|_)?(?:utils?|helpers?|compat|exceptions?|errors?|warnings?|constants?|typing"
    r"|deprecated)(?:_\w+)?|warning_types"
)
_FAILURES = re.compile(r".+(?:Error|Exception|Warning)")
_WITHOUT_KEYS = frozenset({"built", "translations"})
_README = re.compile(r"readme(?:\.(?:md|rst|txt|markdown|adoc))?$", re.IGNORECASE)
_NOTICE = re.compile(
    r"(?:licen[sc]e|copying|notice|authors|contributors|change(?:s|log)|history|news|code_of_conduct"
    r"|release\w*)\b",
    re.IGNORECASE,
)
_AT_THE_TOP = re.compile(r"|docs?|documentation", re.IGNORECASE)
_GUIDE = re.compile(
    r"(?:^|/)(?:architecture|design|overview|quick-?start|getting-?started|introduction|tutorial)"
    r"\w*(?:/(?:index|readme|overview|introduction))?\.(?:md|mdx|rst|txt)$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a map is made from; `mentions` are already weighed."""

    files: Sequence[File]
    roles: Sequence[str]
    definitions: Sequence[Definition]
    importance: Importance


@dataclass(frozen=True, slots=True)
class KeySymbol:
    definition: Definition
    used_by: int


@dataclass(frozen=True, slots=True)
class KeyFile:
    file: int
    mentioned_by: int


@dataclass(frozen=True, slots=True)
class Step:
    """A file to read, and why it comes here."""

    file: int
    why: str


@dataclass(slots=True)
class Map:
    """A project at a glance; files by their numbers in the facts."""

    areas: list[Area]
    key_files: list[KeyFile]
    key_symbols: list[KeySymbol]
    languages: list[tuple[str, int, int]]
    files_of_areas: list[list[int]] = field(default_factory=list)
    symbols_of_areas: list[list[str]] = field(default_factory=list)


def voices_of(roles: Iterable[str]) -> list[float]:
    """Return how much each file's own mentions count."""
    return [_VOICES.get(role, 0.0) for role in roles]


def draw_map(facts: Facts) -> Map:
    """Return a project's areas with what matters most in each and in all."""
    ranks = _ranks(facts)
    areas = areas_of(facts.files, facts.roles, lambda number: ranks[number])
    area_of = {number: place for place, area in enumerate(areas) for number in area.files}
    symbols = _symbols_in_order(facts)
    drawn = Map(
        areas=areas,
        key_files=_key_files(facts, ranks, area_of),
        key_symbols=_first_of_each_file(symbols, KEY_SYMBOLS),
        languages=_languages(facts),
    )
    for area in areas:
        best = sorted(area.files, key=lambda number: (-ranks[number], facts.files[number].path))
        most = 0 if area.role in _WITHOUT_KEYS else FILES_AN_AREA
        drawn.files_of_areas.append(best[:most])
    names: list[list[str]] = [[] for _ in areas]
    for symbol in symbols:
        place = area_of[symbol.definition.file]
        if len(names[place]) < SYMBOLS_AN_AREA and symbol.definition.name not in names[place]:
            names[place].append(symbol.definition.name)
    drawn.symbols_of_areas = names
    return drawn


def _ranks(facts: Facts) -> list[float]:
    """Return each file's weight: by its mentions, with a little for its length."""
    longest = max((file.chunks for file in facts.files), default=1) or 1
    ranks = []
    for number, file in enumerate(facts.files):
        rank = float(facts.importance.files[number]) + 1e-4 * file.chunks / longest
        if file.stem in _INDEXES and facts.roles[number] == "code":
            rank *= 0.3  # it passes on what others define
        if _SUPPORT.fullmatch(file.stem):
            rank *= 0.3
        if facts.roles[number] == "tests" and kind_of(file.path) != "code":
            rank *= 0.05  # what tests are fed with
        if facts.roles[number] in {"documentation", "examples"}:
            rank *= 0.05 if _NOTICE.match(file.name) or kind_of(file.path) != "docs" else 1.0
            depth = file.path.count("/")
            rank += 1 / (1 + depth) if _README.match(file.name) and depth < 2 else 0.0
        ranks.append(rank)
    return ranks


def _key_files(facts: Facts, ranks: Sequence[float], area_of: Mapping[int, int]) -> list[KeyFile]:
    leading = leading_role(facts.files, facts.roles)
    numbers = [number for number, role in enumerate(facts.roles) if role == leading]
    numbers.sort(key=lambda number: (-ranks[number], facts.files[number].path))
    kept: list[KeyFile] = []
    of_area: Counter[int] = Counter()
    most = 3 if len({area_of[number] for number in numbers}) > 2 else KEY_FILES
    for number in numbers:
        if of_area[area_of[number]] < most and len(kept) < KEY_FILES:
            of_area[area_of[number]] += 1
            kept.append(KeyFile(number, int(facts.importance.mentioned_by[number])))
    return kept


def _symbols_in_order(facts: Facts) -> list[KeySymbol]:
    scores = [
        float(score) * _standing(facts, definition)
        for score, definition in zip(facts.importance.definitions, facts.definitions, strict=True)
    ]
    order = sorted(range(len(facts.definitions)), key=lambda n: (-scores[n], n))
    found, seen = [], set()
    for number in order:
        definition = facts.definitions[number]
        is_shown = (
            scores[number] > 0
            and definition.kind not in _PLAIN_KINDS
            and not definition.name.startswith(("_", "#"))
            and facts.roles[definition.file] == "code"
            and (definition.name, definition.file) not in seen
        )
        if is_shown:
            seen.add((definition.name, definition.file))
            found.append(KeySymbol(definition, int(facts.importance.used_by[number])))
    return found


def _standing(facts: Facts, definition: Definition) -> float:
    """Return how much of its weight a symbol keeps: who leans on all tells little of each."""
    is_support = _SUPPORT.fullmatch(facts.files[definition.file].stem)
    return (0.3 if _FAILURES.fullmatch(definition.name) else 1.0) * (0.5 if is_support else 1.0)


def _first_of_each_file(symbols: Iterable[KeySymbol], count: int) -> list[KeySymbol]:
    kept: list[KeySymbol] = []
    of_file: Counter[int] = Counter()
    names: set[str] = set()
    for symbol in symbols:
        place, name = symbol.definition.file, symbol.definition.name
        if of_file[place] < SYMBOLS_A_FILE and name not in names and len(kept) < count:
            of_file[place] += 1
            names.add(name)
            kept.append(symbol)
    return kept


def _languages(facts: Facts) -> list[tuple[str, int, int]]:
    """Return the languages of what people wrote here, with files and bytes of each."""
    shown = [
        file
        for file, role in zip(facts.files, facts.roles, strict=True)
        if role not in {"built", "translations"}
    ]
    code = [file for file in shown if kind_of(file.path) == "code"] or shown
    files: Counter[str] = Counter()
    sizes: Counter[str] = Counter()
    for file in code:
        files[file.language] += 1
        sizes[file.language] += file.size
    least = LEAST_SHARE * sizes.total()
    return [
        (name, files[name], size)
        for name, size in sizes.most_common(LANGUAGES)
        if size >= least or not least
    ]


def manifests_among(files: Sequence[File], roles: Sequence[str]) -> list[int]:
    """Return the files that may say how to start, the topmost first."""
    found = [
        number
        for number, file in enumerate(files)
        if is_manifest(file.path) and roles[number] in {"build", "code", "data"}
    ]
    found.sort(key=lambda number: (files[number].path.count("/"), files[number].path))
    return found[:MOST_MANIFESTS]


def entry_points_among(
    facts: Facts, told: Iterable[tuple[int, EntryPoint]]
) -> list[tuple[int, EntryPoint]]:
    """Return the ways in, each with the file that it leads to: commands first."""
    by_source: dict[str, dict[str, int]] = {}
    for number, file in enumerate(facts.files):
        if facts.roles[number] in {"code", "build", "data"}:
            by_source.setdefault(file.source, {})[file.path] = number
    found: list[tuple[int, EntryPoint]] = []
    for number, point in told:
        paths = by_source.get(facts.files[number].source, {})
        place = paths.get(file_of(point.target, point.path, paths), number)
        found.append((_defining(facts, point.target.partition(":")[2], place), point))
    for paths in by_source.values():
        code = [path for path, number in paths.items() if facts.roles[number] == "code"]
        code.sort(key=lambda path: (path.count("/"), path))
        found += [(paths[point.path], point) for point in entry_points_by_name(code)]
    seen: set[tuple[str, str]] = set()
    kept = []
    for number, point in found:
        if (point.what, point.detail) not in seen:
            seen.add((point.what, point.detail))
            kept.append((number, point))
    return sorted(kept, key=lambda each: _URGENCY.get(each[1].what, 1))[:ENTRY_POINTS]


def _defining(facts: Facts, function: str, place: int) -> int:
    """Return the one file that defines a command's function: its module may only pass it on."""
    homes = {d.file for d in facts.definitions if function and d.name == function}
    return homes.pop() if len(homes) == 1 else place


_URGENCY = {"Command": 0, "Script": 2, "Target": 2, "Served by a web server": 2}


def where_to_start(
    facts: Facts, drawn: Map, entries: Sequence[tuple[int, EntryPoint]]
) -> list[Step]:
    """Return what to read first, in order: what it is, where it starts, what it stands on."""
    steps: dict[int, str] = {}
    for readme in readmes_among(facts)[:1]:
        steps[readme] = "what it is, and how to begin"
    if (guide := _first_guide(facts)) is not None:
        steps.setdefault(guide, "how it is meant to be used and understood")
    for number, point in entries:
        is_code = facts.roles[number] == "code" and point.what in {"Command", "Main program"}
        if is_code and facts.files[number].chunks:
            steps.setdefault(number, f"where {point.detail or point.what.lower()} starts")
            break
    for key in drawn.key_files:
        if len(steps) >= TO_START_WITH:
            break
        mentioned = f"{key.mentioned_by} other files mention what it defines"
        why = mentioned if key.mentioned_by > 1 else "among the longest here"
        steps.setdefault(key.file, why)
    return [Step(number, why) for number, why in steps.items()]


def readmes_among(facts: Facts) -> list[int]:
    """Return the documents that introduce the whole, the topmost first."""
    found = [
        (file.path.count("/"), file.path, number)
        for number, file in enumerate(facts.files)
        if facts.roles[number] == "documentation"
        and (
            _README.match(file.name)
            or (file.name.startswith("index.") and _AT_THE_TOP.fullmatch(file.folder))
        )
    ]
    return [number for depth, _, number in sorted(found) if depth < 2]


def _first_guide(facts: Facts) -> int | None:
    found = [
        (file.path.count("/"), len(file.path), file.path, number)
        for number, file in enumerate(facts.files)
        if _GUIDE.search(file.path) and facts.roles[number] == "documentation"
    ]
    return min(found)[3] if found else None


def questions_about(drawn: Map) -> list[str]:
    """Return three questions that a newcomer might ask, by what the map shows."""
    asked = [f"How does {symbol.definition.name} work?" for symbol in drawn.key_symbols[:2]]
    code = [area for area in drawn.areas if area.role == "code" and area.name]
    if len(code) > 1:
        asked.append(f"What is {code[1].name} for?")
    asked += [f"How does {s.definition.name} work?" for s in drawn.key_symbols[2:4]]
    return asked[:3]

"""Putting a project's map into words, numbers and addresses: what an overview holds."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from django.urls import reverse

from knowledge.areas import Area, File
from knowledge.entry_points import EntryPoint, entry_points_in
from knowledge.first_sentences import first_sentence
from knowledge.mapping import (
    Facts,
    KeySymbol,
    draw_map,
    entry_points_among,
    manifests_among,
    questions_about,
    readmes_among,
    where_to_start,
)
from knowledge.models import Chunk, Document
from knowledge.surveying import beginnings_of, survey
from projects.models import Project

ABOUTS_AN_AREA = 3
LANGUAGES_AN_AREA = 3

Content = dict[str, Any]

_TELLING = re.compile(
    r"(?:readme(?:\.\w+)?|__init__\.py|index\.[cm]?[jt]sx?|mod\.rs|lib\.rs|doc\.go"
    r"|package-info\.java|index\.(?:md|mdx|rst))$",
    re.IGNORECASE,
)


def describe(project: Project) -> Content:
    """Return the overview of what is indexed of a project; empty while nothing is."""
    facts = survey(project)
    if not facts.files:
        return {}
    return Description(facts).content()


class Description:
    """One project's facts, its map, and the beginnings of the few texts that tell more."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self.map = draw_map(facts)
        self.manifests = manifests_among(facts.files, facts.roles)
        self.readmes = readmes_among(facts)
        self.telling = [self._telling(area) for area in self.map.areas]
        wanted = {key.file for key in self.map.key_files}.union(
            self.manifests, self.readmes, *self.telling
        )
        self.texts: Mapping[UUID, str] = beginnings_of(facts.files[n].pk for n in wanted)
        self.commits = _commits_of(facts)
        self.lines = _lines_of(facts, self.map.key_symbols)

    def content(self) -> Content:
        facts, drawn = self.facts, self.map
        entries = entry_points_among(facts, self._told())
        steps = where_to_start(facts, drawn, entries)
        about, about_file = self._about(self.readmes)
        return {
            "counts": {
                "files": len(facts.files),
                "passages": sum(file.chunks for file in facts.files),
                "bytes": sum(file.size for file in facts.files),
            },
            "about": about,
            "about_from": self._place(about_file) if about_file is not None else None,
            "languages": [
                {"language": name, "files": files, "bytes": size}
                for name, files, size in drawn.languages
            ],
            "start_here": [{**self._place(step.file), "why": step.why} for step in steps],
            "entry_points": [self._entry(number, point) for number, point in entries],
            "areas": [self._area(place) for place in range(len(drawn.areas))],
            "key_files": [
                {
                    **self._place(key.file),
                    "about": self._sentence(key.file),
                    "mentioned_by": key.mentioned_by,
                }
                for key in drawn.key_files
            ],
            "key_symbols": [self._symbol(symbol) for symbol in drawn.key_symbols],
            "questions": questions_about(drawn),
        }

    def _told(self) -> Iterable[tuple[int, EntryPoint]]:
        for number in self.manifests:
            file = self.facts.files[number]
            for point in entry_points_in(file.path, self.texts.get(file.pk, "")):
                yield number, point

    def _telling(self, area: Area) -> list[int]:
        """Return the files that may say what an area is about."""
        if not area.folder:
            return []
        found = [
            number
            for number, file in enumerate(self.facts.files)
            if file.folder == area.folder
            and file.source == area.source
            and _TELLING.match(file.name)
        ]
        found.sort(key=lambda n: (not self.facts.files[n].name.lower().startswith("readme"), n))
        return found[:ABOUTS_AN_AREA]

    def _sentence(self, number: int) -> str:
        file = self.facts.files[number]
        return first_sentence(self.texts.get(file.pk, ""), file.language)

    def _about(self, numbers: Iterable[int]) -> tuple[str, int | None]:
        for number in numbers:
            if sentence := self._sentence(number):
                return sentence, number
        return "", None

    def _place(self, number: int, line: int = 0) -> dict[str, str]:
        file = self.facts.files[number]
        commit = self.commits.get(file.pk)
        if commit is None:
            return {"path": file.path, "url": reverse("document", args=[file.pk])}
        url = reverse("file", args=[*commit, file.path])
        lines = f"?lines={line}#L{line}" if line else ""
        return {"path": file.path, "url": url + lines}

    def _entry(self, number: int, point: EntryPoint) -> dict[str, Any]:
        return {"what": point.what, "detail": point.detail, **self._place(number)}

    def _area(self, place: int) -> dict[str, Any]:
        area = self.map.areas[place]
        about, about_file = self._about(self.telling[place])
        return {
            "name": area.name or _name_of(area, self.facts.files),
            "role": area.role,
            "files": len(area.files),
            "languages": _languages_of(area, self.facts.files),
            "about": about,
            "about_from": self._place(about_file) if about_file is not None else None,
            "key_files": [self._place(n) for n in self.map.files_of_areas[place]],
            "key_symbols": self.map.symbols_of_areas[place],
        }

    def _symbol(self, symbol: KeySymbol) -> dict[str, Any]:
        definition = symbol.definition
        line = self.lines.get(definition.name, definition.line)
        return {
            "name": definition.name,
            "kind": definition.kind,
            "line": line,
            **self._place(definition.file, line),
            "mentioned_by": symbol.used_by,
        }


def _name_of(area: Area, files: Sequence[File]) -> str:
    is_top = all(files[number].folder == "" for number in area.files)
    return "top folder" if is_top else "several folders"


def _languages_of(area: Area, files: Sequence[File]) -> list[str]:
    counts = Counter(files[number].language for number in area.files)
    return [name for name, _ in counts.most_common(LANGUAGES_AN_AREA)]


def _commits_of(facts: Facts) -> Mapping[UUID, tuple[UUID, str]]:
    """Return the source and the commit under which each file's page is found."""
    rows = Document.objects.filter(
        pk__in=[file.pk for file in facts.files], source__isnull=False
    ).exclude(commit="")
    return {
        pk: (source, commit) for pk, source, commit in rows.values_list("pk", "source", "commit")
    }


def _lines_of(facts: Facts, symbols: Sequence[KeySymbol]) -> Mapping[str, int]:
    """Return the very line of each symbol: a passage may begin far above it."""
    rows = Chunk.objects.filter(
        document__in={facts.files[symbol.definition.file].pk for symbol in symbols},
        start_line__in={symbol.definition.line for symbol in symbols},
    ).order_by("chunk_index")
    texts = {
        (document, line): text
        for document, line, text in rows.values_list("document", "start_line", "chunk_text")
    }
    lines = {}
    for symbol in symbols:
        definition = symbol.definition
        text = texts.get((facts.files[definition.file].pk, definition.line), "")
        lines[definition.name] = definition.line + _line_within(definition.name, text)
    return lines


def _line_within(name: str, text: str) -> int:
    word = re.compile(rf"(?<![\w$]){re.escape(name)}(?!\w)")
    declared = re.compile(rf"\b[a-z]+\s+{re.escape(name)}(?!\w)")
    rows = text.splitlines()
    for pattern in (declared, word):
        for number, row in enumerate(rows):
            if pattern.search(row) and not row.lstrip().startswith(
                ("import ", "from ", "#", "//", "*")
            ):
                return number
    return 0

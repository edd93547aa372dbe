"""What a search looks in: the projects that the viewer may see, and what a result must be."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from knowledge import words

Condition = tuple[str, list[Any]]


@dataclass(frozen=True, slots=True)
class Without:
    """What a result must not be: the name of a field, `word` or `phrase`, and the value."""

    field: str
    value: str


@dataclass(frozen=True, slots=True)
class Filters:
    """What a result must be: below a path or matching `*` in it, in a language or collection."""

    path: str = ""
    language: str = ""
    collection: str = ""
    source_id: UUID | None = None
    symbol: str = ""
    author: str = ""
    branch: str = ""
    since: datetime | None = None
    phrases: tuple[str, ...] = ()
    without: tuple[Without, ...] = ()


@dataclass(frozen=True, slots=True)
class Scope:
    """The projects to look in, each one visible to the viewer, and the filters."""

    project_ids: tuple[UUID, ...]
    filters: Filters

    def conditions(self) -> tuple[str, list[Any]]:
        """Return SQL over `c` (chunk) and `d` (document), and its parameters."""
        parts = list(self._conditions())
        sql = " ".join(f"AND {condition}" for condition, _ in parts)
        return sql, [value for _, values in parts for value in values]

    def _conditions(self) -> Iterator[Condition]:
        filters = self.filters
        for field in ("path", "language", "collection", "symbol", "author", "branch"):
            if value := getattr(filters, field):
                yield _condition(field, value)
        if filters.source_id:
            yield "d.source_id = %s", [filters.source_id]
        if filters.since:
            yield "d.changed_at >= %s", [filters.since]
        for phrase in filters.phrases:
            yield from self._with_words_of(phrase)
            yield "c.chunk_text ILIKE %s", [f"%{_plain(phrase)}%"]
        for condition, values in self._excluded():
            yield f"NOT coalesce({condition}, false)", values

    def _excluded(self) -> Iterator[Condition]:
        # All words at once, a compound one by its whole: each look into a passage costs the same.
        unwanted = [
            word for excluded in self._without("word") for word in words.terms_of(excluded)[:1]
        ]
        if unwanted:
            yield "c.terms && %s::bigint[]", [self.places_of(unwanted)]
        for phrase in self._without("phrase"):
            yield "c.chunk_text ILIKE %s", [f"%{_plain(phrase)}%"]
        for excluded in self.filters.without:
            if excluded.field not in {"word", "phrase"}:
                yield _condition(excluded.field, excluded.value)

    def _without(self, field: str) -> list[str]:
        return [excluded.value for excluded in self.filters.without if excluded.field == field]

    def _with_words_of(self, phrase: str) -> Iterator[Condition]:
        """Yield what the index of terms can tell of a phrase: that all its words are there."""
        for term in dict.fromkeys(words.parts_of(phrase)):
            yield "c.terms && %s::bigint[]", [self.places_of([term])]

    def places_of(self, terms: list[str]) -> list[int]:
        """Return terms' numbers within every project of the scope."""
        numbers = [words.number_of(term) for term in terms]
        return [
            place
            for project_id in self.project_ids
            for place in words.numbers_in(project_id, numbers)
        ]


def _condition(field: str, value: str) -> Condition:
    if field == "path":
        pattern = _plain(value)
        return "d.path LIKE %s", [
            pattern.replace("*", "%") if "*" in pattern else f"%{pattern}%",
        ]
    if field == "symbol":
        # Where it is defined; a member, in a passage that names what it is a member of.
        owner, _, name = _plain(value.lower()).rpartition(".")
        return (
            "(EXISTS (SELECT 1 FROM unnest(c.definitions || c.symbol) AS name"
            " WHERE lower(name) LIKE %s OR lower(name) LIKE %s) AND lower(c.header) LIKE %s)",
            [name, f"%.{name}", f"%{owner}%"],
        )
    if field == "author":
        person = f"%{_plain(value)}%"
        return "(d.author ILIKE %s OR d.author_email ILIKE %s)", [person, person]
    if field == "branch":
        return (
            "EXISTS (SELECT 1 FROM projects_source s WHERE s.id = d.source_id AND s.branch = %s)",
            [value],
        )
    return f"c.{field} = %s", [value]


def _plain(text: str) -> str:
    """Return text for LIKE with nothing special in it."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")

"""What a search looks in: the projects that the viewer may see, and what a result must be."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Filters:
    """What a result must be: below a path or matching `*` in it, in a language or collection."""

    path: str = ""
    language: str = ""
    collection: str = ""
    source_id: UUID | None = None

    def conditions(self) -> tuple[str, list[Any]]:
        """Return SQL over `c` (chunk) and `d` (document), and its parameters."""
        parts: list[str] = []
        values: list[Any] = []
        if self.path:
            pattern = self.path.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            parts.append("AND d.path LIKE %s")
            values.append(pattern.replace("*", "%") if "*" in pattern else f"%{pattern}%")
        for column in ("language", "collection"):
            if value := getattr(self, column):
                parts.append(f"AND c.{column} = %s")
                values.append(value)
        if self.source_id:
            parts.append("AND d.source_id = %s")
            values.append(self.source_id)
        return " ".join(parts), values


@dataclass(frozen=True, slots=True)
class Scope:
    """The projects to look in, each one visible to the viewer, and the filters."""

    project_ids: tuple[UUID, ...]
    filters: Filters

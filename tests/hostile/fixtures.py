"""What a hostile repository is, and how its sync must end."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from projects.models import Source

READY, EMPTY, FAILED = Source.State.READY, Source.State.EMPTY, Source.State.FAILED
# What the product promises of every repository, however hostile.
SECONDS = 60.0
MEGABYTES = 500


@dataclass(frozen=True, kw_only=True)
class Hostile:
    """A repository, and what is true when its sync has ended; `build` returns its folder."""

    name: str
    build: Callable[[Path], Path]
    state: str = READY
    says: str = ""  # a part of the source's error
    indexed: int | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)  # of what is not indexed, by path
    outcomes: Mapping[str, str] = field(default_factory=dict)  # "indexed", or a part of a reason
    unlisted: str = ""  # a part of what the job says of paths that are no documents
    absent: tuple[str, ...] = ()  # must be nowhere: no table, no page, no log
    branch: str = ""
    max_file_bytes: int = 2_000_000
    embeds: bool = True
    opened: int = 30  # how many of its files are looked at in the viewer
    quick: bool = False
    seconds: float = SECONDS
    megabytes: int = MEGABYTES


def parameters(fixtures: list[Hostile]) -> list[object]:
    """The fixtures as parameters of a test, all but the quick ones marked slow."""
    return [
        pytest.param(each, id=each.name, marks=() if each.quick else pytest.mark.slow)
        for each in fixtures
    ]

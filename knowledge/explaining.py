"""Why a search found what it found: what each leg gave, what the rules did, what was cut."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from django.conf import settings

from accounts.viewers import Viewer
from knowledge.legs import Term
from knowledge.methods import METHODS, Method
from knowledge.models import Chunk
from knowledge.query_syntax import Query
from knowledge.ranking import Candidate
from knowledge.retrieval import Results, search
from knowledge.viewing import file_address
from projects.models import Project

SHOWN = 30  # passages in order
SHOWN_OF_A_LEG = 10
USUAL_LIMIT = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A passage in an order: where it stands, what gave it its score, and whether it is shown."""

    rank: int
    chunk_id: UUID
    path: str
    lines: str
    symbol: str
    href: str
    score: float
    legs: dict[str, float]
    rules: dict[str, float]
    # What happened to it: shown, or cut and why.
    outcome: str
    # Its rank by the other method; 0 where that did not find it.
    other: int = 0


@dataclass(frozen=True, slots=True)
class LegFound:
    """What one leg gave: how much, how fast, and its first passages with their final rank."""

    name: str
    count: int
    milliseconds: float
    first: list[tuple[str, int]]


@dataclass(slots=True)
class Explanation:
    """One search by one method, laid open."""

    method: Method
    results: Results
    legs: list[LegFound] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)

    @property
    def terms(self) -> Sequence[Term]:
        return self.results.weighed.terms

    @property
    def cut(self) -> int:
        """Return how many passages were weighed and not shown."""
        return max(0, len(self.results.ranked) - USUAL_LIMIT)


def methods_here() -> list[Method]:
    """Return the methods that differ in this installation."""
    return [one for one in METHODS.values() if settings.QDRANT_URL or not one.only_postgresql]


def explain(viewer: Viewer, project: Project, query: Query, method: Method) -> Explanation:
    """Search as the search page does, and keep how it came about."""
    results = search(
        viewer,
        query.words,
        project_ids=[project.pk],
        filters=query.filters,
        limit=USUAL_LIMIT,
        method=method,
        mode=query.mode,
    )
    explanation = Explanation(method, results)
    ranks = {c.chunk_id: rank for rank, c in enumerate(results.ranked, 1)}
    first = {pk for leg in results.legs for pk in leg.found[:SHOWN_OF_A_LEG]}
    chunks = _chunks(viewer, [*first, *(c.chunk_id for c in results.ranked[:SHOWN])])
    for leg in results.legs:
        shown = [
            (chunks[pk], ranks.get(pk, 0)) for pk in leg.found[:SHOWN_OF_A_LEG] if pk in chunks
        ]
        named = [(f"{chunk.document.path}:{chunk.start_line}", rank) for chunk, rank in shown]
        explanation.legs.append(LegFound(leg.name, len(leg.found), leg.seconds * 1000, named))
    explanation.places = [
        _place(rank, candidate, chunks[candidate.chunk_id])
        for rank, candidate in enumerate(results.ranked[:SHOWN], 1)
        if candidate.chunk_id in chunks
    ]
    return explanation


def beside(one: Explanation, other: Explanation) -> None:
    """Note in both where the other method put each passage."""
    for this, that in ((one, other), (other, one)):
        ranks = {c.chunk_id: rank for rank, c in enumerate(that.results.ranked, 1)}
        this.places = [replace(p, other=ranks.get(p.chunk_id, 0)) for p in this.places]


def _chunks(viewer: Viewer, ids: Sequence[UUID]) -> dict[UUID, Chunk]:
    found = Chunk.objects.visible_to(viewer).filter(pk__in=set(ids)).select_related("document")
    return found.defer("weights", "terms", "chunk_text").in_bulk()


def _place(rank: int, candidate: Candidate, chunk: Chunk) -> Place:
    return Place(
        rank=rank,
        chunk_id=chunk.pk,
        path=chunk.document.path,
        lines=f"{chunk.start_line}–{chunk.end_line}",
        symbol=chunk.symbol,
        href=file_address(chunk.document, chunk.start_line, chunk.end_line),
        score=candidate.score,
        legs=candidate.legs,
        rules=candidate.rules,
        outcome="shown" if rank <= USUAL_LIMIT else f"cut: below the first {USUAL_LIMIT}",
    )

"""The one search behind every door: words and meaning, within what the viewer may see."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any
from uuid import UUID

from django.db import connection
from pgvector import HalfVector

from accounts.viewers import Viewer
from knowledge import words
from knowledge.models import Chunk, EmbeddingSpace, TermCount
from knowledge.ranking import Candidate, Question, confidence, rank
from knowledge.scopes import Filters, Scope
from knowledge.spaces import active_space, embedder_for
from knowledge.vectors import vector_store
from knowledge.viewing import file_address
from projects.models import Project
from providers.embedding import EmbedderUnavailable, Vectors

LEG_LIMIT = 200
LONGEST_QUESTION = 4000
# Rare terms choose the candidates, all terms score them.
CANDIDATE_CHUNKS = 20_000
MOST_TERMS = 64
# Below it, a question is said not to be in the sources: of questions that a project answers 1 in
# 100 fall below, of questions about another project 1 in 3 (docs/benchmarks.md).
EVIDENCE_FLOOR = 0.22
EVIDENCE_FLOOR_OF_WORDS = 0.12


@dataclass(slots=True)
class Hit:
    """A passage that was found, and why."""

    chunk: Chunk
    score: float
    legs: dict[str, float]
    rules: dict[str, float]

    @property
    def text(self) -> str:
        return self.chunk.chunk_text

    @property
    def path(self) -> str:
        return self.chunk.document.path

    @property
    def start_line(self) -> int:
        return self.chunk.start_line

    @property
    def end_line(self) -> int:
        return self.chunk.end_line

    @property
    def commit(self) -> str:
        return self.chunk.document.commit

    @property
    def symbol(self) -> str:
        return self.chunk.symbol

    @property
    def header(self) -> str:
        return self.chunk.header

    @property
    def url(self) -> str:
        return file_address(self.chunk.document, self.start_line, self.end_line)


@dataclass(slots=True)
class Results:
    hits: list[Hit] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0
    considered: int = 0
    confidence: float = 0.0
    with_meaning: bool = False
    # The one space that all vectors of this search are of; none where words were alone.
    space_id: UUID | None = None

    @property
    def is_answerable(self) -> bool:
        """Whether what was found shares enough with the question to answer it."""
        floor = EVIDENCE_FLOOR if self.with_meaning else EVIDENCE_FLOOR_OF_WORDS
        return bool(self.hits) and self.confidence >= floor


def search(
    viewer: Viewer,
    question: str,
    *,
    project_ids: Collection[UUID] | None = None,
    filters: Filters = Filters(),
    limit: int = 10,
    space: EmbeddingSpace | None = None,
) -> Results:
    """Return the passages that answer best, within the projects that the viewer may see.

    By meaning they are found in the active space, or in `space` to compare it.
    """
    started = perf_counter()
    results = Results()
    visible = Project.objects.visible_to(viewer)
    if project_ids is not None:
        visible = visible.filter(pk__in=project_ids)
    scope = Scope(tuple(visible.values_list("pk", flat=True)), filters)
    text = question[:LONGEST_QUESTION].replace("\0", " ").strip()
    if scope.project_ids and text:
        ranked = _ranked(text, scope, results, space or active_space())
        results.considered = len(ranked)
        results.hits = _load(ranked[:limit])
    results.seconds = perf_counter() - started
    return results


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question's terms: weights, where to find candidates, and the best score there is."""

    sparse: str
    places: list[int]
    ceiling: float
    # How many passages the projects of the scope hold, whatever the filters.
    among: int


def _ranked(
    text: str, scope: Scope, results: Results, space: EmbeddingSpace | None
) -> list[Candidate]:
    weighed = _weigh_question(text, scope)
    found = set(_by_words(weighed, scope)) if weighed.places else set()
    vector = _question_vector(text, space, results)
    if space is not None and vector is not None:
        store = vector_store()
        found.update(store.nearest(space, vector, scope, among=weighed.among, limit=LEG_LIMIT))
        results.space_id = space.pk
    candidates = _candidates(found, weighed, vector, space)
    weight = space.weight if space is not None and vector is not None else 0.0
    results.confidence = confidence(candidates, weighed.ceiling)
    results.with_meaning = any(c.meaning is not None for c in candidates)
    return rank(candidates, Question.read(text), vector_weight=weight)


def _weigh_question(text: str, scope: Scope) -> Weighed:
    counts = words.count_terms(text)
    by_number = {
        place: number
        for project_id in scope.project_ids
        for number, place in zip(counts, words.numbers_in(project_id, counts), strict=True)
    }
    chunks_with = dict.fromkeys([*counts, words.EVERY_CHUNK], 0)
    rows = TermCount.objects.filter(project__in=scope.project_ids, term__in=list(chunks_with))
    for term, chunks in rows.values_list("term", "chunks"):
        chunks_with[term] += chunks
    total = chunks_with.pop(words.EVERY_CHUNK)
    weights = {
        term: words.rarity(total, chunks_with[term]) * min(times, 3)
        for term, times in counts.items()
    }
    present = sorted((t for t in counts if chunks_with[t] > 0), key=chunks_with.__getitem__)
    chosen: set[int] = set()
    reached = 0
    for term in present[:MOST_TERMS]:
        reached += chunks_with[term]
        if chosen and reached > CANDIDATE_CHUNKS:
            break
        chosen.add(term)
    return Weighed(
        sparse=words.sparse_text({term: weights[term] for term in present[:MOST_TERMS]}),
        places=[place for place, number in by_number.items() if number in chosen],
        # What a passage would score that said every word of the question again and again.
        ceiling=sum(weights.values()) * (words.SATURATION + 1),
        among=total,
    )


def _by_words(weighed: Weighed, scope: Scope) -> list[UUID]:
    conditions, values = scope.filters.conditions()
    return _ids(
        f"""SELECT c.id FROM knowledge_chunk c JOIN knowledge_document d ON d.id = c.document_id
        WHERE c.terms && %s::bigint[] AND c.project_id = ANY(%s) {conditions}
        ORDER BY c.weights <#> %s::sparsevec LIMIT {LEG_LIMIT}""",
        [weighed.places, list(scope.project_ids), *values, weighed.sparse],
    )


def _ids(sql: str, values: Sequence[Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def _question_vector(text: str, space: EmbeddingSpace | None, results: Results) -> Vectors | None:
    if space is None:
        results.notes.append("Searched by words only: nothing is embedded yet.")
        return None
    try:
        return embedder_for(space).embed_question(text)
    except EmbedderUnavailable:
        results.notes.append("Searched by words only: the embedding model does not answer.")
        return None


def _candidates(
    ids: Collection[UUID], weighed: Weighed, vector: Vectors | None, space: EmbeddingSpace | None
) -> list[Candidate]:
    """Score what any leg found by every leg, so that scores can be compared."""
    values: list[Any] = [
        weighed.sparse,
        HalfVector(vector).to_text() if vector is not None else None,
        space.pk if space else None,
        list(ids),
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.id, c.document_id, d.path, c.layer, c.language, c.symbol, c.definitions,
                -(c.weights <#> %s::sparsevec),
                -- A text that the model refused has no direction, and so no distance.
                NULLIF(1 - (v.embedding <=> %s::halfvec), 'NaN')
            FROM knowledge_chunk c JOIN knowledge_document d ON d.id = c.document_id
            LEFT JOIN knowledge_vector v ON v.chunk_id = c.id AND v.space_id = %s
            WHERE c.id = ANY(%s)""",
            values,
        )
        return [Candidate(*row) for row in cursor.fetchall()]


def _load(candidates: Sequence[Candidate]) -> list[Hit]:
    chunks = (
        Chunk.objects.filter(pk__in=[c.chunk_id for c in candidates])
        .select_related("document__source", "document__blob")
        .defer("weights", "terms", "document__blob__text")
        .in_bulk()
    )
    return [
        Hit(chunks[c.chunk_id], c.score, c.legs, c.rules)
        for c in candidates
        if c.chunk_id in chunks
    ]

"""The ways in which passages are found by what they say: words by rarity, and names."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection
from pgvector import HalfVector

from knowledge import words
from knowledge.models import EmbeddingSpace, TermCount
from knowledge.ranking import Candidate, Question
from knowledge.scopes import Scope
from providers.embedding import Vectors

LEG_LIMIT = 100
# Rare terms choose the candidates, all terms score them.
CANDIDATE_CHUNKS = 5_000
MOST_TERMS = 64
MOST_NAMES = 8
MOST_OF_A_TIME = 3  # how often a word of a question counts


@dataclass(frozen=True, slots=True)
class Term:
    """A word of the question as the index knows it."""

    text: str
    number: int
    times: int
    chunks: int  # that have it, in the projects of the scope
    rarity: float
    chooses: bool  # whether its passages become candidates, or it only scores them


@dataclass(frozen=True, slots=True)
class Weighed:
    """A question's terms: weights, where to find candidates, and the best score there is."""

    terms: Sequence[Term] = ()
    # How many passages the projects of the scope hold, whatever the filters.
    among: int = 0
    places: list[int] = field(default_factory=list)

    @property
    def sparse(self) -> str:
        """Return the question for PostgreSQL: how rare each of its terms is."""
        present = [term for term in self.terms if term.chunks][:MOST_TERMS]
        return words.sparse_text({t.number: t.rarity * t.times for t in present})

    @property
    def ceiling(self) -> float:
        """Return what a passage would score that said every word again and again."""
        return sum(term.rarity * term.times for term in self.terms) * (words.SATURATION + 1)


def weigh_question(text: str, scope: Scope) -> Weighed:
    """Return a question's terms, the rarest first, which choose the candidates."""
    texts: dict[int, str] = {}
    times: dict[int, int] = {}
    for term in words.terms_of(text):
        number = words.number_of(term)
        texts[number] = term
        times[number] = min(times.get(number, 0) + 1, MOST_OF_A_TIME)
    chunks_with = dict.fromkeys([*times, words.EVERY_CHUNK], 0)
    rows = TermCount.objects.filter(project__in=scope.project_ids, term__in=list(chunks_with))
    for number, chunks in rows.values_list("term", "chunks"):
        chunks_with[number] += chunks
    total = chunks_with.pop(words.EVERY_CHUNK)
    choosing = _choosing(chunks_with)
    terms = [
        Term(
            text=texts[number],
            number=number,
            times=times[number],
            chunks=chunks,
            rarity=words.rarity(total, chunks),
            chooses=number in choosing,
        )
        for number, chunks in sorted(chunks_with.items(), key=lambda pair: pair[1])
    ]
    places = [
        place
        for project_id in scope.project_ids
        for place in words.numbers_in(project_id, choosing)
    ]
    return Weighed(terms, total, places)


def _choosing(chunks_with: dict[int, int]) -> list[int]:
    """Return the rarest terms that together have no more passages than can be scored."""
    chosen: list[int] = []
    reached = 0
    present = sorted(
        (n for n, chunks in chunks_with.items() if chunks), key=chunks_with.__getitem__
    )
    for number in present[:MOST_TERMS]:
        reached += chunks_with[number]
        if chosen and reached > CANDIDATE_CHUNKS:
            break
        chosen.append(number)
    return chosen


def by_words(weighed: Weighed, scope: Scope) -> list[UUID]:
    """Return the passages that share the rarest words with the question, by BM25."""
    if not weighed.places:
        return []
    return _chosen_by_terms(
        weighed.places,
        scope,
        f"ORDER BY c.weights <#> %s::sparsevec, c.id LIMIT {LEG_LIMIT}",
        [weighed.sparse],
    )


def by_names(question: Question, scope: Scope) -> list[UUID]:
    """Return the passages that define what the question names as code does."""
    names = sorted(question.code_names)[:MOST_NAMES]
    terms = [term for name in names for term in words.terms_of(name)[:1]]
    if not terms:
        return []
    return _chosen_by_terms(
        scope.places_of(terms),
        scope,
        f"""AND EXISTS (SELECT 1 FROM unnest(c.definitions) AS name
            WHERE lower(substring(name FROM '[^.]*$')) = ANY(%s))
        ORDER BY c.layer <> '', c.id LIMIT {LEG_LIMIT}""",
        [names],
    )


def _chosen_by_terms(places: list[int], scope: Scope, how: str, given: list[Any]) -> list[UUID]:
    """Ask the index of terms first, whatever the planner thinks of the filters."""
    conditions, values = scope.conditions()
    # The terms are numbered within their project, so they tell it as well: that the project is
    # compared besides is for safety, and must not cost another index.
    chosen = """FROM knowledge_chunk c
        WHERE c.terms && %s::bigint[] AND (c.project_id = ANY(%s)) IS TRUE"""
    first = [places, list(scope.project_ids)]
    sql, sent = f"SELECT c.id {chosen} {how}", [*first, *given]
    if conditions:
        # OFFSET keeps the filters out of the choice, and unlike a CTE copies no texts for it.
        sql = f"""SELECT c.id FROM (SELECT c.* {chosen} OFFSET 0) c
            JOIN knowledge_document d ON d.id = c.document_id
            WHERE true {conditions} {how}"""
        sent = [*first, *values, *given]
    with connection.cursor() as cursor:
        # The planner takes a term for far more common than it is, and would rather read every
        # passage. Sent together, the two are one transaction, which costs no turns of its own.
        cursor.execute(f"SET LOCAL enable_seqscan = off; {sql}", sent)
        cursor.nextset()
        return [row[0] for row in cursor.fetchall()]


def by_filters(scope: Scope) -> list[UUID]:
    """Return what the filters alone leave, in the order of the files."""
    conditions, values = scope.conditions()
    return ids_of(
        f"""SELECT c.id FROM knowledge_chunk c JOIN knowledge_document d ON d.id = c.document_id
        WHERE c.project_id = ANY(%s) {conditions}
        ORDER BY d.path, c.chunk_index LIMIT {LEG_LIMIT}""",
        [list(scope.project_ids), *values],
    )


def ids_of(sql: str, values: Sequence[Any]) -> list[UUID]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return [row[0] for row in cursor.fetchall()]


def score(
    ids: Collection[UUID], weighed: Weighed, vector: Vectors | None, space: EmbeddingSpace | None
) -> list[Candidate]:
    """Score what any leg found by every leg, so that scores can be compared."""
    values: list[Any] = [
        weighed.sparse,
        HalfVector(vector).to_text() if vector is not None else None,
        space.pk if space else None,
        f"{{{','.join(chunk_id.hex for chunk_id in ids)}}}",
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT c.id, c.document_id, d.path, c.layer, c.language, c.symbol, c.definitions,
                -(c.weights <#> %s::sparsevec),
                -- A text that the model refused has no direction, and so no distance.
                NULLIF(1 - (v.embedding <=> %s::halfvec), 'NaN')
            FROM knowledge_chunk c JOIN knowledge_document d ON d.id = c.document_id
            LEFT JOIN knowledge_vector v ON v.chunk_id = c.id AND v.space_id = %s
            WHERE c.id = ANY(%s::uuid[])""",
            values,
        )
        return [Candidate(*row) for row in cursor.fetchall()]

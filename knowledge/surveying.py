"""Gathering what an overview is made from, in a few statements, without reading the texts."""

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

import numpy as np
from django.db import connection
from django.db.models import Count, F, OuterRef, Subquery
from django.db.models.functions import Coalesce, Left

from knowledge.areas import File, roles_of
from knowledge.importance import Definition, Mentions, could_be_a_word, distinctness, weigh
from knowledge.mapping import Facts, voices_of
from knowledge.models import Chunk, Document, TermCount
from knowledge.words import number_of, numbers_in, terms_of
from projects.models import Project

MOST_DEFINITIONS = 60_000
MOST_TERMS = 30_000
MOST_LOOKED_AT, PASSAGES_LOOKED_AT = 400, 40
UNSEEN = 0.02  # how surely a lower-case word is a symbol that nobody looked at
READ = 12_000  # characters of a text
SIDE_LAYERS = ("test", "example", "documentation", "translation", "migration")
UNNAMED_KINDS = ("section", "lines", "key")

_MENTIONS = """
SELECT chunk.document_id, string_agg(int4send(wanted.place::int4), ''::bytea)
FROM knowledge_chunk chunk
CROSS JOIN LATERAL unnest(chunk.terms) AS term
JOIN unnest(%s::bigint[]) WITH ORDINALITY AS wanted(term, place) USING (term)
WHERE chunk.project_id = %s
GROUP BY chunk.document_id
"""

# Of everyday words: how many of some passages with the word have it as code writes the symbol.
_SEEN_AS_WRITTEN = """
SELECT asked.name, avg((seen.chunk_text ~ asked.pattern)::int)::float8
FROM unnest(%s::text[], %s::text[], %s::bigint[]) AS asked (name, pattern, term)
CROSS JOIN LATERAL (
    SELECT chunk.chunk_text FROM knowledge_chunk chunk
    WHERE chunk.project_id = %s AND chunk.terms @> ARRAY[asked.term]
    LIMIT %s
) AS seen
GROUP BY asked.name
"""


def survey(project: Project) -> Facts:
    """Return a project's indexed files, what they define, and who mentions it."""
    files = _files(project)
    roles = roles_of(files)
    places = {file.pk: number for number, file in enumerate(files)}
    definitions = _definitions(project, places, roles)
    terms = [_term_of(definition.name) for definition in definitions]
    mentions = _mentions(project, places, list(dict.fromkeys(terms))[:MOST_TERMS])
    sureness = _sureness(project, definitions)
    importance = weigh(definitions, terms, mentions, sureness, voices_of(roles))
    return Facts(files, roles, definitions, importance)


def beginnings_of(documents: Iterable[UUID]) -> Mapping[UUID, str]:
    """Return how the texts of a few documents begin."""
    rows = Document.objects.filter(pk__in=list(documents), blob__isnull=False)
    return dict(rows.values_list("pk", Left("blob__text", READ)))


def _files(project: Project) -> list[File]:
    counts = (
        Chunk.objects.filter(document=OuterRef("pk"))
        .order_by()
        .values("document")
        .annotate(count=Count("pk"))
        .values("count")
    )
    rows = (
        Document.objects.filter(project=project, state=Document.State.INDEXED)
        .annotate(count=Coalesce(Subquery(counts), 0))
        .order_by("source__name", "path", "pk")
        .values_list(
            "pk",
            Coalesce(F("source__name"), F("title")),
            "path",
            "language",
            "layer",
            "file_size",
            "count",
        )
    )
    return [File(*row) for row in rows]


def _definitions(
    project: Project, places: Mapping[UUID, int], roles: Sequence[str]
) -> list[Definition]:
    rows = (
        Chunk.objects.filter(project=project)
        .exclude(definitions=[])
        .exclude(layer__in=SIDE_LAYERS)
        .exclude(kind__in=UNNAMED_KINDS)
        .order_by("document__path", "document", "chunk_index")
        .values_list("document", "kind", "symbol", "start_line", "definitions")
    )
    found: list[Definition] = []
    for document, kind, symbol, line, names in rows.iterator(chunk_size=2_000):
        place = places.get(document)
        if place is None or roles[place] != "code":
            continue
        for name in names:
            # A chunk may hold several small definitions; its kind is that of its own symbol.
            own = kind if symbol.rpartition(".")[2] == name or not symbol else "module"
            if distinctness(name) > 0:
                found.append(Definition(name, place, own, line))
        if len(found) >= MOST_DEFINITIONS:
            break
    return found


def _sureness(project: Project, definitions: Sequence[Definition]) -> Mapping[str, float]:
    """Return how surely a mention of each name is one of the symbol, words looked at in use."""
    sureness = {d.name: distinctness(d.name) for d in definitions}
    words = {name: _term_of(name) for name in sureness if could_be_a_word(name)}
    numbers = dict(zip(words, numbers_in(project.pk, words.values()), strict=True))
    counts = dict(
        TermCount.objects.filter(project=project, term__in=list(words.values()))
        .order_by("-chunks")
        .values_list("term", "chunks")
    )
    # Lower-case words count for little until they are looked at; the others would mislead.
    often = sorted(words, key=lambda name: (name[0].islower(), -counts.get(words[name], 0), name))[
        :MOST_LOOKED_AT
    ]
    patterns = [rf"\m{name}\M" if name[0].isupper() else rf"\m{name}\(" for name in often]
    with connection.cursor() as cursor:
        cursor.execute(
            _SEEN_AS_WRITTEN,
            [often, patterns, [numbers[name] for name in often], project.pk, PASSAGES_LOOKED_AT],
        )
        # Squared: the more often a word is only a word, the more of its mentions would be heard.
        seen = {name: max(1.0, sureness[name]) * share**2 for name, share in cursor}
    unseen = {name: UNSEEN for name in words if name[0].islower()}
    return {**sureness, **unseen, **seen}


def _term_of(name: str) -> int:
    terms = terms_of(name)
    return number_of(terms[0]) if terms else 0


def _mentions(project: Project, places: Mapping[UUID, int], terms: Sequence[int]) -> Mentions:
    files, found = [], []
    with connection.cursor() as cursor:
        cursor.execute(_MENTIONS, [numbers_in(project.pk, terms), project.pk])
        for document, packed in cursor:
            if (place := places.get(document)) is not None:
                mentioned = np.frombuffer(packed, dtype=">i4").astype(np.int64)
                found.append(mentioned)
                files.append(np.full(len(mentioned), place, dtype=np.int64))
    if not files:
        nothing = np.zeros(0, dtype=np.int64)
        return Mentions(nothing, nothing, nothing)
    span = len(terms) + 1
    pairs, times = np.unique(
        np.concatenate(files) * span + np.concatenate(found), return_counts=True
    )
    numbers = np.array([0, *terms], dtype=np.int64)
    return Mentions(pairs // span, numbers[pairs % span], times.astype(np.int64))

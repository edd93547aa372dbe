"""Finding text by its letters: regular expressions, by trigrams first, then in linear time."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

from django.db import OperationalError, connection, transaction
from django.db.models import Q

from knowledge.legs import LEG_LIMIT
from knowledge.models import Blob
from knowledge.ranking import SECONDARY_LAYERS, TEST_SHARE, Candidate
from knowledge.regular_expressions import Pattern
from knowledge.scopes import Scope

SECONDS = 0.35  # after which a search shows what it has
FILES_AT_ONCE = 20
MATCHES_IN_A_FILE = 50
MOST_MARKS = 20
LONGEST_MARK = 200
SETTLED_AT_ONCE = 200


@dataclass(slots=True)
class Matches:
    """The passages in which a pattern was found, best first, and what to tell of the search."""

    candidates: list[Candidate] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    files: int = 0
    is_cut_short: bool = False


def find_matches(pattern: Pattern, scope: Scope, *, seconds: float = SECONDS) -> Matches:
    """Return where a pattern occurs, within the time that there is."""
    found = Matches()
    places: list[tuple[UUID, int]] = []
    until = perf_counter() + seconds
    try:
        for document_id, text in _texts(pattern, scope, seconds):
            found.files += 1
            places += _lines_in(text, document_id, pattern, found)
            if perf_counter() > until or len(places) >= LEG_LIMIT * 5:
                found.is_cut_short = True
                break
    except OperationalError:  # the statement took longer than it may
        found.is_cut_short = True
    found.candidates = _passages(places, scope)
    return found


def _texts(pattern: Pattern, scope: Scope, seconds: float) -> Iterator[tuple[UUID, str]]:
    """Yield the files in the scope that have every literal of the pattern, as they are read."""
    conditions, values = scope.conditions()
    within = f"AND EXISTS (SELECT 1 FROM knowledge_chunk c WHERE c.document_id = d.id {conditions})"
    literals = [f"%{_plain(literal)}%" for literal in pattern.literals]
    has_them = " ".join("AND b.text ILIKE %s" for _ in literals)
    # Two halves, so that the planner sees which one its partial index answers.
    halves = [
        f"""(SELECT d.id, b.text FROM knowledge_blob b JOIN knowledge_document d
            ON d.blob_id = b.sha
        WHERE {settled} {has_them} AND d.project_id = ANY(%s) AND d.state = 'indexed'
            {within if conditions else ""})"""
        for settled in ("NOT b.is_settled", "b.is_settled")
    ]
    given = [*literals, list(scope.project_ids), *values] * 2
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        with connection.cursor() as setting:
            setting.execute(f"SET LOCAL statement_timeout = {int(seconds * 1000)}")
        cursor.execute(" UNION ALL ".join(halves), given)
        while rows := cursor.fetchmany(FILES_AT_ONCE):
            yield from rows


def _lines_in(
    text: str, document_id: UUID, pattern: Pattern, found: Matches
) -> Iterator[tuple[UUID, int]]:
    line, at = 1, 0
    for number, match in enumerate(pattern.compiled.finditer(text)):
        if number == MATCHES_IN_A_FILE:
            return
        line += text.count("\n", at, match.start())
        at = match.start()
        said = match.group()[:LONGEST_MARK].strip()
        if said and said not in found.marks and len(found.marks) < MOST_MARKS:
            found.marks.append(said)
        yield document_id, line


def _passages(places: list[tuple[UUID, int]], scope: Scope) -> list[Candidate]:
    if not places:
        return []
    conditions, values = scope.conditions()
    with connection.cursor() as cursor:
        cursor.execute(
            f"""SELECT c.id, c.document_id, d.path, c.layer, c.language, c.symbol, c.definitions,
                count(*)::float8, NULL
            FROM unnest(%s::uuid[], %s::int[]) AS m(document_id, line)
            JOIN knowledge_document d ON d.id = m.document_id
            JOIN knowledge_chunk c
                ON c.document_id = d.id AND m.line BETWEEN c.start_line AND c.end_line
            WHERE true {conditions}
            GROUP BY c.id, d.path ORDER BY d.path, c.chunk_index""",
            [[pk for pk, _ in places], [line for _, line in places], *values],
        )
        candidates = [Candidate(*row) for row in cursor.fetchall()]
    most = max((c.words for c in candidates), default=1.0)
    for candidate in candidates:
        candidate.legs["matches"] = candidate.words
        candidate.score = 0.9 + 0.1 * candidate.words / most
        if candidate.layer in SECONDARY_LAYERS:
            candidate.rules[candidate.layer] = candidate.score * (TEST_SHARE - 1)
            candidate.score *= TEST_SHARE
    return sorted(candidates, key=lambda c: -c.score)


def _plain(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def settle_texts(*, at_once: int = SETTLED_AT_ONCE) -> bool:
    """Give the index of trigrams some of the texts that it does not have; False if it has all."""
    with transaction.atomic():
        some = Blob.objects.filter(is_settled=False).select_for_update(skip_locked=True)
        shas = list(some.order_by("sha").values_list("sha", flat=True)[:at_once])
        Blob.objects.filter(Q(sha__in=shas)).update(is_settled=True)
    return bool(shas)

"""The passages that an answer stands on, as a message keeps them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from operator import or_

from django.db.models import Q

from conversations.packing import Extent, Run, pack
from knowledge.models import Blob, Chunk, DocumentVersion
from knowledge.retrieval import Hit
from knowledge.viewing import file_address

TOKENS = 3_500  # of all passages of an answer together


@dataclass(frozen=True, slots=True)
class Passage:
    """A quoted passage under its number; everything a citation needs, for as long as it is kept."""

    number: int
    document_id: str
    source_id: str
    source: str
    file_path: str
    commit: str
    start_line: int
    end_line: int
    header_anchor: str
    header: str
    symbol: str
    kind: str
    language: str
    similarity_score: float
    url: str
    text: str
    # The lines that were found; those around them are there to be understood.
    found_start: int = 0
    found_end: int = 0

    @property
    def path(self) -> str:
        return self.file_path

    @property
    def found_text(self) -> str:
        """The lines that were found, without what stands beside them."""
        if not self.found_start or self.found_end < self.found_start:
            return self.text
        rows = self.text.split("\n")
        first = self.found_start - self.start_line
        return "\n".join(rows[first : self.found_end - self.start_line + 1]) or self.text

    def is_in(self, text: str) -> bool:
        """Whether a file's text has the passage at its lines."""
        rows = text.split("\n")
        stands = self.start_line <= self.end_line <= len(rows)
        return stands and self.text in "\n".join(rows[self.start_line - 1 : self.end_line])

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def from_hits(
    hits: Sequence[Hit], *, files: int, of_a_file: Sequence[int] = (1, 2), budget: int = TOKENS
) -> list[Passage]:
    """Return the passages for an answer: the best hits, and what stands beside them.

    So many hits of a file as the first of `of_a_file` says, then as the second, while there is
    room for more.
    """
    chosen = _chosen(hits, files, of_a_file)
    rows = _rows_of(chosen)
    found = [_extent(hit, rows[str(hit.chunk.document_id)]) for hit in chosen]
    runs = pack(found, _beside(chosen), rows, budget=budget)
    return [_passage(number, run, chosen[run.lead]) for number, run in enumerate(runs, 1)]


def those_that_stand(passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages whose lines are, word for word, what is kept of their file."""
    versions = DocumentVersion.objects.filter(
        source__in={p.source_id for p in passages if p.source_id},
        path__in={p.file_path for p in passages},
        commit__in={p.commit for p in passages},
    ).select_related("blob")
    texts = {(str(v.source_id), v.path, v.commit): v.blob.text for v in versions}
    return [p for p in passages if p.is_in(texts.get((p.source_id, p.file_path, p.commit), ""))]


def _chosen(hits: Sequence[Hit], files: int, of_a_file: Sequence[int]) -> list[Hit]:
    chosen: list[Hit] = []
    for most in of_a_file:
        for hit in hits:
            of_file = sum(h.path == hit.path for h in chosen)
            if len(chosen) < files and hit not in chosen and of_file < most:
                chosen.append(hit)
    return sorted(chosen, key=hits.index)


def _rows_of(hits: Sequence[Hit]) -> dict[str, list[str]]:
    blobs = {hit.chunk.document.blob_id for hit in hits}
    texts = dict(Blob.objects.filter(pk__in=blobs).values_list("pk", "text"))
    return {
        str(hit.chunk.document_id): texts.get(str(hit.chunk.document.blob_id), "").split("\n")
        for hit in hits
    }


def _extent(hit: Hit, rows: Sequence[str]) -> Extent:
    lines = "\n".join(rows[hit.start_line - 1 : hit.end_line])
    # What is not the lines as they stand is a part of one enormous line.
    part = "" if lines == hit.text else hit.text
    return Extent(str(hit.chunk.document_id), hit.start_line, hit.end_line, hit.symbol, part)


def _beside(hits: Sequence[Hit]) -> dict[int, list[Extent]]:
    """Return the chunks after and before each hit, from one query."""
    if not hits:
        return {}
    wanted = [
        Q(document=hit.chunk.document_id, chunk_index__in=_indexes_beside(hit)) for hit in hits
    ]
    rows = Chunk.objects.filter(reduce(or_, wanted)).values_list(
        "document_id", "chunk_index", "start_line", "end_line", "symbol"
    )
    found: Mapping[tuple[object, int], Extent] = {
        (document, index): Extent(str(document), first, last, symbol)
        for document, index, first, last, symbol in rows
    }
    return {
        place: [
            found[hit.chunk.document_id, index]
            for index in _indexes_beside(hit)
            if (hit.chunk.document_id, index) in found
        ]
        for place, hit in enumerate(hits)
    }


def _indexes_beside(hit: Hit) -> list[int]:
    index = hit.chunk.chunk_index
    return [index + 1, index - 1] if index else [index + 1]


def _passage(number: int, run: Run, hit: Hit) -> Passage:
    document, lines = hit.chunk.document, run.extent
    return Passage(
        number=number,
        document_id=str(document.pk),
        source_id=str(document.source_id or ""),
        source=document.source.name if document.source else "",
        file_path=hit.path,
        commit=hit.commit,
        start_line=lines.first,
        end_line=lines.last,
        header_anchor=hit.chunk.header_anchor,
        header=hit.header,
        symbol=hit.symbol,
        kind=hit.chunk.kind,
        language=hit.chunk.language,
        similarity_score=round(hit.score, 4),
        url=file_address(document, lines.first, lines.last),
        text=run.text,
        found_start=hit.start_line,
        found_end=min(hit.end_line, lines.last),
    )

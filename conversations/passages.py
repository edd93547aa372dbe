"""The passages that an answer stands on, as a message keeps them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from knowledge.models import DocumentVersion
from knowledge.retrieval import Hit

LONGEST_TEXT = 6_000


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

    @property
    def path(self) -> str:
        return self.file_path

    def is_in(self, text: str) -> bool:
        """Whether a file's text has the passage at its lines."""
        rows = text.split("\n")
        stands = self.start_line <= self.end_line <= len(rows)
        return stands and self.text in "\n".join(rows[self.start_line - 1 : self.end_line])

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def from_hits(hits: Sequence[Hit], *, files: int) -> list[Passage]:
    """Return one passage for each of the first files, and second ones where there is room."""
    chosen: list[Hit] = []
    for most in (1, 2):
        for hit in hits:
            of_file = sum(h.path == hit.path for h in chosen)
            if len(chosen) < files and hit not in chosen and of_file < most:
                chosen.append(hit)
    return [_passage(number, hit) for number, hit in enumerate(chosen, 1)]


def those_that_stand(passages: Sequence[Passage]) -> list[Passage]:
    """Return the passages whose lines are, word for word, what is kept of their file."""
    versions = DocumentVersion.objects.filter(
        source__in={p.source_id for p in passages if p.source_id},
        path__in={p.file_path for p in passages},
        commit__in={p.commit for p in passages},
    ).select_related("blob")
    texts = {(str(v.source_id), v.path, v.commit): v.blob.text for v in versions}
    return [p for p in passages if p.is_in(texts.get((p.source_id, p.file_path, p.commit), ""))]


def _passage(number: int, hit: Hit) -> Passage:
    document = hit.chunk.document
    return Passage(
        number=number,
        document_id=str(document.pk),
        source_id=str(document.source_id or ""),
        source=document.source.name if document.source else "",
        file_path=hit.path,
        commit=hit.commit,
        start_line=hit.start_line,
        end_line=hit.end_line,
        header_anchor=hit.chunk.header_anchor,
        header=hit.header,
        symbol=hit.symbol,
        kind=hit.chunk.kind,
        language=hit.chunk.language,
        similarity_score=round(hit.score, 4),
        url=hit.url,
        text=hit.text[:LONGEST_TEXT],
    )

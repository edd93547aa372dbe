"""The pipeline of the usual tutorial, built honestly to be measured against, never to answer.

Texts cut at 1000 characters with 100 of overlap, embedded as they are by the same model as ours,
compared by cosine. Its vectors lie in files beside the product, so that they are made once.
"""

import hashlib
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from knowledge.character_splitting import OVERLAP, SIZE, Span, split_by_characters
from knowledge.golden_sets import Passage
from knowledge.models import Document, EmbeddingSpace
from knowledge.spaces import embedder_for, reach_of
from projects.models import Project
from providers.embedding import Effort
from providers.ledger import record_embedding

Halves = NDArray[np.float16]
TEXTS_AT_ONCE = 256
ROWS_AT_ONCE = 20_000  # compared at once, as numbers of full precision
SECONDS_BETWEEN_WORDS = 10.0

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Cut:
    """A document's text with where its pieces lie."""

    path: str
    sha: str
    text: str
    pieces: Sequence[Span]

    @property
    def passages(self) -> list[Passage]:
        breaks = [place for place, letter in enumerate(self.text) if letter == "\n"]
        return [
            Passage(self.path, bisect_left(breaks, start) + 1, bisect_left(breaks, end) + 1)
            for start, end in self.pieces
        ]

    @property
    def texts(self) -> list[str]:
        return [self.text[start:end] for start, end in self.pieces]


@dataclass(slots=True)
class NaivePipeline:
    """A project's texts as the tutorial would index them."""

    project: Project
    space: EmbeddingSpace
    tell: Tell
    passages: list[Passage] = field(default_factory=list)
    rows: Halves = field(default_factory=lambda: np.zeros((0, 0), dtype=np.float16))

    def build(self) -> None:
        """Cut and embed every indexed document, as far as no earlier run has done it."""
        making = Making(self.space, self.project, self.tell)
        found: list[Halves] = []
        for some in _in_groups(self._documents(), making):
            for cut, rows in some:
                self.passages += cut.passages
                found.append(rows)
        making.tell_ledger()
        if found:
            self.rows = np.concatenate(found)

    def find(self, question: str, *, limit: int) -> list[Passage]:
        """Return the pieces nearest to a question."""
        vector = embedder_for(self.space).embed_question(question)
        likeness = np.zeros(len(self.passages), dtype=np.float32)
        for start in range(0, len(self.passages), ROWS_AT_ONCE):
            end = start + ROWS_AT_ONCE
            likeness[start:end] = self.rows[start:end].astype(np.float32) @ vector
        order = np.argsort(-likeness, kind="stable")[:limit]
        return [self.passages[place] for place in order]

    def _documents(self) -> Iterator[Cut]:
        documents = Document.objects.filter(
            project=self.project, state=Document.State.INDEXED, blob__isnull=False
        ).order_by("path", "pk")
        rows = documents.values_list("path", "blob_id", "blob__text")
        for path, sha, text in rows.iterator(chunk_size=100):
            yield Cut(path, str(sha), text, split_by_characters(text))


@dataclass(slots=True)
class Making:
    """Vectors on their way into the files that keep them."""

    space: EmbeddingSpace
    project: Project
    tell: Tell
    made: int = 0
    tokens: int = 0
    began_at: float = field(default_factory=time.monotonic)
    told_at: float = field(default_factory=time.monotonic)

    def place_of(self, cut: Cut) -> Path:
        """Return where a text's vectors by exactly this model are kept."""
        reach = reach_of(self.space)
        told = [reach.adapter, reach.base_url, reach.model_name, str(reach.dimensions)]
        told += [reach.document_prefix, f"{SIZE}/{OVERLAP}"]
        model = hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
        folder = Path(settings.NIGHTOWL_HOME) / "cache" / "naive" / model
        return folder / cut.sha[:2] / f"{cut.sha}.npy"

    def known(self, cut: Cut) -> Halves | None:
        try:
            rows: Halves = np.load(self.place_of(cut), allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return None  # not there or damaged: made anew
        return rows if len(rows) == len(cut.pieces) else None

    def make(self, cuts: Sequence[Cut]) -> list[Halves]:
        """Embed some documents' pieces together, so that texts of a length share a batch."""
        texts = [cut.texts for cut in cuts]
        effort = Effort()
        flat = [text for some in texts for text in some]
        vectors = embedder_for(self.space).embed(flat, effort).astype(np.float16)
        self.tokens += effort.tokens
        ends = [int(end) for end in np.cumsum([0, *map(len, texts)])]
        made = [vectors[start:end] for start, end in pairwise(ends)]
        for cut, rows in zip(cuts, made, strict=True):
            _keep(self.place_of(cut), rows)
        self._tell_progress(len(flat))
        return made

    def tell_ledger(self) -> None:
        if self.tokens:
            price = self.space.usd_per_million
            record_embedding(
                adapter=self.space.adapter,
                model_name=self.space.model_name,
                tokens=self.tokens,
                cost=None if price is None else price * self.tokens / 1_000_000,
                user=None,
                project_id=self.project.pk,
                origin=("evaluation", self.project.pk),
                duration_ms=round(1000 * (time.monotonic() - self.began_at)),
            )

    def _tell_progress(self, made: int) -> None:
        self.made += made
        now = time.monotonic()
        if now - self.told_at >= SECONDS_BETWEEN_WORDS:
            self.told_at = now
            self.tell(
                f"{self.project}: {self.made:,} pieces of the naive pipeline embedded,"
                f" {self.made / (now - self.began_at):.0f} a second"
            )


def _in_groups(cuts: Iterator[Cut], making: Making) -> Iterator[list[tuple[Cut, Halves]]]:
    """Yield documents with their vectors, in the order they come; new ones are made together."""
    group: list[Cut] = []
    known: dict[str, Halves] = {}
    waiting = 0
    for cut in cuts:
        if not cut.pieces:
            continue
        rows = making.known(cut)
        if rows is not None:
            known[cut.sha] = rows
        else:
            waiting += len(cut.pieces)
        group.append(cut)
        if waiting >= TEXTS_AT_ONCE or len(group) >= TEXTS_AT_ONCE:
            yield _completed(group, known, making)
            group, known, waiting = [], {}, 0
    yield _completed(group, known, making)


def _completed(
    group: Sequence[Cut], known: dict[str, Halves], making: Making
) -> list[tuple[Cut, Halves]]:
    new = list({cut.sha: cut for cut in group if cut.sha not in known}.values())
    if new:
        known.update(zip((cut.sha for cut in new), making.make(new), strict=True))
    return [(cut, known[cut.sha]) for cut in group]


def _keep(place: Path, rows: Halves) -> None:
    """Write a file whole or not at all, whatever dies meanwhile."""
    place.parent.mkdir(parents=True, exist_ok=True)
    unfinished = place.with_suffix(f".{os.getpid()}.unfinished")
    with unfinished.open("wb") as file:
        np.save(file, rows)
    unfinished.replace(place)

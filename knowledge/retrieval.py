"""The one search behind every door: words, names, meaning and patterns, within what one may see."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

from django.conf import settings

from accounts.viewers import Viewer
from knowledge.legs import LEG_LIMIT, Weighed, by_filters, by_names, by_words, score, weigh_question
from knowledge.matching import Matches, find_matches
from knowledge.methods import USUAL, Method, Mode, method_for
from knowledge.models import Chunk, EmbeddingSpace
from knowledge.points import PointsUnavailable
from knowledge.ranking import Candidate, Question, confidence, rank
from knowledge.regular_expressions import PatternRefused, compile_pattern
from knowledge.scopes import Filters, Scope
from knowledge.spaces import active_space, embedder_for
from knowledge.vectors import IN_POSTGRESQL, VectorStore, vector_store
from knowledge.viewing import file_address
from projects.models import Project
from providers.embedding import EmbedderUnavailable, Vectors

LONGEST_QUESTION = 4000
# Below it, a question is said not to be in the sources: of questions that a project answers 1 in
# 100 fall below, of questions about another project 6 in 10 (docs/benchmarks.md).
EVIDENCE_FLOOR = 0.26
EVIDENCE_FLOOR_OF_WORDS = 0.12

# What is read of a passage that is shown: with all of its columns a search takes a tenth longer.
SHOWN = (
    *("project", "chunk_index", "chunk_text", "start_line", "end_line", "header", "header_anchor"),
    *("symbol", "kind", "definitions", "language", "layer", "collection"),
    *("document__blob", "document__commit", "document__path", "document__source__name"),
)

__all__ = ["LONGEST_QUESTION", "Filters", "Hit", "Mode", "Results", "search"]


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
class Leg:
    """What one way of searching found, best first, and how long that took."""

    name: str
    found: Sequence[UUID]
    seconds: float


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
    # How it came about: for whoever wants to know why this order.
    legs: list[Leg] = field(default_factory=list)
    weighed: Weighed = field(default_factory=Weighed)
    ranked: list[Candidate] = field(default_factory=list)
    # What a pattern matched, to light it.
    marks: list[str] = field(default_factory=list)

    @property
    def floor(self) -> float:
        return EVIDENCE_FLOOR if self.with_meaning else EVIDENCE_FLOOR_OF_WORDS

    @property
    def is_answerable(self) -> bool:
        """Whether what was found shares enough with the question to answer it."""
        return bool(self.hits) and self.confidence >= self.floor


def search(
    viewer: Viewer,
    question: str,
    *,
    project_ids: Collection[UUID] | None = None,
    filters: Filters = Filters(),
    limit: int = 10,
    space: EmbeddingSpace | None = None,
    method: Method = USUAL,
    mode: Mode = Mode.AUTO,
) -> Results:
    """Return the passages that answer best, within the projects that the viewer may see.

    By meaning they are found in the active space, or in `space` to compare it. The question is
    taken as it is: what people type into a search field is read by `read_query` before.
    """
    started = perf_counter()
    visible = Project.objects.visible_to(viewer)
    if project_ids is not None:
        visible = visible.filter(pk__in=project_ids)
    scope = Scope(tuple(visible.values_list("pk", flat=True)), filters)
    text = question[:LONGEST_QUESTION].replace("\0", " ").strip()
    looking = Searching(text, scope, method_for(mode, method), space)
    if scope.project_ids:
        looking.run(mode)
    results = looking.results
    results.considered = len(results.ranked)
    results.hits = _load(results.ranked[:limit])
    results.seconds = perf_counter() - started
    return results


class Searching:
    """One search on its way: what each leg finds, scored by all legs, then ordered by the rules."""

    def __init__(
        self, text: str, scope: Scope, method: Method, space: EmbeddingSpace | None
    ) -> None:
        self.text = text
        self.scope = scope
        self.method = method
        self.space = space
        self.question = Question.read(text)
        self.results = Results()

    def run(self, mode: Mode) -> None:
        if mode == Mode.REGEX:
            self._by_pattern()
        elif not self.text:
            if self.scope.filters != Filters():
                self._in_order_of_files()
        elif mode == Mode.SYMBOL:
            self._by_symbol()
        else:
            self._by_evidence()

    def _by_evidence(self) -> None:
        weighed = self.results.weighed = weigh_question(self.text, self.scope)
        found: set[UUID] = set()
        if self.method.uses_words:
            found |= self._ask("words", lambda: self._by_words(weighed))
        if self.method.uses_rules and self.method.uses_words and self.question.code_names:
            found |= self._ask("names", lambda: by_names(self.question, self.scope))
        space, vector = self._meaning()
        if space is not None and vector is not None:
            found |= self._ask("meaning", lambda: self._nearest(space, vector))
            self.results.space_id = space.pk
        candidates = score(found, weighed, vector, space)
        self.results.confidence = confidence(candidates, weighed.ceiling)
        self.results.with_meaning = any(c.meaning is not None for c in candidates)
        self._rank(candidates, space.weight if space is not None and vector is not None else 0.0)

    def _by_symbol(self) -> None:
        """Find definitions alone: by their whole name, else by a part of it."""
        names = {name.lower() for name in self.text.replace(".", " ").replace("(", " ").split()}
        self.question = Question.named(names)
        weighed = self.results.weighed = weigh_question(self.text, self.scope)
        found = self._ask("names", lambda: by_names(self.question, self.scope))
        self._rank(score(found, weighed, None, None), 0.0)
        self.results.confidence = float(bool(found))

    def _by_pattern(self) -> None:
        try:
            pattern = compile_pattern(self.text)
        except PatternRefused as refusal:
            self.results.notes.append(str(refusal))
            return
        started = perf_counter()
        matches: Matches = find_matches(pattern, self.scope)
        self.results.ranked = matches.candidates
        self.results.marks = matches.marks
        self.results.confidence = float(bool(matches.candidates))
        ids = [candidate.chunk_id for candidate in matches.candidates]
        self.results.legs.append(Leg("matches", ids, perf_counter() - started))
        if matches.is_cut_short:
            self.results.notes.append(
                f"There may be more: {matches.files} files were looked at before time was up."
                " A longer word in the pattern, or path: or lang:, narrows it."
            )

    def _in_order_of_files(self) -> None:
        found = self._ask("filters", lambda: by_filters(self.scope))
        self._rank(score(found, Weighed(), None, None), 0.0)
        self.results.ranked.sort(key=lambda candidate: candidate.path)

    def _meaning(self) -> tuple[EmbeddingSpace | None, Vectors | None]:
        if not self.method.uses_meaning:
            return None, None
        space = self.space or active_space()
        without = "Searched by words only" if self.method.uses_words else "Nothing was searched"
        if space is None:
            self.results.notes.append(f"{without}: nothing is embedded yet.")
            return None, None
        try:
            return space, embedder_for(space).embed_question(self.text)
        except EmbedderUnavailable:
            self.results.notes.append(f"{without}: the embedding model does not answer.")
            return space, None

    def _nearest(self, space: EmbeddingSpace, vector: Vectors) -> list[UUID]:
        def ask(store: VectorStore) -> list[UUID]:
            among = self.results.weighed.among
            return store.nearest(space, vector, self.scope, among=among, limit=LEG_LIMIT)

        if self.method.only_postgresql:
            return ask(IN_POSTGRESQL)
        try:
            return ask(vector_store())
        except PointsUnavailable as problem:
            self._note(f"{problem} Vectors were compared in PostgreSQL.")
            return ask(IN_POSTGRESQL)

    def _by_words(self, weighed: Weighed) -> list[UUID]:
        space = (self.space or active_space()) if settings.QDRANT_WORDS else None
        if space is not None and not self.method.only_postgresql:
            try:
                found = vector_store().by_words(space, weighed, self.scope)
            except PointsUnavailable as problem:
                self._note(f"{problem} Words were looked up in PostgreSQL.")
            else:
                if found is not None:
                    return found
        return by_words(weighed, self.scope)

    def _note(self, sentence: str) -> None:
        self.results.notes.append(sentence)

    def _ask(self, name: str, find: Callable[[], list[UUID]]) -> set[UUID]:
        started = perf_counter()
        found = find()
        self.results.legs.append(Leg(name, found, perf_counter() - started))
        return set(found)

    def _rank(self, candidates: Sequence[Candidate], weight: float) -> None:
        self.results.ranked = rank(
            candidates, self.question, vector_weight=weight, method=self.method
        )


def _load(candidates: Sequence[Candidate]) -> list[Hit]:
    chunks = (
        Chunk.objects.filter(pk__in=[c.chunk_id for c in candidates])
        .select_related("document__source")
        .only(*SHOWN)
        .in_bulk()
    )
    return [
        Hit(chunks[c.chunk_id], c.score, c.legs, c.rules)
        for c in candidates
        if c.chunk_id in chunks
    ]

"""Ordering candidates: legs on one scale, rules of path and symbol, files that agree."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from uuid import UUID

from knowledge.methods import USUAL, Method
from knowledge.words import terms_of

RANK_CONSTANT = 60  # of reciprocal rank fusion, as published
PATH_RULE = 0.25  # times the share of the file's own words that the question names
SYMBOL_RULE = 0.4  # for a chunk that defines an identifier of the question
TEST_SHARE = 0.5  # what is left of a test's score when tests were not asked for
FILE_SHARES = (0.3, 0.15, 0.08)  # what a file's next passages add to its best one
PROSE_SHARE = 0.8  # of documents beside code: their words are nearer to any question's
CHANGES_SHARE = 0.6  # of change logs, which name everything and explain nothing
GENERATED_SHARE = 0.5  # of what a compiler made of a source
SECONDARY_LAYERS = {"test", "migration", "example"}
PROSE = {"markdown", "rst", "text"}
CHANGE_LOG = re.compile(r"(?:^|/)(?:changes|changelog|history|news|releases?)[^/]*$", re.IGNORECASE)
DECLARATIONS = re.compile(r"\.d\.[cm]?ts$")
SCRIPT = re.compile(r"\.[cm]?js$")
ASKS_FOR_DOCUMENTS = re.compile(
    r"\b(docs?|document(ed|ation)|guide|readme|tutorial|changelog|release notes?)\b", re.IGNORECASE
)
ASKS_FOR_TESTS = re.compile(r"\btest(s|ed|ing)?\b|\bfixture", re.IGNORECASE)
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LOOKS_LIKE_CODE = re.compile(r"[a-z0-9][A-Z]|_|^[A-Z]+[a-z]+[A-Z]")


@dataclass(slots=True)
class Candidate:
    """A chunk that a leg found, with what ranking needs to know of it."""

    chunk_id: UUID
    document_id: UUID
    path: str
    layer: str
    language: str
    symbol: str
    definitions: Sequence[str]
    words: float
    meaning: float | None
    legs: dict[str, float] = field(default_factory=dict)
    rules: dict[str, float] = field(default_factory=dict)
    score: float = 0.0


@dataclass(frozen=True, slots=True)
class Question:
    """A question as ranking sees it."""

    text: str
    terms: frozenset[str]
    identifiers: frozenset[str]
    # Of those what looks like code, or is all there is: lower-case.
    code_names: frozenset[str]
    wants_tests: bool
    wants_documents: bool
    is_identifier: bool

    @classmethod
    def read(cls, text: str) -> "Question":
        names = IDENTIFIER.findall(text)
        stripped = text.strip().strip("`\"'()")
        is_identifier = bool(IDENTIFIER.fullmatch(stripped))
        like_code = {name for name in names if len(name) > 2 and LOOKS_LIKE_CODE.search(name)}
        return cls(
            text=text,
            terms=frozenset(terms_of(text)),
            identifiers=frozenset(name.lower() for name in names if len(name) > 2),
            code_names=frozenset(n.lower() for n in ({stripped} if is_identifier else like_code)),
            wants_tests=bool(ASKS_FOR_TESTS.search(text)),
            wants_documents=bool(ASKS_FOR_DOCUMENTS.search(text)),
            is_identifier=is_identifier,
        )

    @classmethod
    def named(cls, names: Collection[str]) -> "Question":
        """Return the question where these names are defined."""
        read = cls.read(" ".join(sorted(names)))
        return replace(read, code_names=frozenset(names), is_identifier=True)


def rank(
    candidates: Sequence[Candidate],
    question: Question,
    *,
    vector_weight: float,
    method: Method = USUAL,
) -> list[Candidate]:
    """Return the candidates best first; each knows its legs, its rules and its score."""
    _scale(candidates)
    if method.fusion == "ranks":
        _fuse_by_rank(candidates)
    else:
        _fuse_by_score(candidates, _weight_of_meaning(candidates, question, vector_weight, method))
    if not method.uses_rules:
        return sorted(candidates, key=lambda c: (-c.score, c.path, c.chunk_id))
    declared = {DECLARATIONS.sub("", c.path) for c in candidates if DECLARATIONS.search(c.path)}
    for candidate in candidates:
        _apply_rules(candidate, question, declared)
    return _by_file(candidates)


def _weight_of_meaning(
    candidates: Sequence[Candidate], question: Question, weight: float, method: Method
) -> float:
    if not method.uses_meaning or all(c.meaning is None for c in candidates):
        return 0.0
    if not method.uses_words:
        return 1.0
    # A name that is known stands for itself: what means the same is only in the way.
    is_known = question.is_identifier and any(candidate.words > 0 for candidate in candidates)
    return 0.0 if is_known else weight


def confidence(candidates: Sequence[Candidate], ceiling: float) -> float:
    """Return from 0 to 1 how much of the question the best passages share, in word and meaning."""
    said = max((c.words for c in candidates), default=0.0) / ceiling if ceiling else 0.0
    meant = max((c.meaning for c in candidates if c.meaning is not None), default=None)
    if meant is None:
        return min(1.0, said)
    return min(1.0, (said + max(0.0, meant)) / 2)


def _scale(candidates: Sequence[Candidate]) -> None:
    """Put each leg on a scale from 0 to 1 over what was found."""
    best = max((c.words for c in candidates), default=0.0) or 1.0
    meanings = [c.meaning for c in candidates if c.meaning is not None]
    top, floor = max(meanings, default=1.0), min(meanings, default=0.0)
    span = (top - floor) or 1.0
    for candidate in candidates:
        candidate.legs["words"] = max(0.0, candidate.words) / best
        if candidate.meaning is not None:
            candidate.legs["meaning"] = (candidate.meaning - floor) / span


def _fuse_by_score(candidates: Sequence[Candidate], weight: float) -> None:
    for candidate in candidates:
        meaning = candidate.legs.get("meaning", 0.0)
        candidate.score = (1 - weight) * candidate.legs["words"] + weight * meaning


def _fuse_by_rank(candidates: Sequence[Candidate]) -> None:
    for leg in ("words", "meaning"):
        found = [c for c in candidates if c.legs.get(leg, 0.0) > 0]
        ordered = sorted(found, key=lambda c: (-c.legs[leg], c.chunk_id))
        for place, candidate in enumerate(ordered, 1):
            candidate.score += 1 / (RANK_CONSTANT + place)


def _apply_rules(candidate: Candidate, question: Question, declared: set[str]) -> None:
    if own := _own_words(candidate.path.rpartition("/")[2].partition(".")[0]):
        share = len(own & question.terms) / len(own)
        if share:
            candidate.rules["path"] = PATH_RULE * share
    names = {name.rpartition(".")[2].lower() for name in candidate.definitions}
    if names & question.identifiers:
        candidate.rules["symbol"] = _symbol_rule(names & question.identifiers, question)
    candidate.score += sum(candidate.rules.values())
    for name, share in _shares(candidate, question, declared):
        candidate.rules[name] = candidate.score * (share - 1)
        candidate.score *= share


@lru_cache(maxsize=20_000)
def _own_words(stem: str) -> frozenset[str]:
    return frozenset(terms_of(stem))


def _shares(
    candidate: Candidate, question: Question, declared: set[str]
) -> Iterator[tuple[str, float]]:
    """Yield what a candidate's kind leaves of its score."""
    if DECLARATIONS.search(candidate.path):
        yield "declarations", GENERATED_SHARE
    elif SCRIPT.sub("", candidate.path) in declared:
        yield "compiled", GENERATED_SHARE  # a script beside its declarations was not written so
    if candidate.layer in SECONDARY_LAYERS and not question.wants_tests:
        yield candidate.layer, TEST_SHARE
    if candidate.language in PROSE and not question.wants_documents:
        is_log = CHANGE_LOG.search(candidate.path)
        yield ("changes", CHANGES_SHARE) if is_log else ("prose", PROSE_SHARE)


def _symbol_rule(names: set[str], question: Question) -> float:
    # A plain word such as "request" names a symbol only by chance; `send_request` does not.
    written = {w for w in IDENTIFIER.findall(question.text) if w.lower() in names}
    if question.is_identifier or any(LOOKS_LIKE_CODE.search(word) for word in written):
        return SYMBOL_RULE
    return SYMBOL_RULE / 4


def _by_file(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Order by file: a file's best passage, raised a little by its next ones, leads."""
    files: dict[UUID, list[Candidate]] = defaultdict(list)
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.chunk_id)):
        files[candidate.document_id].append(candidate)
    for passages in files.values():
        more = sum(share * c.score for share, c in zip(FILE_SHARES, passages[1:], strict=False))
        # A long page gathers passages on anything; a source file's agree because it is about that.
        if more and passages[0].language not in PROSE:
            passages[0].rules["file"] = more
            passages[0].score += more
    return sorted(candidates, key=lambda c: (-c.score, c.path, c.chunk_id))

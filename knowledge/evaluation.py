"""Measuring retrieval: how well search finds what answers a set of questions."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from knowledge.golden_sets import Golden, Passage
from knowledge.verdicts import Marks

DEPTH_OF_GAIN = 10
FILES_KEPT = 20  # of what was found for a question


@dataclass(frozen=True, slots=True)
class Figures:
    """How one question came out, or the means over several; each is between 0 and 1."""

    questions: int
    hit_at_1: float
    hit_at_5: float
    hit_at_10: float
    hit_at_20: float
    precision_at_3: float
    recall_at_3: float
    recall_at_5: float
    recall_at_10: float
    recall_at_20: float
    mrr: float
    mrr_at_3: float
    ndcg_at_10: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


NAMES = tuple(field.name for field in fields(Figures) if field.name != "questions")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question came out: the files found, best first, and the figures of that order."""

    id: str
    query: str
    found: list[str]
    missed: list[str]  # of the relevant files, those that are not among the first ten
    first: int  # the rank of the first relevant file, 0 when there is none
    first_chunk: int  # the rank of the first passage that answers, 0 when there is none
    by_file: Figures
    by_chunk: Figures

    def as_dict(self) -> dict[str, Any]:
        """Return what is worth keeping of a question for whoever compares runs."""
        return {
            "id": self.id,
            "query": self.query,
            "first": self.first,
            "first_chunk": self.first_chunk,
            "recall_at_10": self.by_file.recall_at_10,
            "mrr": self.by_file.mrr,
            "ndcg_at_10": self.by_file.ndcg_at_10,
            "found": self.found[:DEPTH_OF_GAIN],
            "missed": self.missed,
        }


def evaluate(
    golden: Iterable[Golden], find: Callable[[str], Sequence[Passage]]
) -> tuple[Figures, list[Outcome]]:
    """Ask every question of `find`, which returns passages best first, and weigh the answers.

    The figures are by file; `summarise_chunks` has those by chunk.
    """
    outcomes = [judge(question, find(question.query)) for question in golden]
    return summarise(outcomes), outcomes


def judge(question: Golden, found: Sequence[Passage]) -> Outcome:
    """Weigh what was found for a question, by file and by chunk.

    By file a path counts once, where its best passage stands. By chunk every passage has a rank
    of its own; what is to be found are the lines that are told, else each relevant file, and each
    is found by the first passage that shares a line with it.
    """
    files = [Passage(path) for path in dict.fromkeys(passage.path for passage in found)]
    relevant = [Passage(path) for path in sorted(question.relevant)]
    top = {passage.path for passage in files[:DEPTH_OF_GAIN]}
    return Outcome(
        id=question.id,
        query=question.query,
        found=[passage.path for passage in files[:FILES_KEPT]],
        missed=sorted(question.relevant - top),
        first=_first(relevant, files),
        first_chunk=_first(question.passages, found),
        by_file=_weigh(relevant, files),
        by_chunk=_weigh(question.passages, found),
    )


def _first(wanted: Sequence[Passage], found: Sequence[Passage]) -> int:
    """Return the rank of the first that answers, 0 if none does."""
    answers = (rank for rank, one in enumerate(found, 1) if any(map(one.touches, wanted)))
    return next(answers, 0)


def _weigh(wanted: Sequence[Passage], found: Sequence[Passage]) -> Figures:
    ranks = [rank for passage in wanted if (rank := _first([passage], found))]
    first = min(ranks, default=0)
    three = [any(map(one.touches, wanted)) for one in found[:3]]

    def hit(depth: int) -> float:
        return float(0 < first <= depth)

    def recall(depth: int) -> float:
        return sum(rank <= depth for rank in ranks) / max(1, len(wanted))

    return Figures(
        questions=1,
        hit_at_1=hit(1),
        hit_at_5=hit(5),
        hit_at_10=hit(10),
        hit_at_20=hit(20),
        precision_at_3=sum(three) / max(1, len(three)),
        recall_at_3=recall(3),
        recall_at_5=recall(5),
        recall_at_10=recall(10),
        recall_at_20=recall(20),
        mrr=1 / first if first else 0.0,
        mrr_at_3=1 / first if hit(3) else 0.0,
        ndcg_at_10=_gain(ranks, len(wanted)),
    )


def _gain(ranks: Sequence[int], wanted: int) -> float:
    """Return nDCG@10; where one passage answers for two, the order is perfect, not better."""
    gain = sum(1 / math.log2(rank + 1) for rank in ranks if rank <= DEPTH_OF_GAIN)
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(wanted, DEPTH_OF_GAIN) + 1))
    return min(1.0, gain / ideal) if ideal else 0.0


def summarise(outcomes: Sequence[Outcome]) -> Figures:
    """Return the means by file."""
    return _means([outcome.by_file for outcome in outcomes])


def summarise_chunks(outcomes: Sequence[Outcome]) -> Figures:
    """Return the means by chunk."""
    return _means([outcome.by_chunk for outcome in outcomes])


def _means(rows: Sequence[Figures]) -> Figures:
    count = max(1, len(rows))
    return Figures(len(rows), *(sum(getattr(row, name) for row in rows) / count for name in NAMES))


def marks_of(outcomes: Iterable[Outcome]) -> list[Marks]:
    """Return what verdicts go by, question by question."""
    return [Marks(one.by_file.mrr, one.by_file.ndcg_at_10) for one in outcomes]


def agreement(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> float:
    """Return how much of the first ten, from 0 to 1, two lists of findings share on average."""
    shares = []
    for these, those in zip(first, second, strict=True):
        ours, theirs = set(these[:10]), set(those[:10])
        shares.append(len(ours & theirs) / max(1, len(ours), len(theirs)) if ours | theirs else 1.0)
    return sum(shares) / max(1, len(shares))

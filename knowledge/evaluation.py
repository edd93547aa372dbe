"""Measuring retrieval: how well search finds the files that answer a set of questions."""

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


class SetUnreadable(Exception):
    """A question set is not in the format; the message says where."""


@dataclass(frozen=True, slots=True)
class Golden:
    """A question and the paths that answer it."""

    id: str
    query: str
    relevant: frozenset[str]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question came out: the files found, best first, and the figures of that order."""

    id: str
    query: str
    found: list[str]
    missed: list[str]
    first: int  # the rank of the first relevant file, 0 when there is none
    recall_at_10: float
    ndcg_at_10: float


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the questions of a set, by file; each is between 0 and 1."""

    questions: int
    hit_at_1: float
    hit_at_5: float
    hit_at_10: float
    hit_at_20: float
    recall_at_10: float
    mrr: float
    ndcg_at_10: float

    def as_dict(self) -> dict[str, float]:
        return asdict(self)


def read_set(path: Path) -> list[Golden]:
    """Return the questions of a JSON-lines file of `{"id", "query", "relevant": [paths]}`."""
    golden = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            relevant = frozenset(map(str, row["relevant"]))
            golden.append(Golden(str(row.get("id", number)), str(row["query"]), relevant))
        except (ValueError, KeyError, TypeError) as error:
            raise SetUnreadable(
                f'Line {number} is not {{"id", "query", "relevant": [paths]}}.'
            ) from error
    if not golden:
        raise SetUnreadable("The set holds no question.")
    return golden


def evaluate(
    golden: Iterable[Golden], find: Callable[[str], Sequence[str]]
) -> tuple[Figures, list[Outcome]]:
    """Ask every question of `find`, which returns paths best first, and weigh the answers."""
    outcomes = [judge(question, find(question.query)) for question in golden]
    return summarise(outcomes), outcomes


def judge(question: Golden, paths: Sequence[str]) -> Outcome:
    files = list(dict.fromkeys(paths))
    first = next((rank for rank, path in enumerate(files, 1) if path in question.relevant), 0)
    top = files[:10]
    gain = sum(
        1 / math.log2(rank + 1) for rank, path in enumerate(top, 1) if path in question.relevant
    )
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(len(question.relevant), 10) + 1))
    return Outcome(
        id=question.id,
        query=question.query,
        found=files,
        missed=sorted(question.relevant - set(top)),
        first=first,
        recall_at_10=len(question.relevant & set(top)) / max(1, len(question.relevant)),
        ndcg_at_10=gain / ideal if ideal else 0.0,
    )


def summarise(outcomes: Sequence[Outcome]) -> Figures:
    count = max(1, len(outcomes))

    def hits(depth: int) -> float:
        return sum(0 < outcome.first <= depth for outcome in outcomes) / count

    return Figures(
        questions=len(outcomes),
        hit_at_1=hits(1),
        hit_at_5=hits(5),
        hit_at_10=hits(10),
        hit_at_20=hits(20),
        recall_at_10=sum(outcome.recall_at_10 for outcome in outcomes) / count,
        mrr=sum(1 / outcome.first for outcome in outcomes if outcome.first) / count,
        ndcg_at_10=sum(outcome.ndcg_at_10 for outcome in outcomes) / count,
    )


SAME = 0.01  # a smaller difference of nDCG@10 says nothing


def verdict(this: Figures, other: Figures) -> str:
    """Say in a sentence whether one way of finding is better than another."""
    counted = f"nDCG@10 {this.ndcg_at_10:.3f} against {other.ndcg_at_10:.3f}"
    questions = "1 question" if this.questions == 1 else f"{this.questions} questions"
    difference = this.ndcg_at_10 - other.ndcg_at_10
    if abs(difference) < SAME:
        return f"Finds about as well: {counted} on {questions}."
    word = "better" if difference > 0 else "worse"
    doubt = "; too few to rely on" if this.questions < 20 else ""
    return f"Finds {word}: {counted} on {questions}{doubt}."


def agreement(first: Sequence[Sequence[str]], second: Sequence[Sequence[str]]) -> float:
    """Return how much of the first ten, from 0 to 1, two lists of findings share on average."""
    shares = []
    for these, those in zip(first, second, strict=True):
        ours, theirs = set(these[:10]), set(those[:10])
        shares.append(len(ours & theirs) / max(1, len(ours), len(theirs)) if ours | theirs else 1.0)
    return sum(shares) / max(1, len(shares))

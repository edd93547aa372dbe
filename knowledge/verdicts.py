"""Whether one way of searching is better than another: what chance alone would not have done."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum

import numpy as np

RESAMPLES = 10_000
RESAMPLES_AT_ONCE = 1_000  # bounds memory, however many questions there are
SEED = 20_260
SHARE = 95  # percent of the resamples lie within the interval
FEW = 20  # questions; a verdict on fewer says so


class Word(StrEnum):
    BETTER = "better"
    AS_WELL = "as well"
    WORSE = "worse"


@dataclass(frozen=True, slots=True)
class Interval:
    """The mean of a difference, and within what it would lie on other questions of the kind."""

    mean: float = 0.0
    low: float = 0.0
    high: float = 0.0

    @property
    def word(self) -> Word:
        if self.low > 0:
            return Word.BETTER
        return Word.WORSE if self.high < 0 else Word.AS_WELL

    def as_dict(self) -> dict[str, float]:
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.mean:+.3f} [{self.low:+.3f}, {self.high:+.3f}]"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one run did against another on the questions that both were asked."""

    word: Word
    questions: int
    mrr: Interval
    ndcg_at_10: Interval
    sentence: str


@dataclass(frozen=True, slots=True)
class Marks:
    """What a run got for one question, as far as verdicts go by it."""

    mrr: float
    ndcg_at_10: float


def paired_difference(
    ours: Sequence[float], theirs: Sequence[float], *, resamples: int = RESAMPLES, seed: int = SEED
) -> Interval:
    """Return the mean of ours minus theirs with its 95% interval, by paired bootstrap.

    The questions are drawn again with replacement, both figures of a question together; the
    same figures give the same interval each time.
    """
    difference = np.asarray(ours, dtype=np.float64) - np.asarray(theirs, dtype=np.float64)
    if not difference.size:
        return Interval()
    chance = np.random.default_rng(seed)
    means = []
    for start in range(0, resamples, RESAMPLES_AT_ONCE):
        shape = (min(RESAMPLES_AT_ONCE, resamples - start), difference.size)
        means.append(difference[chance.integers(0, difference.size, shape)].mean(axis=1))
    edge = (100 - SHARE) / 2
    low, high = np.percentile(np.concatenate(means), [edge, 100 - edge])
    return Interval(float(difference.mean()), float(low), float(high))


def judge_runs(these: Sequence[Marks], those: Sequence[Marks]) -> Verdict:
    """Say whether these are better than those, question by question; nDCG@10 decides."""
    gain = paired_difference([m.ndcg_at_10 for m in these], [m.ndcg_at_10 for m in those])
    rank = paired_difference([m.mrr for m in these], [m.mrr for m in those])
    return Verdict(gain.word, len(these), rank, gain, _sentence(these, those, gain))


def _sentence(these: Sequence[Marks], those: Sequence[Marks], gain: Interval) -> str:
    if not these:
        return "There is no question that both were asked."
    this, that = (sum(m.ndcg_at_10 for m in marks) / len(marks) for marks in (these, those))
    asked = "1 question" if len(these) == 1 else f"{len(these)} questions"
    doubt = "; too few to rely on" if len(these) < FEW else ""
    word = "about as well" if gain.word == Word.AS_WELL else gain.word
    return (
        f"Finds {word}: nDCG@10 {this:.3f} against {that:.3f} on {asked}"
        f" (difference {gain.mean:+.3f}, 95% between {gain.low:+.3f} and {gain.high:+.3f}){doubt}."
    )

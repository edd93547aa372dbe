"""Which files and symbols of a project matter most, told from who mentions whom."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

DAMPING = 0.85
ROUNDS = 30
MOST_HOMES = 4  # a name that more files define points to none of them
TRUSTED = 0.75  # from here on a mention is of the symbol itself, not of an everyday word

Numbers = NDArray[np.int64]
Shares = NDArray[np.float64]

_OF_PARTS = re.compile(r"[a-z0-9][A-Z]|[A-Za-z0-9]_+[A-Za-z0-9]|[A-Z]{2,}[a-z]")
_KIND_WEIGHTS = {"class": 1.5, "interface": 1.5, "method": 0.3, "module": 0.6}


@dataclass(frozen=True, slots=True)
class Definition:
    """A name that a file gives to something, and where."""

    name: str
    file: int
    kind: str
    line: int


@dataclass(frozen=True, slots=True)
class Mentions:
    """Which file mentions which term, how often: three columns of one length."""

    files: Numbers
    terms: Numbers
    times: Numbers


@dataclass(frozen=True, slots=True)
class Importance:
    """What the mentions say of each file and of each definition."""

    files: Shares
    definitions: Shares
    mentioned_by: Numbers  # how many other files mention something of this file
    used_by: Numbers  # how many other files mention this definition


def distinctness(name: str) -> float:
    """Return how surely a mention of the name is one of the symbol: 0 for not at all."""
    bare = name.strip("_")
    if len(bare) < 3 or name.startswith("__"):
        return 0.0
    if name.startswith(("_", "#")):
        return 0.1
    if _OF_PARTS.search(bare):
        return 2.0 if len(bare) >= 8 else 1.5
    if bare[0].isupper() and not bare.isupper():
        return 1.0
    return 0.15 if len(bare) > 4 else 0.05


def could_be_a_word(name: str) -> bool:
    """Whether prose may hold the name without meaning the symbol: `File`, `render`."""
    return name.isascii() and name.isalpha() and not _OF_PARTS.search(name)


def weigh(
    definitions: Sequence[Definition],
    terms: Sequence[int],
    mentions: Mentions,
    sureness: Mapping[str, float],
    voices: Sequence[float],
) -> Importance:
    """Weigh files by who mentions what they define, as a page is weighed by its links.

    `terms` has the number of each definition's term, as in the mentions; `sureness` says of
    each name how surely a mention is one of the symbol, `voices` how much each file's count.
    """
    weights = _weights_of(definitions, sureness)
    homes = np.array([definition.file for definition in definitions], dtype=np.int64)
    own_terms = np.array(terms, dtype=np.int64)
    order = np.argsort(own_terms, kind="stable")
    first = np.searchsorted(own_terms[order], mentions.terms, side="left")
    last = np.searchsorted(own_terms[order], mentions.terms, side="right")
    counts = last - first
    # One link for each definition of what a file mentions.
    mention = np.repeat(np.arange(len(counts)), counts)
    within = np.arange(len(mention)) - np.repeat(np.cumsum(counts) - counts, counts)
    target = order[first[mention] + within] if len(mention) else np.zeros(0, dtype=np.int64)
    sources, into = mentions.files[mention], homes[target]
    strengths = weights[target] * np.log1p(mentions.times[mention])
    heard = np.array(voices, dtype=np.float64) > 0
    kept = (sources != into) & (strengths > 0) & heard[sources]
    sources, into, target, strengths = sources[kept], into[kept], target[kept], strengths[kept]
    shares = _shares(sources, strengths, len(voices))
    ranks = _ranks(sources, into, shares, np.array(voices, dtype=np.float64))
    believed = np.sqrt([min(1.0, max(sureness[d.name], 0.0)) for d in definitions])
    surely = np.array([sureness[d.name] >= TRUSTED for d in definitions], dtype=bool)[target]
    return Importance(
        files=ranks,
        definitions=_sums(target, ranks[sources] * shares, len(definitions)),
        mentioned_by=_distinct(into[surely], sources[surely], len(voices)),
        used_by=(_distinct(target, sources, len(definitions)) * believed).round().astype(np.int64),
    )


def _weights_of(definitions: Sequence[Definition], sureness: Mapping[str, float]) -> Shares:
    homes: Mapping[str, int] = Counter(name for name, _ in {(d.name, d.file) for d in definitions})
    return np.array(
        [
            sureness[d.name] * _KIND_WEIGHTS.get(d.kind, 1.0) / homes[d.name]
            if homes[d.name] <= MOST_HOMES
            else 0.0
            for d in definitions
        ],
        dtype=np.float64,
    )


def _shares(sources: Numbers, strengths: Shares, count: int) -> Shares:
    """Return what share of its weight each file gives to each of its links."""
    return strengths / _sums(sources, strengths, count)[sources]


def _ranks(sources: Numbers, into: Numbers, shares: Shares, voices: Shares) -> Shares:
    """Follow the links from everywhere at once until the weights settle."""
    count = len(voices)
    if not count or not voices.sum():
        return np.zeros(count)
    start = voices / voices.sum()
    ranks: Shares = start
    for _ in range(ROUNDS):
        passed = _sums(into, ranks[sources] * shares, count)
        # What the files without links hold goes back to where everybody starts.
        ranks = DAMPING * passed + (1 - DAMPING * passed.sum()) * start
    return ranks


def _sums(places: Numbers, amounts: Shares, count: int) -> Shares:
    """Return how much falls on each place; none makes whole numbers of nothing."""
    return np.bincount(places, amounts, count).astype(np.float64)


def _distinct(targets: Numbers, sources: Numbers, count: int) -> Numbers:
    if not len(targets):
        return np.zeros(count, dtype=np.int64)
    span = int(sources.max()) + 1
    pairs = np.unique(targets * span + sources)
    return np.bincount(pairs // span, minlength=count).astype(np.int64)

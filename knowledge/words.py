"""Words as search sees them: split, stemmed, numbered and weighed.

BM25 in two halves. A chunk keeps, for each of its terms, the frequency saturated and
normalised by length; a question carries each term's rarity (IDF). Their inner product,
which PostgreSQL computes over sparse vectors, is the BM25 score.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

import Stemmer

DIMENSIONS = 999_999_937  # a prime under pgvector's limit of 10^9
SATURATION = 1.2  # k1
LENGTH_SHARE = 0.6  # b: chunks are of similar length, so length says less than in whole files
USUAL_LENGTH = 120.0  # terms of a usual chunk, fixed, so that a weight never has to be revised
LONGEST_WORD = 64
MOST_PARTS = 40
EVERY_CHUNK = 0  # the term under which a project's chunks themselves are counted

WORD = re.compile(r"[^\W_]+(?:_+[^\W_]+)*")
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
PART_BEYOND_ASCII = re.compile(r"[^\W\d_]+|\d+")
IDEOGRAPHS = re.compile(r"[぀-ヿ㐀-䶿一-鿿가-힯]")

_STOP_WORDS = """
a about all also an and any are as at be been but by can could did do does done each for from get
gets had has have how i if in into is it its itself just like made make makes many may me more most
much my no not of on one only or other our out over own s same she should so some such t than that
the their them then there these they this those through to too under up use used uses using very via
was we were what when where whether which while who whose why will with within without would you
your
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())

_stemmer = Stemmer.Stemmer("english", 0)


def terms_of(text: str) -> list[str]:
    """Return a text's terms in order: words whole and in parts, lower-case, stemmed.

    `getUserById` gives `getuserbyid`, `user`, `id`; stop words give nothing.
    """
    return [term for word in WORD.findall(text) for term in _terms_of_word(word)]


@lru_cache(maxsize=50_000)
def _terms_of_word(word: str) -> tuple[str, ...]:
    if len(word) > LONGEST_WORD:
        return ()
    if IDEOGRAPHS.search(word):
        # Without spaces between words, neighbouring pairs serve as words.
        return tuple(word[i : i + 2] for i in range(max(1, len(word) - 1)))
    whole = word.lower()
    pattern = PART if word.isascii() else PART_BEYOND_ASCII
    parts = [part.lower() for part in pattern.findall(word)]
    if parts == [whole]:
        return () if whole in STOP_WORDS else (_stem(whole),)
    kept = [_stem(part) for part in parts if len(part) > 1 and part not in STOP_WORDS]
    return (whole, *kept)


def parts_of(text: str) -> list[str]:
    """Return the terms that any text must have in which this one stands, whatever is around it.

    `_get_user(` may stand in `my_get_user(x)`: both have `get` and `user`.
    """
    found: list[str] = []
    for word in WORD.findall(text)[:MOST_PARTS]:
        terms = _terms_of_word(word)
        is_whole = len(terms) < 2 or IDEOGRAPHS.search(word)
        found += terms if is_whole else terms[1:]
    return found


def _stem(word: str) -> str:
    stem: str = _stemmer.stemWord(word)
    return stem


@lru_cache(maxsize=100_000)
def number_of(term: str) -> int:
    """Return a term's number, the same on every machine: 63 bits, never 0."""
    digest = blake2b(term.encode("utf-8", "replace"), digest_size=8).digest()
    return (int.from_bytes(digest) >> 1) or 1


def mark_of(project_id: UUID) -> int:
    """Return the number by which a project's terms are told from another's."""
    return number_of(f"project {project_id}")


def numbers_in(project_id: UUID, numbers: Iterable[int]) -> list[int]:
    """Return terms' numbers within a project.

    An index over these finds one project's chunks without reading the others'.
    """
    mark = mark_of(project_id)
    return [number ^ mark for number in numbers]


def count_terms(*texts: str) -> dict[int, int]:
    """Return how often each term occurs in all the texts together, by number."""
    counts: dict[int, int] = {}
    for text in texts:
        for word, times in Counter(WORD.findall(text)).items():
            for number in _numbers_of_word(word):
                counts[number] = counts.get(number, 0) + times
    return counts


@lru_cache(maxsize=200_000)
def _numbers_of_word(word: str) -> tuple[int, ...]:
    return tuple(map(number_of, _terms_of_word(word)))


def weigh(counts: Mapping[int, float]) -> dict[int, float]:
    """Return each term's weight in a chunk: its frequency, saturated and normalised."""
    length = sum(counts.values())
    norm = SATURATION * (1 - LENGTH_SHARE + LENGTH_SHARE * length / USUAL_LENGTH)
    return {number: count * (SATURATION + 1) / (count + norm) for number, count in counts.items()}


def rarity(chunks: int, chunks_with_term: int) -> float:
    """Return BM25's IDF, which never falls below 0."""
    found = min(chunks_with_term, chunks)
    return math.log1p((chunks - found + 0.5) / (found + 0.5))


def places_of(weights: Mapping[int, float]) -> dict[int, float]:
    """Return weights by the place of each term in a sparse vector, in order of the place."""
    folded = {number % DIMENSIONS: weight for number, weight in weights.items()}
    if len(folded) < len(weights):  # two terms share a place: once in millions of passages
        folded.clear()
        for number, weight in weights.items():
            folded[number % DIMENSIONS] = folded.get(number % DIMENSIONS, 0.0) + weight
    return dict(sorted(folded.items()))


def sparse_text(weights: Mapping[int, float]) -> str:
    """Return weights by term number as PostgreSQL reads a `sparsevec`, whose places begin at 1."""
    inside = ",".join(f"{place + 1}:{weight:.4g}" for place, weight in places_of(weights).items())
    return f"{{{inside}}}/{DIMENSIONS}"

"""Telling a finding again when its lines have moved: by its rule, file and quoted words."""

from collections import Counter
from collections.abc import Iterable
from hashlib import blake2b

from reviews.observations import Observation
from reviews.outlines import Outline


def fingerprints(observations: Iterable[tuple[Observation, str]]) -> list[str]:
    """Return a fingerprint for each observation and the symbol that its lines are in.

    Equal ones of a commit are told apart by their order, so that none hides another.
    """
    seen: Counter[tuple[str, ...]] = Counter()
    found = []
    for observation, symbol in observations:
        words = " ".join((observation.quote or observation.claim).split())
        key = (observation.rule, observation.path, symbol, words)
        seen[key] += 1
        text = "\0".join((*key, str(seen[key])))
        found.append(blake2b(text.encode("utf-8", "replace"), digest_size=16).hexdigest())
    return found


def symbol_at(outlines: Iterable[Outline], line: int) -> str:
    """Return the innermost definition that a line is in; nothing outside of all."""
    around = [one for one in outlines if one.start_line <= line <= one.end_line]
    return min(around, key=lambda one: one.end_line - one.start_line).name if around else ""

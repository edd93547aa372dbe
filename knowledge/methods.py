"""Ways of searching that have a name, so that they can be chosen, measured and compared."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

Fusion = Literal["scores", "ranks"]


class Mode(StrEnum):
    """How a person wants to search; `auto` is right for nearly everything."""

    AUTO = "auto"
    WORDS = "words"
    MEANING = "meaning"
    SYMBOL = "symbol"
    REGEX = "regex"


@dataclass(frozen=True, slots=True)
class Method:
    """Which legs are asked, how they are joined, and whether rules order what they found."""

    name: str
    label: str
    uses_words: bool = True
    uses_meaning: bool = True
    fusion: Fusion = "scores"
    uses_rules: bool = True
    only_postgresql: bool = False  # where another store of vectors is asked usually


USUAL = Method("usual", "As Nightowl searches")
METHODS = {
    method.name: method
    for method in (
        USUAL,
        Method("words", "Words alone, by BM25", uses_meaning=False, uses_rules=False),
        Method("vectors", "Vectors alone", uses_words=False, uses_rules=False),
        Method("rrf", "Words and vectors by rank (RRF)", fusion="ranks", uses_rules=False),
        Method("postgresql", "As Nightowl searches, in PostgreSQL alone", only_postgresql=True),
    )
}


def method_for(mode: Mode, method: Method) -> Method:
    """Return a method with only the legs that a mode asks for."""
    if mode == Mode.WORDS:
        return replace(method, uses_meaning=False)
    if mode == Mode.MEANING:
        return replace(method, uses_words=False)
    return method

"""Numbered marks in an answer: only those that stand for a passage that was found remain."""

import re
from collections.abc import Collection

MARK = re.compile(r"[ \t]?\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")


def cited_numbers(text: str) -> list[int]:
    """Return the numbers of a text's marks, each once, in order of appearance."""
    found = (int(number) for mark in MARK.findall(text) for number in mark.split(","))
    return list(dict.fromkeys(found))


def keep_known(text: str, known: Collection[int]) -> tuple[str, int]:
    """Return the text without marks that stand for nothing, and how many were dropped."""
    dropped = 0

    def mend(match: re.Match[str]) -> str:
        nonlocal dropped
        numbers = [int(number) for number in match[1].split(",")]
        kept = [number for number in numbers if number in known]
        dropped += len(numbers) - len(kept)
        lead = match[0][: len(match[0]) - len(match[0].lstrip())]
        return lead + "".join(f"[{number}]" for number in kept) if kept else ""

    return MARK.sub(mend, text), dropped

"""Holding a claim against the change: without evidence that is there, it is a remark at most.

Checks, tools and models are all held to the same: the lines exist, the change added one of them,
the quoted words stand there, and a rule or document says that they should not.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from reviews.observations import Observation

LONGEST_QUOTE = 6  # lines
LONGEST_TEXT = 2_000


@dataclass(frozen=True, slots=True)
class Verified:
    """An observation as it may be shown, and why it is not more than a remark, if it is not."""

    observation: Observation
    is_verified: bool
    doubt: str = ""


def verify(observation: Observation, lines: Sequence[str], added: Collection[int]) -> Verified:
    """Return an observation as what it claims holds; `lines` are the file's, secrets masked."""
    doubt = _doubt(observation, lines, added)
    if doubt:
        return Verified(replace(observation, severity="info"), False, doubt)
    if observation.is_suppressed:
        # Who brings in the code has written the comment too: it settles matters of taste alone.
        said = f"{observation.evidence} A comment in the code tells tools to be quiet.".strip()
        severity = observation.severity if observation.category == "security" else "info"
        return Verified(replace(observation, severity=severity, evidence=said), True)
    return Verified(observation, True)


def _doubt(observation: Observation, lines: Sequence[str], added: Collection[int]) -> str:
    start, end = observation.start_line, observation.end_line
    if not (1 <= start <= end <= len(lines)):
        return "The lines are not there."
    if not any(start <= line <= end for line in added):
        return "The change did not add these lines."
    if not stands_there(observation.quote, lines[start - 1 : end]):
        return "The quoted words do not stand there."
    if not observation.reference.strip():
        return "No rule or document says that this should not be."
    return ""


def stands_there(quote: str, lines: Sequence[str]) -> bool:
    """Whether the quoted lines follow each other among these; space around them does not count."""
    wanted = [line.strip() for line in quote.strip().split("\n") if line.strip()]
    there = [line.strip() for line in lines if line.strip()]
    if not wanted:
        return False
    return any(
        there[position : position + len(wanted)] == wanted
        for position in range(len(there) - len(wanted) + 1)
    )


def quoted_from(lines: Sequence[str], start: int, end: int) -> str:
    """Return lines as they are quoted: the first few."""
    return "\n".join(lines[start - 1 : min(end, start + LONGEST_QUOTE - 1)])[:LONGEST_TEXT]

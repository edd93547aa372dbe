"""Choosing which lines of files an answer stands on, within a budget of tokens.

What was found comes first, best first; then what stands right before and after it, while there is
room. Lines that touch become one passage; no line is ever split.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from knowledge.pieces import tokens_of

HEADER_TOKENS = 24  # of the line that says where a passage is from
WITH_NEIGHBOURS = 3  # how many of the best hits get what stands beside them
LONGEST_RUN = 140  # lines of a passage that grew by its neighbours

Rows = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Extent:
    """Lines of a document, counted from 1, both ends included."""

    document: str
    first: int
    last: int
    symbol: str = ""
    # Where a line is too long to be quoted whole: the part of it.
    part: str = ""


# An extent with the place of the hit that it belongs to.
Led = tuple[int, Extent]


@dataclass(frozen=True, slots=True)
class Run:
    """Lines that become one passage; `lead` is the place of the best hit in it."""

    lead: int
    extent: Extent
    text: str

    @property
    def tokens(self) -> int:
        return cost_of(self.text)


def cost_of(text: str) -> int:
    return tokens_of(text.encode("utf-8", "replace")) + HEADER_TOKENS


def pack(
    hits: Sequence[Extent], beside: Mapping[int, Sequence[Extent]], rows: Rows, *, budget: int
) -> list[Run]:
    """Return the passages that fit, grouped by file, the file of the best hit first.

    `beside` has, by the place of a hit, the extents that stand next to it, the nearest first.
    """
    chosen: list[Led] = []
    for lead, hit in enumerate(hits):
        fits = hit if chosen else _cut_to(hit, rows, budget)
        if not chosen or _weight([*chosen, (lead, fits)], rows) <= budget:
            chosen.append((lead, fits))
    extents = list(chosen)
    for lead, near in _neighbours([lead for lead, _ in chosen], hits, beside):
        grown = [*extents, (lead, near)]
        if _is_worth_it(near, hits[lead], extents, rows) and _weight(grown, rows) <= budget:
            extents = grown
    return _grouped(extents, rows)


def _neighbours(
    leads: Sequence[int], hits: Sequence[Extent], beside: Mapping[int, Sequence[Extent]]
) -> Iterator[Led]:
    """Yield what stands beside the best hits: first the rest of the same thing."""
    wanted = [(lead, near) for lead in leads[:WITH_NEIGHBOURS] for near in beside.get(lead, ())]
    for is_same in (True, False):
        for lead, near in wanted:
            if _is_one_thing(hits[lead].symbol, near.symbol) is is_same and not near.part:
                yield lead, near


def _is_one_thing(one: str, other: str) -> bool:
    return bool(one) and one == other


def _is_worth_it(near: Extent, hit: Extent, extents: Sequence[Led], rows: Rows) -> bool:
    """Whether lines join what was found, say something new, and leave it readable at a glance."""
    first, last = sorted((near, hit), key=lambda extent: extent.first)
    same = [extent for _, extent in extents if extent.document == near.document]
    is_new = not any(e.first <= near.last and near.first <= e.last for e in same)
    lines = sum(extent.last - extent.first + 1 for extent in (*same, near))
    return is_new and lines <= LONGEST_RUN and _touch(first, last, rows)


def _weight(extents: Sequence[Led], rows: Rows) -> int:
    return sum(run.tokens for run in _grouped(extents, rows))


def _merged(extents: Iterable[Led], rows: Rows) -> Iterator[Led]:
    """Yield extents, those that touch or overlap as one."""
    current: Led | None = None
    for lead, extent in sorted(extents, key=lambda pair: (pair[1].document, pair[1].first)):
        if current is not None and _touch(current[1], extent, rows):
            before = current[1]
            best, led = min((current, (lead, extent)), key=lambda pair: pair[0])
            joined = replace(before, last=max(before.last, extent.last), symbol=led.symbol)
            current = (best, joined)
            continue
        if current is not None:
            yield current
        current = (lead, extent)
    if current is not None:
        yield current


def _touch(before: Extent, after: Extent, rows: Rows) -> bool:
    if before.document != after.document or before.part or after.part:
        return False
    between = rows[before.document][before.last : after.first - 1]
    return not any(row.strip() for row in between)


def _grouped(extents: Iterable[Led], rows: Rows) -> list[Run]:
    merged = list(_merged(extents, rows))
    best: dict[str, int] = {}
    for lead, extent in merged:
        best[extent.document] = min(lead, best.get(extent.document, lead))
    in_order = sorted(merged, key=lambda pair: (best[pair[1].document], pair[0]))
    return [Run(lead, extent, _text(extent, rows)) for lead, extent in in_order]


def _cut_to(extent: Extent, rows: Rows, budget: int) -> Extent:
    """Return as many of the first lines as the budget has room for, at least one."""
    while extent.last > extent.first and cost_of(_text(extent, rows)) > budget:
        extent = replace(extent, last=extent.last - 1)
    return extent


def _text(extent: Extent, rows: Rows) -> str:
    return extent.part or "\n".join(rows[extent.document][extent.first - 1 : extent.last])

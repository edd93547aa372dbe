"""Passages as PostgreSQL's binary COPY takes them: a fifth of the work of writing them as text."""

import json
import struct
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, repeat
from typing import Any
from uuid import UUID

from knowledge.words import DIMENSIONS, places_of

BEGINNING = b"PGCOPY\n\xff\r\n\0" + bytes(8)
END = b"\xff\xff"

_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_BIGINT, _VARCHAR = 20, 1043  # PostgreSQL's numbers of the types of elements

_int = struct.Struct(">i").pack
_long = struct.Struct(">q").pack


def row(*fields: bytes) -> bytes:
    """Return one row, its fields each packed by one of the functions below."""
    parts = [struct.pack(">h", len(fields))]
    for field in fields:
        parts += (_int(len(field)), field)
    return b"".join(parts)


def text(value: str) -> bytes:
    return value.encode("utf-8", "replace")


def integer(value: int) -> bytes:
    return _int(value)


def bigint(value: int) -> bytes:
    return _long(value)


def identity(value: UUID) -> bytes:
    return value.bytes


def moment(value: datetime) -> bytes:
    return _long(int((value - _EPOCH).total_seconds() * 1_000_000))


def document(value: Mapping[str, Any]) -> bytes:
    """Return a `jsonb`."""
    return b"\x01" + json.dumps(value).encode()


def texts(values: Sequence[str]) -> bytes:
    """Return an array of `varchar`."""
    return _array(_VARCHAR, [text(value) for value in values])


def bigints(values: Iterable[int]) -> bytes:
    numbers = list(values)
    if not numbers:
        return _array(_BIGINT, [])
    # In one go: thousands of arrays of a hundred numbers are most of what is copied.
    body = struct.pack(">" + "iq" * len(numbers), *chain.from_iterable(zip(repeat(8), numbers)))
    return struct.pack(">iiIii", 1, 0, _BIGINT, len(numbers), 1) + body


def sparse(weights: Mapping[int, float]) -> bytes:
    """Return weights by term number as a `sparsevec`, whose places begin at 0 here."""
    places = places_of(weights)
    count = len(places)
    form = f">iii{count}i{count}f"
    return struct.pack(form, DIMENSIONS, count, 0, *places, *places.values())


def _array(kind: int, elements: Sequence[bytes]) -> bytes:
    if not elements:
        return struct.pack(">iiI", 0, 0, kind)
    parts = [struct.pack(">iiIii", 1, 0, kind, len(elements), 1)]
    for element in elements:
        parts += (_int(len(element)), element)
    return b"".join(parts)

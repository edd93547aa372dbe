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

_length = struct.Struct(">i").pack
_int = struct.Struct(">ii").pack
_long = struct.Struct(">iq").pack
_columns = struct.Struct(">h").pack


def row(*fields: bytes, columns: int = 0) -> bytes:
    """Return one row, its fields each packed by one of the functions below.

    `columns` says how many there are when some were packed together before.
    """
    return _columns(columns or len(fields)) + b"".join(fields)


def raw(value: bytes) -> bytes:
    return _length(len(value)) + value


def text(value: str) -> bytes:
    return raw(value.encode("utf-8", "replace"))


def integer(value: int) -> bytes:
    return _int(4, value)


def bigint(value: int) -> bytes:
    return _long(8, value)


def identity(value: UUID) -> bytes:
    return raw(value.bytes)


def moment(value: datetime) -> bytes:
    return _long(8, int((value - _EPOCH).total_seconds() * 1_000_000))


def document(value: Mapping[str, Any]) -> bytes:
    """Return a `jsonb`."""
    return raw(b"\x01" + json.dumps(value).encode())


def texts(values: Sequence[str]) -> bytes:
    """Return an array of `varchar`."""
    if not values:
        return raw(struct.pack(">iiI", 0, 0, _VARCHAR))
    head = struct.pack(">iiIii", 1, 0, _VARCHAR, len(values), 1)
    return raw(head + b"".join(map(text, values)))


def bigints(values: Iterable[int]) -> bytes:
    numbers = list(values)
    if not numbers:
        return raw(struct.pack(">iiI", 0, 0, _BIGINT))
    # In one go: thousands of arrays of a hundred numbers are most of what is copied.
    body = struct.pack(">" + "iq" * len(numbers), *chain.from_iterable(zip(repeat(8), numbers)))
    return raw(struct.pack(">iiIii", 1, 0, _BIGINT, len(numbers), 1) + body)


def sparse(weights: Mapping[int, float]) -> bytes:
    """Return weights by term number as a `sparsevec`, whose places begin at 0 here."""
    places = places_of(weights)
    count = len(places)
    form = f">iii{count}i{count}f"
    return raw(struct.pack(form, DIMENSIONS, count, 0, *places, *places.values()))

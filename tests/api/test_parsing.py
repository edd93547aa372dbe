"""The one reader of bodies."""

import io
from typing import Any

import pytest
from rest_framework.exceptions import ParseError

from config.parsing import DEEPEST, LONGEST_BODY, BodyTooLarge, GuardedJSON


def parse(body: bytes) -> Any:
    return GuardedJSON().parse(io.BytesIO(body))


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"{}", {}),
        (b'{"a": [1, 2.5, null, true, "x"]}', {"a": [1, 2.5, None, True, "x"]}),
        (b'\xef\xbb\xbf"bom"', "bom"),
        ('"🦉 ä"'.encode(), "🦉 ä"),
        (b'"\\ud83e\\udd89"', "🦉"),
        (b"[" * DEEPEST + b"]" * DEEPEST, None),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_is_read(body: bytes, value: Any) -> None:
    read = parse(body)
    if value is not None:
        assert read == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Expecting value at line 1, column 1"),
        (b"\xff", "not UTF-8"),
        (b"NaN", "NaN is not a number"),
        (b"[1e999]", "too large"),
        (b'["\\u0000"]', "NUL"),
        (b'{"\\u0000": 1}', "NUL"),
        (b'["\\udc00"]', "surrogate"),
        (b"[" * (DEEPEST + 1) + b"]" * (DEEPEST + 1), "levels deep"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5_000, "not JSON"),
    ],
)
def test_what_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason):
        parse(body)


def test_no_more_is_read_than_is_taken() -> None:
    stream = io.BytesIO(b" " * (LONGEST_BODY * 3))
    with pytest.raises(BodyTooLarge):
        GuardedJSON().parse(stream)
    assert stream.tell() == LONGEST_BODY + 1

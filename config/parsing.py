"""Reading bodies of requests, so that no view meets a value that can't be kept or shown."""

import json
import math
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

LONGEST_BODY = 1_000_000  # bytes; files have a door of their own
DEEPEST = 64


class BodyTooLarge(APIException):
    status_code = 413
    default_code = "too_large"
    default_detail = f"A body of JSON may have {LONGEST_BODY:,} bytes at most."


class GuardedJSON(BaseParser):
    """JSON in UTF-8, without what PostgreSQL or JSON itself can't hold."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        data = stream.read(LONGEST_BODY + 1)
        if len(data) > LONGEST_BODY:
            raise BodyTooLarge
        try:
            value = json.loads(data.decode("utf-8-sig"), parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise ParseError(f"The body is not JSON: {_reason(error)}") from error
        _check(value)
        return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number of JSON.")


def _reason(error: ValueError | RecursionError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}."
    if isinstance(error, UnicodeDecodeError):
        return "it is not UTF-8."
    if isinstance(error, RecursionError):
        return "it is nested too deeply."
    return str(error)[:200]


def _check(value: object) -> None:
    """Look at every key and value, level by level rather than by recursion."""
    level = [value]
    for _ in range(DEEPEST):
        for one in level:
            _check_one(one)
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return
    raise ParseError(f"The body is nested more than {DEEPEST} levels deep.")


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return [*value.keys(), *value.values()]
    return value if isinstance(value, list) else []


def _check_one(value: object) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise ParseError("The body holds a number that is too large.")
    if not isinstance(value, str):
        return
    if "\0" in value:
        raise ParseError("The body holds a NUL character, which can't be kept.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ParseError("The body holds half of a surrogate pair.") from error

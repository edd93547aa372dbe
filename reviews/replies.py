"""Reading what a model replied: what can't be read is told, and never taken for “none”."""

import json
import re
from collections.abc import Mapping
from typing import Any, get_args

from knowledge.redaction import redact
from reviews.observations import Category, Observation, Severity
from reviews.prompts import PROMPT_VERSION

MOST = 20  # findings of one reply
LONGEST_CLAIM = 400
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL)
_TRAILING = re.compile(r",\s*([\]}])")


class Unreadable(Exception):
    """A reply is not in the form that was asked for."""


def items_of(reply: str, name: str) -> list[Mapping[str, Any]]:
    """Return the objects of the list called so, in whatever a model wrapped it."""
    for text in (*_FENCED.findall(reply), *_outermost(reply)):
        for candidate in (text, _TRAILING.sub(r"\1", text)):
            try:
                said = json.loads(candidate)
            except (ValueError, RecursionError):
                continue
            found = said.get(name) if isinstance(said, dict) else said
            if isinstance(found, list):
                items: list[Mapping[str, Any]] = [one for one in found if isinstance(one, dict)]
                return items[:MOST]
    raise Unreadable


def _outermost(reply: str) -> list[str]:
    """Return what stands between the first and the last bracket of each kind."""
    found = []
    for opening, closing in ("{}", "[]"):
        start, end = reply.find(opening), reply.rfind(closing)
        if 0 <= start < end:
            found.append(reply[start : end + 1])
    return found


def observation_of(item: Mapping[str, Any], model_name: str) -> Observation | None:
    """Return a finding as a model gave it; nothing where it lacks what it has to say."""
    path, claim = _text(item, "file"), _text(item, "claim")
    start, end = _line(item.get("start_line")), _line(item.get("end_line"))
    if not path or not claim or start is None:
        return None
    severity, category = _text(item, "severity").lower(), _text(item, "category").lower()
    return Observation(
        rule="model",
        severity=severity if severity in get_args(Severity) else "info",  # type: ignore[arg-type]
        category=category if category in get_args(Category) else "bug",  # type: ignore[arg-type]
        path=path,
        start_line=start,
        end_line=end if end is not None and start <= end <= start + 40 else start,
        claim=claim[:LONGEST_CLAIM],
        quote=_text(item, "quote"),
        evidence=_text(item, "evidence")[:1_000],
        reference=_text(item, "reference")[:300],
        confidence=0.5,
        patch=_text(item, "suggestion")[:1_500],
        model_name=model_name,
        prompt_version=PROMPT_VERSION,
    )


def _text(item: Mapping[str, Any], name: str) -> str:
    value = item.get(name)
    if not isinstance(value, str):
        return ""
    shown, _ = redact(value.replace("\0", " ")[:4_000])
    return shown.strip("\n")


def _line(value: object) -> int | None:
    if isinstance(value, str) and value.isdigit():
        value = int(value)
    return value if isinstance(value, int) and 0 < value < 10**7 else None

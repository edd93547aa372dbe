"""Reading what a model replied: what can't be read is told, and never taken for “none”."""

import json
import re
from collections.abc import Mapping
from typing import Any, get_args

from knowledge.redaction import redact
from providers.completions import storable
from reviews.observations import Category, Observation, Severity
from reviews.prompts import PROMPT_VERSION

MOST = 20  # findings of one reply
LONGEST_CLAIM = 400
LARGEST = 10**7  # number that means anything
# What a model thinks aloud before it replies is no reply, even where it breaks off.
_THOUGHT = re.compile(r"\A\s*<think(ing)?>.*?(?:</think(?(1)ing)>|\Z)", re.DOTALL)
_FENCED = re.compile(r"```(?:json)?[^\S\n]*\n(.*?)```", re.DOTALL)
_TRAILING = re.compile(r",\s*([\]}])")


class Unreadable(Exception):
    """A reply is not in the form that was asked for."""


def items_of(reply: str, name: str) -> list[Mapping[str, Any]]:
    """Return the objects of the list called so, in whatever a model wrapped it."""
    reply = _THOUGHT.sub("", reply)
    for text in (*_FENCED.findall(reply), *_outermost(reply)):
        for candidate in (text, _TRAILING.sub(r"\1", text)):
            try:
                said = json.loads(candidate)
            except (ValueError, RecursionError):
                continue
            found = said.get(name) if isinstance(said, dict) else said
            if isinstance(found, list):
                items = [_plain(one) for one in found if isinstance(one, dict)]
                if items or not found:
                    return items[:MOST]
    raise Unreadable


def _outermost(reply: str) -> list[str]:
    """Return what stands between the first and the last bracket of each kind."""
    found = []
    for opening, closing in ("{}", "[]"):
        text = reply[max(0, reply.find(opening)) : reply.rfind(closing) + 1]
        # `int[]` in a sentence does not say that nothing was found.
        if text.startswith(opening) and ("{" in text or text == reply.strip()):
            found.append(text)
    return found


def _plain(item: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an object with what can be stored of it: texts, whole numbers, yes and no."""
    return {storable(name): _plain_value(value) for name, value in item.items()}


def _plain_value(value: object) -> str | int | None:
    if isinstance(value, str):
        return storable(value)
    return value if isinstance(value, int) and abs(value) < LARGEST else None


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
    if isinstance(value, str) and value.isdecimal() and len(value) < 8:
        value = int(value)
    # To Python, true is the number 1.
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    return value if 0 < value < LARGEST else None

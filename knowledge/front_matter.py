"""What a document says of itself between `---` at its top, as plain values under known names."""

import re
from collections.abc import Mapping
from typing import Any

import yaml

LARGEST = 8_192
MOST_BRACKETS = 100
MOST_ITEMS = 100
LARGEST_NUMBER = 63  # bits

# The keys that decide a document's collection.
TEXTS = ("title", "category", "area", "table")
LISTS = ("tags", "keyFiles", "columns")

_ALIAS = re.compile(r"(?:^|[\s\[,:])[&*]\w")
_NESTED = re.compile(r"^ {24}|(?:[-?:]\s+){6}", re.MULTILINE)
# JSON and UTF-8 can hold neither.
_UNKEPT = re.compile("[\x00\ud800-\udfff]")
_KNOWN = {name.lower(): name for name in (*TEXTS, *LISTS)}


def front_matter_rows(rows: list[str]) -> int:
    """How many rows the front matter takes, its fences included; 0 when there is none."""
    if not rows or rows[0].rstrip() != "---":
        return 0
    size = 0
    for row in range(1, len(rows)):
        size += len(rows[row]) + 1
        if size > LARGEST:
            return 0
        if rows[row].rstrip() in {"---", "..."}:
            return row + 1
    return 0


def front_matter(text: str) -> tuple[dict[str, Any], str]:
    """The front matter as plain values, and a note when it was there but could not be read."""
    rows = text[: LARGEST + 16].split("\n")
    size = front_matter_rows(rows)
    if not size:
        return {}, ""
    source = "\n".join(rows[1 : size - 1])
    if _ALIAS.search(source):
        return {}, "front matter ignored: anchors and aliases are not read"
    if _NESTED.search(source) or source.count("[") + source.count("{") > MOST_BRACKETS:
        return {}, "front matter ignored: nested too deeply"
    try:
        loaded = yaml.safe_load(source)
    except (yaml.YAMLError, ValueError, RecursionError, OverflowError):
        return {}, "front matter ignored: not valid YAML"
    if not isinstance(loaded, dict):
        return {}, "front matter ignored: not a list of keys" if loaded else ""
    return known_names(loaded), ""


def body_of(text: str) -> str:
    """The text without its front matter."""
    rows = text.split("\n")
    return "\n".join(rows[front_matter_rows(rows) :])


def known_names(metadata: Mapping[Any, Any]) -> dict[str, Any]:
    """The values that can be kept; `key_files` and `Key-Files` are `keyFiles`, lists are lists."""
    found: dict[str, Any] = {}
    for key, value in metadata.items():
        name = _name_of_key(str(key))
        plain = _plain(name, value)
        if plain is not None:
            found.setdefault(name, plain)
    return found


def with_known_names(given: Mapping[str, Any]) -> dict[str, Any]:
    """What a program gave: the known keys as front matter has them, the others as they came."""
    known = {key: value for key, value in given.items() if _name_of_key(key) in _KNOWN.values()}
    return {**{key: given[key] for key in given if key not in known}, **known_names(known)}


def _name_of_key(key: str) -> str:
    name = _clean(key)
    return _KNOWN.get(re.sub("[-_ ]", "", name.lower()), name)


def _plain(name: str, value: object) -> object:
    """A scalar, or a list of scalars, that can be stored as JSON; None for anything else."""
    if name in LISTS:
        return _items(value)
    if isinstance(value, list):
        plain = [_scalar(item) for item in value[:MOST_ITEMS] if _is_scalar(item)]
        return ", ".join(plain) if name in TEXTS else plain
    if not _is_scalar(value):
        return None
    if isinstance(value, bool | int) and name not in TEXTS:
        return value
    return _scalar(value)


def _items(value: object) -> list[str]:
    """A list as YAML has it, or as people write one: `a, b`; of mappings, their names."""
    if isinstance(value, str):
        value = value.strip().removeprefix("[").removesuffix("]").split(",")
    elif isinstance(value, dict):
        value = list(value)
    elif not isinstance(value, list):
        value = [] if value is None else [value]
    items = [_name_of(item) for item in value[:MOST_ITEMS]]
    return [item for item in items if item]


def _name_of(item: object) -> str:
    if isinstance(item, dict):
        item = item.get("name", next(iter(item), ""))
    return _scalar(item).strip().strip("\"'") if _is_scalar(item) else ""


def _is_scalar(value: object) -> bool:
    is_too_large = isinstance(value, int) and value.bit_length() > LARGEST_NUMBER
    return value is not None and not is_too_large and not isinstance(value, list | dict)


def _scalar(value: object) -> str:
    return _clean(str(value))


def _clean(text: str) -> str:
    return _UNKEPT.sub("\ufffd", text)

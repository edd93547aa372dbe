"""What people type into the search field: words, "phrases", filters such as `lang:python`, -not."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from knowledge.file_names import LANGUAGE_OF_EXTENSION
from knowledge.methods import Mode
from knowledge.scopes import Filters, Without

FIELDS = {
    "lang": "language",
    "language": "language",
    "path": "path",
    "file": "path",
    "in": "collection",
    "collection": "collection",
    "symbol": "symbol",
    "author": "author",
    "branch": "branch",
    "since": "since",
    "mode": "mode",
}
PARAMETERS = {"language": "lang"}  # where a field's name in an address is not its own
TOKEN = re.compile(r'(?P<not>-?)(?:(?P<field>\w+):)?(?:"(?P<quoted>[^"]*)"|(?P<bare>\S+))')
PATTERN = re.compile(r"/(?P<pattern>.+)/(?P<flags>i?)", re.DOTALL)
AGO = re.compile(r"(\d{1,4})([hdwmy])")
DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0, "m": 30.44, "y": 365.25}
LONGEST_VALUE = 300
MOST_PARTS = 24
SINCE_TAKES = "since: takes a date such as 2026-03-01, or a time ago such as 3d, 2w, 6m or 1y."


@dataclass(frozen=True, slots=True)
class Part:
    """A filter as it was typed, to show it and to take it away again."""

    field: str
    value: str
    is_without: bool = False

    @property
    def parameter(self) -> str:
        return PARAMETERS.get(self.field, self.field)

    @property
    def stands_beside(self) -> bool:
        """Whether it is said once, as a field of its own, and not within the text."""
        return not self.is_without and self.field != "phrase"

    def __str__(self) -> str:
        value = f'"{self.value}"' if " " in self.value or self.field == "phrase" else self.value
        name = "" if self.field in {"phrase", "word"} else f"{self.parameter}:"
        return f"{'-' if self.is_without else ''}{name}{value}"


@dataclass(frozen=True, slots=True)
class Query:
    """What was typed, read: the words to rank by, the filters, and how to search."""

    words: str
    # The words outside of phrases: with the parts they make up what was typed.
    bare: str = ""
    parts: tuple[Part, ...] = ()
    mode: Mode = Mode.AUTO
    filters: Filters = field(default_factory=Filters)
    notes: tuple[str, ...] = ()

    @property
    def typed(self) -> str:
        """Return what belongs into the search field: all but the filters that stand beside it."""
        beside = (str(part) for part in self.parts if not part.stands_beside)
        return " ".join(filter(None, [self.bare, *beside]))

    @property
    def fields(self) -> dict[str, str]:
        """Return the filters that stand beside the field, and the mode, as an address has them."""
        named = {part.parameter: part.value for part in self.parts if part.stands_beside}
        return named if self.mode == Mode.AUTO else {**named, "mode": self.mode.value}


def read_query(
    text: str, fields: Mapping[str, str] | None = None, *, now: datetime | None = None
) -> Query:
    """Part words from filters; a filter in the text wins over one of the form's fields."""
    if pattern := PATTERN.fullmatch(text.strip()):
        found = list(_given(fields, set()))
        flag = "(?i)" if pattern["flags"] else ""
        return _query([flag + pattern["pattern"]], [*found, Part("mode", Mode.REGEX)], now)
    bare: list[str] = []
    parts: list[Part] = []
    if _asks_for_a_pattern(fields):
        bare = [text.strip()]
    else:
        for word, part in _tokens(text):
            bare += [word] if word else []
            parts += [part] if part and len(parts) < MOST_PARTS else []
    named = {part.field for part in parts if not part.is_without}
    return _query(bare, [*_given(fields, named), *parts], now)


def _asks_for_a_pattern(fields: Mapping[str, str] | None) -> bool:
    # In a pattern a quote, a colon or a minus means itself.
    return (fields or {}).get("mode", "") == Mode.REGEX


def _given(fields: Mapping[str, str] | None, named: set[str]) -> Iterator[Part]:
    """Yield the filters of a form's fields that the text does not name itself."""
    for name in dict.fromkeys(FIELDS.values()):
        value = (fields or {}).get(PARAMETERS.get(name, name), "").strip()
        if value and name not in named:
            yield Part(name, value[:LONGEST_VALUE])


def _tokens(text: str) -> Iterator[tuple[str, Part | None]]:
    """Yield each token as a word to rank by, or as a filter."""
    at = 0
    while match := TOKEN.search(text, at):
        at = match.end()
        is_without = bool(match["not"])
        name = match["field"] or ""
        value = (match["quoted"] if match["quoted"] is not None else match["bare"])[:LONGEST_VALUE]
        known = FIELDS.get(name.lower())
        if known is not None:
            yield "", Part(known, value, is_without) if value else None
        elif name:
            yield match[0], None
        elif match["quoted"] is not None:
            yield "", Part("phrase", value, is_without) if value.strip() else None
        elif is_without and value[:1].isalnum():
            yield "", Part("word", value, is_without=True)
        else:
            yield match[0], None


def _query(bare: list[str], parts: list[Part], now: datetime | None) -> Query:
    kept: dict[str, Any] = {}
    phrases: list[str] = []
    without: list[Without] = []
    notes: list[str] = []
    since: datetime | None = None
    mode = Mode.AUTO
    for part in parts:
        if part.field == "mode":
            mode = _mode(part.value, notes)
        elif part.field == "since":
            since = _moment(part.value, now or datetime.now(UTC), notes) or since
        elif part.is_without:
            without.append(Without(part.field, _meant(part)))
        elif part.field == "phrase":
            phrases.append(part.value)
        else:
            kept[part.field] = _meant(part)
    filters = replace(Filters(since=since, phrases=tuple(phrases), without=tuple(without)), **kept)
    shown = tuple(part for part in parts if part.field != "mode")
    words = " ".join([*bare, *phrases])
    return Query(words, " ".join(bare), shown, mode, filters, tuple(notes))


def _meant(part: Part) -> str:
    """Return a value as the index has it: `py` is Python."""
    if part.field != "language":
        return part.value
    value = part.value.lower()
    return LANGUAGE_OF_EXTENSION.get(value.lstrip("."), value)


def _mode(value: str, notes: list[str]) -> Mode:
    try:
        return Mode(value.lower())
    except ValueError:
        notes.append(f"mode: takes {', '.join(Mode)}.")
        return Mode.AUTO


def _moment(value: str, now: datetime, notes: list[str]) -> datetime | None:
    if ago := AGO.fullmatch(value.lower()):
        return now - timedelta(days=int(ago[1]) * DAYS[ago[2]])
    for form in ("%Y-%m-%d", "%Y-%m", "%Y"):
        try:
            return datetime.strptime(value, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    notes.append(SINCE_TAKES)
    return None


def words_to_light(text: str) -> list[str]:
    """Return what to light in the passages: the words, whole and in their parts."""
    words = []
    for word in re.findall(r"[^\W_]\w+", text):
        parts = re.findall(r"[A-Z]?[a-z]{2,}|[A-Z]{2,}(?![a-z])|\d+", word)
        words += [word, *parts] if len(parts) > 1 else [word]
    return [word for word in dict.fromkeys(words) if len(word) > 2 and word.lower() not in COMMON]


COMMON = frozenset(
    {
        *("the", "and", "are", "for", "with", "how", "does", "what", "where", "when", "who", "why"),
        *("which", "that", "this", "from", "into", "not", "can", "our", "you", "your", "was"),
        *("were", "been", "have", "has", "had", "its", "use", "used", "work", "works"),
    }
)

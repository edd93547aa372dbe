"""What people type into the search field: words, and filters such as `lang:python`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

FIELDS = {
    "lang": "language",
    "language": "language",
    "path": "path",
    "in": "collection",
    "collection": "collection",
}
PART = re.compile(r"""(?:^|(?<=\s))(\w+):(?:"([^"]*)"|(\S+))""")


@dataclass(frozen=True, slots=True)
class Query:
    words: str
    path: str = ""
    language: str = ""
    collection: str = ""

    @property
    def filters(self) -> dict[str, str]:
        named = {
            "path": self.path,
            "language": self.language,
            "collection": self.collection,
        }
        return {name: value for name, value in named.items() if value}


def read_query(text: str, fields: Mapping[str, str] | None = None) -> Query:
    """Part words from filters; a filter in the text wins over one of the form's fields."""
    found = {
        name: (fields or {}).get(parameter, "").strip()[:300]
        for parameter, name in (
            ("path", "path"),
            ("lang", "language"),
            ("collection", "collection"),
        )
    }

    def take(match: re.Match[str]) -> str:
        name = FIELDS.get(match.group(1).lower())
        if name is None:
            return match.group()
        found[name] = (match.group(2) or match.group(3) or "")[:300]
        return ""

    words = " ".join(PART.sub(take, text).split())
    return Query(words, found["path"], found["language"].lower(), found["collection"])


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

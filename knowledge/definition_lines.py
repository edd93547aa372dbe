"""Names that lines of code define, where no grammar tells: in text files and rarer languages."""

import re2

MOST = 24
LONGEST_NAME = 100

_WORDS = (
    "fn|fun|func|function|def|defp|defmodule|sub|proc|class|struct|enum|trait|interface|impl|type|"
    "typedef|module|namespace|record|object|protocol|extension|macro_rules!|service|message"
)
_BEFORE = (
    "pub|public|private|protected|internal|fileprivate|static|final|abstract|export|default|async|"
    "inline|virtual|override|const|unsafe|extern|sealed|partial|data|open|suspend|local|lazy|"
    "implicit|case|mutating|synchronized|native|constexpr"
)
# A line of prose may begin with “type” or “class”; code goes on with a sign, or ends.
_KEYWORD = (
    rf"(?m)^[ \t]*(?:(?:{_BEFORE})(?:\([^)\n]*\))?[ \t]+)*(?:{_WORDS})[ \t]+"
    r"(?:\([^)\n]*\)[ \t]*)?(?:<[^>\n]*>[ \t]*)?([A-Za-z_]\w{2,})"
    r"(?:[ \t]*$|[^\n]*[(){}=:;<])"
)
_METHOD = (
    rf"(?m)^[ \t]*(?:(?:{_BEFORE})[ \t]+)+[\w<>\[\],.?*&: ]+?[ \t]+\*?([A-Za-z_]\w{{2,}})[ \t]*\("
)
_FUNCTION = (
    r"(?m)^[A-Za-z_][\w<>:*& ]*?[ *&](?:\w+::)*~?([A-Za-z_]\w{2,})[ \t]*"
    r"\([^;{}]*\)[ \t]*(?:const[ \t]*)?\n?\{"
)
# Linear in time, whatever the text: it is anybody's.
_PATTERNS = tuple(re2.compile(pattern) for pattern in (_KEYWORD, _METHOD, _FUNCTION))


def names_defined_in(text: str) -> tuple[str, ...]:
    """Return the names that a text seems to define, in the order of their lines."""
    found = {match.start(1): match[1] for pattern in _PATTERNS for match in pattern.finditer(text)}
    names = (name for _, name in sorted(found.items()) if len(name) <= LONGEST_NAME)
    return tuple(dict.fromkeys(names))[:MOST]

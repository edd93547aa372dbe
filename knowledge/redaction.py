"""Masks secrets inside text, in place: the same lines, the same columns, without the secret."""

import math
import re
from collections import Counter
from collections.abc import Iterator

MASK = "*"
SHOWN = 4

# Every pattern starts with a literal or a class that cannot match what follows it, and every
# repetition is bounded, so that no text makes any of them slow.
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|gh[pousr]_[A-Za-z0-9]{20,255}"
    r"|github_pat_[A-Za-z0-9_]{20,255}"
    r"|glpat-[A-Za-z0-9_\-]{20,64}"
    r"|sk-(?:ant-|proj-|or-|svcacct-|admin-)?[A-Za-z0-9_\-]{20,250}"
    r"|xox[abeoprs]-[A-Za-z0-9\-]{10,250}"
    r"|xapp-[A-Za-z0-9\-]{10,250}"
    r"|[srp]k_(?:live|test)_[A-Za-z0-9]{10,250}"
    r"|whsec_[A-Za-z0-9+/=]{20,100}"
    r"|AIza[A-Za-z0-9_\-]{35}"
    r"|ya29\.[A-Za-z0-9_\-]{20,250}"
    r"|npm_[A-Za-z0-9]{36}"
    r"|pypi-[A-Za-z0-9_\-]{50,250}"
    r"|hf_[A-Za-z0-9]{30,60}"
    r"|dop_v1_[a-f0-9]{64}"
    r"|SG\.[A-Za-z0-9_\-]{16,64}\.[A-Za-z0-9_\-]{16,64}"
    r"|nightowl_[A-Za-z0-9_\-]{16,250}"
    r"|eyJ[A-Za-z0-9_\-]{8,2000}\.eyJ[A-Za-z0-9_\-]{8,4000}\.[A-Za-z0-9_\-]{8,2000}"
    r")"
)
# Looking for plain words is ten times as fast as looking for the pattern, and most files have none.
_KEY_MARKS = (
    *("AKIA", "ASIA", "ABIA", "ACCA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    *("glpat-", "sk-", "xox", "xapp-", "k_live_", "k_test_", "whsec_", "AIza", "ya29.", "npm_"),
    *("pypi-", "hf_", "dop_v1_", "SG.", "nightowl_", "eyJ"),
)
_PEM_BEGIN = re.compile(r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_END = re.compile(r"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_PEM_LINE = re.compile(r"[A-Za-z0-9+/=]{16,}")
_URL_PASSWORD = re.compile(r"://[^\s:/@'\"<>]{0,100}:([^\s:/@'\"<>{}$%]{3,200})@")
_NAMES = ("passw", "pwd", "secret", "token", "key", "credential")
_KEY_OF = re.compile(
    r"(?:api|access|private|auth|secret|signing|encryption|account|service)[_\-. ]?$"
)
# The quotes may be escaped: code stands inside the strings of notebooks and other JSON, too.
_ASSIGNED = re.compile(
    r"[A-Za-z0-9_\-]{0,30}+(?:\\{0,3}+['\"])?+\]?+[ \t]{0,8}+"
    r"(?::[ \t]{0,4}+str[ \t]{0,4}+=|=>|:=|==?|:)[ \t]{0,8}+(?:"
    r"[rbuf]?+\\{0,3}+(['\"])([^'\"\s\\]{8,300}+)\\{0,3}+\1"
    r"|([A-Za-z0-9+/_\-.=~!@#^&*]{16,300}+)(?=[ \t\r]{0,8}(?:\n|\Z|\\[nr]|['\"])))"
)
_PLACEHOLDER = re.compile(
    r"example|placeholder|changeme|change-me|your[_-]|dummy|sample|xxxx|\*\*\*|insert|password|secret|token"
    r"|test|fake|none|null|undefined|redacted|\$\{|\{\{|^[<%$]|environ|getenv|https?://",
    re.IGNORECASE,
)
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:[.\-/][A-Za-z_]\w*)+")
_HEXADECIMAL = re.compile(r"[0-9a-fA-F]{32,}")


def redact(text: str) -> tuple[str, int]:
    """The text with its secrets masked, and how many there were."""
    count = 0
    if any(mark in text for mark in _KEY_MARKS):
        text, found = _KEYS.subn(lambda match: _masked(match[0]), text)
        count += found
    if "-----BEGIN " in text and _PEM_BEGIN.search(text):
        text, found = _mask_private_keys(text)
        count += found
    if "://" in text and "@" in text:
        spans = [match.span(1) for match in _URL_PASSWORD.finditer(text) if _is_password(match[1])]
        text = _mask(text, spans)
        count += len(spans)
    spans = list(_assigned_secrets(text))
    return _mask(text, spans), count + len(spans)


def _assigned_secrets(text: str) -> Iterator[tuple[int, int]]:
    """Where `password = "…"` and its like give a literal that looks like a secret."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = "".join(lower if len(lower := char.lower()) == 1 else char for char in text)
    found = set()
    for name in _NAMES:
        position = lowered.find(name)
        while position >= 0:
            end = position + len(name)
            if name != "key" or _KEY_OF.search(lowered[max(0, position - 12) : position]):
                match = _ASSIGNED.match(text, end)
                if match and looks_random(match[match.lastindex or 0], quoted=bool(match[1])):
                    found.add(match.span(match.lastindex or 0))
            position = lowered.find(name, end)
    yield from sorted(found)


def _mask(text: str, spans: list[tuple[int, int]]) -> str:
    if not spans:
        return text
    pieces: list[str] = []
    position = 0
    for start, end in spans:
        pieces += [text[position:start], MASK * (end - start)]
        position = end
    return "".join([*pieces, text[position:]])


def _masked(secret: str) -> str:
    return secret[:SHOWN] + MASK * (len(secret) - SHOWN)


def _is_password(secret: str) -> bool:
    """Whether the password in an address is worth hiding: not a word that documents use for one."""
    return secret.lower() not in {"password", "passwd", "pass", "secret", "xxx", "changeme"} and (
        set(secret) != {MASK}
    )


def looks_random(literal: str, *, quoted: bool = True) -> bool:
    """Whether a literal is too mixed to be a word, a name or a placeholder."""
    if _PLACEHOLDER.search(literal) or _DOTTED.fullmatch(literal):
        return False
    kinds = [any(map(test, literal)) for test in (str.islower, str.isupper, str.isdigit)]
    has_symbol = any(symbol in literal for symbol in "!@#$%^&*+/=")
    if not (kinds[2] or has_symbol):
        return False
    if not quoted and not all(kinds) and not _HEXADECIMAL.fullmatch(literal):
        return False
    return sum(kinds) + has_symbol >= 2 and entropy(literal) >= (3.0 if all(kinds) else 3.3)


def entropy(literal: str) -> float:
    """Shannon's bits for a character of the literal."""
    size = len(literal)
    return -sum(n / size * math.log2(n / size) for n in Counter(literal).values())


def _mask_private_keys(text: str) -> tuple[str, int]:
    rows = text.split("\n")
    inside = False
    count = 0
    for row, line in enumerate(rows):
        if inside and _PEM_END.search(line):
            inside = False
        elif inside:
            rows[row] = _PEM_LINE.sub(lambda match: MASK * len(match[0]), line)
        elif _PEM_BEGIN.search(line):
            count += 1
            inside = not _PEM_END.search(line)
            if not inside:
                rows[row] = _PEM_LINE.sub(lambda match: MASK * len(match[0]), line)
    return "\n".join(rows), count

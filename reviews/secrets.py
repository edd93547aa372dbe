"""Secrets that a change puts into the code, found by what masks them everywhere else."""

import re
from collections.abc import Iterator, Sequence

from knowledge.redaction import redact
from reviews.changes import Change, ChangedFile
from reviews.observations import Observation

ASIDE = frozenset({"test", "example", "documentation", "translation"})
_KNOWN = re.compile(r"\b[A-Za-z0-9_-]{2,4}\*{12,}|PRIVATE KEY")
_NAMED = re.compile(
    r"(?i)(?:passw(?:or)?d|passphrase|secret|api_?key|auth_?token|access_?token|private_?key"
    r"|client_?secret|signing_?key)[\w]{0,20}[\"']?\]?\s*(?::\s*\w+\s*)?(?:=|:=|:)\s*"
    r"([\"'`])(?P<value>[^\"'`\s]{8,120})\1"
)
_PLAIN = re.compile(
    r"[a-z]+(?:[-_. /][a-z0-9]+)*|[A-Z]+(?:[-_.][A-Z0-9]+)*|.*(?:\$\{|\{\{|%s|%\(|<[a-z]|://|env).*"
    r"|.*(?:example|changeme|placeholder|your[-_]|dummy|xxxx|\*\*\*|test|fake).*",
    re.IGNORECASE,
)
_KEY_EDGE = re.compile(r"-----(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_LINE = re.compile(r"[\s\"'+,]*\*{16,}(?:\\n)?[\s\"'+,]*")


def secrets_in(change: Change) -> Iterator[Observation]:
    """Yield the added lines that hold a secret; the quote has it masked."""
    for file in change.files:
        yield from _of_file(file)


def _of_file(file: ChangedFile) -> Iterator[Observation]:
    shown, count = redact(file.after)
    masked = shown.split("\n")
    known = set(file.before.split("\n"))
    keys, told = _private_keys(masked), set[int]()
    for number, text in sorted(file.added.items()):
        if text in known or number > len(masked):
            continue
        is_masked = count > 0 and masked[number - 1] != text
        if not (is_masked or _is_named(text)):
            continue
        key = keys.get(number, 0)
        if key in told:
            continue  # one secret, however many lines it has
        if key:
            told.add(key)
        is_aside = file.layer in ASIDE
        certain = key > 0 or (is_masked and _KNOWN.search(masked[number - 1]) is not None)
        yield Observation(
            rule="nightowl/hardcoded-secret",
            severity="info" if is_aside else "critical" if certain else "warning",
            category="security",
            path=file.path,
            start_line=number,
            end_line=number,
            claim="A secret stands in the code.",
            quote=text,
            evidence=(
                "Whoever can read the repository has it, and its history keeps it. Revoke it, and"
                " read the new one from the environment."
            ),
            reference="CWE-798, Use of Hard-coded Credentials",
            confidence=0.9 if certain else 0.75,
        )


def _private_keys(masked: Sequence[str]) -> dict[int, int]:
    """Return the masked lines of private keys, each with the line that its key begins at."""
    found, begin = {}, 0
    for number, line in enumerate(masked, 1):
        if edge := _KEY_EDGE.search(line):
            begin = number if edge[1] == "BEGIN" else 0
        elif begin and _KEY_LINE.fullmatch(line):
            found[number] = begin
    return found


def _is_named(text: str) -> bool:
    found = _NAMED.search(text)
    if found is None:
        return False
    value = found["value"]
    is_mixed = any(map(str.isdigit, value)) and any(map(str.isalpha, value))
    return is_mixed and _PLAIN.fullmatch(value) is None

"""Code that still calls what a change has renamed, removed or given other parameters."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from knowledge.languages import kind_of, language_of, layer_of
from projects.commits import Mention
from reviews.changes import Change, ChangedFile
from reviews.observations import Observation
from reviews.outlines import Outline

SHOWN = 3
LONGEST_CALL = 2_000
MOST_FUNCTIONS = 40
_DEFINES = (
    r"\b(?:def|class|func(?:\s*\([^)]*\))?|function\*?|const|let|var|interface|type|enum|fn|struct)"
    r"\s+{name}\b|\b(?:public|private|protected|static|final|async|override)\s[^=;(]*\b{name}\s*\("
    r"|^\s*(?:async\s+)?{name}\s*(?:\([^)]*\)\s*(?::[^{{=]+)?\{{|[:=]\s*(?:async\s*)?(?:\(|function))"
)
_STILL_HAS = (  # in brackets over several lines, or as a variable of the file
    r"\b(?:import|export)\s*(?:type\s*)?[({{][^(){{}}]*\b{name}\b"
    r"|^(?:export\s+)?(?:(?:const|let|var|type)\s+)?{name}\s*(?::[^=\n]+)?=(?!=)"
)
_IMPORT = re.compile(r"\bimport\b")
_COMMENT = re.compile(r"^\s*(?:#|//|\*|/\*|<!--|--\s)")
_DISTINCT = re.compile(r"[a-z][A-Z]|_[A-Za-z]|[A-Z][a-z]+[A-Z]")
_FAMILIES = ({"javascript", "typescript", "tsx"}, {"java", "kotlin"}, {"c", "cpp"})


@dataclass(frozen=True, slots=True)
class Accepted:
    """How a function may be called: how many arguments by position, and which by name."""

    least: int
    most: int  # -1: any number
    names: frozenset[str]
    required: frozenset[str]  # that can only be given by name
    any_name: bool

    def takes(self, positional: int, named: frozenset[str]) -> bool:
        if self.most >= 0 and positional > self.most:
            return False
        if not (named <= self.names or self.any_name):
            return False
        return positional + len(named & self.names) >= self.least and self.required <= named


def accepted_by(outline: Outline, language: str) -> Accepted:
    parameters = list(outline.parameters)
    if parameters and parameters[0].name in {"self", "cls", "this"} and outline.kind == "method":
        parameters = parameters[1:]
    positional = [one for one in parameters if not (one.is_keyword or one.is_variadic)]
    variadic = [one for one in parameters if one.is_variadic]
    return Accepted(
        least=sum(not one.is_optional for one in positional),
        # JavaScript takes more than a function names and says nothing.
        most=-1 if variadic else len(positional),
        names=frozenset(one.name for one in parameters if not one.is_variadic),
        required=frozenset(
            one.name for one in parameters if one.is_keyword and not one.is_optional
        ),
        any_name=language == "python" and len(variadic) > 0,
    )


def stale_callers(change: Change) -> Iterator[Observation]:
    """Yield what a change did to functions that code elsewhere has not followed."""
    looked_at = 0
    for file in change.product():
        for earlier, now in _altered(file):
            looked_at += 1
            if looked_at > MOST_FUNCTIONS:
                return
            uses = _uses(change, file, earlier, is_gone=now is None)
            if now is None:
                yield from _removed(file, earlier, uses)
            else:
                yield from _changed(change, file, earlier, now, uses)


def _altered(file: ChangedFile) -> Iterator[tuple[Outline, Outline | None]]:
    kept = {outline.name for outline in file.inspection.after}
    for outline in file.inspection.before:
        name = outline.own_name
        is_private = name.startswith("__") or len(name) < 4
        if outline.name not in kept and not is_private and not _still_has(name, file):
            yield outline, None
    for earlier, now in file.pairs():
        if earlier.is_callable and earlier.parameters != now.parameters and not now.is_decorated:
            yield earlier, now


def _still_has(name: str, file: ChangedFile) -> bool:
    """Whether the file has the name in another way now, and those who use it notice nothing."""
    word = re.escape(name)
    if re.search(_STILL_HAS.format(name=word), file.after, re.MULTILINE):
        return True
    # One expression for both words would take minutes over a long line of imports.
    said = (_IMPORT.split(line, maxsplit=1)[1:] for line in file.lines() if name in line)
    return any(re.search(rf"\b{word}\b", after) for rest in said for after in rest)


def _uses(change: Change, file: ChangedFile, outline: Outline, *, is_gone: bool) -> list[Mention]:
    """Return the lines of code that use a name, where nothing else of the tree is called so."""
    name = outline.own_name
    is_method = "." in outline.name
    if is_method and is_gone and not _DISTINCT.search(name):
        return []  # others' objects have methods of that name as well
    found = [
        mention
        for mention in change.tree.mentions([name])
        if kind_of(mention.path) == "code"
        and _is_family(language_of(mention.path), file.language)
        and not _COMMENT.match(mention.text)
    ]
    defines = re.compile(_DEFINES.format(name=re.escape(name)))
    definitions = [mention for mention in found if defines.search(mention.text)]
    if any(mention.path != file.path for mention in definitions) or len(definitions) > 1:
        return []
    return [mention for mention in found if mention not in definitions]


def _is_family(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in _FAMILIES)


def _removed(file: ChangedFile, earlier: Outline, uses: list[Mention]) -> Iterator[Observation]:
    name = re.escape(earlier.own_name)
    if "." in earlier.name:
        used = re.compile(rf"\.{name}\s*\(")
    else:
        # Others may have something of that name: it must come from this file, or be beside it.
        stem = re.escape(PurePosixPath(file.path).stem)
        used = re.compile(rf"\bimport\b.*\b{name}\b|\b{stem}\.{name}\b|\bnew\s+{name}\b")
        beside = re.compile(rf"(?<![.\w$]){name}\s*\(")
        folder = PurePosixPath(file.path).parent
        uses = [
            use
            for use in uses
            if used.search(use.text)
            or (beside.search(use.text) and _is_beside(use.path, file, folder))
        ]
        used = re.compile(name)
    left = [use for use in uses if used.search(use.text) and not _is_text(use.text, name)]
    line = file.diff.added_where(earlier.head_line)
    if not left or line is None:
        return
    yield _observation(
        file, line, left, f"{earlier.own_name} is gone, and code elsewhere still uses it."
    )


def _is_beside(path: str, file: ChangedFile, folder: PurePosixPath) -> bool:
    """Whether a file sees the names of another without importing them."""
    if path == file.path:
        return True
    return file.language in {"go", "java", "kotlin"} and PurePosixPath(path).parent == folder


def _is_text(line: str, name: str) -> bool:
    """Whether the name stands inside quotes only."""
    return re.search(name, re.sub(r"(['\"`])(?:\\.|(?!\1).)*\1", "", line)) is None


def _changed(
    change: Change, file: ChangedFile, earlier: Outline, now: Outline, uses: list[Mention]
) -> Iterator[Observation]:
    before, after = accepted_by(earlier, file.language), accepted_by(now, file.language)
    if file.language in {"javascript", "typescript", "tsx"} and after.least <= before.least:
        return
    broken = []
    for use in uses:
        text = change.tree.read(use.path) or ""
        for given in _calls(text, use, earlier.own_name):
            if before.takes(*given) and not after.takes(*given):
                broken.append(use)
                break
    line = _line_within(file, now)
    if broken and line is not None:
        claim = f"{now.own_name} takes other arguments now, and calls elsewhere give the old ones."
        yield _observation(file, line, broken, claim)


def _calls(text: str, use: Mention, name: str) -> Iterator[tuple[int, frozenset[str]]]:
    """Yield the arguments of the calls on a line: how many by position, and the names of others."""
    lines = text.split("\n")
    if use.line > len(lines):
        return
    rest = "\n".join(lines[use.line - 1 : use.line + 30])[:LONGEST_CALL]
    first = len(lines[use.line - 1])
    for found in re.finditer(rf"(?<![\w$]){re.escape(name)}\s*\(", rest):
        if found.start() > first:
            return
        arguments = _arguments(rest[found.end() :])
        if arguments is None or any(one.startswith(("*", "...")) for one in arguments):
            continue
        named = [re.match(r"([A-Za-z_]\w*)\s*=(?!=)", one) for one in arguments]
        names = frozenset(one[1] for one in named if one)
        yield sum(one is None for one in named), names


_QUOTED = re.compile(r"(['\"`])(?:\\.|(?!\1).)*\1", re.DOTALL)


def _arguments(text: str) -> list[str] | None:
    """Return what stands between brackets, up to the one that closes; None where none does."""
    # What stands in quotes has no brackets or commas that count.
    plain = _QUOTED.sub(lambda found: "s" * len(found[0]), text)
    depth = start = 0
    found: list[str] = []
    for position, letter in enumerate(plain):
        if letter in "([{":
            depth += 1
        elif letter in ")]}" and depth:
            depth -= 1
        elif letter in ",)" and not depth:
            found.append(plain[start:position].strip())
            start = position + 1
            if letter == ")":
                return [one for one in found if one]
    return None


def _line_within(file: ChangedFile, outline: Outline) -> int | None:
    """Return the added line nearest to where a definition begins."""
    lines = [line for line in file.added if outline.start_line <= line <= outline.end_line]
    return min(lines, key=lambda line: (abs(line - outline.head_line), line), default=None)


def _observation(file: ChangedFile, line: int, uses: list[Mention], claim: str) -> Observation:
    shown = [f"{use.path}:{use.line}: {use.text.strip()[:120]}" for use in uses[:SHOWN]]
    more = f"\nand {len(uses) - SHOWN} more" if len(uses) > SHOWN else ""
    in_tests = all(layer_of(use.path) == "test" for use in uses)
    return Observation(
        rule="nightowl/stale-callers",
        severity="warning",
        category="bug",
        path=file.path,
        start_line=line,
        end_line=line,
        claim=claim,
        quote=file.lines()[line - 1],
        evidence="Not changed with it:\n" + "\n".join(shown) + more,
        reference="The definition and its callers at the same commit",
        confidence=0.75 if in_tests else 0.85,
        left=tuple(sorted({use.path for use in uses})[:20]),
    )

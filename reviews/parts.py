"""A change cut into parts that a model can be asked about, each with its line numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from knowledge.redaction import redact
from projects.diffs import Hunk
from reviews.changes import ChangedFile
from reviews.examining import shown_lines
from reviews.prompts import PART_CHARACTERS

LONGEST_LINE = 240


@dataclass(frozen=True, slots=True)
class Part:
    """Some hunks of a change, as text with secrets masked."""

    text: str
    paths: tuple[str, ...]
    symbols: tuple[str, ...]

    @property
    def name(self) -> str:
        return blake2b(self.text.encode("utf-8", "replace"), digest_size=16).hexdigest()


def parts_of(files: list[ChangedFile]) -> Iterator[Part]:
    """Yield the parts of a change: hunks of a file together, as far as they fit."""
    for file in files:
        lines = shown_lines(file)
        held: list[str] = []
        for hunk in file.diff.hunks:
            for text in _texts(hunk, lines):
                if held and sum(map(len, held)) + len(text) > PART_CHARACTERS:
                    yield _part(file, held)
                    held = []
                held.append(text)
        if held:
            yield _part(file, held)


def _part(file: ChangedFile, texts: list[str]) -> Part:
    named = {
        outline.own_name
        for outline in file.inspection.after
        if any(outline.start_line <= line <= outline.end_line for line in file.added)
    }
    text = f"File {file.path} ({file.language})\n" + "\n...\n".join(texts)
    return Part(text, (file.path,), tuple(sorted(named)[:6]))


def _texts(hunk: Hunk, lines: list[str]) -> Iterator[str]:
    """Yield a hunk with the numbers of its lines, in pieces that fit."""
    rows: list[str] = []
    number = hunk.new_start
    for line in hunk.lines:
        sign = line[:1]
        if sign == "-":
            removed, _ = redact(line[1:])
            rows.append(f"      - {removed[:LONGEST_LINE]}")
        else:
            text = lines[number - 1] if number <= len(lines) else line[1:]
            rows.append(f"{number:5} {sign} {text[:LONGEST_LINE]}")
            number += 1
        if sum(map(len, rows)) > PART_CHARACTERS - 400:
            yield "\n".join(rows)
            rows = []
    if rows:
        yield "\n".join(rows)

"""A change cut into parts that a model can be asked about, each with its line numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from projects.diffs import Hunk
from reviews.changes import ChangedFile
from reviews.examining import shown_lines, without_secrets
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


@dataclass(frozen=True, slots=True)
class _Piece:
    """A hunk, or some lines of one that is long, and which of them were added."""

    text: str
    added: tuple[int, ...]


def parts_of(files: list[ChangedFile]) -> Iterator[Part]:
    """Yield the parts of a change: hunks of a file together, as far as they fit."""
    for file in files:
        before, after = without_secrets(file.diff.old_path, file.before), shown_lines(file)
        held: list[_Piece] = []
        for hunk in file.diff.hunks:
            for piece in _pieces(hunk, before, after):
                size = sum(len(one.text) for one in held) + len(piece.text)
                if held and size > PART_CHARACTERS:
                    yield _part(file, held)
                    held = []
                held.append(piece)
        if held:
            yield _part(file, held)


def _part(file: ChangedFile, pieces: list[_Piece]) -> Part:
    added = [line for piece in pieces for line in piece.added]
    named = {
        outline.own_name
        for outline in file.inspection.after
        if any(outline.start_line <= line <= outline.end_line for line in added)
    }
    texts = "\n...\n".join(piece.text for piece in pieces)
    text = f"File {file.path} ({file.language})\n{texts}"
    return Part(text, (file.path,), tuple(sorted(named)[:6]))


def _pieces(hunk: Hunk, before: list[str], after: list[str]) -> Iterator[_Piece]:
    """Yield a hunk with the numbers of its lines, in pieces that fit.

    Its lines are taken from the whole files: a key that takes several is only known as one.
    """
    rows: list[str] = []
    added: list[int] = []
    old, new = hunk.old_start, hunk.new_start
    for line in hunk.lines:
        sign = line[:1]
        if sign == "-":
            rows.append(f"      - {_line(before, old)}")
        else:
            rows.append(f"{new:5} {sign} {_line(after, new)}")
        added += [new] if sign == "+" else []
        old += sign != "+"
        new += sign != "-"
        if sum(map(len, rows)) > PART_CHARACTERS - 400:
            yield _Piece("\n".join(rows), tuple(added))
            rows, added = [], []
    if rows:
        yield _Piece("\n".join(rows), tuple(added))


def _line(lines: list[str], number: int) -> str:
    """Return a line as it may be shown; nothing of a file that was too large to be read."""
    return lines[number - 1][:LONGEST_LINE] if number <= len(lines) else ""

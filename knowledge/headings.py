"""The headings of documents: markdown with the anchors that GitHub gives, reStructuredText."""

import html
import re

from knowledge.front_matter import front_matter_rows
from knowledge.outlines import Heading

LONGEST_TITLE = 300
MOST_HEADINGS = 20_000

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})([^\n]*)$")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_CLOSING = re.compile(r"(?:^|[ \t])#+[ \t]*$")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_NOT_A_PARAGRAPH = re.compile(
    r"(?: {4}|\t)| {0,3}(?:[>|<]|[-*+](?:\s|$)|\d{1,9}[.)](?:\s|$)|[-*_]{3,}\s*$)"
)
_TARGET = r"(?:\((?:[^()]|\([^()]{0,100}\)){0,300}\)|\[[^\[\]]{0,200}\])"
_IMAGE = re.compile(r"!\[[^\[\]]{0,200}\]" + _TARGET)
_LINK = re.compile(r"\[([^\[\]]{0,300})\]" + _TARGET + "?")
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,300}>")
_EMPHASIS = re.compile(r"(?<!\w)_{1,2}([^_\s](?:[^_]{0,200}[^_\s])?)_{1,2}(?!\w)")
_MARKS = re.compile(r"[\[\]<>&_*`\\]")
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")
_RST_LINE = re.compile(r"([=\-`:'\"~^_*+#<>.!$%&(),/;?@\[\\\]{|}])\1{2,}\s*$")
_RST_ROLE = re.compile(r":[\w:+.-]{1,60}:`~?([^`]{0,200})`")


def markdown_headings(text: str) -> list[Heading]:
    """The headings that GitHub would show, with their anchors; fences and comments hold none."""
    rows = text.split("\n")
    headings: list[Heading] = []
    anchors = Anchors()
    paragraph = -1
    row = front_matter_rows(rows)
    while row < len(rows) and len(headings) < MOST_HEADINGS:
        line = rows[row].rstrip("\r")
        if (skipped := _block_end(rows, row)) > row:
            paragraph, row = -1, skipped
            continue
        if found := _ATX.match(line):
            title = _CLOSING.sub("", found[2] or "").strip()
            headings.append(_heading(row, len(found[1]), title, anchors))
            paragraph = -1
        elif paragraph >= 0 and (found := _SETEXT.match(line)):
            title = " ".join(part.strip() for part in rows[paragraph:row])
            level = 1 if found[1][0] == "=" else 2
            headings.append(_heading(paragraph, level, title, anchors))
            paragraph = -1
        elif not line.strip() or (paragraph < 0 and _NOT_A_PARAGRAPH.match(line)):
            paragraph = -1
        elif paragraph < 0 and (row == 0 or _may_begin(rows[row - 1])):
            paragraph = row
        row += 1
    return headings


def _may_begin(above: str) -> bool:
    """A paragraph begins after a blank line, a heading or a fence, not inside a list or a quote."""
    return not above.strip() or not _NOT_A_PARAGRAPH.match(above)


def _heading(row: int, level: int, title: str, anchors: "Anchors") -> Heading:
    title = plain_title(title[:LONGEST_TITLE])
    return Heading(row, level, title, "#" + anchors.unique(slug_of_plain(title)))


def _block_end(rows: list[str], row: int) -> int:
    """The row after the fence or comment that begins here, or the same row when none does."""
    line = rows[row].rstrip("\r")
    if found := _FENCE.match(line):
        mark = found[1]
        if mark[0] == "`" and "`" in found[2]:
            return row
        closing = re.compile(rf" {{0,3}}{re.escape(mark[0])}{{{len(mark)},}}[ \t\r]*$")
        end = row + 1
        while end < len(rows) and not closing.match(rows[end]):
            end += 1
        return end + 1
    if line.lstrip(" ").startswith("<!--"):
        end = row
        while end < len(rows) and "-->" not in rows[end]:
            end += 1
        return end + 1
    return row


class Anchors:
    """Gives each anchor once: the second `usage` of a page is `usage-1`."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def unique(self, slug: str) -> str:
        if slug not in self._seen:
            self._seen[slug] = 0
            return slug
        while (numbered := f"{slug}-{self._seen[slug] + 1}") in self._seen:
            self._seen[slug] += 1
        self._seen[slug] += 1
        self._seen[numbered] = 0
        return numbered


def plain_title(title: str) -> str:
    """The title as a reader sees it, without the marks of markdown."""
    if not _MARKS.search(title):
        return title.strip()
    title = _LINK.sub(r"\1", _IMAGE.sub("", title))
    title = html.unescape(_TAG.sub("", title))
    title = _EMPHASIS.sub(r"\1", title)
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", title.replace("`", "").replace("**", "")).strip()


def slug_of(title: str) -> str:
    """The anchor that GitHub makes of a heading."""
    return slug_of_plain(plain_title(title))


def slug_of_plain(plain: str) -> str:
    """The same, of a title without marks."""
    return _NOT_IN_ANCHORS.sub("", plain.lower()).replace(" ", "-")


def rst_headings(text: str) -> list[Heading]:
    """Titles with a line under them, or also one over them; levels in the order of first use."""
    rows = text.split("\n")
    levels: dict[tuple[str, bool], int] = {}
    headings: list[Heading] = []
    row = 1
    while row < len(rows) and len(headings) < MOST_HEADINGS:
        found = _RST_LINE.match(rows[row])
        title = rows[row - 1].strip()
        width = len(rows[row].rstrip())
        if not found or not title or _RST_LINE.match(rows[row - 1]):
            row += 1
            continue
        above = rows[row - 2].rstrip() if row >= 2 else ""
        overlined = above == rows[row].rstrip()
        if (rows[row - 1][0].isspace() and not overlined) or (above.strip() and not overlined):
            row += 1
            continue
        if width + 1 >= len(title):
            level = levels.setdefault((found[1], overlined), len(levels) + 1)
            plain = _RST_ROLE.sub(r"\1", title[:LONGEST_TITLE]).replace("``", "").strip("`")
            start = _with_labels(rows, row - 2 if overlined else row - 1)
            headings.append(Heading(start, level, plain, rst_anchor(plain)))
            row += 1
        row += 1
    return headings


def _with_labels(rows: list[str], row: int) -> int:
    """The row where the labels directly above a title begin, which belong to it."""
    start = row
    while row > 0 and (not rows[row - 1].strip() or rows[row - 1].startswith(".. _")):
        row -= 1
        start = row if rows[row].strip() else start
    return start


def rst_anchor(title: str) -> str:
    """The id that docutils, and so Sphinx and GitHub, give to a section."""
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
    return f"#{slug}" if slug else ""

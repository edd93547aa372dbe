"""How a file is laid out to be read: set as a document, as a table, as cells, or by its lines."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from posixpath import normpath
from urllib.parse import quote, unquote

from django.urls import reverse
from django.utils.safestring import SafeString

from accounts.viewers import Viewer
from knowledge.folders import folders_among
from knowledge.front_matter import body_of, front_matter
from knowledge.highlighting import highlight_lines
from knowledge.models import Document, DocumentVersion
from knowledge.notebooks import NotANotebook, read_notebook
from knowledge.rendering import Links, parse_document, render_markdown
from knowledge.tables import table_of
from knowledge.viewing import Range, Version

DEEPEST_HEADING = 3

_CONTROLS = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")
_LINES = re.compile(r"L(\d{1,7})(?:-L?(\d{1,7}))?")

Layout = dict[str, object]


def can_be_laid_out(version: Version) -> bool:
    """Whether there is another way to read it than by its lines."""
    return version.language in LAYOUTS


def lay_out(viewer: Viewer, version: Version, *, number: int = 1) -> Layout:
    """Return what the page draws: one of `html`, `table` and `notebook`, or nothing of them."""
    return LAYOUTS[version.language](viewer, version, number)


def _document(viewer: Viewer, version: Version, _number: int) -> Layout:
    parsed = parse_document(body_of(version.text))
    if parsed is None:
        return {"why_lines": "This document is too long to be set."}
    links = links_from(viewer, version, parsed.targets)
    return {
        "html": parsed.html(links),
        "headings": [h for h in parsed.headings if h.level <= DEEPEST_HEADING],
        "facts": facts_of(version.text),
    }


def facts_of(text: str) -> list[tuple[str, list[object]]]:
    """Return what a document's front matter says, each as a list of values."""
    found = front_matter(text)[0]
    return [(key, value if isinstance(value, list) else [value]) for key, value in found.items()]


def _table(_viewer: Viewer, version: Version, number: int) -> Layout:
    table = table_of(version.text, number=number)
    return {"table": table} if table else {"why_lines": "This is no table that can be read."}


@dataclass(frozen=True, slots=True)
class CellShown:
    kind: str
    html: SafeString
    lines: list[SafeString]
    output: str
    number: int | None
    range: Range


def _notebook(_viewer: Viewer, version: Version, _number: int) -> Layout:
    try:
        notebook = read_notebook(version.text)
    except NotANotebook as reason:
        return {"why_lines": f"This can't be shown as a notebook: {reason}."}
    cells = [
        CellShown(
            cell.kind,
            render_markdown(cell.source) if cell.kind == "markdown" else SafeString(""),
            []
            if cell.kind == "markdown"
            else highlight_lines(cell.source, notebook.language if cell.kind == "code" else ""),
            cell.output,
            cell.number,
            Range(cell.first_line, cell.last_line),
        )
        for cell in notebook.cells
    ]
    return {"notebook": notebook, "cells": cells}


LAYOUTS: dict[str, Callable[[Viewer, Version, int], Layout]] = {
    "markdown": _document,
    "csv": _table,
    "notebook": _notebook,
}


def links_from(viewer: Viewer, version: Version, targets: set[str]) -> Links:
    """Return what leads from a document to the files and folders that it names, where they are."""
    paths = {target: _path_of(version.folder, target) for target in targets}
    wanted = {path for path in paths.values() if path}
    files = _known_files(version, wanted)
    folders = folders_among(viewer, version.source, wanted - files)

    def links(address: str) -> str:
        path = paths.get(address) or _path_of(version.folder, address)
        anchor = address.partition("#")[2]
        if path in files:
            page = reverse("file", args=[version.source.pk, version.commit, path])
            return page + _anchor(anchor)
        if path in folders:
            return f"{reverse('files', args=[version.source.pk])}?folder={quote(path)}"
        return ""

    return links


def _known_files(version: Version, paths: set[str]) -> set[str]:
    """Return which of the paths can be opened: what is indexed now, or was once."""
    if not paths:
        return set()
    now = Document.objects.filter(
        source=version.source, path__in=paths, state=Document.State.INDEXED
    ).values_list("path", flat=True)
    then = DocumentVersion.objects.filter(
        source=version.source, path__in=paths, commit=version.commit
    ).values_list("path", flat=True)
    return {*now, *then}


def _path_of(folder: str, address: str) -> str:
    """Return the path that an address in a document of the folder means; empty for none."""
    target = unquote(address.partition("#")[0].partition("?")[0])
    if not target or _CONTROLS.search(target):
        return ""
    base = "" if target.startswith("/") else folder
    path = normpath(f"{base}/{target}").lstrip("/")
    return "" if path in {".", ".."} or path.startswith("../") else path


def _anchor(anchor: str) -> str:
    """Return the end of an address: GitHub's `#L10-L20` names lines, all else a heading."""
    lines = _LINES.fullmatch(anchor)
    if lines:
        return f"?lines={lines[1]}-{lines[2] or lines[1]}#L{lines[1]}"
    return f"#{quote(unquote(anchor))}" if anchor else ""

"""Pages to search in, and to read what was found."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

from accounts.viewers import viewer_of
from knowledge.folders import crumbs_of, find_paths, list_folder, tree_to
from knowledge.highlighting import highlight_lines
from knowledge.layouts import can_be_laid_out, lay_out
from knowledge.methods import Mode
from knowledge.models import Document
from knowledge.query_syntax import Part, Query, read_query, words_to_light
from knowledge.retrieval import Hit, Results, search
from knowledge.viewing import (
    Page,
    Range,
    Version,
    find_version,
    page_of,
    read_range,
    symbols_of,
)
from projects.models import Project, Source

MODES = {
    Mode.AUTO: "Automatic",
    Mode.WORDS: "Words",
    Mode.MEANING: "Meaning",
    Mode.SYMBOL: "Definitions",
    Mode.REGEX: "Pattern",
}
RESULTS_SHOWN = 30
LONGEST_QUERY = 1_000


@dataclass(slots=True)
class Found:
    """A passage with what the page says about it."""

    hit: Hit
    number: int
    lines: list[SafeString]


@dataclass(slots=True)
class FoundFile:
    """The passages of one file, in the order of the best one."""

    document: Document
    passages: list[Found] = field(default_factory=list)


@require_GET
def search_page(request: HttpRequest, project_id: UUID) -> HttpResponse:
    viewer = viewer_of(request)
    project = get_object_or_404(Project.objects.visible_to(viewer), pk=project_id)
    query = read_query(request.GET.get("q", "")[:LONGEST_QUERY], request.GET.dict())
    page: dict[str, object] = {"project": project, "query": query, "modes": MODES}
    if query.words or query.parts:
        results = search(
            viewer,
            query.words,
            project_ids=[project.pk],
            filters=query.filters,
            limit=RESULTS_SHOWN,
            mode=query.mode,
        )
        page["results"] = results
        page["files"] = _by_file(results, query)
        page["suggestions"] = _narrowings(results.hits, query)
        page["why"] = urlencode({"q": query.typed, **query.fields})
    page["chips"] = _chips(query)
    return render(request, "knowledge/search.html", page)


def _by_file(results: Results, query: Query) -> list[FoundFile]:
    files: dict[UUID, FoundFile] = {}
    marks = results.marks if query.mode == Mode.REGEX else words_to_light(query.words)
    for number, hit in enumerate(results.hits, start=1):
        document = hit.chunk.document
        lines = highlight_lines(hit.text, hit.chunk.language, marks=marks)
        file = files.setdefault(document.pk, FoundFile(document))
        file.passages.append(Found(hit, number, lines))
    return list(files.values())


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that can be added or taken away by following its address."""

    label: str
    href: str


def _address(query: Query, parts: Iterable[Part]) -> str:
    """Return the address of the same search with these parts."""
    changed = replace(query, parts=tuple(parts))
    return "?" + urlencode({"q": changed.typed, **changed.fields})


def _chips(query: Query) -> list[Chip]:
    return [
        Chip(str(part), _address(query, [other for other in query.parts if other is not part]))
        for part in query.parts
    ]


def _narrowings(hits: list[Hit], query: Query) -> list[Chip]:
    """Return the filters that would part these results."""
    chips = []
    named = {part.field for part in query.parts}
    for name in ("language", "collection"):
        values = list(dict.fromkeys(getattr(hit.chunk, name) for hit in hits))
        if name in named or len(values) < 2:
            continue
        parts = [Part(name, value) for value in values[:4] if value]
        chips += [Chip(str(part), _address(query, [*query.parts, part])) for part in parts]
    return chips


@require_GET
def files(request: HttpRequest, source_id: UUID) -> HttpResponse:
    """Show one level of a source's folders, or the files whose paths hold some words."""
    viewer = viewer_of(request)
    sources = Source.objects.visible_to(viewer).select_related("project")
    source = get_object_or_404(sources, pk=source_id)
    page: dict[str, object] = {
        "project": source.project,
        "source": source,
        "at": source.head or _commit_so_far(source),
    }
    words = " ".join(request.GET.get("filter", "")[:300].split())
    if words:
        page["matches"] = find_paths(viewer, source, words)
    else:
        folder = list_folder(viewer, source, request.GET.get("folder", "")[:4096])
        if folder.path and not folder.entries:
            raise Http404
        page |= {"folder": folder, "crumbs": crumbs_of(folder.path)}
    is_part = request.GET.get("part") == "tree"
    return render(request, "knowledge/_tree.html" if is_part else "knowledge/files.html", page)


def _commit_so_far(source: Source) -> str:
    """Return the commit of what a source's first sync has stored, before its head moves."""
    indexed = source.documents.filter(state=Document.State.INDEXED)
    return indexed.values_list("commit", flat=True).first() or ""


@require_GET
def file(request: HttpRequest, source_id: UUID, commit: str, path: str) -> HttpResponse:
    """Show a file as it stood at a commit, the asked lines lit."""
    viewer = viewer_of(request)
    version = _version_or_404(request, source_id, commit, path)
    lit = read_range(request.GET.get("lines", ""))
    number = _number(request.GET.get("page", ""))
    part = page_of(version.text, number=number, lit=lit)
    can_render = can_be_laid_out(version)
    asks_for_lines = lit is not None or request.GET.get("view") == "lines"
    page: dict[str, object] = {
        "project": version.source.project,
        "source": version.source,
        "version": version,
        "part": part,
        "lit": lit,
        "crumbs": crumbs_of(path),
        "at": version.source.head or version.commit,
        "tree": tree_to(viewer, version.source, version.folder),
        "can_render": can_render,
        "symbols": [] if version.has_changed else symbols_of(version.document),
    }
    if can_render and not asks_for_lines:
        page.update(lay_out(viewer, version, number=number))
    if not page.keys() & {"html", "table", "notebook"}:
        page["lines"] = _numbered(part, version.language, lit)
    return render(request, "knowledge/file.html", page)


@dataclass(frozen=True, slots=True)
class Line:
    number: int
    html: SafeString
    is_lit: bool


def _numbered(part: Page, language: str, lit: Range | None) -> list[Line]:
    lines = highlight_lines(part.text, language)
    return [
        Line(number, html, lit is not None and number in lit)
        for number, html in enumerate(lines, start=part.start_line)
    ]


@require_GET
def file_raw(request: HttpRequest, source_id: UUID, commit: str, path: str) -> HttpResponse:
    """Hand out the text as a download, never as anything that a browser would run."""
    version = _version_or_404(request, source_id, commit, path)
    response = HttpResponse(version.text, content_type="text/plain; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(version.name, safe='')}"
    response["Content-Security-Policy"] = "sandbox; default-src 'none'"
    return response


def _version_or_404(request: HttpRequest, source_id: UUID, commit: str, path: str) -> Version:
    version = find_version(viewer_of(request), source_id, commit, path)
    if version is None:
        raise Http404
    return version


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0

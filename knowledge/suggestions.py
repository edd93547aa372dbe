"""Questions worth asking about a project, taken from what is indexed."""

import re
from collections.abc import Sequence
from uuid import UUID

from django.db.models import Count

from knowledge.models import Chunk, Document, Overview
from projects.models import Project

LOOKED_AT = 400
TESTS_AND_THE_LIKE = re.compile(r"(^|/)(tests?|spec|examples?|bench\w*|vendor|migrations)(/|$)")


def suggested_questions(project: Project, *, count: int = 3) -> list[str]:
    """Return up to three questions that the project's own documents can answer."""
    told = Overview.objects.filter(project=project).values_list("content__questions", flat=True)
    questions = list(told.first() or ())
    if len(questions) < count:
        questions = list(dict.fromkeys(questions + _by_length(project, count)))
    return questions[:count]


def _by_length(project: Project, count: int) -> list[str]:
    documents = (
        Document.objects.filter(project=project, state=Document.State.INDEXED)
        .annotate(chunk_count=Count("chunks"))
        .order_by("-chunk_count", "path")
        .values_list("pk", "path")[:60]
    )
    busy = [pk for pk, path in documents if not TESTS_AND_THE_LIKE.search(path)][:12]
    return _about_symbols(busy, count - 1) + _about_documents(project)


def _about_symbols(documents: Sequence[UUID], count: int) -> list[str]:
    rows = (
        Chunk.objects.filter(document__in=documents, kind__in=["function", "class", "method"])
        .exclude(symbol="")
        .order_by("document", "chunk_index")
        .values_list("document", "symbol", "start_line", "end_line")[:LOOKED_AT]
    )
    largest: dict[UUID | None, tuple[int, str]] = {}
    for document, symbol, start, end in rows:
        name = symbol.rpartition(".")[2] if symbol.count(".") > 1 else symbol
        if not re.fullmatch(r"[A-Za-z][\w.]{3,40}", name):
            continue
        largest[document] = max(largest.get(document, (0, "")), (end - start, name))
    names = dict.fromkeys(largest[document][1] for document in documents if document in largest)
    return [f"How does {name} work?" for name in names][:count]


def _about_documents(project: Project) -> list[str]:
    headings = (
        Chunk.objects.filter(
            document__project=project,
            document__path__iregex=r"(^|/)(readme|docs?/.*)\.(md|rst|txt)$",
        )
        .filter(kind="section")
        .order_by("document__path", "chunk_index")
        .values_list("header", flat=True)[:40]
    )
    questions = []
    for heading in headings:
        words = heading.rpartition(" > ")[2].strip().rstrip(".:?!")
        if 2 <= len(words.split()) <= 6 and len(words) < 50:
            questions.append(f"What do the documents say about “{words}”?")
    return questions or [f"What is {project.name}, and how do I start?"]

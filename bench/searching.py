"""What a search costs in small and large databases, beside the bare statements beneath it."""

import json
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import perf_counter
from uuid import UUID

import numpy as np
from django.db import connection
from pgvector import HalfVector

from accounts.models import User
from accounts.viewers import Viewer
from bench import load, replicas
from bench.measuring import show
from conversations.extraction import compose
from conversations.passages import from_hits
from knowledge.legs import weigh_question
from knowledge.methods import Mode
from knowledge.models import Chunk
from knowledge.retrieval import search
from knowledge.scopes import Filters, Scope
from knowledge.spaces import active_space, embedder_for
from knowledge.vectors import vector_store
from projects.models import Project

QUESTIONS = 100
CLIENTS = 8
AS_NEAR = 1e-4  # a hit counts if it is no farther than the exact tenth by this
PATTERNS = ["def get", r"raise \w+Error", "connection", r"self\._\w+ = None", "TODO"]
HEAD = ("what", "p50 ms", "p95 ms", "most", "floor p50", "over the floor")
DOCSTRING = re.compile(r'"""\s*([A-Z][^\n"]{20,160}?)[.\n"]')
HOSTILE = [
    *(r"/(x{1,200}){1,200}y/", r"/((a+)+)+$/", "/[a-z]+/", r"/(.*)*(.*)*x/", "/" + "(" * 400 + "/"),
    *("word " * 800, '"' * 3_000, "a:" * 1_500, "-" * 3_000, "🦉" * 1_000, "\u202e" * 500),
    *(
        "path:%" * 200,
        "aB" * 2_000,
        "{1:2}/3",
        "' OR 1=1 --",
        "x" * 4_000,
        "self return def " * 200,
    ),
]


def show_searching(place: Path, owner: User, sizes: Sequence[int]) -> None:
    origin = replicas.base(place, owner)
    questions = _questions(origin)
    for size in sizes:
        name = f"nightowl_bench_{size}"
        with replicas.own_database(name):
            started = perf_counter()
            made = replicas.fill(origin, owner, size)
            total = Chunk.objects.count()
            print(f"\n{total:,} passages in {len(made)} projects: {perf_counter() - started:.0f} s")
            _show_latencies(Viewer(owner), made, questions, total)
            _show_recall(made, questions)
            _show_filters(Viewer(owner), made[0], questions)
            load.show_load(name, owner, made[0], questions)


def _questions(origin: Project) -> list[str]:
    """Return questions as people ask them, from a file or from what docstrings say."""
    if given := os.environ.get("BENCH_QUESTIONS"):
        lines = Path(given).read_text(encoding="utf-8").splitlines()
        return [str(json.loads(line)["query"]) for line in lines if line.strip()][:QUESTIONS]
    rows = Chunk.objects.filter(project=origin, language="python").order_by("body_hash")
    found = [DOCSTRING.search(text) for text in rows.values_list("chunk_text", flat=True)]
    return [f"What does this: {match[1]}?" for match in found if match][:QUESTIONS]


def _timed(act: Callable[[str], object], asked: Sequence[str]) -> list[float]:
    for question in asked[:5]:
        act(question)
    spent = []
    for question in asked:
        started = perf_counter()
        act(question)
        spent.append((perf_counter() - started) * 1000)
    return spent


def _row(name: str, spent: list[float], floor: list[float] | None = None) -> tuple[str, ...]:
    p50, p95 = np.percentile(spent, [50, 95])
    row = (name, f"{p50:.1f}", f"{p95:.1f}", f"{max(spent):.0f}")
    if not floor:
        return (*row, "", "")
    beneath = float(np.percentile(floor, 50))
    return (*row, f"{beneath:.1f}", f"{p50 / beneath:.1f}")


def _show_latencies(viewer: Viewer, made: list[Project], questions: list[str], total: int) -> None:
    large, middle, small = made[0], made[len(made) // 3], made[-1]
    rows = [HEAD]
    for label, project in (("largest", large), ("middle", middle), ("smallest", small)):
        count = Chunk.objects.filter(project=project).count()
        within = [project.pk]
        spent = _timed(lambda q, within=within: search(viewer, q, project_ids=within), questions)
        floor = _timed(_floor(within), questions)
        rows.append(_row(f"hybrid, {label} project ({count:,})", spent, floor))
    everything = [project.pk for project in made]
    spent = _timed(lambda q: search(viewer, q), questions)
    rows.append(_row("hybrid, all my projects", spent, _timed(_floor(everything), questions)))
    for mode in (Mode.WORDS, Mode.MEANING):
        spent = _timed(
            lambda q, m=mode: search(viewer, q, project_ids=[large.pk], mode=m), questions
        )
        rows.append(_row(f"{mode}, largest project", spent))
    for mode, asked in ((Mode.SYMBOL, ["Session", "get", "url_for"]), (Mode.REGEX, PATTERNS)):
        spent = _timed(
            lambda q, m=mode: search(viewer, q, project_ids=[large.pk], mode=m), asked * 4
        )
        rows.append(_row(f"{mode}, largest project", spent))
    rows.append(_row("an extractive answer, whole", _timed(_answer(viewer, large), questions)))
    rows.append(_row("hostile queries", _timed(_hostile(viewer, large), HOSTILE)))
    show(f"One search after the other, {total:,} passages", rows)
    _show_clients(viewer, made, questions)


def _floor(project_ids: list[UUID]) -> Callable[[str], object]:
    """Return the bare work in PostgreSQL: the two statements that rank, and a question's vector."""
    space = active_space()
    assert space is not None
    scope = Scope(tuple(project_ids), Filters())

    def ask(question: str) -> None:
        vector = HalfVector(embedder_for(space).embed_question(question)).to_text()
        weighed = weigh_question(question, scope)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT id FROM knowledge_chunk WHERE terms && %s::bigint[]"
                " ORDER BY weights <#> %s::sparsevec LIMIT 200",
                [weighed.places, weighed.sparse],
            )
            cursor.fetchall()
            cursor.execute(
                "WITH v AS MATERIALIZED (SELECT chunk_id, embedding FROM knowledge_vector"
                " WHERE space_id = %s AND project_id = ANY(%s))"
                " SELECT chunk_id FROM v ORDER BY embedding <=> %s::halfvec LIMIT 200",
                [space.pk, project_ids, vector],
            )
            cursor.fetchall()

    return ask


def _answer(viewer: Viewer, project: Project) -> Callable[[str], object]:
    def ask(question: str) -> str:
        hits = search(viewer, question, project_ids=[project.pk], limit=30).hits
        return compose(question, from_hits(hits, files=6)) if hits else ""

    return ask


def _hostile(viewer: Viewer, project: Project) -> Callable[[str], object]:
    return lambda text: load.search_as_typed(viewer, project, text)


def _show_clients(viewer: Viewer, made: list[Project], questions: list[str]) -> None:
    jobs = [(made[n % len(made)].pk, question) for n, question in enumerate(questions * 3)]

    def one(job: tuple[UUID, str]) -> None:
        search(viewer, job[1], project_ids=[job[0]])
        connection.close()  # this thread's own; a web process would give it back to its pool

    started = perf_counter()
    with ThreadPoolExecutor(CLIENTS) as pool:
        list(pool.map(one, jobs))
    rate = len(jobs) / (perf_counter() - started)
    show("Together", [("what", "searches/s"), (f"{CLIENTS} clients in one process", f"{rate:.0f}")])


def _show_recall(made: list[Project], questions: list[str]) -> None:
    """Compare the ten nearest with the exact ones, for tenths of the projects by size."""
    space = active_space()
    assert space is not None
    rows = [("projects by size", "passages", "recall@10", "least")]
    for tenth in np.array_split(np.array(made, dtype=object), min(10, len(made))):
        shares = []
        for project in tenth[:3]:
            scope = Scope((project.pk,), Filters())
            count = Chunk.objects.filter(project=project).count()
            for question in questions[:20]:
                vector = embedder_for(space).embed_question(question)
                found = vector_store().nearest(space, vector, scope, among=count, limit=10)
                shares.append(_recall(project, HalfVector(vector).to_text(), found))
        rows.append((tenth[0].name, f"{count:,}", f"{np.mean(shares):.3f}", f"{min(shares):.1f}"))
    show("Recall of the nearest", rows)


def _recall(project: Project, vector: str, found: list[UUID]) -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (embedding <=> %s::halfvec) + 0 AS far FROM knowledge_vector"
            " WHERE project_id = %s ORDER BY far LIMIT 10",
            [vector, project.pk],
        )
        farthest = max(row[0] for row in cursor.fetchall())
        cursor.execute(
            "SELECT count(*) FROM knowledge_vector WHERE chunk_id = ANY(%s)"
            " AND (embedding <=> %s::halfvec) <= %s",
            [found, vector, farthest + AS_NEAR],
        )
        return min(1.0, cursor.fetchone()[0] / 10)


def _show_filters(viewer: Viewer, project: Project, questions: list[str]) -> None:
    """Search within ever smaller parts, and count the searches that do not fill their limit."""
    total = Chunk.objects.filter(project=project).count()
    rows = [("filter", "of the project", "p50 ms", "p95 ms", "not filled")]
    filters = {
        "none": Filters(),
        "lang:python": Filters(language="python"),
        "path:tests": Filters(path="tests"),
        "lang:rst": Filters(language="rst"),
        "path:models/sql": Filters(path="models/sql"),
        "path:sessions.py": Filters(path="sessions.py"),
        "path:src/flask/cli.py": Filters(path="src/flask/cli.py"),
    }
    for label, wanted in filters.items():
        scope = Scope((project.pk,), wanted)
        sql, values = scope.conditions()
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM knowledge_chunk c JOIN knowledge_document d"
                f" ON d.id = c.document_id WHERE c.project_id = %s {sql}",
                [project.pk, *values],
            )
            size = cursor.fetchone()[0]
        short = 0
        spent = []
        for question in questions[:30]:
            started = perf_counter()
            found = search(viewer, question, project_ids=[project.pk], filters=wanted)
            spent.append((perf_counter() - started) * 1000)
            short += len(found.hits) < min(10, size)
        p50, p95 = np.percentile(spent, [50, 95])
        rows.append((label, f"{size / total:.1%}", f"{p50:.1f}", f"{p95:.1f}", str(short)))
    show("Filtered searches fill their limit", rows)

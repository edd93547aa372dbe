"""What a search costs in small and large databases, beside the bare statements beneath it."""

import json
import os
import re
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from time import perf_counter

from django.db import connection

from accounts.models import User
from accounts.viewers import Viewer
from bench import answers, floors, hostile, load, meanwhile, narrowing, nearness, replicas
from bench.measuring import show
from bench.timing import HEAD, row, times_of
from knowledge.methods import Mode
from knowledge.models import Chunk
from knowledge.retrieval import search
from projects.models import Project

QUESTIONS = 100
DOCSTRING = re.compile(r'"""\s*([A-Z][^\n"]{20,160}?)[.\n"]')
GOALS = ((20_000, "20 / 45"), (200_000, "30 / 80"), (2_000_000, "60 / 150"))
GOAL_OF_ALL = "150 / 400"


def show_searching(place: Path, owner: User, sizes: Sequence[int]) -> None:
    origin = replicas.base(place, owner)
    questions = questions_of(origin)
    viewer = Viewer(owner)
    for size in sizes:
        with replicas.database_of(size, origin, owner) as made:
            total = Chunk.objects.count()
            print(f"\n{total:,} passages in {len(made)} projects, {len(questions)} questions")
            _show_latencies(viewer, made, questions, total)
            _show_clients(viewer, made, questions)
            nearness.show_recall(made, questions)
            narrowing.show_filters(viewer, made[0], questions)
            with replicas.copy_to_spoil() as copy:
                with load.serving(copy, owner) as door:
                    load.show_load(door, made, questions)
                    answers.show_answers(door, made[0], questions)
                    hostile.show_hostile(door, made[0])
                ask = partial(search, viewer, project_ids=[made[0].pk])
                meanwhile.show_meanwhile(copy, place, owner, ask, questions)


def questions_of(origin: Project) -> list[str]:
    """Return questions as people ask them, from a set of them or from what docstrings say."""
    if given := os.environ.get("BENCH_QUESTIONS"):
        lines = Path(given).read_text(encoding="utf-8").splitlines()
        return [str(json.loads(line)["query"]) for line in lines if line.strip()][:QUESTIONS]
    rows = Chunk.objects.filter(project=origin, language="python").order_by("body_hash")
    found = [DOCSTRING.search(text) for text in rows.values_list("chunk_text", flat=True)]
    said = dict.fromkeys(f"What does this: {match[1]}?" for match in found if match)
    return list(said)[:QUESTIONS]


def _show_latencies(
    viewer: Viewer, made: Sequence[Project], questions: Sequence[str], total: int
) -> None:
    goal = next(goal for most, goal in GOALS if total <= most)
    rows = [HEAD]
    for label, project in (
        ("largest", made[0]),
        ("middle", made[len(made) // 3]),
        ("smallest", made[-1]),
    ):
        count = Chunk.objects.filter(project=project).count()
        ask = partial(search, viewer, project_ids=[project.pk])
        floor = times_of(floors.of_both([project.pk]), questions)
        rows.append(row(f"{label} project ({count:,})", times_of(ask, questions), floor, goal))
    everything = [project.pk for project in made]
    floor = times_of(floors.of_both(everything), questions)
    spent = times_of(partial(search, viewer), questions)
    rows.append(row("all my projects", spent, floor, GOAL_OF_ALL))
    rows += _rows_of_modes(viewer, made[0], questions)
    show(f"One search after the other, {total:,} passages", rows)


def _rows_of_modes(
    viewer: Viewer, project: Project, questions: Sequence[str]
) -> list[tuple[str, ...]]:
    within = [project.pk]
    asked: dict[Mode, tuple[Sequence[str], Callable[[str], object] | None]] = {
        Mode.WORDS: (questions, floors.of_words(within)),
        Mode.MEANING: (questions, floors.of_meaning(within)),
        Mode.SYMBOL: (load.NAMES * 6, None),
        Mode.REGEX: (load.PATTERNS * 6, None),
    }
    rows = []
    for mode, (texts, floor) in asked.items():
        spent = times_of(partial(search, viewer, project_ids=within, mode=mode), texts)
        beneath = times_of(floor, texts) if floor else []
        rows.append(row(f"{mode} alone, largest project", spent, beneath))
    return rows


def _show_clients(viewer: Viewer, made: Sequence[Project], questions: Sequence[str]) -> None:
    """Show how many searches a second one process gives: its Python runs on one core."""
    jobs = [(made[n % len(made)].pk, question) for n, question in enumerate(list(questions) * 3)]

    def some(first: int) -> None:
        for project_id, question in jobs[first :: load.CLIENTS]:
            search(viewer, question, project_ids=[project_id])
        connection.close()  # this thread's own; a web process would give it back to its pool

    def measured() -> float:
        started = perf_counter()
        with ThreadPoolExecutor(load.CLIENTS) as pool:
            list(pool.map(some, range(load.CLIENTS)))
        return len(jobs) / (perf_counter() - started)

    rows = [("what", "searches/s"), (f"{load.CLIENTS} threads in one process", f"{measured():.0f}")]
    show("Together", rows)

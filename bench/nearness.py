"""Whether the nearest passages are found, beside those that exact distances give."""

from collections.abc import Sequence
from uuid import UUID

import numpy as np
from django.db import connection
from pgvector import HalfVector

from bench.floors import scope_of, space_here
from bench.measuring import show
from knowledge.models import Chunk
from knowledge.spaces import embedder_for
from knowledge.vectors import vector_store
from projects.models import Project

AS_NEAR = 1e-4  # a hit counts if it is no farther than the exact tenth by this
QUESTIONS = 20
PROJECTS = 3  # of each tenth
WANTED = 10


def show_recall(made: Sequence[Project], questions: Sequence[str]) -> None:
    """Compare the ten nearest with the exact ones, for each tenth of the projects by size."""
    model = embedder_for(space_here())
    vectors = [HalfVector(model.embed_question(question)) for question in questions[:QUESTIONS]]
    rows = [("projects by size", "passages", "recall@10", "least", "goal")]
    tenths = np.array_split(np.arange(len(made)), min(10, len(made)))
    for number, tenth in enumerate(tenths, 1):
        counts, shares = [], []
        for project in [made[place] for place in tenth[:PROJECTS]]:
            counts.append(Chunk.objects.filter(project=project).count())
            shares += [_recall([project.pk], counts[-1], vector) for vector in vectors]
        goal = "1.000" if max(counts) < 30_000 else ".98"
        sizes = f"{min(counts):,}–{max(counts):,}"
        rows.append((f"tenth {number}", sizes, f"{np.mean(shares):.3f}", f"{min(shares)}", goal))
    everything = [project.pk for project in made]
    total = Chunk.objects.filter(project__in=everything).count()
    shares = [_recall(everything, total, vector) for vector in vectors]
    rows.append(("all of them", f"{total:,}", f"{np.mean(shares):.3f}", f"{min(shares)}", ".98"))
    show("Recall of the nearest ten", rows)


def _recall(project_ids: list[UUID], among: int, vector: HalfVector) -> float:
    scope = scope_of(project_ids)
    found = vector_store().nearest(
        space_here(), np.array(vector.to_list()), scope, among=among, limit=WANTED
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (embedding <=> %s::halfvec) + 0 AS far FROM knowledge_vector"
            f" WHERE project_id = ANY(%s) ORDER BY far LIMIT {WANTED}",
            [vector.to_text(), project_ids],
        )
        exact = [far for (far,) in cursor.fetchall()]
        cursor.execute(
            "SELECT count(*) FROM knowledge_vector WHERE chunk_id = ANY(%s)"
            " AND (embedding <=> %s::halfvec) <= %s",
            [found, vector.to_text(), exact[-1] + AS_NEAR],
        )
        return min(1.0, float(cursor.fetchone()[0]) / len(exact))

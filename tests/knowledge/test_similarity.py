"""Similarity search over documents: exact, scoped, the best passage of each."""

from uuid import uuid4

import numpy as np
import pytest
from pgvector import HalfVector

from accounts.viewers import Viewer
from knowledge.models import Chunk, Document, EmbeddingSpace, Vector
from knowledge.similarity import Wanted, similar_to_document, similar_to_text
from knowledge.writing import create_document
from projects.jobs import run_next
from projects.models import Job, Project, Source

EVERYTHING = Wanted(limit=50, threshold=0.0)
TEXTS = {
    "a.md": "Owls hunt mice at night in the forest.",
    "b.md": "Owls hunt mice at dusk in the meadow.",
    "c.md": "Invoices are paid within thirty days of their date.",
    "d.md": "Kittens sleep all day long on the warm roof.",
}


@pytest.fixture
def embed():
    """Have everything embedded that waits for it."""

    def run() -> None:
        for source in Source.objects.all():
            Job.objects.open().filter(source=source).delete()
            Job.objects.create(project=source.project, source=source, kind="embed")
        while run_next():
            pass

    return run


@pytest.fixture
def documents(source, index, embed) -> dict[str, Document]:
    made = {path: index(source, path, text + "\n") for path, text in TEXTS.items()}
    embed()
    return made


def paths(found) -> list[str]:
    return [similar.document.path for similar in found.similar]


def test_the_nearest_stands_first(viewer, documents) -> None:
    found = similar_to_text(viewer, "Owls hunt mice at night", EVERYTHING)

    assert paths(found)[:2] == ["a.md", "b.md"]
    scores = [similar.score for similar in found.similar]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert found.similar[0].passage.chunk_text == TEXTS["a.md"]


def test_the_scores_are_the_cosines_of_all_vectors(viewer, documents) -> None:
    found = similar_to_document(viewer, documents["a.md"], EVERYTHING)

    vectors = {
        path: np.asarray(
            HalfVector(Vector.objects.get(chunk__document=document).embedding).to_list()
        )
        for path, document in documents.items()
    }
    own = vectors.pop("a.md")
    expected = {path: float(own @ other) for path, other in vectors.items()}
    assert {similar.document.path: similar.score for similar in found.similar} == pytest.approx(
        {path: score for path, score in expected.items() if score >= 0}, abs=2e-3
    )


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_no_more_than_the_limit_come_back(viewer, documents, limit: int) -> None:
    found = similar_to_text(viewer, "Owls hunt mice", Wanted(limit=limit, threshold=-1))

    assert len(found.similar) == limit


def test_nothing_below_the_threshold_comes_back(viewer, documents) -> None:
    everything = similar_to_text(viewer, "Owls hunt mice", EVERYTHING).similar

    for similar in everything:
        kept = similar_to_text(viewer, "Owls hunt mice", Wanted(50, similar.score - 1e-6)).similar
        assert [one.score for one in kept] == [
            one.score for one in everything if one.score >= similar.score - 1e-6
        ]
    assert similar_to_text(viewer, "zebra quagga", Wanted()).similar == []


def test_a_document_is_not_similar_to_itself(viewer, documents) -> None:
    assert "a.md" not in paths(similar_to_document(viewer, documents["a.md"], EVERYTHING))


def test_a_document_comes_back_once_with_its_best_passage(viewer, source, index, embed) -> None:
    sections = [f"# Part {n}\n\n{'Invoices are paid. ' * 60}\n" for n in range(3)]
    sections[1] = f"# Hunting\n\n{'Owls hunt mice at night. ' * 60}\n"
    document = index(source, "long.md", "\n".join(sections))
    embed()
    assert document.chunks.count() >= 3

    [similar] = similar_to_text(viewer, "Owls hunt mice at night", EVERYTHING).similar
    assert "Owls hunt" in similar.passage.chunk_text


def test_others_projects_are_out_of_reach(documents, charlie, bob, alice, viewer) -> None:
    other = Project.objects.create(name="other", owner=alice)
    elsewhere = Viewer(alice, project_ids=frozenset({other.pk}))

    assert similar_to_text(Viewer(charlie), "Owls hunt mice", EVERYTHING).similar == []
    assert similar_to_text(elsewhere, "Owls hunt mice", EVERYTHING).similar == []
    assert similar_to_document(Viewer(charlie), documents["a.md"], EVERYTHING).similar == []
    assert similar_to_text(Viewer(bob), "Owls hunt mice", EVERYTHING).similar
    for project_id in (other.pk, uuid4()):
        wanted = Wanted(50, 0.0, project_id=project_id)
        assert similar_to_text(viewer, "Owls hunt mice", wanted).similar == []


def test_only_one_persons_documents_can_be_asked_for(
    documents, project, alice, viewer, embed
) -> None:
    written = create_document(project, by=alice, title="Hunting", content=TEXTS["a.md"])
    embed()

    mine = similar_to_text(viewer, "Owls hunt mice", Wanted(50, 0.0, user_id=alice.pk))
    assert paths(mine) == [written.path]
    nobodys = similar_to_text(viewer, "Owls hunt mice", Wanted(50, 0.0, user_id=uuid4()))
    assert nobodys.similar == []


def test_without_vectors_it_says_so(viewer, source, index) -> None:
    document = index(source, "a.md", TEXTS["a.md"])
    EmbeddingSpace.objects.all().delete()

    for found in (
        similar_to_text(viewer, "Owls", EVERYTHING),
        similar_to_document(viewer, document, EVERYTHING),
    ):
        assert found.similar == []
        assert "embedded yet" in found.notes[0]


def test_a_text_without_a_direction_is_similar_to_nothing(viewer, documents) -> None:
    chunk = Chunk.objects.get(document=documents["a.md"])
    dimensions = EmbeddingSpace.objects.get().dimensions
    Vector.objects.filter(chunk=chunk).update(embedding=HalfVector([0] * dimensions))

    assert "a.md" not in paths(similar_to_text(viewer, "Owls hunt mice at night", EVERYTHING))


@pytest.mark.parametrize("text", ["x" * 100_000, "🦉", "\u200b", "'; DROP TABLE x; --", "\n"])
def test_any_text_can_be_compared(viewer, documents, text: str) -> None:
    assert similar_to_text(viewer, text, Wanted(3, -1.0)).notes == []

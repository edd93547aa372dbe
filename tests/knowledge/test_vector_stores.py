"""One contract for every store of vectors: the same data gives the same results."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pytest
from django.utils import timezone

from knowledge.legs import by_words, weigh_question
from knowledge.models import Chunk, Document, EmbeddingSpace, Replica, VectorChange
from knowledge.qdrant_vectors import serving
from knowledge.replicating import bring_up_to_date
from knowledge.scopes import Scope, Without
from knowledge.vectors import IN_POSTGRESQL, VectorStore, vector_store
from projects.models import Project, Source
from providers.embedding import normalised
from tests.knowledge.many_vectors import directions, make_space, put, whole
from tests.knowledge.qdrant_samples import use_qdrant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=["postgresql", "qdrant"])
def store(request, settings) -> VectorStore:
    if request.param == "qdrant":
        use_qdrant(settings, ":memory:")
    return vector_store()


def settled(space: EmbeddingSpace) -> None:
    """Let a store outside PostgreSQL hear of everything, where there is one."""
    if vector_store() is not IN_POSTGRESQL:
        assert bring_up_to_date(space)
        assert not VectorChange.objects.filter(space_id=space.pk).exists()


def nearest(store: VectorStore, space, vector, scope, limit: int = 10) -> list:
    settled(space)
    return store.nearest(space, vector, scope, among=1000, limit=limit)


def check_nearest(found: list, chunks: list[Chunk], rows: np.ndarray, vector, limit: int) -> None:
    """Check that these are the nearest, in order: what is as near to 0.001 may change places."""
    cosines = dict(zip((chunk.pk for chunk in chunks), rows @ vector, strict=True))
    assert len(set(found)) == len(found) == min(limit, len(chunks))
    best = sorted(cosines.values(), reverse=True)[:limit]
    assert np.allclose([cosines[one] for one in found], best, atol=1e-3)


@pytest.mark.parametrize("dimensions", [16, 384, 3072])
@pytest.mark.parametrize("limit", [1, 10, 500])
def test_the_nearest_come_first(store, make_chunks, project, dimensions, limit):
    space, chunks, rows = make_space(dimensions), make_chunks(120), directions(120, dimensions)
    put(store, space, chunks, rows)
    wanted = directions(1, dimensions)[0]
    found = nearest(store, space, wanted, whole(project), limit)
    check_nearest(found, chunks, rows, wanted, limit)


def test_each_space_is_searched_for_itself(store, make_chunks, project):
    chunks = make_chunks(40)
    spaces = [make_space(16), make_space(16), make_space(32)]
    rows = [directions(40, space.dimensions) for space in spaces]
    for space, some in zip(spaces, rows, strict=True):
        put(store, space, chunks, some)
    for space, some in zip(spaces, rows, strict=True):
        assert store.count(space) == 40
        check_nearest(
            nearest(store, space, some[3], whole(project)), chunks, some, some[3], limit=10
        )


def test_a_project_sees_its_own_alone_and_several_together(store, make_chunks, project, alice):
    other = Project.objects.create(name="other", owner=alice)
    theirs = make_chunks(30, Source.objects.create(project=other, name="theirs", path="/nowhere"))
    space, ours = make_space(16), make_chunks(30)
    towards = directions(1, 16)[0]
    near, far = towards + 0.1 * directions(30, 16), -towards + 0.1 * directions(30, 16)
    put(store, space, theirs, normalised(near))
    put(store, space, ours, normalised(far))
    assert set(nearest(store, space, towards, whole(project), 20)) <= {c.pk for c in ours}
    assert len(nearest(store, space, towards, whole(project), 20)) == 20
    both = Scope((project.pk, other.pk), whole(project).filters)
    assert set(nearest(store, space, towards, both, 30)) == {c.pk for c in theirs}
    assert nearest(store, space, towards, Scope((), both.filters), 30) == []


FILTERS = {
    "language": {"language": "owl"},
    "collection": {"collection": "schemas"},
    "path": {"path": "owl-*"},
    "symbol": {"symbol": "Hoot"},
    "author": {"author": "wise"},
    "since": {"since": timezone.now() - timedelta(days=1)},
    "without": {"without": (Without("language", "python"),)},
    "collection and language": {"collection": "schemas", "language": "owl"},
}


@dataclass
class Few:
    """Few passages among many that stand nearer to a direction."""

    space: EmbeddingSpace
    towards: np.ndarray
    chunks: list[Chunk]
    rows: np.ndarray


@pytest.fixture
def few(make_chunks, store, project) -> Few:
    space, many = make_space(16), make_chunks(400)
    chunks = make_chunks(
        30, language="owl", collection="schemas", definitions=["Hoot"], header="class Hoot"
    )
    Document.objects.filter(pk=chunks[0].document_id).update(
        author="A wise one", changed_at=timezone.now()
    )
    towards = directions(1, 16)[0]
    rows = normalised(-towards + 0.3 * directions(30, 16))
    put(store, space, many, normalised(towards + 0.1 * directions(400, 16)))
    put(store, space, chunks, rows)
    return Few(space, towards, chunks, rows)


@pytest.mark.parametrize("name", FILTERS)
def test_a_filtered_search_fills_its_limit(store, few, project, name):
    found = nearest(store, few.space, few.towards, whole(project, **FILTERS[name]), 20)
    check_nearest(found, few.chunks, few.rows, few.towards, 20)


def test_what_nothing_passes_finds_nothing(store, few, project):
    assert nearest(store, few.space, few.towards, whole(project, language="none")) == []
    assert nearest(store, few.space, few.towards, whole(project, collection="none")) == []


def test_what_is_deleted_is_found_no_more(store, make_chunks, project):
    space, chunks, rows = make_space(16), make_chunks(50), directions(50, 16)
    put(store, space, chunks, rows)
    before = nearest(store, space, rows[0], whole(project), 50)
    gone = set(before[:20])
    Chunk.objects.filter(pk__in=gone).delete()
    # At once, whether the store has heard of it or not.
    assert store.nearest(space, rows[0], whole(project), among=50, limit=20) == before[20:40]
    assert nearest(store, space, rows[0], whole(project), 50) == before[20:]


def test_what_is_added_is_found(store, make_chunks, project):
    space, chunks = make_space(16), make_chunks(20)
    put(store, space, chunks, directions(20, 16))
    settled(space)
    more, rows = make_chunks(20), directions(20, 16)
    put(store, space, more, rows)
    assert nearest(store, space, rows[5], whole(project), 3)[0] == more[5].pk


def test_a_text_without_a_direction_is_last(store, make_chunks, project):
    space, chunks, rows = make_space(16), make_chunks(30), directions(30, 16)
    rows[2] = 0
    put(store, space, chunks, rows)
    assert nearest(store, space, rows[0], whole(project), 30)[-1] == chunks[2].pk


def test_dropping_a_space_leaves_the_others(store, make_chunks, project):
    space, other, chunks = make_space(16), make_space(16), make_chunks(10)
    rows = directions(10, 16)
    for one in (space, other):
        put(store, one, chunks, rows)
        settled(one)
    store.drop(space)
    assert nearest(store, space, rows[0], whole(project)) == []
    assert len(nearest(store, other, rows[0], whole(project))) == 10


def test_preparing_a_space_changes_no_result(store, make_chunks, project):
    space, chunks, rows = make_space(16), make_chunks(60), directions(60, 16)
    put(store, space, chunks, rows)
    before = nearest(store, space, rows[0], whole(project))
    assert store.prepare(space)
    assert nearest(store, space, rows[0], whole(project)) == before


def test_words_find_the_same_passages(store, source, index, project, settings):
    settings.QDRANT_WORDS = True
    for n in range(30):
        words = "owl " * (n % 3) + "night " * (n % 5) + "feather" * (n == 7)
        index(source, f"{n}.md", f"# Part {n}\n\nThe {words} of part {n}.\n")
    space, chunks = make_space(16), list(Chunk.objects.order_by("pk"))
    put(store, space, chunks, directions(len(chunks), 16))
    settled(space)
    scope = whole(project)
    weighed = weigh_question("Where is the owl's feather at night?", scope)
    found = store.by_words(space, weighed, scope)
    expected = by_words(weighed, scope)
    if store is IN_POSTGRESQL:
        assert found is None  # it keeps no words: the index of terms does
    else:
        assert serving(space) is not None
        assert found == expected
        assert len(found) > 10


def test_a_store_says_which_generation_it_asks(store, make_chunks, project):
    space = make_space(16)
    put(store, space, make_chunks(5), directions(5, 16))
    settled(space)
    states = list(Replica.objects.filter(space=space).values_list("state", flat=True))
    assert states == ([] if store is IN_POSTGRESQL else ["serving"])

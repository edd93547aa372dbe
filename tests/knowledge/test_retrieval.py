from uuid import uuid4

import pytest
from django.db import connection

from accounts.viewers import Viewer
from knowledge.api import RESULTS
from knowledge.embedding import run_embed
from knowledge.models import Chunk, EmbeddingSpace
from knowledge.retrieval import EVIDENCE_FLOOR, search
from knowledge.scopes import Filters
from projects.jobs import claim, enqueue
from projects.leases import Lease
from projects.models import Job, Membership, Project, Source

CACHE = '''class Cache:
    """Keeps values until they expire."""

    def evict_oldest(self):
        """Drop the value that was written first."""
        self.values.pop(min(self.values, key=self.age_of))
'''
MAIL = '''def send_mail(address, subject):
    """Send a letter through the configured relay."""
    return relay.deliver(address, subject)
'''
GUIDE = "# Caching\n\nThe cache keeps values until they expire. Evicting drops the oldest.\n"


@pytest.fixture
def indexed(source, index):
    index(source, "src/cache.py", CACHE)
    index(source, "src/mail.py", MAIL)
    index(source, "docs/caching.md", GUIDE)
    return source


@pytest.fixture
def embedded(indexed):
    embed(indexed)
    return indexed


def embed(source) -> None:
    enqueue(source, Job.Kind.EMBED)
    run_embed(Lease(claim()))


def paths(viewer, question, **how) -> list[str]:
    return [hit.path for hit in search(viewer, question, **how).hits]


def test_a_question_in_words_finds_the_code(indexed, viewer):
    results = search(viewer, "how are old values evicted from the cache?")
    assert results.hits[0].path == "src/cache.py"
    assert "evict_oldest" in results.hits[0].text
    assert results.notes == ["Searched by words only: nothing is embedded yet."]
    assert results.space_id is None


def test_vectors_join_in_once_there_are_some(embedded, viewer):
    results = search(viewer, "how are old values evicted from the cache?")
    assert results.notes == []
    assert results.hits[0].path == "src/cache.py"
    assert set(results.hits[0].legs) == {"words", "meaning"}
    assert results.confidence > EVIDENCE_FLOOR


def test_a_model_that_does_not_answer_leaves_the_words(embedded, viewer):
    EmbeddingSpace.objects.update(adapter="compatible", base_url="http://127.0.0.1:1/v1")
    results = search(viewer, "how are old values evicted from the cache?")
    assert results.notes == ["Searched by words only: the embedding model does not answer."]
    assert results.space_id is None
    assert results.hits[0].path == "src/cache.py"
    assert set(results.hits[0].legs) == {"words"}


def test_a_hit_says_where_it_is(indexed, viewer):
    hit = search(viewer, "send_mail").hits[0]
    assert (hit.path, hit.start_line, hit.end_line) == ("src/mail.py", 1, 3)
    assert hit.commit == "c" * 40
    assert hit.symbol == "send_mail"
    assert hit.url.endswith(f"/at/{'c' * 40}/src/mail.py?lines=1-3#L1")
    assert hit.text == MAIL.rstrip("\n")


def test_strangers_find_nothing(embedded, charlie, bob):
    assert paths(Viewer(charlie), "cache") == []
    assert paths(Viewer(bob), "cache")


def test_a_key_that_is_limited_to_another_project_finds_nothing(embedded, alice):
    limited = Viewer(alice, project_ids=frozenset({uuid4()}))
    assert paths(limited, "cache") == []


def test_naming_a_project_of_others_does_not_open_it(embedded, charlie, project):
    assert paths(Viewer(charlie), "cache", project_ids=[project.pk]) == []


def test_a_person_who_was_deactivated_finds_nothing(embedded, alice):
    alice.is_active = False
    assert paths(Viewer(alice), "cache") == []


def test_projects_are_searched_together_and_apart(embedded, index, alice, viewer, tmp_path):
    other = Project.objects.create(name="other", owner=alice)
    Membership.objects.create(project=other, user=alice, role=Membership.Role.OWNER)
    theirs = Source.objects.create(project=other, name="more", path=str(tmp_path))
    index(theirs, "lib/cache.go", "package lib\n\nfunc evictCache() { drop(oldestValue) }\n")
    embed(theirs)
    assert {"src/cache.py", "lib/cache.go"} <= set(paths(viewer, "evict cache"))
    assert set(paths(viewer, "evict cache", project_ids=[other.pk])) == {"lib/cache.go"}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(language="markdown"), {"docs/caching.md"}),
        (Filters(path="src/"), {"src/cache.py"}),
        (Filters(path="*.md"), {"docs/caching.md"}),
        (Filters(path="100%_"), set()),
        (Filters(collection="code-chunks"), {"src/cache.py"}),
        (Filters(source_id=uuid4()), set()),
        (Filters(language="'; DROP TABLE knowledge_chunk; --"), set()),
    ],
)
def test_filters_narrow_both_legs(embedded, viewer, filters, expected):
    found = set(paths(viewer, "evict the oldest values of the cache", filters=filters))
    assert found - {"src/mail.py"} == expected


@pytest.mark.parametrize(
    "question",
    ["", "   ", "\0", "the of and", "?!", "💥", "\ud800", "x" * 100_000, "%' OR 1=1 --", "{1:2}/3"],
)
def test_odd_questions_are_answered_without_an_error(embedded, viewer, question):
    assert search(viewer, question).seconds >= 0


def test_the_limit_is_filled_when_there_is_enough(source, index, viewer):
    for number in range(30):
        index(source, f"src/m{number}.py", f"def handler_{number}():\n    return 'request'\n")
    assert len(paths(viewer, "request handler", limit=25)) == 25


def test_a_filtered_search_fills_its_limit_among_many_others(source, index, viewer):
    for number in range(260):
        index(source, f"src/m{number}.py", f"def handler_{number}():\n    return 'request'\n")
    for number in range(12):
        index(source, f"docs/d{number}.md", f"# Handler {number}\n\nA request is handled.\n")
    embed(source)
    assert len(paths(viewer, "request handler", filters=Filters(language="markdown"))) == 10


def test_what_was_deleted_is_not_found(embedded, viewer):
    Chunk.objects.filter(document__path="src/cache.py").delete()
    assert "src/cache.py" not in paths(viewer, "evict_oldest")


def test_a_question_that_shares_nothing_is_not_answerable(embedded, viewer):
    assert not search(viewer, "zeppelin gondola mooring procedure").is_answerable
    assert search(viewer, "how does the cache evict the oldest value").is_answerable


def test_a_search_costs_a_few_queries(embedded, viewer, django_assert_max_num_queries):
    # Two of them are settings of the planner's, and the edges of their transaction.
    with django_assert_max_num_queries(10):
        search(viewer, "how are old values evicted from the cache?")


def test_candidates_come_from_the_index_of_terms(embedded):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN SELECT id FROM knowledge_chunk WHERE terms && '{1,2}'::bigint[]")
        plan = "\n".join(row[0] for row in cursor.fetchall())
    assert "chunk_terms" in plan


def test_a_hit_has_all_that_is_shown_of_it(embedded, viewer, django_assert_num_queries):
    found = search(viewer, "how are old values evicted from the cache?")
    with django_assert_num_queries(0):
        told = RESULTS.to_representation(found)["hits"]
    assert told
    assert [hit["path"] for hit in told] == [hit.path for hit in found.hits]
    assert [hit["source"] for hit in told] == ["code"] * len(told)

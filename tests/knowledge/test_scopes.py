"""What filters leave, through the one search, on every leg."""

from datetime import UTC, datetime, timedelta

import pytest

from knowledge.legs import by_words, weigh_question
from knowledge.methods import Mode
from knowledge.models import Document
from knowledge.query_syntax import read_query
from knowledge.retrieval import search
from knowledge.scopes import Filters, Scope
from projects.models import Source
from tests.plans import plans_of

CACHE = '''class Cache:
    """Keeps values until they expire."""

    def evict_oldest(self):
        """Drop the value that was written first."""
'''
USE = "from cache import Cache\n\nCache().evict_oldest()  # values expire\n"
GUIDE = "# Caching\n\nThe cache keeps values until they expire, oldest first.\n"


@pytest.fixture
def texts(source, index):
    index(source, "src/cache.py", CACHE)
    index(source, "src/use.py", USE)
    index(source, "docs/caching.md", GUIDE)
    Document.objects.filter(path="src/cache.py").update(
        author="Ada Lovelace", author_email="ada@example.org", changed_at=datetime.now(UTC)
    )
    Document.objects.filter(path="src/use.py").update(
        author="Bob", changed_at=datetime.now(UTC) - timedelta(days=90)
    )
    return source


@pytest.mark.parametrize(
    ("typed", "paths"),
    [
        ("values expire", {"src/cache.py", "src/use.py", "docs/caching.md"}),
        ('"keeps values"', {"src/cache.py", "docs/caching.md"}),
        ('"Keeps Values" lang:py', {"src/cache.py"}),
        ('"values keeps"', set()),
        ("values -class", {"src/use.py", "docs/caching.md"}),
        ("values -evict_oldest", {"docs/caching.md"}),
        ('values -"until they"', {"src/use.py"}),
        ("values -path:src", {"docs/caching.md"}),
        ("values -lang:md -path:use", {"src/cache.py"}),
        ("values symbol:Cache", {"src/cache.py"}),
        ("values symbol:evict_oldest", {"src/cache.py"}),
        ("symbol:cache.evict_oldest", {"src/cache.py"}),
        ("values author:lovelace", {"src/cache.py"}),
        ("values author:ada@example", {"src/cache.py"}),
        ("values -author:ada", {"src/use.py", "docs/caching.md"}),
        ("values since:1w", {"src/cache.py"}),
        ("values since:6m", {"src/cache.py", "src/use.py"}),
        ("values branch:release", set()),
        ("lang:markdown", {"docs/caching.md"}),
        ("path:100%", set()),
    ],
)
def test_what_is_typed_is_what_is_left(texts, viewer, typed: str, paths: set[str]) -> None:
    query = read_query(typed)

    results = search(viewer, query.words, filters=query.filters, mode=query.mode)

    assert {hit.path for hit in results.hits} == paths


def test_a_branch_is_that_of_the_source(texts, viewer) -> None:
    Source.objects.filter(pk=texts.pk).update(branch="release")

    assert search(viewer, "values", filters=Filters(branch="release")).hits
    assert not search(viewer, "values", filters=Filters(branch="main")).hits


def test_definitions_are_found_by_name_in_any_case(texts, viewer) -> None:
    for name in ("evict_oldest", "EVICT_OLDEST", "Cache.evict_oldest"):
        hits = search(viewer, name, mode=Mode.SYMBOL).hits
        assert [hit.path for hit in hits] == ["src/cache.py"], name
    assert search(viewer, "expire", mode=Mode.SYMBOL).hits == []


def test_a_definition_leads_where_others_only_use_it(texts, viewer) -> None:
    results = search(viewer, "how does evict_oldest work?")

    assert results.hits[0].path == "src/cache.py"
    assert [leg.name for leg in results.legs] == ["words", "names"]


def test_modes_ask_only_their_legs(texts, viewer) -> None:
    by_word = search(viewer, "values expire", mode=Mode.WORDS)
    by_meaning = search(viewer, "values expire", mode=Mode.MEANING)

    assert [leg.name for leg in by_word.legs] == ["words"]
    assert by_word.notes == []
    assert by_meaning.hits == []
    assert by_meaning.notes == ["Nothing was searched: nothing is embedded yet."]


@pytest.mark.parametrize("filters", [Filters(), Filters(path="src"), Filters(language="python")])
def test_the_words_leg_asks_the_index_of_terms_whatever_the_filter(
    texts, project, filters: Filters
) -> None:
    scope = Scope((project.pk,), filters)
    weighed = weigh_question("values expire", scope)
    with plans_of("weights <#>") as plans:
        assert by_words(weighed, scope)
    assert "chunk_terms" in plans[0]

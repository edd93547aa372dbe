import pytest
from django.db import connection

from accounts.viewers import Viewer
from knowledge.matching import find_matches, settle_texts
from knowledge.methods import Mode
from knowledge.models import Blob
from knowledge.regular_expressions import compile_pattern
from knowledge.retrieval import search
from knowledge.scopes import Filters, Scope

CODE = """import os


def get_user(request):
    return request.user


def get_token(request):
    return os.environ["TOKEN"]
"""


@pytest.fixture(params=["settled", "not settled yet"])
def texts(request, source, index):
    index(source, "src/users.py", CODE)
    index(source, "tests/test_users.py", "def test_get_user():\n    assert get_user(None)\n")
    index(source, "docs/users.md", "# Users\n\nCall `get_user` with 100% of_the request.\n")
    if request.param == "settled":
        while settle_texts():
            pass
    return source


def found(viewer, pattern: str, **how: object) -> list[tuple[str, int]]:
    results = search(viewer, pattern, mode=Mode.REGEX, **how)
    return [(hit.path, hit.start_line) for hit in results.hits]


def test_a_pattern_finds_its_passages_tests_last(texts, viewer) -> None:
    assert found(viewer, r"def \w+_user\(") == [("src/users.py", 1), ("tests/test_users.py", 1)]
    assert found(viewer, r"get_\w+\(request") == [("src/users.py", 1)]


def test_letters_that_mean_something_to_the_database_mean_themselves(texts, viewer) -> None:
    assert found(viewer, "100% of_the") == [("docs/users.md", 1)]
    assert found(viewer, "100_ of%the") == []
    assert found(viewer, r"\[\"TOKEN\"\]") == [("src/users.py", 1)]


def test_patterns_keep_to_the_filters(texts, viewer) -> None:
    assert found(viewer, "get_user", filters=Filters(language="markdown")) == [("docs/users.md", 1)]
    assert found(viewer, "get_user", filters=Filters(path="src/")) == [("src/users.py", 1)]
    assert found(viewer, "get_user", filters=Filters(author="ada")) == []


def test_strangers_match_nothing(texts, charlie, bob) -> None:
    assert found(Viewer(charlie), "get_user") == []
    assert len(found(Viewer(bob), "get_user")) == 3


def test_what_was_matched_is_told_to_be_lit(texts, viewer) -> None:
    results = search(viewer, r"def get_\w+", mode=Mode.REGEX)

    assert set(results.marks) == {"def get_user", "def get_token"}
    assert results.hits[0].legs == {"matches": 2.0}


def test_a_pattern_that_cannot_be_searched_for_is_told(texts, viewer) -> None:
    results = search(viewer, "(x{1,200}){1,200}y", mode=Mode.REGEX)

    assert results.hits == []
    assert results.notes[0].startswith("This pattern can't be searched for")


def test_a_search_whose_time_is_up_shows_what_it_has(texts, viewer, project) -> None:
    scope = Scope((project.pk,), Filters())

    matches = find_matches(compile_pattern("get_user"), scope, seconds=0.0001)

    assert matches.is_cut_short
    assert matches.files <= 3


def test_each_text_is_settled_once(texts) -> None:
    while settle_texts(at_once=1):
        pass

    assert not Blob.objects.filter(is_settled=False).exists()
    assert settle_texts() is False


def test_the_index_of_trigrams_answers(texts) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(
            "EXPLAIN SELECT sha FROM knowledge_blob WHERE is_settled AND text ILIKE '%%get_user%%'"
        )
        assert "blob_trigrams" in "\n".join(row[0] for row in cursor.fetchall())

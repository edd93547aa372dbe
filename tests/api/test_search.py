"""Search over REST."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from knowledge.models import Document
from tests.api.conftest import World


def test_a_hit_says_where_it_is_from(world: World, bob: User, browser: Any) -> None:
    found = browser(bob).get(f"/search?q=hunt+night&project={world.project.pk}").json()
    assert set(found) == {"hits", "notes", "seconds", "considered", "confidence"}
    hit = found["hits"][0]
    assert set(hit) == {
        *("path", "start_line", "end_line", "commit", "score", "text", "symbol", "header"),
        *("language", "collection", "document", "source", "project", "url", "legs", "rules"),
    }
    assert (hit["path"], hit["start_line"], hit["end_line"]) == ("owl.py", 1, 3)
    assert (hit["commit"], hit["language"], hit["source"]) == ("c" * 40, "python", "code")
    assert hit["project"] == str(world.project.pk)
    assert "Hunt at night" in hit["text"]
    assert browser(bob).client.get(hit["url"]).status_code == 200


def test_search_looks_in_the_callers_projects_only(
    world: World, alice: User, charlie: User, browser: Any, program: Any
) -> None:
    assert browser(alice).get("/search?q=hunt").json()["hits"]
    assert browser(charlie).get("/search?q=hunt").json()["hits"] == []
    elsewhere = program(alice, projects=(world.other_project,))
    assert elsewhere.get("/search?q=hunt").json()["hits"] == []


def test_search_can_be_narrowed(
    world: World, alice: User, browser: Any, index: Callable[..., Document]
) -> None:
    index(world.source, "docs/hunting.md", "# Hunting\n\nOwls hunt mice.\n")
    caller = browser(alice)

    def paths(query: str) -> set[str]:
        return {hit["path"] for hit in caller.get(f"/search?q=hunt&{query}").json()["hits"]}

    assert paths("") == {"owl.py", "docs/hunting.md"}
    assert paths("language=Markdown") == {"docs/hunting.md"}
    assert paths("path=docs/*") == {"docs/hunting.md"}
    assert paths(f"source={world.source.pk}") == {"owl.py", "docs/hunting.md"}
    assert paths(f"source={world.upload.pk}") == set()
    assert len(paths("limit=1")) == 1


@pytest.mark.parametrize(
    "query",
    [
        *("", "q=", "q=%20", "q=" + "x" * 4001, "q=a&limit=0", "q=a&limit=101", "q=a&limit=1e3"),
        *("q=a&project=x", "q=a&source=00000000-0000-4000-8000-000000000000"),
        *("q=a&path=" + "x" * 301, "q=a%00b", "q=%ff%fe", "q=%ed%a0%80"),
    ],
)
def test_a_search_that_makes_no_sense_is_refused(query: str, alice: User, browser: Any) -> None:
    answer = browser(alice).get(f"/search?{query}")
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "words",
    [
        "'; DROP TABLE accounts_user; --",
        "((((",
        "a:*|!b&",
        "\\",
        "%25%5f",
        "🦉",
        "ﷺ" * 500,
        "(a+)+$",
    ],
)
def test_any_words_can_be_searched_for(words: str, world: World, alice: User, browser: Any) -> None:
    answer = browser(alice).client.get("/api/v1/search", {"q": words, "path": words[:100]})
    assert answer.status_code == 200

"""Searches that nobody should send: each is answered or refused in words, and never a crash."""

from typing import Any

import pytest

from accounts.models import User
from tests.api.conftest import World
from tests.api.test_bad_input import refusal

TYPED = {
    "nested repeats": r"/(x{1,200}){1,200}y/",
    "a repeat of repeats": r"/((a+)+)+$/",
    "alternatives that overlap": r"/(a|aa)+$/",
    "anything again and again": r"/(.*)*(.*)*x/",
    "a long detour": r"/(.*a){30}/",
    "optional then required": r"/(?:a?){60}a{60}/",
    "a thousand times": "/x{1000}/",
    "more than RE2 repeats": "/x{100000}/",
    "everything": r"/[\s\S]*/",
    "any one letter": "/./",
    "nothing": "//",
    "a group that never closes": "/(",
    "a class that never closes": "/[a-",
    "looking behind": r"/(?<=a)b\1/",
    "parentheses": "/" + "(" * 400 + "/",
    "many alternatives": "/" + "a|" * 200 + "a/",
    "thousands of terms": " ".join(f"t{n}" for n in range(800)),
    "one term again and again": "owl " * 900,
    "hundreds of filters": " ".join(f"path:f{n}" for n in range(300)),
    "hundreds of exclusions": " ".join(f"-l{n}" for n in range(500)),
    "hundreds of phrases": '"the owl" ' * 300,
    "wild cards": "path:" + "%_*" * 500,
    "a symbol of dots": "symbol:" + "." * 1_000,
    "quotes that never close": '"owl ' * 3 + '"',
    "quotes alone": '"' * 3_000,
    "colons": "a:" * 1_500,
    "dashes": "-" * 3_000,
    "an unknown mode": "mode:telepathy owl",
    "a time that never was": "since:0000-00-00 since:9999-99-99",
    "ages": "since:99999999999w",
    "one long word": "x" * 4_000,
    "camels": "aB" * 2_000,
    "owls": "🦉" * 1_000,
    "from right to left": "\u202e\u2066" * 500 + "بومة",
    "letters and their marks": "e\u0301" * 1_500,
    "without spaces": "中文" * 1_000,
    "injection": "' OR 1=1; DROP TABLE knowledge_chunk --",
    "a sparse vector": "{1:2}/3",
    "spaces alone": " \t\n\u2003",
}


@pytest.mark.parametrize("typed", TYPED.values(), ids=TYPED)
@pytest.mark.parametrize("mode", ["auto", "symbol", "regex"])
def test_whatever_is_typed_is_answered_or_refused(
    typed: str, mode: str, world: World, alice: User, browser: Any
) -> None:
    caller = browser(alice)
    asked = {"q": typed, "mode": mode, "project": str(world.project.pk)}

    answer = caller.client.get("/api/v1/search", asked)

    if answer.status_code != 200:
        assert answer.status_code == 400
        refusal(answer)
    page = caller.client.get(f"/projects/{world.project.pk}/search/", {"q": typed, "mode": mode})
    assert page.status_code == 200


@pytest.mark.parametrize(
    "query",
    ["q=%00owl", "q=owl%00", "q=%ff%fe", "project=%00&q=owl", "q=owl&language=%00"],
)
def test_what_is_no_text_is_refused(query: str, world: World, alice: User, browser: Any) -> None:
    answer = browser(alice).get(f"/search?{query}")

    assert answer.status_code == 400
    assert refusal(answer)["code"] == "bad_text"


@pytest.mark.parametrize("query", ["q=%ed%a0%80owl", "q=%ed%a0%80", "q=owl&symbol=%ed%bf%bf"])
def test_half_a_surrogate_is_no_text_either(
    query: str, world: World, alice: User, browser: Any
) -> None:
    assert refusal(browser(alice).get(f"/search?{query}"))["code"] == "bad_text"


@pytest.mark.parametrize(
    "more",
    [
        "limit=-1",
        "limit=0",
        "limit=1e9",
        "limit=99999999999999999999",
        "project=owl",
        "project=00000000-0000-0000-0000-000000000000",
        "source=1",
        "mode=telepathy",
        "since=yesterday",
        "path=" + "x" * 301,
        "symbol=" + "x" * 301,
    ],
)
def test_parameters_that_make_no_sense_are_refused_one_by_one(
    more: str, world: World, alice: User, browser: Any
) -> None:
    answer = browser(alice).get(f"/search?q=owl&{more}")

    assert answer.status_code == 400
    refusal(answer)


def test_a_question_of_ten_megabytes_is_too_long(world: World, alice: User, browser: Any) -> None:
    answer = browser(alice).client.get("/api/v1/search", {"q": "owl " * 2_500_000})

    assert answer.status_code == 400
    assert "q" in refusal(answer)["fields"]


def test_a_page_takes_the_beginning_of_a_question_of_ten_megabytes(
    world: World, alice: User, browser: Any
) -> None:
    client = browser(alice).client

    page = client.get(f"/projects/{world.project.pk}/search/", {"q": "owl " * 2_500_000})

    assert page.status_code in {200, 400}
    assert len(page.content) < 1_000_000


def test_two_questions_in_one_request_are_one(world: World, alice: User, browser: Any) -> None:
    assert browser(alice).get("/search?q=owl&q=hunt").status_code == 200

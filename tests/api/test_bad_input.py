"""Whatever is sent, the answer is a refusal in one shape or a right one, and never a crash."""

import json
from typing import Any

import pytest
from django.db import OperationalError

from accounts.models import User
from config.errors import explain_error
from projects.models import Project
from tests.api.conftest import Caller, World

DEEP = b"[" * 100_000 + b"]" * 100_000
BODIES = {
    "nothing": b"",
    "not json": b"name=barn",
    "half an object": b'{"name": ',
    "a list": b"[]",
    "a string": b'"barn"',
    "null": b"null",
    "a number": b"5",
    "NUL in a value": b'{"name": "a\\u0000b", "question": "a\\u0000b"}',
    "NUL in a key": b'{"a\\u0000": 1}',
    "half a surrogate in a value": b'{"name": "\\ud800"}',
    "half a surrogate in a key": b'{"\\udfff": 1}',
    "half a surrogate deep inside": b'{"x": [{"y": {"z": ["\\ud800"]}}]}',
    "NaN": b'{"name": NaN}',
    "Infinity": b'{"name": -Infinity}',
    "1e400": b'{"name": 1e400}',
    "a deep list": DEEP,
    "a deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "65 levels": b"[" * 65 + b"]" * 65,
    "a long number": b'{"name": ' + b"9" * 5_000 + b"}",
    "not utf-8": b'{"name": "\xff\xfe"}',
    "utf-16": '{"name": "barn"}'.encode("utf-16"),
    "a raw control character": b'{"name": "a\x01b"}',
}
DOORS = [
    ("POST", "/projects"),
    ("PATCH", "/projects/{project}"),
    ("POST", "/projects/{project}/members"),
    ("POST", "/sources"),
    ("PATCH", "/sources/{source}"),
    ("POST", "/conversations"),
    ("POST", "/conversations/{conversation}/ask"),
    ("POST", "/messages/{message}/feedback"),
    ("POST", "/api-keys"),
]
HARMLESS = {("nothing", "PATCH"), ("null", "PATCH")}


def refusal(answer: Any) -> dict[str, Any]:
    """Return the error of an answer, having checked its shape."""
    assert answer["Content-Type"] == "application/json"
    body = json.loads(answer.content)
    assert set(body) == {"error"}
    assert set(body["error"]) in ({"code", "message"}, {"code", "message", "fields"})
    assert body["error"]["code"]
    assert body["error"]["message"]
    return body["error"]


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_bodies_that_make_no_sense_are_refused(
    method: str, path: str, world: World, alice: User, browser: Any
) -> None:
    caller = browser(alice)
    before = Project.objects.count(), world.conversation.messages.count()
    for name, body in BODIES.items():
        answer = caller(method, world.address(path), raw=body)
        if (name, method) in HARMLESS and answer.status_code == 200:
            continue
        assert answer.status_code == 400, name
        refusal(answer)
    assert (Project.objects.count(), world.conversation.messages.count()) == before


@pytest.mark.parametrize(("method", "path"), DOORS)
def test_other_kinds_of_bodies_are_named(
    method: str, path: str, world: World, alice: User, browser: Any
) -> None:
    for kind in (
        "text/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "nonsense",
    ):
        answer = browser(alice)(method, world.address(path), raw=b"a=1", content_type=kind)
        assert answer.status_code in {400, 415}
        refusal(answer)


@pytest.mark.parametrize(
    "body",
    [
        b'\xef\xbb\xbf{"name": "barn"}',
        b'{"name": "first", "name": "barn"}',
        '{"name": "b\u00e4rn \U0001f989 \u202e e\u0301"}'.encode(),
        b'{"name": "barn", "unknown": {"a": [1, 2]}}',
    ],
)
def test_odd_but_right_bodies_are_taken(body: bytes, alice: User, browser: Any) -> None:
    kind = "application/json; charset=foo"
    assert browser(alice)("POST", "/projects", raw=body, content_type=kind).status_code == 201


def test_a_body_that_is_too_large_is_refused_unread(alice: User, browser: Any) -> None:
    answer = browser(alice)("POST", "/projects", raw=b'{"name": "' + b"x" * 10**7 + b'"}')
    assert answer.status_code == 413
    assert refusal(answer)["code"] == "too_large"


@pytest.mark.parametrize(
    "query",
    [
        *("limit=-1", "limit=0", "limit=1e9", "limit=abc", "limit=", "limit=9999999999999"),
        *("offset=-1", "offset=x", "offset=1000001", "limit=²"),
    ],
)
def test_pages_that_can_not_be_are_refused(query: str, alice: User, browser: Any) -> None:
    for path in ("/projects", "/sources", "/jobs", "/documents", "/calls", "/conversations"):
        answer = browser(alice).get(f"{path}?{query}")
        assert answer.status_code == 400
        assert set(refusal(answer)["fields"]) <= {"limit", "offset"}


def test_pages_are_cut_at_their_limit_and_linked(world: World, alice: User, browser: Any) -> None:
    caller = browser(alice)
    first = caller.get("/projects?limit=1").json()
    assert (first["count"], len(first["results"]), first["previous"]) == (2, 1, None)
    second = caller.client.get(first["next"]).json()
    assert [row["name"] for row in first["results"] + second["results"]] == ["nightowl", "other"]
    assert second["next"] is None
    assert caller.get("/projects?limit=100000").status_code == 200
    assert caller.get("/projects?offset=1000").json()["results"] == []


@pytest.mark.parametrize(
    "path",
    [
        *("/projects/x", "/projects/" + "-" * 36, "/projects/" + "f" * 36, "/nothing", "/"),
        *(
            f"/projects/{2**70}",
            "/projects/..%2f..",
            "/sources/%252f",
            "/me/x",
            "/conversations//ask",
        ),
    ],
)
def test_addresses_that_lead_nowhere_are_told_as_json(path: str, alice: User, browser: Any) -> None:
    for caller in (browser(alice), browser(None)):
        answer = caller.get(path)
        assert answer.status_code in {401, 404}
        refusal(answer)


@pytest.mark.parametrize("query", ["a=%00", "%00=a", "a=%ff", "a=%ed%a0%80"])
def test_text_that_is_none_is_refused_in_addresses(query: str, alice: User, browser: Any) -> None:
    for path in ("/projects", "/search", "/documents"):
        answer = browser(alice).get(f"{path}?{query}")
        assert answer.status_code == 400
        refusal(answer)


@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "BREW"])
def test_methods_that_nothing_knows(method: str, alice: User, browser: Any) -> None:
    for path in ("/projects", "/me", "/search", "/messages"):
        answer = browser(alice)(method, path)
        assert answer.status_code in {404, 405}
        refusal(answer)


def test_head_answers_like_get_without_a_body(alice: User, browser: Any) -> None:
    answer = browser(alice)("HEAD", "/projects")
    assert (answer.status_code, answer.content) == (200, b"")


def test_other_formats_are_refused_or_ignored(alice: User, browser: Any) -> None:
    answer = browser(alice).get("/projects", accept="text/evil")
    assert answer.status_code == 406
    refusal(answer)
    assert browser(alice).get("/projects?format=xyz").status_code == 200


def test_a_slash_at_the_end_makes_no_difference(world: World, alice: User, browser: Any) -> None:
    for path in ("/projects", "/me", f"/sources/{world.source.pk}", "/search"):
        query = "?q=owl" if path == "/search" else ""
        assert browser(alice).get(f"{path}/{query}").status_code == 200


@pytest.mark.parametrize(
    "ordering", ["owner__password", "ordering=-owner__password", "owner__password__startswith=a"]
)
def test_nothing_of_the_query_reaches_the_database_by_name(
    ordering: str, world: World, alice: User, browser: Any
) -> None:
    plain = browser(alice).get("/projects").json()
    assert browser(alice).get(f"/projects?ordering={ordering}&{ordering}").json() == plain


def test_a_database_that_does_not_answer_is_told() -> None:
    answer = explain_error(OperationalError("gone"), {})
    assert answer is not None
    assert (answer.status_code, answer.data["error"]["code"]) == (503, "unavailable")


def test_what_is_a_bug_is_not_explained_away() -> None:
    assert explain_error(KeyError("x"), {}) is None


def test_nobody_meets_a_page(db: None) -> None:
    answer = Caller().get("/projects")
    assert answer.status_code == 401
    assert refusal(answer)["code"] == "not_authenticated"

"""What the description promises holds: fields of answers, ids in bodies, lists of one's own."""

from typing import Any
from uuid import uuid4

import pytest
from drf_spectacular.generators import SchemaGenerator

from accounts.models import User
from projects.models import Membership, Project, Source
from tests.api.conftest import World
from tests.api.test_matrix import ROWS, world_body

DOCUMENT: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
SCHEMAS = DOCUMENT["components"]["schemas"]
LISTS = [
    *("/projects", "/sources", "/jobs", "/documents", "/calls", "/conversations", "/api-keys"),
]


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    while True:
        if "$ref" in schema:
            schema = SCHEMAS[schema["$ref"].rpartition("/")[2]]
        elif schema.get("allOf") or schema.get("oneOf"):
            schema = (schema.get("allOf") or schema["oneOf"])[0]
        else:
            return schema


def operation_of(name: str) -> dict[str, Any]:
    method, path = name.split()
    found: dict[str, Any] = DOCUMENT["paths"][f"/api/v1{path}"][method.lower()]
    return found


def same_fields(value: Any, schema: dict[str, Any], place: str) -> None:
    """Fail where an object has other fields than its description, however deep."""
    schema = resolved(schema)
    if isinstance(value, list):
        for item in value:
            same_fields(item, schema["items"], f"{place}[]")
    elif isinstance(value, dict) and "properties" in schema:
        optional = set(schema["properties"]) - set(schema.get("required", ()))
        assert set(value) | optional == set(schema["properties"]), place
        for name, inner in value.items():
            same_fields(inner, schema["properties"][name], f"{place}.{name}")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.operation)
def test_an_answer_has_the_fields_that_are_described(
    row: Any, world: World, alice: User, admin: User, charlie: User, browser: Any
) -> None:
    caller = browser(alice if row.owner < 400 else admin)
    headers = {"content_type": "multipart/form-data; boundary=x"} if row.raw else {}
    body = world_body(row.body, world)
    if isinstance(body, dict):
        body.pop("stream", None)
        if row.operation.endswith(("/ask", "/regenerate")):
            return  # told whole in the tests of conversations, over real transactions
    if row.operation.endswith("/stream"):
        return  # it has events in place of fields
    method = row.operation.split()[0]
    answer = caller(method, world.address(row.path), body, raw=row.raw, **headers)
    responses = operation_of(row.operation)["responses"]
    described = responses["4XX" if 400 <= answer.status_code < 500 else str(answer.status_code)]
    if answer.status_code == 204:
        assert answer.content == b""
        return
    same_fields(answer.json(), described["content"]["application/json"]["schema"], row.operation)


def bodies_with_ids() -> list[Any]:
    found = []
    for row in ROWS:
        content = operation_of(row.operation).get("requestBody", {}).get("content", {})
        schema = resolved(content.get("application/json", {}).get("schema", {}))
        for field, described in schema.get("properties", {}).items():
            items = resolved(described).get("items", {})
            formats = {resolved(described).get("format"), resolved(items).get("format")}
            if "uuid" in formats and not described.get("readOnly"):
                name = f"{row.operation} {field}"
                found.append(pytest.param(row, field, bool(items), id=name))
    return found


@pytest.mark.parametrize(("row", "field", "is_list"), bodies_with_ids())
def test_an_id_in_a_body_is_checked_against_the_caller(
    row: Any, field: str, is_list: bool, world: World, alice: User, charlie: User, browser: Any
) -> None:
    barn = Project.objects.create(name="barn", owner=charlie)
    Membership.objects.create(project=barn, user=charlie, role="owner")
    before = Source.objects.count()
    for foreign in (barn.pk, uuid4(), charlie.pk):
        given = [str(foreign)] if is_list else str(foreign)
        body = {**(world_body(row.body, world) or {}), field: given}
        answer = browser(alice)(row.operation.split()[0], world.address(row.path), body)
        assert answer.status_code in {400, 404}
    assert not barn.sources.exists()
    assert not barn.conversations.exists()
    assert not barn.api_key_links.exists()
    assert Source.objects.count() == before


def test_the_ids_in_bodies_are_found() -> None:
    names = {parameter.id for parameter in bodies_with_ids()}
    assert names == {
        *("POST /api-keys projects", "POST /sources project", "POST /conversations project"),
        *("POST /conversations provider", "PATCH /conversations/{id} provider"),
        "POST /conversations/{id}/ask in_place_of",
        *("POST /documents project", "POST /documents/similar document"),
        *("POST /documents/similar project", "POST /documents/similar user"),
        *("POST /golden-questions project", "POST /evaluations project"),
        "POST /nightly-runs project",
    }


@pytest.mark.parametrize("path", LISTS)
def test_a_list_has_nothing_of_others(
    path: str, world: World, alice: User, charlie: User, browser: Any, program: Any
) -> None:
    assert browser(alice).get(path).json()["count"] > 0
    assert browser(charlie).get(path).json() == {
        "count": 0,
        "next": None,
        "previous": None,
        "results": [],
    }
    if path != "/api-keys":
        elsewhere = program(alice, projects=(world.other_project,)).get(path).json()
        names = {row.get("name") for row in elsewhere["results"]}
        assert names <= {"other"}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_ends_when_its_person_does(
    path: str, world: World, alice: User, browser: Any
) -> None:
    caller = browser(alice)
    alice.soft_delete()
    assert caller.get(path).status_code == 401


@pytest.mark.parametrize("path", ["/sources", "/jobs", "/documents", "/conversations", "/calls"])
def test_a_list_is_not_asked_for_anothers_project(
    path: str, world: World, charlie: User, browser: Any
) -> None:
    answer = browser(charlie).get(f"{path}?project={world.project.pk}")
    assert answer.status_code == 400
    nobodys = browser(charlie).get(f"{path}?project={uuid4()}")
    assert answer.content == nobodys.content

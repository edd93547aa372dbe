"""What the API says of itself: the document for tools and the page for people."""

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import call_command
from django.urls import reverse

from accounts.models import User
from portal.reference import operations

KEPT = Path(__file__).parents[2] / "docs" / "openapi.yaml"


@pytest.fixture(scope="module")
def described() -> str:
    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=out)
    return out.getvalue()


def test_the_kept_description_is_that_of_the_code(described: str) -> None:
    assert described.strip() == KEPT.read_text().strip(), "Run `make openapi`."


def test_every_operation_says_what_it_does_and_how_it_refuses(described: str) -> None:
    document = yaml.safe_load(described)
    for path, methods in document["paths"].items():
        assert not path.endswith("/")
        for operation in methods.values():
            assert operation["summary"]
            assert operation["responses"]["4XX"]
            assert operation["security"] == [{"apiKey": []}, {"browser": []}]


def test_no_field_is_named_like_a_secret(described: str) -> None:
    schemas = yaml.safe_load(described)["components"]["schemas"]
    named = {
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field in schema.get("properties", {})
        if any(part in field for part in ("password", "hash", "secret", "token", "key"))
    }
    # A key that is shown once, counts of tokens, names of variables that hold keys, and what is
    # most important in a project.
    spaces = ("Space", "NewSpace", "BuiltSpace", "Limits")
    harmless = ("key_variable", "tokens_used", "tokens_per_minute", "token_budget")
    assert named - {f"{schema}.{field}" for schema in spaces for field in harmless} == {
        *("IssuedKey.key", "Call.tokens_in", "Call.tokens_out", "Call.tokens_cached"),
        "Digest.tokens",
        *("Area.key_files", "Area.key_symbols", "Content.key_files", "Content.key_symbols"),
    }


def test_the_document_is_for_those_who_are_let_in(
    alice: User, browser: Any, program: Any, db: None
) -> None:
    address = reverse("api-schema")
    answer = browser(alice).client.get(address)
    assert answer.status_code == 200
    assert b"/api/v1/search" in answer.content
    assert browser(None).client.get(address).status_code == 401
    key = program(alice, "write").key
    refused = browser(None).client.get(address, headers={"authorization": f"Bearer {key}"})
    assert refused.status_code == 403


def test_the_reference_page_shows_every_operation(alice: User, browser: Any) -> None:
    page = browser(alice).client.get(reverse("api-reference"))
    assert page.status_code == 200
    text = page.content.decode()
    for group in operations():
        assert group["operations"]
        for operation in group["operations"]:
            assert operation["path"] in text
    assert browser(None).client.get(reverse("api-reference")).status_code == 302


def test_an_operation_of_the_reference_is_complete() -> None:
    (search,) = next(group["operations"] for group in operations() if group["name"] == "Search")
    assert (search["method"], search["path"]) == ("GET", "/api/v1/search")
    parameters = {parameter["name"]: parameter for parameter in search["parameters"]}
    assert parameters["q"]["required"] is True
    assert parameters["project"] == {
        "name": "project",
        "where": "query",
        "required": False,
        "type": "uuid",
        "description": "Without it: all projects of yours.",
    }
    assert '"start_line": "integer"' in search["responses"]
    keys = next(group["operations"] for group in operations() if group["name"] == "Api keys")
    create = next(operation for operation in keys if operation["method"] == "POST")
    assert '"scopes": [\n    "read | ask | write"\n  ]' in create["body"]

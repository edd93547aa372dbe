"""The reference page's reading of a description."""

from typing import Any

import pytest

from portal.reference import DEEPEST, _Reader, operations

OWL = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "mate": {"$ref": "#/components/schemas/Owl"},
    },
}
READER = _Reader({"Owl": OWL, "Mood": {"type": "string", "enum": ["awake", "asleep"]}})


@pytest.mark.parametrize(
    ("schema", "kind"),
    [
        ({"type": "string"}, "string"),
        ({"type": "string", "format": "uuid"}, "uuid"),
        ({"type": "integer", "nullable": True}, "integer or null"),
        ({"$ref": "#/components/schemas/Mood"}, "awake | asleep"),
        ({"allOf": [{"$ref": "#/components/schemas/Mood"}], "description": "x"}, "awake | asleep"),
        ({}, "any"),
    ],
)
def test_a_type_is_told_in_a_word(schema: dict[str, Any], kind: str) -> None:
    assert READER._kind(schema) == kind


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        ({"type": "array", "items": {"type": "integer"}}, ["integer"]),
        ({"type": "object", "properties": {"a": {"type": "number"}}}, {"a": "number"}),
        ({"type": "object", "additionalProperties": {"type": "number"}}, {"…": "number"}),
        ({"type": "object", "additionalProperties": {}}, "object"),
    ],
)
def test_a_shape_is_shown_by_example(schema: dict[str, Any], example: Any) -> None:
    assert READER._example(schema, 0) == example


def test_a_shape_that_holds_itself_ends() -> None:
    shown = READER._example({"$ref": "#/components/schemas/Owl"}, 0)
    for _ in range(DEEPEST):
        assert shown["name"] == "string"
        shown = shown["mate"]
    assert shown["mate"] == "…"


def test_other_media_types_are_named() -> None:
    holder = {
        "content": {
            "application/json": {"schema": {"type": "array", "items": {"type": "string"}}},
            "text/markdown": {"schema": {"type": "string"}},
        }
    }
    assert READER._content(holder) == '[\n  "string"\n]\ntext/markdown'
    assert READER._content({}) == ""


def test_every_group_is_named_for_people() -> None:
    assert [group["name"] for group in operations()] == [
        *("Api keys", "Calls", "Convention scores", "Conversations", "Documents"),
        *("Embedding spaces", "Evaluations", "Findings", "Golden questions", "Jobs"),
        *("Knowledge gaps", "Me", "Messages", "Nightly runs", "Projects", "Providers"),
        *("Reviews", "Search", "Sources", "Standards", "Test suggestions"),
    ]


def test_refusals_are_not_repeated_with_every_operation() -> None:
    for group in operations():
        for operation in group["operations"]:
            assert "4XX" not in operation["responses"]

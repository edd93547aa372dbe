"""The reference page of the REST API, made from its own description."""

import json
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")
PREFIX = "/api/v1/"
DEEPEST = 6
REFUSALS = "4XX"  # the same everywhere

Schema = dict[str, Any]


@require_GET
def reference(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/reference.html", {"operations": operations()})


@cache  # the API changes with the code only
def operations() -> list[dict[str, Any]]:
    """Return what can be asked of the API, in groups: the first word of the address."""
    generator: Any = SchemaGenerator
    document: Schema = generator().get_schema(request=None, public=True)
    reader = _Reader(document.get("components", {}).get("schemas", {}))
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, methods in document["paths"].items():
        name = path.removeprefix(PREFIX).partition("/")[0].replace("-", " ").capitalize()
        for method in METHODS:
            if method in methods:
                groups.setdefault(name, []).append(reader.operation(method, path, methods[method]))
    return [{"name": name, "operations": rows} for name, rows in groups.items()]


class _Reader:
    def __init__(self, components: dict[str, Schema]) -> None:
        self.components = components

    def operation(self, method: str, path: str, described: Schema) -> dict[str, Any]:
        return {
            "method": method.upper(),
            "path": path,
            "summary": described.get("summary", ""),
            "description": described.get("description", ""),
            "parameters": [self._parameter(given) for given in described.get("parameters", [])],
            "body": self._content(described.get("requestBody", {})),
            "responses": "\n".join(
                f"{status} {self._content(answer)}".strip()
                for status, answer in described["responses"].items()
                if status != REFUSALS
            ),
        }

    def _parameter(self, given: Schema) -> dict[str, Any]:
        return {
            "name": given["name"],
            "where": given["in"],
            "required": given.get("required", False),
            "type": self._kind(given["schema"]),
            "description": given.get("description", ""),
        }

    def _content(self, holder: Schema) -> str:
        """Return an example of the first media type's shape, and name the other types."""
        shapes = []
        for media_type, content in holder.get("content", {}).items():
            schema = content.get("schema", {})
            if media_type != "application/json":
                shapes.append(media_type)
            if schema.get("type") != "string":
                example = self._example(schema, 0)
                shapes.append(json.dumps(example, indent=2, ensure_ascii=False))
        return "\n".join(shapes)

    def _resolved(self, schema: Schema) -> Schema:
        while True:
            if "$ref" in schema:
                schema = self.components[schema["$ref"].rpartition("/")[2]]
            elif one := schema.get("allOf") or schema.get("oneOf") or schema.get("anyOf"):
                schema = {**one[0], **{k: v for k, v in schema.items() if k == "description"}}
            else:
                return schema

    def _kind(self, schema: Schema) -> str:
        schema = self._resolved(schema)
        if schema.get("enum"):
            return " | ".join(str(value) for value in schema["enum"])
        kind = str(schema.get("format") or schema.get("type") or "any")
        return f"{kind} or null" if schema.get("nullable") else kind

    def _example(self, schema: Schema, depth: int) -> Any:
        """Return a value of the schema's shape in which types stand for values."""
        schema = self._resolved(schema)
        if depth > DEEPEST:
            return "…"
        if "properties" in schema:
            return {
                name: self._example(inner, depth + 1)
                for name, inner in schema["properties"].items()
            }
        if schema.get("type") == "array":
            return [self._example(schema.get("items", {}), depth + 1)]
        if isinstance(extra := schema.get("additionalProperties"), dict) and extra:
            return {"…": self._example(extra, depth + 1)}
        return self._kind(schema)

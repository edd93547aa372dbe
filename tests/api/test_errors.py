"""The one shape of everything that is refused."""

from typing import Any

import pytest
from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFilesSent,
    ValidationError,
)
from django.db import IntegrityError
from django.http import Http404
from psycopg.errors import CheckViolation, UniqueViolation
from rest_framework import exceptions

from config.errors import FIELDS_MESSAGE, explain_error
from conversations.asking import QuestionRefused
from knowledge.uploads import UploadRefused
from projects.membership import LastOwner, MemberRefused
from projects.sourcing import SourceRefused
from providers.choosing import ProviderRefused


def explained(error: Exception) -> tuple[int, dict[str, Any]]:
    answer = explain_error(error, {})
    assert answer is not None
    return answer.status_code, answer.data["error"]


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("secret path"), 404, "not_found"),
        (exceptions.NotFound(), 404, "not_found"),
        (PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.UnsupportedMediaType("text/xml"), 415, "unsupported_media_type"),
        (exceptions.NotAcceptable(), 406, "not_acceptable"),
        (exceptions.ParseError(), 400, "parse_error"),
        (exceptions.Throttled(wait=3), 429, "throttled"),
        (RequestDataTooBig(), 413, "too_large"),
        (TooManyFilesSent(), 400, "parse_error"),
        (SuspiciousOperation("x"), 400, "parse_error"),
        (QuestionRefused("Type a question first."), 400, "refused"),
        (UploadRefused("Too large."), 400, "refused"),
        (ProviderRefused("It stays."), 400, "refused"),
        (LastOwner(), 409, "conflict"),
    ],
)
def test_each_refusal_has_its_status_and_code(error: Exception, status: int, code: str) -> None:
    found, body = explained(error)
    assert (found, body["code"]) == (status, code)
    assert body["message"]
    assert "secret" not in body["message"]
    assert "fields" not in body


def test_waiting_time_is_told_when_there_were_too_many() -> None:
    answer = explain_error(exceptions.Throttled(wait=3), {})
    assert answer is not None
    assert answer["Retry-After"] == "3"


@pytest.mark.parametrize(
    ("error", "message", "fields"),
    [
        (
            exceptions.ValidationError({"name": ["Too long."]}),
            FIELDS_MESSAGE,
            {"name": ["Too long."]},
        ),
        (
            exceptions.ValidationError({"a": {"b": ["x"]}, "c": {1: ["y"]}}),
            FIELDS_MESSAGE,
            {"a.b": ["x"], "c.1": ["y"]},
        ),
        (exceptions.ValidationError({"c": [{}, {"d": ["z"]}]}), FIELDS_MESSAGE, {"c.1.d": ["z"]}),
        (exceptions.ValidationError({"non_field_errors": ["Not so."]}), "Not so.", None),
        (exceptions.ValidationError(["One.", "Two."]), "One. Two.", None),
        (exceptions.ValidationError("Alone."), "Alone.", None),
        (ValidationError({"name": ["Taken."]}), FIELDS_MESSAGE, {"name": ["Taken."]}),
        (ValidationError("Whole."), "Whole.", None),
        (ValidationError({"__all__": ["All."], "x": ["y"]}), "All.", {"x": ["y"]}),
        (SourceRefused("url", "Not here."), FIELDS_MESSAGE, {"url": ["Not here."]}),
        (MemberRefused("Nobody."), FIELDS_MESSAGE, {"username": ["Nobody."]}),
    ],
)
def test_fields_are_named_and_laid_flat(
    error: Exception, message: str, fields: dict[str, list[str]] | None
) -> None:
    status, body = explained(error)
    assert (status, body["code"], body["message"]) == (400, "invalid", message)
    assert body.get("fields") == fields


def test_two_who_meet_get_a_conflict_and_a_bug_stays_a_bug() -> None:
    meeting = IntegrityError()
    meeting.__cause__ = UniqueViolation()
    assert explained(meeting)[0] == 409
    mistake = IntegrityError()
    mistake.__cause__ = CheckViolation()
    assert explain_error(mistake, {}) is None

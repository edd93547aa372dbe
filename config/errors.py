"""One shape for everything that the API refuses: `{"error": {"code", "message", "fields"?}}`."""

from collections.abc import Callable, Mapping
from typing import Any

from django.core.exceptions import (
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    ValidationError,
)
from django.db import IntegrityError, OperationalError
from django.http import Http404
from psycopg.errors import ForeignKeyViolation, UniqueViolation
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler

from config.busy import NO_DATABASE
from conversations.asking import QuestionRefused, TooManyAnswers
from knowledge.golden_questions import QuestionRefused as GoldenRefused
from knowledge.spaces import SpaceRefused
from knowledge.uploads import UploadRefused
from knowledge.writing import ChangedMeanwhile, NotWrittenHere, WritingRefused
from projects.membership import LastOwner, MemberRefused
from projects.sourcing import SourceRefused
from providers.choosing import ProviderRefused
from providers.embedding import EmbedderUnavailable
from reviews.deciding import DecisionRefused
from reviews.planning import AlreadyRunning

FIELDS_MESSAGE = "Some of this can't be taken; “fields” says what."


class Refused(exceptions.APIException):
    status_code = status.HTTP_400_BAD_REQUEST
    default_code = "refused"


class Conflict(exceptions.APIException):
    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"
    default_detail = "Something of this kind is there already."


class TooLarge(exceptions.APIException):
    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"
    default_detail = "This is more than is taken at once."


class TooMany(exceptions.APIException):
    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "too_many_requests"
    wait = 5  # seconds, for Retry-After


class Unavailable(exceptions.APIException):
    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "unavailable"
    default_detail = NO_DATABASE
    wait = 5  # seconds, for Retry-After


def explain_error(error: Exception, context: dict[str, Any]) -> Response | None:
    """Return the answer to a refused request; None for what is a bug and goes up."""
    translated = _translate(error)
    response = exception_handler(translated, context)
    if response is None or not isinstance(translated, exceptions.APIException):
        return None
    response.data = {"error": _body(translated)}
    return response


def _translate(error: Exception) -> Exception:
    for kind, explain in TRANSLATIONS:
        if isinstance(error, kind):
            return explain(error)
    return error


def _met_another(error: IntegrityError) -> bool:
    """Whether two requests got in each other's way; anything else is a bug of ours."""
    return isinstance(error.__cause__, UniqueViolation | ForeignKeyViolation)


def _messages(error: ValidationError) -> dict[str, list[str]]:
    if hasattr(error, "error_dict"):
        return {("" if name == "__all__" else name): m for name, m in error.message_dict.items()}
    return {"": error.messages}


def _body(error: exceptions.APIException) -> dict[str, Any]:
    if not isinstance(error, exceptions.ValidationError):
        return {"code": _code(error.get_codes()), "message": str(error.detail)}
    fields: dict[str, list[str]] = {}
    _collect(error.detail, "", fields)
    general = [*fields.pop("", []), *fields.pop("non_field_errors", [])]
    body: dict[str, Any] = {
        "code": "invalid",
        "message": " ".join(general) or FIELDS_MESSAGE,
    }
    return {**body, "fields": fields} if fields else body


def _code(codes: object) -> str:
    return codes if isinstance(codes, str) else "refused"


def _collect(detail: object, place: str, fields: dict[str, list[str]]) -> None:
    """Lay nested errors flat: `scopes.0` names the first of the scopes."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            _collect(inner, f"{place}.{name}" if place else str(name), fields)
        return
    if isinstance(detail, list) and any(isinstance(one, Mapping | list) for one in detail):
        for number, inner in enumerate(detail):
            _collect(inner, f"{place}.{number}" if place else str(number), fields)
        return
    rows = detail if isinstance(detail, list) else [detail]
    fields.setdefault(place, []).extend(str(row) for row in rows)


# The first that fits explains: special ones stand before what they inherit from.
TRANSLATIONS: list[tuple[type[Exception], Callable[[Any], Exception]]] = [
    (Http404, lambda _: exceptions.NotFound("There is nothing here that you may see.")),
    (PermissionDenied, lambda error: exceptions.PermissionDenied(str(error) or None)),
    (SourceRefused, lambda error: exceptions.ValidationError({error.field: [error.sentence]})),
    (MemberRefused, lambda error: exceptions.ValidationError({"username": [str(error)]})),
    (TooManyAnswers, lambda error: TooMany(str(error))),
    (QuestionRefused, lambda error: Refused(str(error))),
    (UploadRefused, lambda error: Refused(str(error))),
    (ProviderRefused, lambda error: Refused(str(error))),
    (GoldenRefused, lambda error: exceptions.ValidationError({"query": [str(error)]})),
    (SpaceRefused, lambda error: Refused(str(error))),
    (EmbedderUnavailable, lambda error: Refused(str(error))),
    (WritingRefused, lambda error: exceptions.ValidationError({error.field: [error.sentence]})),
    (NotWrittenHere, lambda error: Refused(str(error))),
    (ChangedMeanwhile, lambda error: Conflict(str(error))),
    (LastOwner, lambda error: Conflict(str(error))),
    (AlreadyRunning, lambda error: Conflict(str(error))),
    (DecisionRefused, lambda error: Refused(str(error))),
    (ValidationError, lambda error: exceptions.ValidationError(_messages(error))),
    (RequestDataTooBig, lambda _: TooLarge()),
    (SuspiciousOperation, lambda _: exceptions.ParseError("The body can't be read.")),
    (IntegrityError, lambda error: Conflict() if _met_another(error) else error),
    (OperationalError, lambda _: Unavailable()),
]

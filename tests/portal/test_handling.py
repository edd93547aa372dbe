"""Requests as the web process takes them: in one thread each, streams from the event loop."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path

from config.errors import explain_error
from config.handling import OneThreadHandler
from config.urls import handler500
from config.urls import urlpatterns as known

assert handler500  # this module is a map of pages, and Django looks for it here


def noting_middleware(get_response: Any) -> Any:
    def note(request: HttpRequest) -> HttpResponse:
        request.META["THREAD"] = threading.get_ident()
        response: HttpResponse = get_response(request)
        return response

    return note


@login_not_required
def where(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"middleware": request.META["THREAD"], "view": threading.get_ident()})


@login_not_required
async def where_async(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"middleware": request.META["THREAD"], "view": threading.get_ident()})


@login_not_required
async def counting(request: HttpRequest) -> StreamingHttpResponse:
    async def numbers() -> AsyncIterator[str]:
        for number in range(3):
            yield f"{number} in {threading.get_ident()}\n"

    return StreamingHttpResponse(numbers(), content_type="text/event-stream")


@login_not_required
def without_database(request: HttpRequest) -> HttpResponse:
    raise OperationalError("couldn't get a connection after 10.00 sec")


urlpatterns = [
    path("where/", where),
    path("where-async/", where_async),
    path("counting/", counting),
    path("without-database/", without_database),
    path("api/without-database/", without_database),
    *known,
]

pytestmark = pytest.mark.urls(__name__)


@pytest.fixture
def handler(settings) -> OneThreadHandler:
    settings.MIDDLEWARE = [f"{__name__}.noting_middleware", *settings.MIDDLEWARE]
    return OneThreadHandler()


def get(handler: OneThreadHandler, address: str) -> tuple[dict[str, Any], list[bytes]]:
    return asyncio.run(_get(handler, address))


async def _get(handler: OneThreadHandler, address: str) -> tuple[dict[str, Any], list[bytes]]:
    scope = {
        "type": "http",
        "method": "GET",
        "path": address,
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
    }
    talk = ApplicationCommunicator(handler, scope)
    await talk.send_input({"type": "http.request", "body": b"", "more_body": False})
    start = await talk.receive_output(5)
    parts = []
    while True:
        part = await talk.receive_output(5)
        parts.append(part.get("body", b""))
        if not part.get("more_body"):
            await talk.wait(5)
            return start, parts


def test_middleware_and_view_share_one_thread_that_is_not_the_event_loops(handler) -> None:
    seen = json.loads(b"".join(get(handler, "/where/")[1]))

    assert seen["middleware"] == seen["view"] != threading.get_ident()


def test_an_asynchronous_view_runs_in_the_event_loop(handler) -> None:
    seen = json.loads(b"".join(get(handler, "/where-async/")[1]))

    assert seen["view"] == threading.get_ident() != seen["middleware"]


def test_a_stream_is_read_in_the_event_loop_piece_by_piece(handler) -> None:
    start, parts = get(handler, "/counting/")

    assert start["status"] == 200
    assert [part.decode() for part in parts if part] == [
        f"{number} in {threading.get_ident()}\n" for number in range(3)
    ]


def test_a_page_without_a_connection_is_not_there_for_a_moment() -> None:
    answer = Client(raise_request_exception=False).get("/without-database/")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert "Too busy for a moment" in answer.content.decode()
    assert "10.00 sec" not in answer.content.decode()


def test_a_program_without_a_connection_is_told_in_the_usual_form() -> None:
    answer = Client(raise_request_exception=False).get("/api/without-database/")

    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert answer.json()["error"]["code"] == "unavailable"


def test_a_view_of_the_api_says_when_to_come_back() -> None:
    answer = explain_error(OperationalError("no connection"), {})

    assert answer is not None
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")

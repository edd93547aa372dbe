"""What no view should have to think of."""

from collections.abc import Awaitable, Callable
from urllib.parse import unquote_to_bytes

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.utils.decorators import sync_and_async_middleware

Answer = HttpResponseBase | Awaitable[HttpResponseBase]


@sync_and_async_middleware
def input_guard(get_response: Callable[[HttpRequest], Answer]) -> Callable[[HttpRequest], Answer]:
    """Refuse what PostgreSQL can't hold before any view meets it: NUL and broken UTF-8 in URLs."""

    if iscoroutinefunction(get_response):

        async def guard_async(request: HttpRequest) -> HttpResponseBase:
            return _refusal(request) or await get_response(request)

        return guard_async

    def guard(request: HttpRequest) -> Answer:
        return _refusal(request) or get_response(request)

    return guard


def _refusal(request: HttpRequest) -> HttpResponseBase | None:
    try:
        query = unquote_to_bytes(request.META.get("QUERY_STRING", "")).decode()
        request.path.encode()
    except UnicodeError:
        query = "\0"
    if "\0" in query or "\0" in request.path:
        problem = {
            "error": {
                "code": "bad_text",
                "message": "The address holds characters that can't be text.",
            }
        }
        return JsonResponse(problem, status=400)
    return None

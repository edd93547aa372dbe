"""Django behind ASGI with one change of threads for a request, where it usually has a dozen."""

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest
from django.http.response import HttpResponseBase


class OneThreadHandler(ASGIHandler):
    """Runs all middleware and the view in the request's own thread.

    Nearly all views here are synchronous. Django would go to and fro between the event loop and
    the thread for each middleware, and each time wait for whoever computes. An asynchronous view
    still runs in the event loop, and a stream is still read from there.
    """

    def load_middleware(self, is_async: bool = False) -> None:
        super().load_middleware(is_async=False)

    async def get_response_async(self, request: HttpRequest) -> HttpResponseBase:
        return await sync_to_async(self.get_response)(request)

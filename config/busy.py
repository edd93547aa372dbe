"""What is said while there is no answer to be had, which is never the fault of who asks."""

import sys
from math import ceil

from django.conf import settings
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.views.defaults import server_error

NO_DATABASE = "The database does not answer. Try again soon."


def busy(request: HttpRequest, status: int, code: str, sentence: str) -> HttpResponse:
    """Return a body that programs can rely on, or a calm page, and when to come back."""
    response: HttpResponse
    if request.path.startswith("/api/"):
        response = JsonResponse({"error": {"code": code, "message": sentence}}, status=status)
    else:
        page = render_to_string("503.html", {"status": status, "sentence": sentence})
        response = HttpResponse(page, status=status)
    # Half of the longest wait: by then most of the queue has had its turn.
    response["Retry-After"] = str(ceil(settings.TURN_SECONDS / 2))
    response["Cache-Control"] = "no-store"
    return response


def explain_failure(request: HttpRequest) -> HttpResponse:
    """Answer for an error that nobody caught: a database out of reach is not a bug of ours."""
    if isinstance(sys.exc_info()[1], OperationalError):
        return busy(request, 503, "unavailable", NO_DATABASE)
    return server_error(request)

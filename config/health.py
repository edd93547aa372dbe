"""Whether this process runs, and how what it stands on does."""

from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache

from knowledge.replica_standing import replica_standings


@login_not_required
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database does, 503 when it does not."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    return JsonResponse({"status": "ok"})


@login_not_required
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when searches and pages work here, with how far Qdrant is behind; else 503.

    Without Qdrant searches go on in PostgreSQL, so it being away is told and is no failure.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        rows = replica_standings()
    except DatabaseError:
        return JsonResponse({"status": "no database"}, status=503)
    qdrant = {
        "serving": sum(row.serving is not None for row in rows),
        "filling": sum(row.filling is not None for row in rows),
        "waiting": sum(row.waiting for row in rows),
        "lag_seconds": max((round(row.lag.total_seconds(), 1) for row in rows), default=0),
        "has_errors": any(row.error for row in rows),
    }
    is_behind = any(row.is_behind or row.error for row in rows)
    told = {"status": "behind" if is_behind else "ok"}
    return JsonResponse({**told, "qdrant": qdrant} if rows else told)

"""Steps of an answer that need the database, between those that only wait."""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import sync_to_async
from django.db import connections

P = ParamSpec("P")
R = TypeVar("R")


def release_connections() -> None:
    """Give this thread's connections back to the pool; what is within a transaction stays."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close()


def in_database(act: Callable[P, R]) -> Callable[P, Any]:
    """Return `act` for use while an answer streams: its connection is given back at once.

    An answer can take a minute. Without this every open stream would keep a pooled
    connection that it does not use, and the pool would run dry.
    """

    def act_and_release(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return act(*args, **kwargs)
        finally:
            release_connections()

    return sync_to_async(act_and_release, thread_sensitive=False)

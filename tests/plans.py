"""How PostgreSQL goes about a statement, as it is really sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection


@contextmanager
def plans_of(part: str) -> Iterator[list[str]]:
    """Note the plan of each statement with this part in it."""
    plans: list[str] = []

    def explain(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if part in sql:
            with connection.cursor() as cursor:
                before, _, statement = sql.rpartition("; ")  # what goes along, such as SET LOCAL
                if before:
                    cursor.cursor.execute(before)
                cursor.cursor.execute(f"EXPLAIN {statement}", params)
                plans.append("\n".join(row[0] for row in cursor.cursor.fetchall()))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield plans

"""Emptying the tables after a test that committed."""

from typing import Any

from django.db.backends.postgresql.operations import DatabaseOperations

# Above these a table is emptied by TRUNCATE: its pages and what the planner knows of it must go.
PAGES = 64
_QUICKLY = """
DO $$
DECLARE
  named text;
BEGIN
  IF EXISTS (
    SELECT FROM pg_class WHERE oid::regclass::text = ANY (ARRAY[{names}])
    AND (reltuples > 0 OR pg_relation_size(oid) > {pages} * 8192)
  ) THEN
    TRUNCATE {tables};
    RETURN;
  END IF;
  -- It refuses that rows are deleted, as it should.
  TRUNCATE accounts_auditentry;
  -- While there are some, vectors that go are noted.
  DELETE FROM knowledge_replica;
  FOREACH named IN ARRAY ARRAY[{names}] LOOP
    EXECUTE 'DELETE FROM ' || named;
  END LOOP;
END $$
"""


def empty_small_tables_quickly() -> None:
    """Have Django delete the few rows of small tables: TRUNCATE takes milliseconds for each."""
    truncating = DatabaseOperations.sql_flush

    def sql_flush(self: DatabaseOperations, style: Any, tables: list[str], **how: Any) -> list[str]:
        if how.get("reset_sequences") or "accounts_auditentry" not in tables:
            return truncating(self, style, tables, **how)
        names = ", ".join(f"'{table}'" for table in tables)
        return [_QUICKLY.format(names=names, tables=", ".join(tables), pages=PAGES)]

    DatabaseOperations.sql_flush = sql_flush  # type: ignore[method-assign]

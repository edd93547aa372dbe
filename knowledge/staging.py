"""Getting many rows into PostgreSQL at once: binary COPY, and temporary tables to merge from."""

from collections.abc import Iterable

from django.db.backends.utils import CursorWrapper

from knowledge import copying


def copy_in(cursor: CursorWrapper, into: str, blocks: Iterable[bytes]) -> None:
    """Copy blocks of packed rows into a table, named with its columns in parentheses."""
    with cursor.copy(f"COPY {into} FROM STDIN (FORMAT binary)") as copy:
        copy.write(copying.BEGINNING)
        for block in blocks:
            copy.write(block)
        copy.write(copying.END)


def stage(cursor: CursorWrapper, name: str, columns: str, rows: Iterable[bytes]) -> None:
    """Fill the temporary table `staged_NAME`: many times faster than parameters of a statement."""
    cursor.execute(
        f"CREATE TEMPORARY TABLE IF NOT EXISTS staged_{name} ({columns}) ON COMMIT DELETE ROWS;"
        f" TRUNCATE staged_{name}"  # a transaction may stage several times
    )
    copy_in(cursor, f"staged_{name}", [b"".join(rows)])

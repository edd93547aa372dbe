"""A database with every migration applied, of which tests' databases are copies."""

import fcntl
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import psycopg

ROOT = Path(__file__).resolve().parents[1]
OURS = "template_of_tests_"


def migrated_template() -> str:
    """Return the name of the database; the first process that asks makes it, once for a home."""
    name = f"{OURS}{_stamp()}"
    with _one_at_a_time(), _maintenance() as connection:
        there = connection.execute(
            "SELECT datname, datistemplate FROM pg_database WHERE starts_with(datname, %s)", [OURS]
        ).fetchall()
        if (name, True) in there:
            return name
        for old, is_template in there:
            if is_template:
                connection.execute(f'ALTER DATABASE "{old}" IS_TEMPLATE false')
            connection.execute(f'DROP DATABASE "{old}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity=0"],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": address_of(name)},
            check=True,
        )
        connection.execute(f'ALTER DATABASE "{name}" IS_TEMPLATE true')  # and so it is whole
    return name


def address_of(name: str) -> str:
    return urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


@contextmanager
def database_like(template: str, name: str) -> Iterator[str]:
    """Yield the address of a copy, which is dropped in the end."""
    with _maintenance() as connection:
        connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield address_of(name)
    with _maintenance() as connection:
        connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


def _stamp() -> str:
    """Return a hash of what the schema is made of."""
    files = sorted(ROOT.glob("*/migrations/*.py"))
    told = b"".join(file.read_bytes() for file in [*files, ROOT / "constraints.txt"])
    return sha256(told).hexdigest()[:16]


@contextmanager
def _maintenance() -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    with psycopg.connect(address_of("postgres"), autocommit=True) as connection:
        yield connection


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    home = sha256(os.environ["DATABASE_URL"].encode()).hexdigest()[:16]
    with open(Path(tempfile.gettempdir()) / f"{OURS}{home}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield

"""Databases of ten thousand to a million passages, made of real ones: copied, moved a little.

Each is a copy of this home's database, made once and kept for the next run.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep
from uuid import UUID

import numpy as np
from django.conf import settings
from django.core.management import call_command
from django.db import ProgrammingError, connection
from django.db.backends.utils import CursorWrapper
from pgvector import HalfVector

from accounts.models import User
from bench import corpora, syncs
from knowledge import matching, words
from knowledge.chunking import CHUNKER_VERSION
from knowledge.models import Chunk, EmbeddingSpace
from knowledge.spaces import active_space
from knowledge.vectors import vector_store
from projects import jobs
from projects.models import Job, Membership, Project, Source

WAY = 3  # of making databases: those that an earlier one made are made anew
PROJECTS = ((20_000, 20), (200_000, 50), (2_000_000, 150))  # up to so many passages: projects
FALLING = 1.2  # the exponent of their sizes: the largest has about 3 passages in 10
NOISES = 1024
PATIENCE = 60  # seconds
NOISE = 0.0122  # each number of a vector is moved by two draws of this width
EMBEDDED_TREE = "django/db/models"  # what of the tree has vectors of its own
COPIED = (
    "created_at, updated_at, chunk_index, chunk_text, start_line, end_line, header, header_anchor,"
    " symbol, kind, definitions, language, layer, collection, metadata, weights, body_hash,"
    " header_hash"
)
# The share of the documents that a copy takes, by the hash of their id.
PICKED = "('x' || left(md5(d.id::text || %s), 7))::bit(28)::int < %s"
PICKS = 2**28


def base(place: Path, owner: User) -> Project:
    """Return a project with forty thousand real passages, some thousand with vectors of theirs.

    The others stand where one of those stands, moved a little: embedding them all takes an hour.
    """
    project, _ = Project.objects.get_or_create(name="bench-base", defaults={"owner": owner})
    Membership.objects.get_or_create(project=project, user=owner, defaults={"role": "owner"})
    for name in corpora.HISTORIES:
        _add(project, name, corpora.history(place, name))
    _add(project, "django-db", corpora.tree(place), EMBEDDED_TREE)
    for source in project.sources.exclude(name="django"):
        if Chunk.objects.filter(document__source=source, vectors=None).exists():
            jobs.enqueue(source, Job.Kind.EMBED)
            while jobs.run_next():
                print(f"  {Chunk.objects.filter(project=project, vectors=None).count()} to embed")
    _add(project, "django", corpora.tree(place))
    while matching.settle_texts():
        pass
    _stand_in(project)
    return project


def _add(project: Project, name: str, repository: Path, folder: str = "") -> None:
    source, _ = Source.objects.get_or_create(
        project=project,
        name=name,
        defaults={"path": str(repository), "folder_path": folder, "path_is_trusted": True},
    )
    syncs.sync(source)


def _stand_in(project: Project) -> None:
    """Give each passage without a vector that of another, moved a little."""
    space = active_space()
    assert space is not None
    with connection.cursor() as cursor:
        _make_noises(cursor, space)
        cursor.execute(
            """CREATE TEMP TABLE embedded AS
            SELECT row_number() OVER (ORDER BY v.chunk_id) - 1 AS n, v.embedding
            FROM knowledge_vector v JOIN knowledge_chunk c ON c.id = v.chunk_id
            JOIN knowledge_document d ON d.id = c.document_id
            JOIN projects_source s ON s.id = d.source_id
            WHERE v.project_id = %s AND s.name <> 'django'""",
            [project.pk],
        )
        cursor.execute(
            """WITH bare AS (SELECT c.id, hashtext(c.id::text) AS h FROM knowledge_chunk c
                WHERE c.project_id = %s AND NOT EXISTS (
                    SELECT 1 FROM knowledge_vector v WHERE v.chunk_id = c.id))
            INSERT INTO knowledge_vector (space_id, chunk_id, project_id, embedding)
            SELECT %s, bare.id, %s, l2_normalize(e.embedding + one.noise + other.noise)
            FROM bare JOIN embedded e
                ON e.n = (h & 2147483647) %% (SELECT count(*) FROM embedded)
            JOIN noises one ON one.n = h & 1023 JOIN noises other ON other.n = (h >> 10) & 1023""",
            [project.pk, space.pk, project.pk],
        )
        cursor.execute("DROP TABLE embedded")
        cursor.execute("DROP TABLE noises")


def _make_noises(cursor: CursorWrapper, space: EmbeddingSpace) -> None:
    drawn = np.random.default_rng(7).normal(0, NOISE, (NOISES, space.dimensions))
    cursor.execute("CREATE TEMP TABLE noises (n int, noise halfvec)")
    cursor.executemany(
        "INSERT INTO noises VALUES (%s, %s::halfvec)",
        [(n, HalfVector(noise).to_text()) for n, noise in enumerate(drawn)],
    )


@contextmanager
def database_of(size: int, origin: Project, owner: User) -> Iterator[list[Project]]:
    """Go on in a database of about so many passages; yields its projects, the largest first."""
    usual = str(settings.DATABASES["default"]["NAME"])
    name = f"nightowl_bench_{size}"
    count = Chunk.objects.filter(project=origin).count()
    # What a kept database must have been made of to be used again.
    stamp = f"way {WAY}, chunker {CHUNKER_VERSION}, {count} of {origin.pk}"
    _enter("postgres")
    if _comment_on(name) != stamp:
        started = perf_counter()
        _copy_database(usual, name)
        _enter(name)
        _fill(origin, owner, size)
        with connection.cursor() as cursor:
            cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{stamp}'")
        print(f"{size:,} passages made in {perf_counter() - started:.0f} s")
    _enter(name)
    call_command("migrate", verbosity=0)
    try:
        made = Project.objects.filter(name__startswith=f"bench-{size}-")
        yield sorted(made, key=lambda project: int(project.name.rpartition("-")[2]))
    finally:
        _enter(usual)


@contextmanager
def copy_to_spoil() -> Iterator[str]:
    """Go on in a copy of the database, which is thrown away; yields its name."""
    usual = str(connection.settings_dict["NAME"])
    name = f"{usual}_spoilt"
    _enter("postgres")
    _copy_database(usual, name)
    _enter(name)
    try:
        yield name
    finally:
        _enter("postgres")
        _drop_database(name)
        _enter(usual)


def _copy_database(usual: str, name: str) -> None:
    _drop_database(name)
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{usual}" STRATEGY file_copy')


def _drop_database(name: str) -> None:
    for _ in range(PATIENCE):
        try:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
            return
        except ProgrammingError:  # it is being vacuumed, which nobody but a superuser may end
            sleep(1)
    raise SystemExit(f"{name} can't be dropped: somebody is at it.")


def _comment_on(name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s",
            [name],
        )
        row = cursor.fetchone()
    return str(row[0]) if row else ""


def _enter(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _fill(origin: Project, owner: User, size: int) -> None:
    available = Chunk.objects.filter(project=origin).count()
    space = active_space()
    assert space is not None
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS chunk_terms")
        _make_noises(cursor, space)
        for number, wanted in enumerate(_sizes(size)):
            project = Project.objects.create(name=f"bench-{size}-{number}", owner=owner)
            Membership.objects.create(project=project, user=owner, role="owner")
            whole, rest = divmod(wanted, available)
            for replica in range(whole):
                _copy(cursor, origin, project, f"{project.pk} {replica}", PICKS)
            _copy(cursor, origin, project, f"{project.pk} rest", round(PICKS * rest / available))
            _count_terms(cursor, project.pk)
        _forget(cursor, origin)
        cursor.execute(
            "CREATE INDEX chunk_terms ON knowledge_chunk USING gin (terms) WITH (fastupdate=on)"
        )
    vector_store().prepare(space)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def _sizes(total: int) -> list[int]:
    count = next(projects for most, projects in PROJECTS if total <= most)
    shares = [1 / place**FALLING for place in range(1, count + 1)]
    return [round(total * share / sum(shares)) for share in shares]


def _copy(cursor: CursorWrapper, origin: Project, project: Project, key: str, picked: int) -> None:
    for source in origin.sources.all():
        copy = Source.objects.create(
            project=project,
            name=f"{source.name} {key[-8:]}",
            path=f"{source.path}/{key}",
            head=source.head,
        )
        cursor.execute(
            f"""INSERT INTO knowledge_document
            SELECT (jsonb_populate_record(d, jsonb_build_object('id', md5(d.id::text || %s)::uuid,
                'project_id', %s::uuid, 'source_id', %s::uuid))).*
            FROM knowledge_document d WHERE source_id = %s AND {PICKED}""",
            [key, project.pk, copy.pk, source.pk, key, picked],
        )
    cursor.execute(
        f"""INSERT INTO knowledge_chunk (id, project_id, document_id, terms, {COPIED})
        SELECT md5(c.id::text || %s)::uuid, %s, md5(d.id::text || %s)::uuid,
            array(SELECT term # %s FROM unnest(terms) AS term), {_of_chunk(COPIED)}
        FROM knowledge_chunk c JOIN knowledge_document d ON d.id = c.document_id
        WHERE c.project_id = %s AND {PICKED}""",
        [
            *(key, project.pk, key, words.mark_of(origin.pk) ^ words.mark_of(project.pk)),
            *(origin.pk, key, picked),
        ],
    )
    cursor.execute(
        f"""WITH chosen AS MATERIALIZED (
            SELECT v.space_id, v.embedding, md5(c.id::text || %s)::uuid AS id,
                hashtext(c.id::text || %s) AS h
            FROM knowledge_vector v JOIN knowledge_chunk c ON c.id = v.chunk_id
            JOIN knowledge_document d ON d.id = c.document_id
            WHERE v.project_id = %s AND {PICKED})
        INSERT INTO knowledge_vector (space_id, chunk_id, project_id, embedding)
        SELECT space_id, id, %s, l2_normalize(embedding + one.noise + other.noise)
        FROM chosen JOIN noises one ON one.n = h & 1023
        JOIN noises other ON other.n = (h >> 10) & 1023""",
        [key, key, origin.pk, key, picked, project.pk],
    )


def _of_chunk(columns: str) -> str:
    return ", ".join(f"c.{column.strip()}" for column in columns.split(","))


def _count_terms(cursor: CursorWrapper, project_id: UUID) -> None:
    cursor.execute(
        """INSERT INTO knowledge_termcount (project_id, term, chunks)
        SELECT %s, term # %s, count(*) FROM knowledge_chunk, unnest(terms) AS term
        WHERE project_id = %s GROUP BY term
        UNION ALL SELECT %s, %s, count(*) FROM knowledge_chunk WHERE project_id = %s""",
        [
            *(project_id, words.mark_of(project_id), project_id),
            *(project_id, words.EVERY_CHUNK, project_id),
        ],
    )


def _forget(cursor: CursorWrapper, origin: Project) -> None:
    """Leave nothing of the base but the texts, which its copies share."""
    for table in ("vector", "chunk", "termcount", "documentversion", "document"):
        column = "source_id IN (SELECT id FROM projects_source WHERE project_id = %s)"
        where = column if table == "documentversion" else "project_id = %s"
        cursor.execute(f"DELETE FROM knowledge_{table} WHERE {where}", [origin.pk])
    Project.objects.get(pk=origin.pk).delete()

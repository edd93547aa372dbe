"""Databases of ten thousand to a million passages, made of real ones: copied, moved a little."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.backends.utils import CursorWrapper

from accounts.models import User
from bench import corpora, syncs
from knowledge import words
from knowledge.models import Chunk
from knowledge.spaces import active_space
from knowledge.vectors import vector_store
from projects import jobs
from projects.models import Job, Membership, Project, Source

JITTER = 0.06  # the width of the noise on each of a vector's numbers
LARGEST_SHARE = 0.3  # of all passages in the largest project; each next one has 0.72 of it
FALLING = 0.72
SMALLEST = 1.0  # replicas of the base that a project has at least
COPIED = (
    "created_at, updated_at, chunk_index, chunk_text, start_line, end_line, header, header_anchor,"
    " symbol, kind, definitions, language, layer, collection, metadata, weights, body_hash,"
    " header_hash"
)


def base(place: Path, owner: User) -> Project:
    """Return a project with some thousand passages of real code and real vectors of them."""
    project, _ = Project.objects.get_or_create(name="bench-base", defaults={"owner": owner})
    Membership.objects.get_or_create(project=project, user=owner, defaults={"role": "owner"})
    trees = {name: (corpora.history(place, name), "") for name in corpora.HISTORIES}
    trees["django-db"] = (corpora.tree(place), "django/db/models")
    for name, (repository, folder) in trees.items():
        source, _ = Source.objects.get_or_create(
            project=project,
            name=name,
            defaults={"path": str(repository), "folder_path": folder, "path_is_trusted": True},
        )
        if not source.head:
            syncs.sync(source)
        if Chunk.objects.filter(document__source=source, vectors=None).exists():
            jobs.enqueue(source, Job.Kind.EMBED)
            while jobs.run_next():
                print(f"  {Chunk.objects.filter(project=project, vectors=None).count()} to embed")
    return project


def fill(origin: Project, owner: User, size: int) -> list[Project]:
    """Return projects of skewed sizes that hold about `size` passages together."""
    per_replica = Chunk.objects.filter(project=origin).count()
    made = []
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX IF EXISTS chunk_terms")
        for number, replicas in enumerate(_sizes(size / per_replica)):
            project = Project.objects.create(name=f"bench-{size}-{number}", owner=owner)
            Membership.objects.create(project=project, user=owner, role="owner")
            for replica in range(max(1, round(replicas))):
                _copy(cursor, origin, project, replica)
            made.append(project)
        cursor.execute(
            "CREATE INDEX chunk_terms ON knowledge_chunk USING gin (terms) WITH (fastupdate=on)"
        )
    if space := active_space():
        vector_store().prepare(space)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return made


def _sizes(total: float) -> Iterator[float]:
    left, share = total, LARGEST_SHARE
    while left > 0.5:
        some = min(left, max(SMALLEST, total * share))
        yield some
        left -= some
        share *= FALLING


def _copy(cursor: CursorWrapper, origin: Project, project: Project, replica: int) -> None:
    key = f"{project.pk} {replica}"
    marks = words.mark_of(origin.pk) ^ words.mark_of(project.pk)
    for source in origin.sources.all():
        copy = Source.objects.create(
            project=project,
            name=f"{source.name} {replica}",
            path=f"{source.path}/{replica}/{project.pk}",
            head=source.head,
        )
        cursor.execute(
            """INSERT INTO knowledge_document
            SELECT (jsonb_populate_record(d, jsonb_build_object('id', md5(d.id::text || %s)::uuid,
                'project_id', %s::uuid, 'source_id', %s::uuid))).*
            FROM knowledge_document d WHERE source_id = %s""",
            [key, project.pk, copy.pk, source.pk],
        )
    cursor.execute(
        f"""INSERT INTO knowledge_chunk (id, project_id, document_id, terms, {COPIED})
        SELECT md5(id::text || %s)::uuid, %s, md5(document_id::text || %s)::uuid,
            array(SELECT term # %s FROM unnest(terms) AS term), {COPIED}
        FROM knowledge_chunk WHERE project_id = %s""",
        [key, project.pk, key, marks, origin.pk],
    )
    cursor.execute(
        """INSERT INTO knowledge_vector (space_id, chunk_id, project_id, embedding)
        SELECT space_id, md5(chunk_id::text || %s)::uuid, %s,
            l2_normalize(embedding + array(SELECT (random() - 0.5) * %s
                FROM generate_series(1, vector_dims(v.embedding::vector)))::real[]
                ::vector::halfvec)::halfvec
        FROM knowledge_vector v WHERE project_id = %s""",
        [key, project.pk, JITTER, origin.pk],
    )
    cursor.execute(
        """INSERT INTO knowledge_termcount (project_id, term, chunks)
        SELECT %s, term, chunks FROM knowledge_termcount WHERE project_id = %s
        ON CONFLICT (project_id, term)
        DO UPDATE SET chunks = knowledge_termcount.chunks + excluded.chunks""",
        [project.pk, origin.pk],
    )


@contextmanager
def own_database(name: str) -> Iterator[None]:
    """Go on in a copy of this home's database that may be filled and is thrown away."""
    usual = str(settings.DATABASES["default"]["NAME"])
    _enter("postgres")
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        cursor.execute(f'CREATE DATABASE "{name}" TEMPLATE "{usual}"')
    _enter(name)
    try:
        yield
    finally:
        _enter("postgres")
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        _enter(usual)


def _enter(name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name

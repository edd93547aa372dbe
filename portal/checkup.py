"""What is wrong with an installation, and what to do about it."""

import os
import re
import shutil
import subprocess
from asyncio import timeout
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

import redis
from asgiref.sync import async_to_sync
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from knowledge.points import PointsUnavailable, point_store
from knowledge.replica_standing import replica_standings
from knowledge.spaces import active_space, embedder_for, living_spaces
from knowledge.vectors import INDEX_PREFIX
from projects.git import OLDEST_GIT
from projects.models import Job, WorkerBeat
from projects.polling import watch_kept
from providers.chat import ChatMessage, ModelUnavailable, Usage, chat_model, default_provider
from providers.embedding import EmbedderUnavailable, embedder, named_by_environment
from providers.models import Provider

EXTENSIONS = {"vector": (0, 8), "pg_trgm": (1, 3)}
LITTLE_SPACE = 2_000_000_000  # bytes
NO_SPACE = 200_000_000
LLM_PATIENCE = 20.0


class Verdict(StrEnum):
    OK = "ok"
    ATTENTION = "attention"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, how it stands, and in a sentence what to do."""

    what: str
    verdict: Verdict
    sentence: str


def ok(what: str, sentence: str) -> Finding:
    return Finding(what, Verdict.OK, sentence)


def attention(what: str, sentence: str) -> Finding:
    return Finding(what, Verdict.ATTENTION, sentence)


def bad(what: str, sentence: str) -> Finding:
    return Finding(what, Verdict.BAD, sentence)


def examine() -> Iterator[Finding]:
    """Yield the findings one by one; without a database what needs one is left out."""
    yield from (check() for check in WITHOUT_DATABASE)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SHOW server_version")
            version = cursor.fetchone()[0]
    except DatabaseError as error:
        reason = str(error).strip().partition("\n")[0]
        yield bad("database", f"PostgreSQL does not answer: {reason}. Check DATABASE_URL.")
        return
    yield ok("database", f"PostgreSQL {version.partition(' ')[0]} answers.")
    for name, oldest in EXTENSIONS.items():
        yield check_extension(name, oldest)
    pending = check_migrations()
    yield pending
    yield check_indexes()
    if pending.verdict is not Verdict.BAD:
        yield check_search_model()
        yield from check_qdrant()
        yield check_worker()
        yield check_polling()
        yield check_provider()


def check_extension(name: str, oldest: tuple[int, ...]) -> Finding:
    with connection.cursor() as cursor:
        cursor.execute("SELECT extversion FROM pg_extension WHERE extname = %s", [name])
        row = cursor.fetchone()
    if row is None:
        return bad(name, f"The extension {name} is missing: run `CREATE EXTENSION {name}`.")
    if _numbers(row[0]) < oldest:
        wanted = ".".join(map(str, oldest))
        return bad(name, f"{name} {row[0]} is too old: install {wanted} or newer.")
    return ok(name, f"Version {row[0]}.")


def check_migrations() -> Finding:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if plan:
        return bad("migrations", f"{len(plan)} are not applied: run `manage.py migrate`.")
    return ok("migrations", "All are applied.")


def check_indexes() -> Finding:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
            " WHERE NOT i.indisvalid AND i.indexrelid NOT IN"
            # What is just being built is not valid yet.
            " (SELECT index_relid FROM pg_stat_progress_create_index) ORDER BY 1"
        )
        broken = [row[0] for row in cursor.fetchall()]
    if not broken:
        return ok("indexes", "All are valid.")
    names = ", ".join(broken)
    if all(name.startswith(INDEX_PREFIX) for name in broken):
        return bad("indexes", f"Not valid: {names}. Run `manage.py spaces index`.")
    return bad("indexes", f"Not valid: {names}. Run `REINDEX INDEX` on each.")


def check_search_model() -> Finding:
    space = active_space()
    if space is None:
        return ok("search model", "Nothing is embedded yet.")
    try:
        embedder_for(space).embed_question("where is the owl?")
    except EmbedderUnavailable as error:
        return bad("search model", f"{error} Search goes by words only until it does.")
    broken = [f"{other.model_name}: {other.error}" for other in living_spaces() if other.error]
    if broken:
        return attention("search model", " ".join(broken))
    return ok("search model", f"{space.model_name} answers.")


def check_qdrant() -> Iterator[Finding]:
    """Yield how the store of points stands; nothing where PostgreSQL alone is used."""
    if not settings.QDRANT_URL:
        return
    try:
        point_store().names()
    except PointsUnavailable as problem:
        yield bad("qdrant", f"{problem} Check QDRANT_URL; searches go on in PostgreSQL.")
        return
    rows = replica_standings()
    sentence = " ".join(f"{row.space.model_name}: {row.error or row.sentence}" for row in rows)
    if any(row.is_behind or row.error for row in rows):
        yield attention("qdrant", f"It answers. {sentence} See that a worker runs.")
    else:
        yield ok("qdrant", f"It answers. {sentence}".strip())


def check_redis() -> Finding:
    if not settings.REDIS_URL:
        return bad("redis", "REDIS_URL is not set: answers can't be streamed.")
    try:
        with redis.from_url(settings.REDIS_URL, socket_timeout=3) as store:
            version = store.info("server").get("redis_version", "")
    except (redis.RedisError, OSError, ValueError):
        return bad("redis", "Redis does not answer: check REDIS_URL and that it runs.")
    return ok("redis", f"Version {version} answers.")


def check_worker() -> Finding:
    waiting = Job.objects.open().count()
    if WorkerBeat.somebody_is_alive():
        return ok("worker", f"A worker is there; {waiting} jobs are open.")
    sentence = "No worker was seen lately: start one with `make run` or `celery -A config worker`."
    return (
        bad("worker", f"{sentence} {waiting} jobs wait.")
        if waiting
        else attention("worker", sentence)
    )


def check_polling() -> Finding:
    watch = watch_kept()
    if not watch.sources:
        return ok("polling", "There is no repository to look at.")
    soon = f"at {watch.next_at:%H:%M} UTC" if watch.next_at else "within a minute"
    sentence = f"Repositories looked at: {watch.sources}, the next {soon}."
    if watch.failing:
        failing = f"In vain: {watch.failing}; their sources' pages say why."
        return attention("polling", f"{sentence} {failing}")
    return ok("polling", sentence)


def check_git() -> Finding:
    try:
        done = subprocess.run(
            ["git", "--version"], capture_output=True, text=True, timeout=10, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return bad("git", "git is missing or does not start: install it.")
    version = _numbers(done.stdout)
    shown = ".".join(map(str, version))
    if version < OLDEST_GIT:
        oldest = ".".join(map(str, OLDEST_GIT))
        return bad("git", f"git {shown} is too old: install {oldest} or newer.")
    return ok("git", f"Version {shown}.")


def check_embedder() -> Finding:
    try:
        reach = named_by_environment()
        dimensions = len(embedder(reach).embed_question("where is the owl?"))
    except EmbedderUnavailable as error:
        return bad("embedder", f"{error} Search goes by words only until it does.")
    return ok("embedder", f"{reach.model_name} gives {dimensions} dimensions.")


def check_home() -> Finding:
    home = settings.NIGHTOWL_HOME
    if not (home.is_dir() and os.access(home, os.W_OK | os.X_OK)):
        return bad("home", f"{home} is not a folder that can be written: set NIGHTOWL_HOME.")
    free = shutil.disk_usage(home).free
    sentence = f"{free / 1e9:.1f} GB are free under {home}."
    if free < NO_SPACE:
        return bad("home", f"{sentence} Syncs will fail: make room.")
    if free < LITTLE_SPACE:
        return attention("home", f"{sentence} Make room before adding sources.")
    return ok("home", sentence)


def check_secret_key() -> Finding:
    key = settings.SECRET_KEY
    if len(key) < 50 or len(set(key)) < 5:
        return bad("secret key", "SECRET_KEY is weak: set 50 or more random characters.")
    return ok("secret key", "Long enough.")


def check_public_url() -> Finding:
    public = urlsplit(settings.PUBLIC_URL)
    if public.scheme not in {"http", "https"} or not public.hostname:
        return bad("address", "PUBLIC_URL must look like https://nightowl.example.org.")
    if public.path or public.query:
        return bad("address", "PUBLIC_URL must end after the host and port.")
    is_local = public.hostname in {"localhost", "127.0.0.1", "::1"}
    if public.scheme == "http" and not is_local:
        return attention("address", "PUBLIC_URL is http: passwords travel readable. Use https.")
    if settings.DEBUG and not is_local:
        return bad("address", "DEBUG is on at a public address: unset DEBUG.")
    return ok("address", f"People come by {settings.PUBLIC_URL}.")


def check_provider() -> Finding:
    provider = default_provider()
    if provider.is_offline:
        return ok("answers", "Put together from the sources, without a model.")
    try:
        async_to_sync(_first_words)(provider)
    except TimeoutError:
        return bad("answers", f"{provider.model_name} says nothing for {LLM_PATIENCE:.0f} seconds.")
    except ModelUnavailable as error:
        return bad("answers", str(error))
    return ok("answers", f"{provider.model_name} answers.")


async def _first_words(provider: Provider) -> None:
    question = [ChatMessage("user", "Say yes.")]
    async with timeout(LLM_PATIENCE):
        async for _ in chat_model(provider).stream(provider, question, Usage()):
            return


def _numbers(text: str) -> tuple[int, ...]:
    found = re.search(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in found[0].split(".")) if found else ()


WITHOUT_DATABASE: tuple[Callable[[], Finding], ...] = (
    check_public_url,
    check_secret_key,
    check_home,
    check_git,
    check_redis,
    check_embedder,
)

"""Which model's vectors answer: declaring a space, taking it into use, going back, retiring it."""

from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any
from uuid import UUID

from celery import current_app
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from accounts.auditing import record
from accounts.models import AuditEntry, User
from knowledge.models import EmbeddedText, EmbeddingSpace
from knowledge.vectors import vector_store
from projects.checkpoints import checkpoint
from projects.jobs import enqueue
from projects.models import Job, Source
from providers.embedding import Embedder, Reach, embedder, named_by_environment

State = EmbeddingSpace.State
# Fewer are compared one by one anyway, and new ones need not be sorted in.
INDEXED_FROM = 200_000
FORGOTTEN_AT_ONCE = 20_000
TRIED_WITH = "Where is the cache emptied?"
IDENTITY = ("adapter", "base_url", "model_name", "query_prefix", "document_prefix")
LIMITS = (
    *("texts_at_once", "requests_per_minute", "tokens_per_minute"),
    *("token_budget", "usd_per_million", "key_variable", "weight"),
)


class SpaceRefused(Exception):
    """A space can't be changed so; the message says why."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of embedding one text, with nothing kept."""

    dimensions: int
    milliseconds: int


def active_space() -> EmbeddingSpace | None:
    # As it stands: every search asks, and composing it would take longer than the answer.
    rows = EmbeddingSpace.objects.raw(
        "SELECT * FROM knowledge_embeddingspace WHERE state = %s", [State.ACTIVE]
    )
    return next(iter(rows), None)


def living_spaces() -> list[EmbeddingSpace]:
    """Return the spaces that are kept filled: the active one first, what is built, what is kept."""
    found = EmbeddingSpace.objects.filter(state__in=EmbeddingSpace.FILLED_STATES)
    return sorted(
        found, key=lambda space: (EmbeddingSpace.FILLED_STATES.index(space.state), space.created_at)
    )


def reach_of(space: EmbeddingSpace) -> Reach:
    return Reach(
        adapter=space.adapter,
        model_name=space.model_name,
        base_url=space.base_url,
        key_variable=space.key_variable,
        query_prefix=space.query_prefix,
        document_prefix=space.document_prefix,
        dimensions=space.dimensions,
        texts_at_once=space.texts_at_once,
        requests_per_minute=space.requests_per_minute,
        tokens_per_minute=space.tokens_per_minute,
    )


def embedder_for(space: EmbeddingSpace) -> Embedder:
    return embedder(reach_of(space))


# --- Declaring -----------------------------------------------------------------------------


def try_out(reach: Reach) -> Trial:
    """Ask a model for one vector; raises EmbedderUnavailable with a sentence."""
    began_at = perf_counter()
    dimensions = len(embedder(reach).embed_question(TRIED_WITH))
    return Trial(dimensions, round(1000 * (perf_counter() - began_at)))


def declare(
    reach: Reach, *, by: User | None = None, takes_over: bool = False, **limits: Any
) -> EmbeddingSpace:
    """Return a new space that is built beside the active one; without one it is active at once.

    Asks the model for a vector first, so it raises EmbedderUnavailable when there is none.
    """
    if _living(reach).exists():
        raise SpaceRefused("There is a space of this model already.")
    model = embedder(reach)
    dimensions = try_out(reach).dimensions
    if not 16 <= dimensions <= 4000:
        raise SpaceRefused(f"{dimensions} dimensions can't be stored: 16 to 4,000 can.")
    fields = {"weight": model.weight, "key_variable": reach.key_variable, **limits}
    space = EmbeddingSpace(
        **{name: getattr(reach, name) for name in IDENTITY},
        **{name: value for name, value in fields.items() if value is not None},
        dimensions=dimensions,
        takes_over_when_built=takes_over,
    )
    try:
        with transaction.atomic():
            if active_space() is None:
                space.state, space.activated_at = State.ACTIVE, timezone.now()
                space.takes_over_when_built = False
            space.save()
            audit(by, "declared", space)
    except IntegrityError as error:  # another process made it at the same moment
        raise SpaceRefused("A space was declared at the same moment: look again.") from error
    # A job that is open has not passed an active space by: it begins with one.
    build(by=by, besides=Job.objects.open() if space.state == State.ACTIVE else None)
    return space


def build(*, by: User | None = None, besides: QuerySet[Job] | None = None) -> None:
    """Have every source's passages embedded in every living space as far as they are not yet."""
    sources = Source.objects.order_by("pk")
    if besides is not None:
        sources = sources.exclude(jobs__in=besides.filter(kind=Job.Kind.EMBED))
    for source in sources:
        enqueue(source, Job.Kind.EMBED, requested_by=by)


def change_limits(space: EmbeddingSpace, *, by: User, **limits: Any) -> None:
    """Change how the model may be asked; a raised budget lets the building go on."""
    changed = {name: limits[name] for name in LIMITS if name in limits}
    for name, value in changed.items():
        setattr(space, name, value)
    space.error = ""
    with transaction.atomic():
        space.save(update_fields=[*changed, "error", "updated_at"])
        audit(by, "changed", space)
    build(by=by)


def follow_environment() -> EmbeddingSpace | None:
    """Have the space that the environment names, once it names another than it did.

    What an admin chose since then stays. Raises EmbedderUnavailable when a new one is not there.
    """
    wanted = named_by_environment()
    followed = EmbeddingSpace.objects.filter(from_environment=True).first()
    if followed is not None and _is_of(followed, wanted):
        _take_limits(followed)
        return followed
    space = _living(wanted).first()
    if space is None:
        space = declare(wanted, takes_over=True, **_limits_of_environment())
    elif space.state != State.ACTIVE:
        _bring_back(space)
    with transaction.atomic():
        EmbeddingSpace.objects.filter(from_environment=True).update(from_environment=False)
        EmbeddingSpace.objects.filter(pk=space.pk).update(from_environment=True)
    space.refresh_from_db()
    return space


def _bring_back(space: EmbeddingSpace) -> None:
    """Fill in what a kept space lacks, then let it take over."""
    space.takes_over_when_built = True
    space.save(update_fields=["takes_over_when_built", "updated_at"])
    if not finish(space):
        build()


def _take_limits(space: EmbeddingSpace) -> None:
    changed = {
        name: value
        for name, value in _limits_of_environment().items()
        if str(getattr(space, name)) != str(value)
    }
    if changed:
        EmbeddingSpace.objects.filter(pk=space.pk).update(**changed, error="")
        build()


def _limits_of_environment() -> dict[str, Any]:
    return {name: value for name, value in settings.EMBEDDING_LIMITS.items() if value is not None}


def _living(reach: Reach) -> QuerySet[EmbeddingSpace]:
    same = {name: getattr(reach, name) for name in IDENTITY}
    return EmbeddingSpace.objects.filter(**same, state__in=EmbeddingSpace.FILLED_STATES)


def _is_of(space: EmbeddingSpace, reach: Reach) -> bool:
    plain = replace(reach_of(space), dimensions=None)
    return all(getattr(plain, name) == getattr(reach, name) for name in IDENTITY)


# --- Swapping ------------------------------------------------------------------------------


def lacks_vectors(space: EmbeddingSpace) -> bool:
    """Whether a passage of the installation has no vector in the space."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM knowledge_chunk c WHERE NOT EXISTS (SELECT 1 FROM"
            " knowledge_vector v WHERE v.chunk_id = c.id AND v.space_id = %s))",
            [space.pk],
        )
        return bool(cursor.fetchone()[0])


def needs_index(space: EmbeddingSpace) -> bool:
    """Whether comparing a space's vectors one by one would take long."""
    return not settings.QDRANT_URL and vector_store().count(space) >= INDEXED_FROM


def finish(space: EmbeddingSpace) -> bool:
    """Note that a space is built and let it take over if it should; False while it lacks some."""
    if lacks_vectors(space):
        return False
    if needs_index(space) and not vector_store().prepare(space):
        return False
    now = timezone.now()
    EmbeddingSpace.objects.filter(pk=space.pk, built_at=None).update(built_at=now, updated_at=now)
    if space.takes_over_when_built and space.state != State.ACTIVE:
        activate(space)
    return True


@transaction.atomic
def activate(space: EmbeddingSpace, *, by: User | None = None) -> None:
    """Let a space answer from now on; the one before is kept, and the one kept before retired."""
    # Locked in one order, so that two who swap at once wait for each other.
    living = EmbeddingSpace.objects.select_for_update().exclude(state=State.RETIRED)
    rows = {row.pk: row for row in living.order_by("pk")}
    chosen = rows.get(space.pk)
    if chosen is None:
        raise SpaceRefused("A retired space has no vectors any more: declare it anew.")
    if chosen.state == State.ACTIVE:
        return
    if chosen.built_at is None:
        raise SpaceRefused("This space is not built yet.")
    checkpoint("space.activating")
    for other in rows.values():
        if other.state == State.KEPT and other.pk != chosen.pk:
            _retire(other)
    for other in rows.values():
        if other.state == State.ACTIVE:
            # What has answered can answer again, whether it was ever whole or not.
            other.state, other.built_at = State.KEPT, other.built_at or timezone.now()
            other.takes_over_when_built = False
            other.save(update_fields=["state", "built_at", "takes_over_when_built", "updated_at"])
    chosen.state, chosen.activated_at = State.ACTIVE, timezone.now()
    chosen.takes_over_when_built = False
    chosen.save(update_fields=["state", "activated_at", "takes_over_when_built", "updated_at"])
    audit(by, "activated", chosen)
    transaction.on_commit(call_for_care)


def roll_back(*, by: User | None = None) -> EmbeddingSpace:
    """Let the space answer again that did before."""
    kept = EmbeddingSpace.objects.filter(state=State.KEPT).first()
    if kept is None:
        raise SpaceRefused("No earlier space is kept: there is nothing to go back to.")
    activate(kept, by=by)
    kept.refresh_from_db()
    return kept


@transaction.atomic
def retire(space: EmbeddingSpace, *, by: User | None = None) -> None:
    """Give a space up; its vectors, its index and its cache go soon after."""
    row = EmbeddingSpace.objects.select_for_update().get(pk=space.pk)
    if row.state == State.ACTIVE:
        raise SpaceRefused("The active space can't be retired: use another one first.")
    _retire(row)
    audit(by, "retired", row)
    transaction.on_commit(call_for_care)


def _retire(row: EmbeddingSpace) -> None:
    row.state, row.built_at, row.takes_over_when_built = State.RETIRED, None, False
    row.save(update_fields=["state", "built_at", "takes_over_when_built", "updated_at"])


def drop_retired() -> None:
    """Remove what retired spaces still hold."""
    for space in EmbeddingSpace.objects.filter(state=State.RETIRED, dropped_at=None):
        vector_store().drop(space)
        texts = EmbeddedText.objects.filter(space=space)
        while some := list(texts.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE]):
            EmbeddedText.objects.filter(pk__in=some).delete()
        EmbeddingSpace.objects.filter(pk=space.pk).update(dropped_at=timezone.now())


def is_living(space_id: UUID) -> bool:
    """Inside a transaction: whether a space may be written to; it stays so until the end."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state FROM knowledge_embeddingspace WHERE id = %s FOR SHARE", [space_id]
        )
        row = cursor.fetchone()
    return row is not None and row[0] in EmbeddingSpace.FILLED_STATES


def call_for_care() -> None:
    """Have a worker do at once what the clock would have it do within a minute."""
    try:
        current_app.send_task("knowledge.tasks.tend_spaces", retry=False)
    except OperationalError:
        return


def audit(by: User | None, action: str, space: EmbeddingSpace) -> None:
    if by is not None:
        record(by, action, space)
        return
    AuditEntry.objects.create(
        actor_name="the environment",
        action=action,
        kind=EmbeddingSpace._meta.model_name or "",
        object_id=space.pk,
        object_name=str(space),
    )

"""Telling who last changed each document, and when, from a history or from what people gave."""

import logging
from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import datetime
from itertools import islice
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from knowledge.models import Document
from projects.checkpoints import checkpoint
from projects.folders import AUTHOR
from projects.git_errors import GitError, LimitReached, SyncCancelled
from projects.leases import Lease
from projects.models import Source
from projects.trees import USUAL_REACH, Reach, commit_info, walk_changes

logger = logging.getLogger(__name__)

BATCH = 1_000
# Of a plain folder nobody knows who changed it: its commits are our own.
OUR_EMAIL = AUTHOR.partition(b"<")[2].rstrip(b">").decode()

Row = tuple[UUID, str, str, datetime]  # a document, an author with their address, a moment


def attribute_documents(
    source: Source,
    commit: str | None,
    lease: Lease,
    *,
    hold: Callable[[], None],
    reach: Reach = USUAL_REACH,
) -> None:
    """Say of the documents that were read since the last time who changed them last, and when.

    `hold` is called inside each transaction. What git can't tell is left for the next sync.
    """
    if source.is_given:
        with transaction.atomic():
            hold()
            attribute_given(source)
        return
    wanted = dict(_undated(source))
    if not wanted or not commit:
        return
    try:
        rows = _rows_of(source, commit, wanted, lease, reach)
    except SyncCancelled:
        raise
    except (GitError, OSError) as error:
        logger.warning("Nobody knows who changed %s: %s", source.pk, error)
        return
    _store(rows, lease, hold)


def attribute_given(source: Source) -> None:
    """Take for the author who gave a text, and for the time when. Runs inside a transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE knowledge_document d SET changed_at = u.updated_at,"
            " author = coalesce(nullif(p.name, ''), p.username, ''),"
            " author_email = coalesce(p.email, '')"
            " FROM knowledge_upload u LEFT JOIN accounts_user p ON p.id = u.user_id"
            " WHERE d.source_id = %s AND d.changed_at IS NULL"
            " AND u.source_id = d.source_id AND u.path = d.path",
            [source.pk],
        )


def _undated(source: Source) -> Sequence[tuple[str, UUID]]:
    rows = Document.objects.filter(source=source, changed_at=None)
    return list(rows.values_list("path", "pk"))


def _rows_of(
    source: Source, commit: str, wanted: dict[str, UUID], lease: Lease, reach: Reach
) -> list[Row]:
    now = timezone.now()
    # A clock that ran ahead would make everything look newer than it is.
    otherwise = min(commit_info(source.mirror, commit).committed_at, now)
    rows: list[Row] = []
    changes = walk_changes(
        source.mirror, commit, source.folder_path, reach=reach, cancelled=lease.is_cancelled
    )
    try:
        with closing(changes):
            for change in changes:
                is_ours = change.email == OUR_EMAIL
                author, email = ("", "") if is_ours else (change.author, change.email)
                moment = min(change.committed_at or otherwise, now)
                found = [wanted.pop(path) for path in change.paths if path in wanted]
                rows += [(pk, author, email, moment) for pk in found]
                if not wanted:
                    break
    except LimitReached as limit:
        logger.info("The history of %s was walked in part: %s", source.pk, limit.limit)
    return rows + [(pk, "", "", otherwise) for pk in wanted.values()]


def _store(rows: Sequence[Row], lease: Lease, hold: Callable[[], None]) -> None:
    rest = iter(rows)
    while batch := list(islice(rest, BATCH)):
        with transaction.atomic():
            hold()
            _write(batch)
            checkpoint("sync.attributing")
        checkpoint("sync.attributed")
        lease.make_way()


def _write(rows: Sequence[Row]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE knowledge_document d SET author = known.author,"
            " author_email = known.email, changed_at = known.moment"
            " FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::timestamptz[])"
            " AS known (id, author, email, moment)"
            " WHERE d.id = known.id AND d.changed_at IS NULL",
            [list(column) for column in zip(*rows, strict=True)],
        )

"""Removing texts that nothing points to any more."""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from knowledge.models import Blob, Document, DocumentVersion

SPARED_FOR = timedelta(hours=1)  # a sync stores a text a moment before what points to it


def forget_texts() -> int:
    """Delete the texts of deleted sources and projects; return how many there were."""
    pointed_to = [
        Exists(rows.objects.filter(blob=OuterRef("pk"))) for rows in (Document, DocumentVersion)
    ]
    old = Blob.objects.filter(created_at__lt=timezone.now() - SPARED_FOR)
    count, _ = old.exclude(pointed_to[0]).exclude(pointed_to[1]).delete()
    return count

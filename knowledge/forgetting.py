"""Removing what belongs to nothing any more: the documents of sources, and texts."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.db.models.signals import pre_delete
from django.dispatch import receiver
from django.utils import timezone

from knowledge.ingestion import remove_documents
from knowledge.models import Blob, Document, DocumentVersion
from projects.models import Source

AT_ONCE = 500

SPARED_FOR = timedelta(hours=1)  # a sync stores a text a moment before what points to it


def forget_texts() -> int:
    """Delete the texts of deleted sources and projects; return how many there were."""
    pointed_to = [
        Exists(rows.objects.filter(blob=OuterRef("pk"))) for rows in (Document, DocumentVersion)
    ]
    old = Blob.objects.filter(created_at__lt=timezone.now() - SPARED_FOR)
    count, _ = old.exclude(pointed_to[0]).exclude(pointed_to[1]).delete()
    return count


@receiver(pre_delete, sender=Source)
@transaction.atomic
def forget_documents(instance: Source, **_: Any) -> None:
    """Forget a source's documents as a sync does, or their words would count for ever."""
    ids = Document.objects.filter(source=instance).values_list("pk", flat=True)
    while some := list(ids[:AT_ONCE]):
        remove_documents(instance.project_id, some)

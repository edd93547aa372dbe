from datetime import timedelta

import pytest
from django.utils import timezone

from knowledge.forgetting import forget_texts
from knowledge.ingestion import remove_documents
from knowledge.models import Blob, Chunk, TermCount
from projects.models import Source
from projects.sourcing import delete_project, delete_source
from tests.knowledge.exactness import check_counts


@pytest.fixture
def old_text(source, index):
    document = index(source, "a.py", "canary = 1\n")
    Blob.objects.update(created_at=timezone.now() - timedelta(hours=2))
    return document


def test_the_texts_of_a_deleted_project_are_removed(old_text, project, alice):
    delete_project(project, by=alice)
    assert forget_texts() == 1
    assert not Blob.objects.exists()


def test_what_a_document_or_a_citation_points_to_stays(old_text, project):
    assert forget_texts() == 0
    remove_documents(project.pk, [old_text.pk])
    assert forget_texts() == 0
    assert Blob.objects.get().text == "canary = 1\n"


def test_a_text_that_was_stored_just_now_is_spared(db):
    Blob.objects.create(sha="1" * 64, text="on its way")
    assert forget_texts() == 0


def test_the_words_of_a_deleted_source_count_no_more(source, index, project, alice):
    other = Source.objects.create(project=project, name="other", path="/elsewhere")
    index(source, "a.py", "canary = 1\n")
    index(other, "b.py", "canary = 2\nsparrow = 3\n")
    counts = TermCount.objects.filter(project=project).exclude(chunks=0)
    before = counts.count()
    delete_source(other, by=alice)
    assert counts.count() < before
    assert Chunk.objects.count() == 1
    check_counts(project)

from datetime import timedelta

import pytest
from django.utils import timezone

from knowledge.forgetting import forget_texts
from knowledge.ingestion import remove_documents
from knowledge.models import Blob
from projects.sourcing import delete_project


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

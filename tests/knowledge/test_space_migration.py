"""Spaces of earlier installations come out as what they are."""

from importlib import import_module

import pytest
from django.apps import apps

from knowledge.models import EmbeddingSpace

BUILT_IN = "all-MiniLM-L6-v2"


@pytest.fixture
def migrate(db, settings):
    """Run the data move over what a test has made, as if it came from before."""
    settings.EMBEDDING_BASE_URL, settings.EMBEDDING_MODEL = "http://owl/v1", "owl-1"
    move = import_module("knowledge.migrations.0003_spaces_that_were_there")

    def run(*rows: tuple[str, str]) -> dict[str, EmbeddingSpace]:
        for model, state in rows:
            EmbeddingSpace.objects.create(model_name=model, state=state, dimensions=16)
        move.tell_how_they_are_reached(apps, None)
        return {space.model_name: space for space in EmbeddingSpace.objects.all()}

    return run


def test_an_empty_installation_stays_empty(migrate):
    assert migrate() == {}


def test_the_built_in_model_goes_on(migrate):
    space = migrate((BUILT_IN, "active"))[BUILT_IN]
    assert (space.adapter, space.state, space.base_url) == ("minilm", "active", "")
    assert space.activated_at is not None


def test_the_model_of_the_environment_is_told_its_address(migrate):
    found = migrate(("owl-1", "active"), (BUILT_IN, "retired"))
    active, kept = found["owl-1"], found[BUILT_IN]
    assert (active.adapter, active.base_url) == ("compatible", "http://owl/v1")
    assert active.key_variable == "EMBEDDING_API_KEY"
    assert (kept.adapter, kept.state) == ("minilm", "kept")
    assert kept.built_at is not None


def test_what_nobody_can_reach_any_more_is_given_up(migrate):
    found = migrate((BUILT_IN, "active"), ("old-owl", "retired"), ("older-owl", "retired"))
    assert {found["old-owl"].state, found["older-owl"].state} == {"retired"}
    assert found["old-owl"].dropped_at is None  # so its vectors go soon


def test_one_earlier_space_is_kept(migrate):
    found = migrate(("gone", "active"), (BUILT_IN, "retired"), ("owl-1", "retired"))
    states = sorted(space.state for space in found.values())
    assert states == ["active", "kept", "retired"]
    assert found["owl-1"].state == "kept"  # the newest that can be reached

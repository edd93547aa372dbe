"""Changing the model: built beside, swapped at once, gone back to, given up."""

from typing import Any

import pytest

from accounts.models import AuditEntry
from knowledge.models import Chunk, EmbeddedText, EmbeddingSpace, Vector
from knowledge.retrieval import search
from knowledge.spaces import (
    SpaceRefused,
    activate,
    change_limits,
    declare,
    drop_retired,
    follow_environment,
    living_spaces,
    reach_of,
    retire,
    roll_back,
    try_out,
)
from projects.models import Job
from providers.embedding import EmbedderUnavailable
from tests.hashed_embedder import HashedWords, use_embedder
from tests.knowledge.space_samples import (
    OtherWords,
    build_beside,
    embed,
    know_other_words,
    name_other_words,
    reach_of_server,
    state_of,
    the_active,
)
from tests.model_server import model_server

State = EmbeddingSpace.State


@pytest.fixture
def indexed(source, index):
    for n in range(5):
        index(source, f"src/part_{n}.py", f"def hunt_{n}(mouse):\n    return mouse.caught\n")
    return source


@pytest.fixture
def embedded(indexed):
    embed(indexed)
    return indexed


def test_the_first_space_is_active_at_once(indexed):
    assert living_spaces() == []
    embed(indexed)
    space = the_active()
    assert (space.model_name, space.dimensions) == (HashedWords.model_name, 1024)
    assert (space.from_environment, space.weight) == (True, HashedWords.weight)
    assert space.built_at is not None
    assert Vector.objects.filter(space=space).count() == Chunk.objects.count() == 5


def test_a_declared_space_is_built_beside_while_the_old_one_answers(embedded, settings, viewer):
    old = the_active()
    new = declare(know_other_words(settings))
    assert new.state == State.BUILDING
    assert Job.objects.filter(source=embedded, kind=Job.Kind.EMBED, state="queued").exists()
    assert search(viewer, "hunt mouse").space_id == old.pk
    embed(embedded)
    assert Vector.objects.filter(space=new).count() == Chunk.objects.count()
    assert state_of(new) == State.BUILDING  # nobody said that it takes over
    assert new.built_at is not None
    assert search(viewer, "hunt mouse").space_id == old.pk


def test_one_that_takes_over_does_so_once_it_is_built(embedded, settings, viewer):
    old = the_active()
    new = build_beside(embedded, know_other_words(settings), takes_over=True)
    assert state_of(new) == State.ACTIVE
    assert state_of(old) == State.KEPT
    found = search(viewer, "hunt mouse")
    assert found.space_id == new.pk
    assert set(found.hits[0].legs) == {"words", "meaning"}


def test_a_space_of_a_model_is_declared_once(embedded, settings):
    reach = know_other_words(settings)
    declare(reach)
    with pytest.raises(SpaceRefused, match="already"):
        declare(reach)
    with pytest.raises(SpaceRefused, match="already"):
        declare(reach_of(the_active()))


def test_other_prefixes_are_another_space(embedded):
    with model_server() as server:
        first = declare(reach_of_server(server))
        second = declare(reach_of_server(server, query_prefix="query: "))
    assert first.pk != second.pk


@pytest.mark.parametrize("dimensions", [8, 4001])
def test_sizes_that_cannot_be_stored_are_refused(embedded, dimensions):
    with model_server() as server:
        server.dimensions = dimensions
        with pytest.raises(SpaceRefused, match="can't be stored"):
            declare(reach_of_server(server))
    assert EmbeddingSpace.objects.count() == 1


def test_a_model_that_does_not_answer_is_not_declared(embedded):
    with model_server() as server:
        server.mode = "bad key"
        with pytest.raises(EmbedderUnavailable, match="refused the API key"):
            declare(reach_of_server(server))
    assert EmbeddingSpace.objects.count() == 1


def test_trying_a_model_out_keeps_nothing(embedded):
    with model_server() as server:
        server.dimensions = 48
        assert try_out(reach_of_server(server)).dimensions == 48
    assert EmbeddingSpace.objects.count() == 1


def test_a_space_is_not_used_before_it_is_built(embedded, settings):
    new = declare(know_other_words(settings))
    with pytest.raises(SpaceRefused, match="not built yet"):
        activate(new)
    assert the_active() != new


def test_going_back_makes_the_earlier_space_answer(embedded, settings, viewer, index, admin):
    old = the_active()
    new = build_beside(embedded, know_other_words(settings), takes_over=True)
    index(embedded, "src/later.py", "def later():\n    return 'owl'\n")
    embed(embedded)
    assert roll_back(by=admin) == old
    assert (state_of(old), state_of(new)) == (State.ACTIVE, State.KEPT)
    found = search(viewer, "later owl")
    assert found.space_id == old.pk
    # What was kept was filled all the while.
    assert Vector.objects.filter(space=old).count() == Chunk.objects.count()
    assert roll_back(by=admin) == new


def test_there_may_be_nothing_to_go_back_to(embedded):
    with pytest.raises(SpaceRefused, match="nothing to go back to"):
        roll_back()


def test_one_earlier_space_is_kept(embedded, settings):
    first = the_active()
    second = build_beside(embedded, know_other_words(settings), takes_over=True)
    with model_server() as server:
        third = build_beside(embedded, reach_of_server(server), takes_over=True)
    assert [state_of(space) for space in (first, second, third)] == [
        State.RETIRED,
        State.KEPT,
        State.ACTIVE,
    ]


@pytest.mark.django_db(transaction=True)
def test_retiring_drops_everything_that_a_space_holds(embedded, settings, admin):
    new = build_beside(embedded, know_other_words(settings))
    assert EmbeddedText.objects.filter(space=new).exists()
    retire(new, by=admin)
    drop_retired()
    assert state_of(new) == State.RETIRED
    assert new.dropped_at is not None
    assert not Vector.objects.filter(space=new).exists()
    assert not EmbeddedText.objects.filter(space=new).exists()
    assert Vector.objects.filter(space=the_active()).count() == Chunk.objects.count()
    with pytest.raises(SpaceRefused, match="declare it anew"):
        activate(new)
    assert declare(know_other_words(settings)).pk != new.pk


def test_the_active_space_cannot_be_retired(embedded):
    with pytest.raises(SpaceRefused, match="use another one first"):
        retire(the_active())


def test_a_space_that_is_retired_while_it_is_filled_gets_no_more(embedded, settings, index):
    new = declare(know_other_words(settings))

    class Retiring(OtherWords):
        def embed(self, texts: Any, effort: Any = None) -> Any:
            retire(new)
            return super().embed(texts, effort)

    settings.EMBEDDERS = {**settings.EMBEDDERS, "OtherWords": f"{__name__}.retiring"}
    globals()["retiring"] = Retiring
    index(embedded, "src/later.py", "def later():\n    return 'owl'\n")
    embed(embedded)
    assert not Vector.objects.filter(space=new).exists()
    assert Vector.objects.filter(space=the_active()).count() == Chunk.objects.count()


def test_all_that_people_do_is_recorded(embedded, settings, admin):
    new = declare(know_other_words(settings), by=admin)
    embed(embedded)
    activate(new, by=admin)
    roll_back(by=admin)
    retire(new, by=admin)
    said = AuditEntry.objects.filter(kind="embeddingspace", actor_id=admin.pk)
    actions = said.order_by("created_at").values_list("action", flat=True)
    assert list(actions) == ["declared", "activated", "activated", "retired"]


# --- The environment -----------------------------------------------------------------------


def test_a_new_name_in_the_environment_is_built_beside(embedded, settings, viewer):
    old = the_active()
    name_other_words(settings)
    new = follow_environment()
    assert (new.state, new.takes_over_when_built) == (State.BUILDING, True)
    assert search(viewer, "hunt mouse").space_id == old.pk
    embed(embedded)
    assert state_of(new) == State.ACTIVE
    assert AuditEntry.objects.filter(actor_name="the environment", action="activated").exists()


def test_following_again_changes_nothing(embedded, settings):
    name_other_words(settings)
    assert follow_environment() == follow_environment()
    assert EmbeddingSpace.objects.count() == 2


def test_changing_back_takes_the_kept_space_after_filling_it_in(embedded, settings, index):
    old = the_active()
    name_other_words(settings)
    follow_environment()
    embed(embedded)
    Vector.objects.filter(space=old, chunk__document__path="src/part_0.py").delete()
    use_embedder(settings, HashedWords)
    follow_environment()
    assert state_of(old) == State.KEPT
    embed(embedded)
    assert state_of(old) == State.ACTIVE
    assert Vector.objects.filter(space=old).count() == Chunk.objects.count()


def test_changing_back_to_a_whole_space_is_instant(embedded, settings):
    old = the_active()
    name_other_words(settings)
    follow_environment()
    embed(embedded)
    use_embedder(settings, HashedWords)
    follow_environment()
    assert state_of(old) == State.ACTIVE


def test_what_an_admin_chose_stays_while_the_environment_says_the_same(embedded, settings, admin):
    new = build_beside(embedded, know_other_words(settings))
    activate(new, by=admin)
    follow_environment()
    embed(embedded)
    assert state_of(new) == State.ACTIVE


def test_the_environments_model_may_be_away(embedded, settings, viewer):
    settings.EMBEDDING_ADAPTER = "compatible"
    settings.EMBEDDING_BASE_URL = "http://127.0.0.1:1/v1"
    settings.EMBEDDING_MODEL = "owl-1"
    with pytest.raises(EmbedderUnavailable):
        follow_environment()
    assert search(viewer, "hunt mouse").space_id == the_active().pk


def test_the_environment_sets_limits_of_its_space(embedded, settings, monkeypatch):
    monkeypatch.setenv("EMBEDDING_API_KEY", "sesame")
    with model_server() as server:
        settings.EMBEDDING_ADAPTER = "compatible"
        settings.EMBEDDING_BASE_URL, settings.EMBEDDING_MODEL = server.url, "owl-1"
        settings.EMBEDDING_QUERY_PREFIX = "query: "
        settings.EMBEDDING_LIMITS = {"token_budget": 9, "usd_per_million": "0.02"}
        space = follow_environment()
        assert server.keys == ["Bearer sesame"]
        assert (space.query_prefix, space.token_budget) == ("query: ", 9)
        settings.EMBEDDING_LIMITS = {"token_budget": 900_000, "usd_per_million": "0.02"}
        assert follow_environment() == space
    space.refresh_from_db()
    assert space.token_budget == 900_000


def test_limits_can_be_changed(embedded, admin):
    space = the_active()
    change_limits(space, by=admin, token_budget=5, weight=0.7)
    space.refresh_from_db()
    assert (space.token_budget, space.weight) == (5, 0.7)
    assert AuditEntry.objects.filter(action="changed", object_id=space.pk).exists()

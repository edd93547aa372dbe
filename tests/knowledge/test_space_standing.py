"""How far a space is, how long it will take, and what it costs."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from knowledge.models import EmbeddingSpace
from knowledge.space_standing import SpaceStanding, count_chunks, standings, what_goes_with
from projects.models import Job, Project, Source
from providers.server_rules import check_address, check_key_variable
from tests.knowledge.space_samples import embed, the_active


@pytest.fixture
def embedded(source, index):
    for n in range(4):
        index(source, f"src/part_{n}.py", f"def hunt_{n}(mouse):\n    return mouse\n" * 10)
    embed(source)
    return source


def make_space(**fields) -> EmbeddingSpace:
    named = {"adapter": "compatible", "base_url": "http://owl/v1", "model_name": "owl-1"}
    return EmbeddingSpace.objects.create(**{**named, "dimensions": 16, **fields})


def standing_of(space: EmbeddingSpace) -> SpaceStanding:
    [standing] = standings([space])
    return standing


def running(source: Source, stage: str, done: int, seconds: int) -> None:
    Job.objects.create(
        project=source.project,
        source=source,
        kind="embed",
        state="running",
        stage=stage,
        done=done,
        total=100,
        started_at=timezone.now() - timedelta(seconds=seconds),
    )


def test_passages_are_counted_over_all_projects(embedded, index, alice):
    assert count_chunks() == 4
    other = Project.objects.create(name="other", owner=alice)
    index(Source.objects.create(project=other, name="s", path="/s"), "a.py", "a = 1\n")
    assert count_chunks() == 5


def test_an_empty_installation_lacks_nothing(db):
    standing = standing_of(make_space())
    assert (standing.percent, standing.is_whole, standing.tokens_in_all) == (100, True, 0)


def test_a_new_space_has_everything_before_it(embedded):
    standing = standing_of(make_space())
    assert (standing.vectors, standing.chunks, standing.percent) == (0, 4, 0)
    assert standing.remaining is None  # nobody is at it
    assert not standing.is_whole


def test_the_rest_is_guessed_from_the_jobs_that_fill_the_space(embedded, index, alice):
    space = make_space()
    running(embedded, "embedding with owl-1", done=2, seconds=20)
    assert standing_of(space).remaining == pytest.approx(timedelta(seconds=40), abs=timedelta(1))
    other = Source.objects.create(project=embedded.project, name="other", path="/other")
    running(other, "embedding with owl-1", done=2, seconds=20)
    remaining = standing_of(space).remaining
    assert remaining is not None
    assert 15 < remaining.total_seconds() < 25


def test_jobs_that_fill_another_space_say_nothing(embedded):
    running(embedded, "embedding", done=2, seconds=20)
    assert standing_of(make_space()).remaining is None


def test_tokens_in_all_are_guessed_from_the_length_of_passages(embedded):
    space = make_space(tokens_used=1000)
    in_all = standing_of(space).tokens_in_all
    assert in_all is not None
    assert 1000 + 4 * 20 < in_all < 1000 + 4 * 500


@pytest.mark.parametrize(
    ("fields", "cost"),
    [
        ({"usd_per_million": Decimal("0.5"), "tokens_used": 2_000_000}, Decimal(1)),
        ({"tokens_used": 2_000_000}, None),
        ({"base_url": "", "tokens_used": 0}, Decimal(0)),
        ({"usd_per_million": Decimal(0), "tokens_used": 5}, Decimal(0)),
    ],
)
def test_the_cost_is_known_where_the_price_is(db, fields, cost):
    standing = standing_of(make_space(**fields))
    assert (standing.cost, standing.cost_in_all) == (cost, cost)


def test_a_retired_space_has_no_future(embedded):
    standing = standing_of(make_space(state="retired"))
    assert (standing.remaining, standing.tokens_in_all, standing.cost_in_all) == (None, None, None)


def test_spaces_stand_in_the_order_of_their_use(embedded):
    make_space(state="kept", model_name="kept")
    make_space(model_name="building")
    make_space(state="retired", model_name="retired")
    assert [row.space.model_name for row in standings()] == ["hashed-words", "building", "kept"]


def test_many_spaces_cost_as_many_queries_as_one(embedded, django_assert_max_num_queries):
    for n in range(5):
        make_space(model_name=f"owl-{n}")
    with django_assert_max_num_queries(5):
        standings()


def test_what_is_lost_with_a_space_is_counted(embedded):
    assert what_goes_with(the_active()) == {"vectors": 4, "texts": 8, "tokens": 0}


# --- What may be said of a space -----------------------------------------------------------


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "OWL_TOKEN", "A_KEY", "MODEL_2_KEY"])
def test_names_of_keys_are_taken(name):
    check_key_variable(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", "sk-live-4711", "openai_api_key", "KEY", "_KEY", "OWL KEY", "DATABASE_URL"),
        *("SECRET_KEY", "GIT_TOKEN_GITHUB_COM_KEY", "REDIS_URL", "OWL_KEY\n", "A" * 40),
    ],
)
def test_keys_themselves_and_secrets_of_ours_are_refused(name):
    with pytest.raises(ValidationError):
        check_key_variable(name)


@pytest.mark.parametrize(
    "address", ["https://api.owl.test/v1", "http://127.0.0.1:11434/v1", "http://[::1]:8000"]
)
def test_addresses_may_be_anywhere_for_an_admin(address):
    check_address(address)


@pytest.mark.parametrize(
    "address",
    ["", "owl", "ftp://owl.test", "file:///etc/passwd", "http://", "http://a@owl", "http://[::1"],
)
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ValidationError):
        check_address(address)

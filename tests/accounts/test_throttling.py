import pytest
from django.core.cache import cache, caches

from accounts import throttling
from accounts.throttling import (
    TRIES_FROM_ONE_ADDRESS,
    CannotCount,
    TooManyTries,
    count_try,
    forget_tries,
)

HOME, AWAY = "192.0.2.1", "192.0.2.2"


def try_often(times: int, name: str = "alice", address: str = HOME) -> None:
    for _ in range(times):
        count_try(name, address)


def test_some_tries_are_anybodys_right() -> None:
    try_often(TRIES_FROM_ONE_ADDRESS)


def test_more_tries_are_refused() -> None:
    try_often(TRIES_FROM_ONE_ADDRESS)

    with pytest.raises(TooManyTries):
        count_try("alice", HOME)


@pytest.mark.parametrize("name", ["ALICE", " alice "])
def test_spelling_the_name_otherwise_does_not_help(name: str) -> None:
    try_often(TRIES_FROM_ONE_ADDRESS)

    with pytest.raises(TooManyTries):
        count_try(name, HOME)


def test_others_and_other_places_are_not_held_up() -> None:
    try_often(TRIES_FROM_ONE_ADDRESS)

    count_try("bob", HOME)
    count_try("alice", AWAY)


def test_guessing_from_many_places_ends_too(monkeypatch) -> None:
    monkeypatch.setattr(throttling, "TRIES_FROM_ANYWHERE", 30)

    for number in range(30):
        count_try("alice", f"192.0.2.{number}")
    with pytest.raises(TooManyTries):
        count_try("alice", "192.0.2.99")


def test_who_knew_the_password_begins_anew() -> None:
    try_often(TRIES_FROM_ONE_ADDRESS)
    forget_tries("alice", HOME)

    try_often(TRIES_FROM_ONE_ADDRESS)


def test_the_wait_ends() -> None:
    try_often(TRIES_FROM_ONE_ADDRESS)
    cache.clear()  # what time does to the counters

    count_try("alice", HOME)


def test_a_counter_that_ran_out_between_two_steps_starts_again(monkeypatch) -> None:
    monkeypatch.setattr(caches["default"], "add", lambda *args: False)

    count_try("alice", HOME)


def test_names_are_not_kept_in_clear(settings) -> None:
    assert "hunter2" not in throttling._key("hunter2", HOME)


def test_without_the_counter_nobody_can_be_let_in(settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }

    with pytest.raises(CannotCount):
        count_try("alice", HOME)
    with pytest.raises(CannotCount):
        forget_tries("alice", HOME)

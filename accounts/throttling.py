"""Slowing down those who guess passwords, before a password is hashed for them."""

import hashlib

from django.core.cache import cache
from redis.exceptions import RedisError

WINDOW_SECONDS = 600
TRIES_FROM_ONE_ADDRESS = 10
TRIES_FROM_ANYWHERE = 100


class TooManyTries(Exception):
    """Somebody guesses: nothing is checked for them for a while."""


class CannotCount(Exception):
    """The store that counts tries does not answer, so that nobody can be let in safely."""


def count_try(username: str, address: str) -> None:
    """Note one try to sign in; raises when there were too many of them."""
    try:
        for key, limit in _limits(username, address):
            cache.add(key, 0, WINDOW_SECONDS)
            if _incremented(key) > limit:
                raise TooManyTries
    except (RedisError, OSError) as error:
        raise CannotCount from error


def forget_tries(username: str, address: str) -> None:
    """Begin to count anew: the person knew the password."""
    try:
        cache.delete_many([key for key, _ in _limits(username, address)])
    except (RedisError, OSError) as error:
        raise CannotCount from error


def _incremented(key: str) -> int:
    try:
        return cache.incr(key)
    except ValueError:  # it ran out between the two steps
        cache.set(key, 1, WINDOW_SECONDS)
        return 1


def _limits(username: str, address: str) -> list[tuple[str, int]]:
    name = username.strip().casefold()
    return [
        (_key(name, address), TRIES_FROM_ONE_ADDRESS),
        (_key(name, ""), TRIES_FROM_ANYWHERE),
    ]


def _key(name: str, address: str) -> str:
    # Hashed: what people type into the name field may be a password.
    return "login-" + hashlib.sha256(f"{address} {name}".encode()).hexdigest()[:32]

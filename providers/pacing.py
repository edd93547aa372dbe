"""Keeping within a rate that a server allows, over all processes that ask it."""

import time
from collections.abc import Callable
from threading import Lock

import redis
from django.conf import settings

# Each use moves a mark in time forward; who finds it ahead of the clock waits until then. Up to
# `burst` seconds of rate may be used at once.
MOVE_MARK = """
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local mark = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now - tonumber(ARGV[2]))
mark = mark + tonumber(ARGV[1])
redis.call('SET', KEYS[1], string.format('%.6f', mark), 'EX', 3600)
return tostring(mark - now)
"""
BURST = 2.0  # seconds


class Pace:
    """So much a minute, counted under a name that processes share through Redis."""

    def __init__(self, name: str, a_minute: int | None) -> None:
        self.name = name
        self.a_minute = a_minute
        self._mark = 0.0
        self._lock = Lock()

    def wait(self, amount: int, pause: Callable[[float], None]) -> None:
        """Return when it is the turn of `amount` more."""
        if not self.a_minute:
            return
        seconds = self._move(amount * 60 / self.a_minute)
        if seconds > 0:
            pause(seconds)

    def _move(self, seconds: float) -> float:
        if settings.REDIS_URL:
            try:
                with redis.from_url(settings.REDIS_URL, socket_timeout=2) as store:
                    return float(store.eval(MOVE_MARK, 1, f"pace:{self.name}", seconds, BURST))
            except (redis.RedisError, OSError):
                pass  # each process by itself is better than not at all
        with self._lock:
            now = time.monotonic()
            self._mark = max(self._mark, now - BURST) + seconds
            return self._mark - now

import threading

import pytest

from providers.pacing import BURST, Pace


class Waits(list):
    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@pytest.fixture(params=["shared", "alone", "unreachable"])
def place(request, settings) -> str:
    """Where the pace is kept: in Redis, in the process, or in the process for want of a Redis."""
    if request.param != "shared":
        settings.REDIS_URL = "" if request.param == "alone" else "redis://127.0.0.1:1/0"
    return request.param


def test_a_burst_is_free_and_then_each_waits_its_turn(place):
    waits = Waits()
    pace = Pace("owl", 60)
    for _ in range(5):
        pace.wait(1, waits)
    assert waits == [pytest.approx(n, abs=0.3) for n in range(1, len(waits) + 1)]
    assert len(waits) == 5 - BURST


def test_without_a_limit_nobody_waits(place):
    waits = Waits()
    Pace("owl", None).wait(10**9, waits)
    assert waits == []


def test_much_at_once_waits_longer(place):
    waits = Waits()
    Pace("owl", 600).wait(100, waits)
    assert waits == [pytest.approx(10 - BURST, abs=0.3)]


def test_processes_share_a_pace_by_its_name():
    waits = Waits()
    for _ in range(3):
        Pace("owl", 60).wait(1, waits)
    Pace("another owl", 60).wait(1, waits)
    assert len(waits) == 1


def test_threads_share_a_pace(settings):
    settings.REDIS_URL = ""
    waits, pace = Waits(), Pace("owl", 60)
    threads = [threading.Thread(target=pace.wait, args=(1, waits)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(waits) == [pytest.approx(n, abs=0.3) for n in range(1, 7)]

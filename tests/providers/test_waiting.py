import time
from email.utils import formatdate

import pytest

from providers.waiting import in_words, seconds_asked_for


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("2", 2.0), ("0.5", 0.5), ("-3", 0.0), ("soon", 0.0), ("", 0.0), ("nan", 0.0)],
)
def test_a_number_of_seconds_is_read(text, seconds):
    assert seconds_asked_for(text) == seconds


def test_a_date_is_read_as_the_time_until_then():
    assert 50 < seconds_asked_for(formatdate(time.time() + 60, usegmt=True)) <= 61
    assert seconds_asked_for(formatdate(time.time() - 60, usegmt=True)) == 0


def test_nothing_is_waited_for_ever():
    assert seconds_asked_for("inf") == seconds_asked_for("1e300") == 10 * 24 * 3600


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (2, "2 s"), (89, "89 s"), (3600, "60 min"), (7200, "2 h")]
)
def test_a_time_is_said_for_people(seconds, words):
    assert in_words(seconds) == words

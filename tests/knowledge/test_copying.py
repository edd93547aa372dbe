"""What is packed in binary must be what PostgreSQL would have read from text."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from knowledge import copying, words

pytestmark = pytest.mark.django_db

STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
BIGINTS = st.integers(-(2**63), 2**63 - 1)


def copied(kind: str, *values: bytes) -> list[object]:
    """Copy values into a column of a type, and return them as PostgreSQL then has them."""
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TEMPORARY TABLE copied (number serial, value {kind})")
        try:
            with cursor.copy("COPY copied (value) FROM STDIN (FORMAT binary)") as copy:
                copy.write(copying.BEGINNING)
                copy.write(b"".join(copying.row(value) for value in values))
                copy.write(copying.END)
            cursor.execute("SELECT value FROM copied ORDER BY number")
            return [row[0] for row in cursor.fetchall()]
        finally:
            cursor.execute("DROP TABLE copied")


@given(st.lists(STORABLE, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_texts_come_out_as_they_went_in(values):
    assert copied("text", *map(copying.text, values)) == values


@given(st.lists(BIGINTS, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_arrays_of_numbers_come_out_as_they_went_in(numbers):
    assert copied("bigint[]", copying.bigints(numbers)) == [numbers]


@given(st.lists(STORABLE, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_arrays_of_names_come_out_as_they_went_in(names):
    assert copied("varchar(255)[]", copying.texts(names)) == [names]


def test_numbers_moments_and_identities_come_out_as_they_went_in():
    moment = datetime(2026, 11, 22, 3, 4, 5, 678901, tzinfo=UTC)
    before = datetime(1999, 12, 31, 23, 59, 59, 500000, tzinfo=UTC)
    assert copied("int", copying.integer(7), copying.integer(-1)) == [7, -1]
    assert copied("bigint", copying.bigint(2**62)) == [2**62]
    found = copied("timestamptz", copying.moment(moment), copying.moment(before))
    assert found == [moment, before]
    assert copied("uuid", copying.identity(UUID(int=5))) == [UUID(int=5)]


def test_documents_come_out_as_they_went_in():
    value = {"tags": ["a", "ü"], "nested": {"n": 1.5, "none": None}}
    (found,) = copied("jsonb", copying.document(value))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT %s::jsonb = %s::jsonb", [found, copying.document(value)[5:].decode()]
        )
        assert cursor.fetchone() == (True,)


@given(st.dictionaries(st.integers(1, 2**63 - 1), st.floats(0.125, 64, width=16), max_size=30))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_weights_are_those_that_a_question_reads(weights):
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE weighed (value sparsevec)")
        with cursor.copy("COPY weighed FROM STDIN (FORMAT binary)") as copy:
            row = copying.row(copying.sparse(weights))
            copy.write(copying.BEGINNING + row + copying.END)
        written = words.sparse_text({**weights})
        cursor.execute("SELECT -(value <#> %s::sparsevec) FROM weighed", [written])
        (score,) = cursor.fetchone()
        cursor.execute("DROP TABLE weighed")
    expected = sum(weight * weight for weight in words.places_of(weights).values())
    assert score == pytest.approx(expected, rel=1e-3, abs=1e-6)


def test_terms_that_share_a_place_are_added_up_once():
    both = copying.sparse({1: 1.0, 1 + words.DIMENSIONS: 2.0})
    assert both == copying.sparse({1: 3.0})

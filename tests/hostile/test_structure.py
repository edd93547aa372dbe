"""Repositories that are hostile by their structure end in the state that their page explains."""

import pytest

from tests.hostile.fixtures import Hostile, parameters
from tests.hostile.structures import STRUCTURES

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("hostile", parameters(STRUCTURES))
def test_a_hostile_structure_ends_as_it_should(attack, hostile: Hostile) -> None:
    attack.check(hostile)

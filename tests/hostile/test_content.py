"""Files that are hostile by their content end indexed, or with a reason, and harm nobody."""

import pytest

from knowledge.models import Document
from tests.hostile.bombs import MARKDOWN, PARSER_BOMBS, SIZES
from tests.hostile.encodings import ENCODED, ENCODINGS
from tests.hostile.fixtures import Hostile, parameters

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("hostile", parameters([*ENCODINGS, *PARSER_BOMBS, MARKDOWN, *SIZES]))
def test_hostile_content_ends_as_it_should(attack, hostile: Hostile) -> None:
    attack.check(hostile)


@pytest.mark.slow
def test_each_encoding_is_read_as_it_was_meant(attack) -> None:
    source = attack.check(ENCODINGS[0])

    for document in Document.objects.filter(source=source).select_related("blob"):
        meant = ENCODED[document.path][1]
        assert meant in document.content, document.path

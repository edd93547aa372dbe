"""Secrets stay secret, scripts stay text, what hides is shown, and orders are only words."""

import pytest
from django.urls import reverse

from knowledge.models import Document
from tests.hostile.fixtures import Hostile, parameters
from tests.hostile.misleading import INJECTIONS, MISLEADING, NO_WIDTH, RIGHT_TO_LEFT, TAG
from tests.hostile.notebooks import NOTEBOOKS
from tests.hostile.pages import Pages
from tests.hostile.seeded import SECRETS, SEEDS

pytestmark = pytest.mark.django_db(transaction=True)

SCRIPTS, TROJANS, ORDERS = MISLEADING


@pytest.mark.parametrize("hostile", parameters(NOTEBOOKS))
def test_a_hostile_notebook_ends_as_it_should(attack, hostile: Hostile) -> None:
    attack.check(hostile)


def test_no_fake_secret_is_stored_shown_sent_or_logged(attack) -> None:
    source = attack.check(SECRETS)

    assert len(set(SEEDS)) >= 40
    notes = Document.objects.filter(source=source, state="indexed").values_list("notes", flat=True)
    assert all("masked" in note for note in notes)
    found = Pages(attack.client, source).search("aws_secret_access_key db_password")
    assert not any(seed in found for seed in SEEDS)


@pytest.mark.slow
def test_no_script_of_any_file_reaches_a_browser(attack) -> None:
    source = attack.check(SCRIPTS)

    pages = Pages(attack.client, source)
    assert "alert" in pages.search("alert script onerror")


def test_characters_that_hide_are_shown_wherever_a_file_is_read(attack) -> None:
    source = attack.check(TROJANS)

    pages = Pages(attack.client, source)
    for path in ("access.py", "early.js", "tags.md", "bidi.md", "width.py"):
        address = reverse("file", args=[source.pk, source.head, path])
        for query in ("", "?view=lines"):
            shown = pages.open(address + query)
            assert not any(hidden in shown for hidden in (RIGHT_TO_LEFT, TAG[0], NO_WIDTH))
            assert "U+" in shown
    for path in ("homoglyph.py", "names.txt"):
        pages.open(reverse("file", args=[source.pk, source.head, path]))
    assert RIGHT_TO_LEFT not in pages.search("Check if admin level user")


def test_orders_to_a_model_are_indexed_as_text(attack) -> None:
    source = attack.check(ORDERS)

    stored = Document.objects.filter(source=source).select_related("blob")
    assert {each.path: each.content for each in stored} == INJECTIONS
    found = Pages(attack.client, source).search("ignore all previous instructions")
    assert "49" not in INJECTIONS["template.txt"]
    assert "comment.py" in found

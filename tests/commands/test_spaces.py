"""`manage.py spaces`."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from knowledge.models import EmbeddedText, EmbeddingSpace, GoldenQuestion, Vector
from knowledge.tending import tend_spaces
from tests.knowledge.space_samples import (
    build_beside,
    embed,
    know_other_words,
    name_other_words,
    state_of,
    the_active,
)
from tests.model_server import model_server

pytestmark = pytest.mark.django_db(transaction=True)


def spaces(*arguments: str) -> str:
    out = StringIO()
    call_command("spaces", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def embedded(admin, source, index):
    index(source, "owl.py", "def hunt(mouse):\n    return mouse\n")
    embed(source)
    return source


def test_the_spaces_are_listed_with_how_far_they_are(embedded, settings):
    build_beside(embedded, know_other_words(settings))
    first, second = spaces().splitlines()
    assert "Active" in first
    assert "100 %" in first
    assert "hashed-words (1024)" in first
    assert "Being built" in second


def test_a_space_goes_from_built_to_retired(embedded, admin):
    old = the_active()
    with model_server() as server:
        said = spaces("build", "--model", "owl-1", "--address", server.url)
        assert "owl-1 (16): being built beside" in said
        embed(embedded)
        new = EmbeddingSpace.objects.get(model_name="owl-1")
        assert "No golden question says" in spaces("compare", "owl-1")
        assert "owl-1 (16) answers from now on." in spaces("activate", str(new.pk)[:8])
        assert state_of(new) == "active"
        assert "hashed-words (1024) answers again." in spaces("rollback")
    assert state_of(old) == "active"
    assert "its vectors are gone" in spaces("retire", "owl-1")
    assert not Vector.objects.filter(space=new).exists()
    assert not EmbeddedText.objects.filter(space=new).exists()


def test_building_goes_on(embedded, settings):
    build_beside(embedded, know_other_words(settings))
    assert "what is missing is being embedded" in spaces("build", "other-words")


def test_golden_questions_are_kept_and_asked(embedded, settings, project, tmp_path: Path):
    build_beside(embedded, know_other_words(settings))
    golden = tmp_path / "golden.jsonl"
    golden.write_text('{"id": "1", "query": "what hunts?", "relevant": ["owl.py"]}\n')
    said = spaces("golden", str(golden), "--project", project.name)
    assert said == "1 questions of nightowl are kept, 1 of them new.\n"
    assert GoldenQuestion.objects.get().relevant == ["owl.py"]
    told = spaces("compare", "other-words")
    assert "hit at 1     1.000 1.000" in told
    assert "on 1 question" in told


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("activate", "owl"), "No space is called “owl”. There are: hashed-words"),
        (("rollback",), "nothing to go back to"),
        (("retire", "hashed-words"), "use another one first"),
        (("build", "--model", "owl"), "already"),
        (("build", "--model", "owl", "--address", "owl"), "An address begins with"),
        (("build", "--model", "m", "--address", "http://127.0.0.1:1/v1"), "can't be reached"),
        (("build", "--model", "m", "--address", "http://o/v1", "--key", "x"), "never the key"),
        (("golden", "/nowhere.jsonl", "--project", "nightowl"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_sentence(embedded, settings, arguments, sentence):
    settings.EMBEDDERS = {**settings.EMBEDDERS, "minilm": settings.EMBEDDERS["HashedWords"]}
    EmbeddingSpace.objects.update(adapter="minilm")
    with pytest.raises(CommandError, match=sentence):
        spaces(*arguments)


def test_indexes_are_made_where_a_space_is_large(embedded, monkeypatch):
    assert "No space is so large" in spaces("index")
    monkeypatch.setattr("knowledge.spaces.INDEXED_FROM", 1)
    assert "is valid" in spaces("index")


def test_tending_follows_the_environment_compares_and_cleans(embedded, settings):
    old = the_active()
    name_other_words(settings)
    tend_spaces()
    new = EmbeddingSpace.objects.get(model_name="other-words")
    assert new.takes_over_when_built
    embed(embedded)
    spaces("rollback")
    spaces("retire", "other-words")
    tend_spaces()
    assert state_of(old) == "active"
    assert state_of(new) == "retired"


def test_tending_bears_a_model_that_is_away(embedded, settings, caplog):
    settings.EMBEDDING_ADAPTER = "compatible"
    settings.EMBEDDING_BASE_URL, settings.EMBEDDING_MODEL = "http://127.0.0.1:1/v1", "owl-1"
    tend_spaces()
    assert "can't be used: The server of owl-1 can't be reached." in caplog.text
    assert the_active().model_name == "hashed-words"

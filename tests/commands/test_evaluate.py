"""`manage.py evaluate`."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from projects.models import Membership, Project
from tests.knowledge.space_samples import embed
from tests.model_server import model_server

MAIL = '{"id": "m", "query": "who delivers a letter?", "relevant": ["src/mail.py"]}\n'
CACHE = (
    '{"id": "c", "query": "what evicts the oldest of the cache?",'
    ' "relevant": [{"path": "src/cache.py", "start_line": 1, "end_line": 2}]}\n'
)


@pytest.fixture(autouse=True)
def own_cache(settings, tmp_path):
    settings.NIGHTOWL_HOME = tmp_path / "home"


@pytest.fixture
def indexed(source, index):
    index(source, "src/cache.py", "def evict(cache):\n    return cache.drop_oldest()\n")
    index(source, "src/mail.py", "def send_mail(letter):\n    return relay.deliver(letter)\n")
    return source


@pytest.fixture
def embedded(indexed):
    embed(indexed)
    return indexed


@pytest.fixture
def write_set(tmp_path):
    (tmp_path / "sets").mkdir()

    def write(name: str, text: str) -> str:
        path = tmp_path / "sets" / f"{name}.jsonl"
        path.write_text(text)
        return str(path)

    return write


def evaluate(*arguments: str) -> str:
    out = StringIO()
    call_command("evaluate", *arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


def test_a_set_is_measured_on_the_project_of_its_name(embedded, write_set):
    said = evaluate(write_set("nightowl", MAIL + CACHE))
    assert said.splitlines()[:2] == ["questions      2", "hit at 1       1.000"]
    assert "ndcg at 10     1.000" in said
    assert "by chunk" not in said


def test_figures_by_chunk_are_printed_when_asked_for(embedded, write_set):
    by_file, _, by_chunk = evaluate(write_set("nightowl", CACHE), "--chunks").partition("by chunk")
    assert "mrr            1.000" in by_file
    assert "mrr            1.000" in by_chunk


def test_a_set_may_be_measured_on_another_project(embedded, write_set):
    assert "mrr            1.000" in evaluate(write_set("owls", MAIL), "--project", "nightowl")


def test_what_is_not_found_is_named(embedded, write_set):
    said = evaluate(write_set("nightowl", MAIL.replace("src/mail.py", "gone.py")))
    assert "hit at 20      0.000" in said
    assert "not among the first five: m who delivers a letter?" in said


def test_programs_get_the_figures_and_each_question(embedded, write_set):
    data = json.loads(evaluate(write_set("nightowl", MAIL + CACHE), "--json"))
    assert data["set"] == data["project"] == "nightowl"
    assert (data["questions"], data["mrr"], data["hit_at_1"]) == (2, 1, 1)
    assert data["by_chunk"]["ndcg_at_10"] == 1
    assert data["baselines"] == {}
    assert [(one["id"], one["first"], one["first_chunk"]) for one in data["outcomes"]] == [
        ("m", 1, 1),
        ("c", 1, 1),
    ]
    assert data["outcomes"][0]["found"][0] == "src/mail.py"


def test_baselines_stand_beside_with_what_chance_would_do(embedded, write_set):
    said = evaluate(write_set("nightowl", MAIL + CACHE), "--all-baselines")
    assert said.splitlines()[0].split() == ["usual", "words", "vectors", "rrf", "naive"]
    for name in ("words", "vectors", "rrf", "naive"):
        assert f"against {name}: as well\n  MRR +0.000 [+0.000, +0.000]" in said


def test_several_sets_are_told_each_and_together(embedded, write_set, tmp_path):
    write_set("one", MAIL)
    write_set("two", CACHE)
    folder = str(tmp_path / "sets")
    arguments = (folder, "--project", "nightowl", "--baseline", "words", "--baseline", "naive")
    data = json.loads(evaluate(*arguments, "--json"))
    assert [one["set"] for one in data["sets"]] == ["one", "two"]
    assert data["pooled"]["questions"] == 2
    words = data["pooled"]["baselines"]["words"]
    assert words["difference"]["mrr"] == {"mean": 0, "low": 0, "high": 0}
    assert words["verdict"] == "as well"
    said = evaluate(*arguments)
    assert [line for line in said.splitlines() if line.startswith("#")] == [
        "# one",
        "# two",
        "# pooled",
    ]


def test_without_vectors_words_alone_are_measured_and_that_is_said(indexed, write_set):
    assert "Searched by words only" in evaluate(write_set("nightowl", MAIL))


@pytest.mark.parametrize("name", ["vectors", "naive"])
def test_baselines_of_vectors_need_vectors(indexed, write_set, name):
    with pytest.raises(CommandError, match="Nothing is embedded yet"):
        evaluate(write_set("nightowl", MAIL), "--baseline", name)


def test_a_model_that_does_not_answer_is_not_measured(embedded, write_set, admin):
    with model_server() as server:
        call_command("spaces", "build", "--model", "owl-1", "--address", server.url)
        embed(embedded)
        call_command("spaces", "activate", "owl-1", stdout=StringIO())
        server.mode = "broken"
        with pytest.raises(CommandError, match="owl-1 does not answer"):
            evaluate(write_set("nightowl", MAIL))


def test_what_cannot_be_read_is_said_in_a_sentence(embedded, write_set, tmp_path):
    with pytest.raises(CommandError, match="The set can't be read: Line 1"):
        evaluate(write_set("nightowl", "nonsense"))
    with pytest.raises(CommandError, match="There is no project “barn”"):
        evaluate(write_set("barn", MAIL))
    with pytest.raises(CommandError, match="The set can't be read"):
        evaluate(str(tmp_path / "nightowl.jsonl"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(CommandError, match="no set of questions"):
        evaluate(str(tmp_path / "empty"))


def test_elsewhere_tells_how_well_confidence_knows(embedded, write_set, alice):
    garden = Project.objects.create(name="garden", owner=alice)
    Membership.objects.create(project=garden, user=alice, role=Membership.Role.OWNER)
    sets = [write_set("nightowl", MAIL + CACHE), write_set("garden", MAIL)]

    said = evaluate(*sets, "--elsewhere")
    assert said.splitlines()[:2] == ["questions here         3", "asked elsewhere        3"]
    told = json.loads(evaluate(*sets, "--elsewhere", "--json"))
    assert (told["here"], told["elsewhere"], told["refused_elsewhere"]) == (
        3,
        3,
        pytest.approx(2 / 3),
    )


def test_elsewhere_needs_two_projects(embedded, write_set):
    with pytest.raises(CommandError, match="two projects"):
        evaluate(write_set("nightowl", MAIL), "--elsewhere")

"""The tutorial's pipeline: every text, no headers, and vectors that are made once."""

from itertools import pairwise

import numpy as np
import pytest

from knowledge.golden_sets import Passage
from knowledge.models import Chunk, EmbeddedText, Vector
from knowledge.naive import NaivePipeline
from projects.models import Project, Source
from providers.models import Call
from tests.knowledge.space_samples import build_beside, embed, reach_of_server, the_active
from tests.model_server import model_server

MAIL = "def send_mail(letter):\n    return relay.deliver(letter)\n"
LONG = "".join(f"line {number} tells of owls and of mice\n" for number in range(1, 101))


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.NIGHTOWL_HOME = tmp_path / "home"
    return settings.NIGHTOWL_HOME


@pytest.fixture
def embedded(source, index) -> Source:
    index(source, "mail.py", MAIL)
    index(source, "long.txt", LONG)
    index(source, "empty.txt", "")
    embed(source)
    return source


def built(project: Project, said: list[str] | None = None) -> NaivePipeline:
    pipeline = NaivePipeline(project, the_active(), (said if said is not None else []).append)
    pipeline.build()
    return pipeline


def kept(home) -> list:
    return sorted((home / "cache" / "naive").rglob("*.npy"))


def test_every_text_is_cut_and_a_question_finds_the_nearest_piece(embedded, project):
    pipeline = built(project)
    assert {piece.path for piece in pipeline.passages} == {"mail.py", "long.txt"}
    assert len(pipeline.passages) == len(pipeline.rows) > 4
    assert pipeline.find("who delivers a letter?", limit=1) == [Passage("mail.py", 1, 2)]
    assert len(pipeline.find("owls and mice", limit=3)) == 3


def test_pieces_tell_their_lines_and_overlap(embedded, project):
    pieces = [piece for piece in built(project).passages if piece.path == "long.txt"]
    assert pieces[0].start_line == 1
    assert pieces[-1].end_line == 100
    for before, after in pairwise(pieces):
        assert before.start_line < after.start_line <= before.end_line + 1


def test_vectors_are_made_once_and_leave_the_products_tables_alone(embedded, project, home):
    counts = [model.objects.count() for model in (Chunk, Vector, EmbeddedText)]
    first = built(project)
    files = kept(home)
    assert len(files) == 2
    times = [file.stat().st_mtime_ns for file in files]
    second = built(project)
    assert [file.stat().st_mtime_ns for file in kept(home)] == times
    assert np.array_equal(first.rows, second.rows)
    assert [model.objects.count() for model in (Chunk, Vector, EmbeddedText)] == counts


def test_only_what_changed_is_embedded_again(embedded, project, index, home):
    built(project)
    before = set(kept(home))
    index(embedded, "mail.py", MAIL + "\n\ndef stamp(letter):\n    return letter\n")
    built(project)
    assert len(set(kept(home)) - before) == 1


def test_the_same_text_at_two_paths_is_embedded_once(embedded, project, index, home):
    index(embedded, "copy/mail.py", MAIL)
    assert built(project).passages[0].path == "copy/mail.py"
    assert len(kept(home)) == 2


def test_a_damaged_file_is_made_anew(embedded, project, home):
    rows = built(project).rows
    for file in kept(home):
        file.write_bytes(b"\x93NUMPY broken")
    assert np.array_equal(built(project).rows, rows)


def test_a_project_without_documents_finds_nothing(embedded, alice):
    empty = Project.objects.create(name="empty", owner=alice)
    assert built(empty).find("anything", limit=5) == []


def test_long_work_says_how_far_it_is(embedded, project, monkeypatch):
    monkeypatch.setattr("knowledge.naive.SECONDS_BETWEEN_WORDS", 0.0)
    said: list[str] = []
    built(project, said)
    assert "pieces of the naive pipeline embedded" in said[0]


def test_what_a_server_took_is_in_the_ledger(embedded, project):
    with model_server() as server:
        space = build_beside(embedded, reach_of_server(server))
        already = Call.objects.count()
        pipeline = NaivePipeline(project, space, print)
        pipeline.build()
        assert Call.objects.count() == already + 1
    call = Call.objects.latest("created_at")
    assert (call.origin_kind, call.origin_id, call.project_id) == (
        "evaluation",
        project.pk,
        project.pk,
    )
    assert call.tokens_in > 0

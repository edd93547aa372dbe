"""Keeping golden questions."""

import pytest

from knowledge.golden_questions import (
    MOST_QUESTIONS,
    QuestionRefused,
    as_golden,
    export_golden,
    golden_of,
    keep_golden,
    keep_golden_question,
)
from knowledge.golden_sets import Golden, Passage, parse_set, write_set
from knowledge.models import GoldenQuestion


def test_a_question_is_kept_with_files_and_lines(project, alice):
    row = keep_golden_question(project, " who? ", ["b.py", Passage("a.py", 3, 9)], alice)
    assert (row.query, row.relevant, row.user) == ("who?", ["a.py", "b.py"], alice)
    assert as_golden(row).passages == [Passage("a.py", 3, 9), Passage("b.py")]


def test_the_same_question_takes_the_new_answers(project, alice):
    first = keep_golden_question(project, "who?", [Passage("a.py", 3, 9)], alice)
    again = keep_golden_question(project, "who?", ["b.py"], None)
    assert again.pk == first.pk
    assert (again.relevant, again.lines) == (["b.py"], [])


def test_what_is_exported_is_imported_the_same(project, alice):
    keep_golden_question(project, "who?", ["b.py", Passage("a.py", 3, 9)], alice)
    keep_golden_question(project, "where?", ["c.py"], alice)
    before = golden_of(project)
    project.golden_questions.all().delete()
    assert keep_golden(project, parse_set(write_set(before)), by=alice) == 2
    after = golden_of(project)
    assert [(one.query, one.passages) for one in after] == [
        (one.query, one.passages) for one in before
    ]


@pytest.mark.parametrize(
    ("query", "relevant", "sentence"),
    [
        ("  ", ["a.py"], "A question has"),
        ("q" * 2001, ["a.py"], "A question has"),
        ("q\0", ["a.py"], "zero byte"),
        ("q", [], "names 1 to 50 files"),
        ("q", [f"{n}.py" for n in range(51)], "names 1 to 50 files"),
        ("q", [" "], "A path has"),
        ("q", ["a" * 4097], "A path has"),
    ],
)
def test_what_cannot_be_asked_or_found_is_refused(project, query, relevant, sentence):
    with pytest.raises(QuestionRefused, match=sentence):
        keep_golden_question(project, query, relevant, None)
    assert not GoldenQuestion.objects.exists()


def test_a_set_is_kept_whole_or_not_at_all(project):
    questions = [Golden("1", "who?", frozenset({"a.py"})), Golden("2", "where?", frozenset())]
    with pytest.raises(QuestionRefused):
        keep_golden(project, questions)
    assert not GoldenQuestion.objects.exists()


def test_a_project_keeps_no_more_than_a_night_can_ask(project):
    GoldenQuestion.objects.bulk_create(
        GoldenQuestion(project=project, query=f"{n}?", relevant=["a.py"])
        for n in range(MOST_QUESTIONS)
    )
    with pytest.raises(QuestionRefused, match="at most 1,000"):
        keep_golden_question(project, "one more?", ["a.py"], None)
    keep_golden_question(project, "1?", ["b.py"], None)


def test_ids_and_notes_of_a_set_come_back_out(project, alice):
    text = '{"id": "q-7", "query": "who?", "relevant": ["a.py"], "note": "often asked"}\n'
    keep_golden(project, parse_set(text), by=alice)
    assert export_golden(project) == text
    row = GoldenQuestion.objects.get()
    assert (row.set_id, row.note) == ("q-7", "often asked")

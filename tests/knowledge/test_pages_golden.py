"""The pages of golden questions: kept, asked, compared; for editors, viewers and strangers."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from knowledge.evaluations import ask_for_evaluation, tend_evaluations
from knowledge.golden_questions import MOST_QUESTIONS, keep_golden_question
from knowledge.models import Evaluation, GoldenQuestion

MAIL = "def send_mail(letter):\n    return relay.deliver(letter)\n"


@pytest.fixture(autouse=True)
def by_day(settings):
    settings.GOLDEN_HOUR = -1


@pytest.fixture
def question(project, source, index, alice) -> GoldenQuestion:
    index(source, "src/mail.py", MAIL)
    index(source, "src/cache.py", "def evict(cache):\n    return cache.drop_oldest()\n")
    return keep_golden_question(project, "who delivers a letter?", ["src/mail.py"], alice)


@pytest.fixture
def address(project):
    return lambda name="golden": reverse(name, args=[project.pk])


def run(project, alice) -> Evaluation:
    ask_for_evaluation(project, by=alice)
    tend_evaluations()
    return Evaluation.objects.latest("finished_at")


def page(client, path: str, **data) -> str:
    answer = client.get(path, data)
    assert answer.status_code == 200
    return answer.content.decode()


def test_an_empty_page_says_what_will_be_there(client_for, alice, bob, project, address):
    assert "Add a question" in page(client_for(alice), address())
    said = page(client_for(bob), address())
    assert "No golden questions yet" in said
    assert "An editor of the project can add some" in said


def test_a_question_is_added_with_files_and_lines(client_for, alice, project, address):
    body = {"query": " who? ", "relevant": "a.py\n\nb.py:3-9\nc.py:7\n", "note": "often asked"}
    assert client_for(alice).post(address("golden-new"), body).status_code == 302
    row = GoldenQuestion.objects.get()
    assert (row.query, row.relevant, row.note, row.user) == (
        "who?",
        ["a.py", "b.py", "c.py"],
        "often asked",
        alice,
    )
    assert row.lines == [["b.py", 3, 9], ["c.py", 7, 7]]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ({"query": "", "relevant": "a.py"}, "This field is required"),
        ({"query": "q", "relevant": "a.py:9-3"}, "lines go from a first to a last one"),
        ({"query": "q", "relevant": "\n".join(f"{n}.py" for n in range(60))}, "1 to 50 files"),
    ],
)
def test_what_can_not_be_kept_is_said(client_for, alice, project, address, body, sentence):
    answer = client_for(alice).post(address("golden-new"), body)
    assert answer.status_code == 400
    assert sentence in answer.content.decode()
    assert not GoldenQuestion.objects.exists()


def test_a_question_is_changed(client_for, alice, question):
    client = client_for(alice)
    edit = reverse("golden-edit", args=[question.pk])
    assert "src/mail.py" in page(client, edit)
    client.post(edit, {"query": "who brings letters?", "relevant": "src/mail.py:1-2", "note": ""})
    question.refresh_from_db()
    assert (question.query, question.lines) == ("who brings letters?", [["src/mail.py", 1, 2]])
    assert "src/mail.py:1-2" in page(client, edit)


def test_a_question_is_not_changed_into_another_one(client_for, alice, project, question):
    keep_golden_question(project, "another?", ["a.py"], alice)
    edit = reverse("golden-edit", args=[question.pk])
    answer = client_for(alice).post(edit, {"query": "another?", "relevant": "a.py"})
    assert answer.status_code == 400
    assert "among the golden ones already" in answer.content.decode()


def test_a_deleted_question_comes_back_as_it_was(client_for, alice, question, address):
    client = client_for(alice)
    client.post(reverse("golden-delete", args=[question.pk]))
    assert not GoldenQuestion.objects.exists()
    assert "was deleted" in page(client, address())
    client.post(address("golden-undo"))
    back = GoldenQuestion.objects.get()
    assert (back.pk, back.query, back.relevant) == (
        question.pk,
        question.query,
        question.relevant,
    )
    assert client.post(address("golden-undo")).status_code == 404


def test_what_was_asked_anew_meanwhile_stays(client_for, alice, project, question, address):
    client = client_for(alice)
    client.post(reverse("golden-delete", args=[question.pk]))
    keep_golden_question(project, question.query, ["other.py"], alice)
    client.post(address("golden-undo"))
    assert GoldenQuestion.objects.get().relevant == ["other.py"]


def test_a_set_goes_out_and_comes_in_again(client_for, alice, project, question, address):
    client = client_for(alice)
    sent = client.get(address("golden-export"))
    assert "attachment" in sent["Content-Disposition"]
    assert json.loads(sent.content)["relevant"] == ["src/mail.py"]
    GoldenQuestion.objects.all().delete()
    file = SimpleUploadedFile("set.jsonl", sent.content)
    said = client.post(address("golden-import"), {"file": file}, follow=True).content.decode()
    assert "1 questions are kept, 1 of them new." in said
    assert GoldenQuestion.objects.get().query == question.query


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"nonsense", "Line 1 is not"),
        (b"\xff\xfe", "not text in UTF-8"),
        (b'{"query": "q", "relevant": []}', "names 1 to 50 files"),
    ],
)
def test_a_set_that_can_not_be_read_changes_nothing(
    client_for, alice, question, address, content, sentence
):
    file = SimpleUploadedFile("set.jsonl", content)
    answer = client_for(alice).post(address("golden-import"), {"file": file}, follow=True)
    assert "Nothing was kept." in answer.content.decode()
    assert sentence in answer.content.decode()
    assert GoldenQuestion.objects.count() == 1


def test_a_project_keeps_only_so_many(client_for, alice, question, address):
    rows = (f'{{"query": "q{n}", "relevant": ["a"]}}\n' for n in range(MOST_QUESTIONS))
    file = SimpleUploadedFile("set.jsonl", "".join(rows).encode())
    answer = client_for(alice).post(address("golden-import"), {"file": file}, follow=True)
    assert "at most 1,000" in answer.content.decode()
    assert GoldenQuestion.objects.count() == 1


def test_a_run_is_asked_for_and_shown(client_for, alice, bob, project, question, address):
    client = client_for(alice)
    assert "not been asked yet" in page(client, address())
    client.post(address("golden-run"))
    assert "A run waits for a worker" in page(client, address())
    assert 'data-busy="yes"' in page(client_for(bob), address("golden-progress"))
    tend_evaluations()
    assert 'data-busy="no"' in page(client, address("golden-progress"))
    said = page(client_for(bob), address())
    assert "nothing to compare with" in said
    assert "polyline" not in said
    run(project, alice)
    said = page(client_for(bob), address())
    assert "as well" in said
    assert "<polyline points=" in said
    assert "Ask them now" not in said


def test_files_that_are_not_indexed_are_named(client_for, alice, project, question, address):
    keep_golden_question(project, "what is gone?", ["src/gone.py", "src/mail.py"], alice)
    said = page(client_for(alice), address())
    assert "Not indexed here: src/gone.py" in said


def test_a_fall_is_told_until_somebody_dismisses_it(
    client_for, alice, bob, project, question, index, source, address
):
    run(project, alice)
    index(source, "src/mail.py", "nothing = 1\n")
    index(source, "lib/mail.py", MAIL)
    fallen = run(project, alice)
    assert fallen.verdict == "worse"
    home = reverse("project", args=[project.pk])
    for path in (address(), home):
        assert "Search finds less than it did" in page(client_for(bob), path)
    dismiss = reverse("evaluation-dismiss", args=[fallen.pk])
    assert client_for(bob).post(dismiss).status_code == 404
    assert client_for(alice).post(dismiss).status_code == 302
    for path in (address(), home):
        assert "Search finds less" not in page(client_for(bob), path)


def test_two_runs_are_shown_beside_each_other(
    client_for, alice, bob, project, question, index, source
):
    first = run(project, alice)
    client = client_for(bob)
    assert "This is the only run so far" in page(client, reverse("evaluation", args=[first.pk]))
    second = run(project, alice)
    path = reverse("evaluation", args=[second.pk])
    assert "came out the same" in page(client, path)
    index(source, "src/mail.py", "nothing = 1\n")
    index(source, "lib/mail.py", MAIL)
    third = run(project, alice)
    path = reverse("evaluation", args=[third.pk])
    assert "1 came out worse" in page(client, path)
    assert "1 came out worse" in page(client, path, against=str(first.pk))
    path = reverse("evaluation", args=[first.pk])
    assert "no earlier run" in page(client, path)
    assert "1 came out better" in page(client, path, against=str(third.pk))
    assert "no earlier run" in page(client, path, against="nonsense")


def test_a_run_that_measured_nothing_says_why(client_for, alice, project, question, address):
    ask_for_evaluation(project, by=alice)
    GoldenQuestion.objects.all().delete()
    tend_evaluations()
    assert "There are no golden questions to ask." in page(client_for(alice), address())


def test_names_are_escaped(client_for, alice, project, address):
    keep_golden_question(project, "<script>alert(1)</script>", ["<b>.py"], alice)
    said = page(client_for(alice), address())
    assert "<script>alert" not in said
    assert "<b>.py" not in said


@pytest.mark.parametrize("who", ["bob", "charlie"])
@pytest.mark.parametrize("name", ["new", "import", "run", "undo"])
def test_only_editors_change_them(client_for, request, question, address, who, name):
    client = client_for(request.getfixturevalue(who))
    assert client.post(address(f"golden-{name}")).status_code == 404
    for action in ("golden-edit", "golden-delete"):
        assert client.post(reverse(action, args=[question.pk])).status_code == 404
    assert GoldenQuestion.objects.count() == 1
    assert not Evaluation.objects.exists()


def test_a_stranger_can_not_tell_that_anything_is_there(
    client_for, alice, charlie, project, question, address
):
    made = run(project, alice)
    client = client_for(charlie)
    for name in ("golden", "golden-export", "golden-progress"):
        assert client.get(address(name)).status_code == 404
    assert client.get(reverse("evaluation", args=[made.pk])).status_code == 404


def test_the_page_takes_as_many_queries_for_many_questions(
    client_for, alice, project, question, address, django_assert_max_num_queries
):
    for number in range(30):
        keep_golden_question(project, f"question {number}?", ["src/mail.py"], alice)
    run(project, alice)
    client = client_for(alice)
    with django_assert_max_num_queries(24):
        page(client, address())

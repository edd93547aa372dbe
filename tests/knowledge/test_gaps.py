"""What people ask in vain is counted, kept in its project, and can be decided on."""

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse

from accounts.viewers import Viewer
from knowledge.gaps import (
    SAMPLES,
    Seen,
    bring_in_line,
    close_gap,
    cluster_of,
    make_gap_task,
    note_gap,
    open_gaps_of,
    settle_gap,
    take_back,
)
from knowledge.models import KnowledgeGap

LOW, DISLIKED = KnowledgeGap.Kind.LOW_EVIDENCE, KnowledgeGap.Kind.DISLIKED
DISMISSED, CANDIDATE = KnowledgeGap.State.DISMISSED, KnowledgeGap.State.CANDIDATE


@pytest.fixture
def gap(project) -> KnowledgeGap:
    return note_gap(project.pk, "How do owls moor zeppelins?", kind=LOW, near="docs/air/owls.md")


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("How do owls hunt?", "how does an owl hunt", True),
        ("Where is the hunt of owls?", "owls: the hunt", True),
        ("How do owls hunt?", "How do owls sleep?", False),
        ("why?", "WHY?", True),
        ("why?", "who?", False),
        ("", "", True),
    ],
)
def test_questions_of_the_same_words_are_one(one, other, are_one):
    assert (cluster_of(one) == cluster_of(other)) is are_one


def test_a_question_asked_again_in_other_words_is_counted(project, gap):
    again = note_gap(project.pk, "zeppelins: how does an owl moor them?", kind=LOW)
    assert (again.pk, again.times) == (gap.pk, 2)
    assert again.reason == "How do owls moor zeppelins?"
    assert [sample["question"] for sample in again.samples] == [
        "zeppelins: how does an owl moor them?",
        "How do owls moor zeppelins?",
    ]


def test_a_gap_says_near_what_it_is(gap):
    assert (gap.module, gap.kind, gap.state) == ("docs/air", LOW, CANDIDATE)


def test_low_evidence_and_dislike_are_two_gaps(project, gap):
    other = note_gap(project.pk, "How do owls moor zeppelins?", kind=DISLIKED, comment="wrong")
    assert other.pk != gap.pk
    assert other.samples[0]["comment"] == "wrong"
    assert open_gaps_of(project.pk) == 2


def test_of_many_wordings_the_latest_few_are_kept(project):
    for number in range(SAMPLES + 4):
        gap = note_gap(project.pk, "owl " * (number + 1), kind=LOW)
    assert gap.times == SAMPLES + 4
    assert len(gap.samples) == SAMPLES
    assert gap.samples[0]["question"] == " ".join(["owl"] * (SAMPLES + 4))


def test_a_secret_in_a_question_is_masked_and_a_long_one_is_cut(project):
    asked = "why is ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9aB3dE5gHx refused? " + "word " * 200
    gap = note_gap(project.pk, asked, kind=LOW)
    assert "ghp_aB3dE5" not in str(gap.samples) + gap.reason
    assert len(gap.samples[0]["question"]) <= 300


def test_taking_back_the_only_time_leaves_nothing(project, gap):
    take_back(project.pk, "how does an owl moor a zeppelin", kind=LOW)
    assert not KnowledgeGap.objects.exists()
    take_back(project.pk, "how does an owl moor a zeppelin", kind=LOW)


def test_taking_back_one_of_two_times_leaves_the_other(project, gap):
    note_gap(project.pk, "moor owls, zeppelins", kind=LOW)
    take_back(project.pk, "moor owls, zeppelins", kind=LOW)
    gap.refresh_from_db()
    assert gap.times == 1
    assert [sample["question"] for sample in gap.samples] == ["How do owls moor zeppelins?"]


def test_what_somebody_decided_on_stays_when_the_question_is_taken_back(project, gap):
    settle_gap(gap, DISMISSED)
    take_back(project.pk, gap.reason, kind=LOW)
    gap.refresh_from_db()
    assert (gap.times, gap.state) == (0, DISMISSED)


def test_a_dismissed_gap_stays_dismissed_when_it_is_asked_again(project, gap):
    settle_gap(gap, DISMISSED)
    assert note_gap(project.pk, gap.reason, kind=LOW).state == DISMISSED
    assert open_gaps_of(project.pk) == 0


def test_a_question_is_one_gap_in_each_project_and_a_reason_without_one_as_before(project, gap):
    with pytest.raises(IntegrityError), transaction.atomic():
        KnowledgeGap.objects.create(project=project, kind=LOW, cluster=gap.cluster, reason="x")
    KnowledgeGap.objects.create(project=project, module="a", reason="Nothing about mice")
    with pytest.raises(IntegrityError), transaction.atomic():
        KnowledgeGap.objects.create(project=project, module="a", reason="Nothing about mice")


def test_members_see_the_gaps_of_their_projects_alone(gap, viewer, bob, charlie):
    assert KnowledgeGap.objects.visible_to(viewer).get() == gap
    assert KnowledgeGap.objects.visible_to(Viewer(bob)).get() == gap
    assert not KnowledgeGap.objects.visible_to(Viewer(charlie)).exists()
    assert not KnowledgeGap.objects.editable_by(Viewer(bob)).exists()


def test_an_editor_dismisses_a_gap_and_brings_it_back(client_for, alice, project, gap):
    browser = client_for(alice)
    address = reverse("gaps", args=[project.pk])
    assert "How do owls moor zeppelins?" in browser.get(address).content.decode()
    settle = reverse("gap-settle", args=[gap.pk])
    assert browser.post(settle, {"state": "dismissed"}).status_code == 302
    page = browser.get(address).content.decode()
    assert "How do owls moor zeppelins?" not in page
    assert "Dismissed (1)" in page
    assert "Bring back" in browser.get(f"{address}?state=dismissed").content.decode()
    browser.post(settle, {"state": "candidate"})
    for state in ("nonsense", "closed", ""):
        browser.post(settle, {"state": state})
    gap.refresh_from_db()
    assert gap.state == CANDIDATE


def test_a_viewer_looks_and_a_stranger_finds_nothing(client_for, bob, charlie, project, gap):
    address, settle = reverse("gaps", args=[project.pk]), reverse("gap-settle", args=[gap.pk])
    page = client_for(bob).get(address).content.decode()
    assert "How do owls moor zeppelins?" in page
    assert "Dismiss</button>" not in page
    assert client_for(bob).post(settle, {"state": "dismissed"}).status_code == 404
    assert client_for(charlie).get(address).status_code == 404
    assert client_for(charlie).post(settle, {"state": "dismissed"}).status_code == 404


def test_an_empty_list_says_what_will_be_here(client_for, alice, project):
    page = client_for(alice).get(reverse("gaps", args=[project.pk])).content.decode()
    assert "No gaps" in page


def test_markup_in_a_question_is_shown_not_run(client_for, alice, project):
    note_gap(project.pk, "<script>owl()</script>", kind=LOW)
    page = client_for(alice).get(reverse("gaps", args=[project.pk])).content.decode()
    assert "<script>owl()" not in page
    assert "&lt;script&gt;owl()" in page


def test_the_list_asks_the_database_as_often_for_many_as_for_few(
    client_for, alice, project, django_assert_max_num_queries
):
    for number in range(40):
        note_gap(project.pk, f"question number{number} about owls{number}", kind=LOW)
    browser = client_for(alice)
    with django_assert_max_num_queries(14):
        browser.get(reverse("gaps", args=[project.pk]))


def test_what_the_sources_tell_by_now_is_listed_apart_and_comes_back(
    client_for, alice, project, gap
):
    browser, address = client_for(alice), reverse("gaps", args=[project.pk])
    close_gap(gap)
    page = browser.get(address).content.decode()
    assert gap.reason not in page
    assert "Closed (1)" in page
    assert gap.reason in browser.get(f"{address}?state=closed").content.decode()
    browser.post(reverse("gap-settle", args=[gap.pk]), {"state": "candidate"})
    gap.refresh_from_db()
    assert (gap.state, gap.closed_at) == (CANDIDATE, None)


def test_what_was_seen_in_code_says_where(client_for, alice, project):
    assert (
        bring_in_line(project.pk, "untested", [Seen("barn", "No tests", ("barn/owl.py",), 3)]) == 1
    )
    page = client_for(alice).get(reverse("gaps", args=[project.pk])).content.decode()
    assert "Code without tests" in page
    assert "3 places" in page
    assert "barn/owl.py" in page


def test_a_gap_is_made_into_one_task(client_for, alice, project, gap):
    browser, address = client_for(alice), reverse("gap-task", args=[gap.pk])
    first, second = browser.post(address), browser.post(address)
    task = project.tasks.get()
    assert (first["Location"], second["Location"]) == (task.get_absolute_url(),) * 2
    assert gap.reason in task.title
    gap.refresh_from_db()
    assert (gap.state, gap.task) == (KnowledgeGap.State.CONFIRMED, task)
    page = browser.get(reverse("gaps", args=[project.pk])).content.decode()
    assert task.get_absolute_url() in page
    assert "Make a task" not in page


def test_only_editors_make_tasks_of_gaps(client_for, bob, charlie, project, gap):
    for who in (bob, charlie):
        assert client_for(who).post(reverse("gap-task", args=[gap.pk])).status_code == 404
    assert not project.tasks.exists()


def test_the_task_of_a_gap_in_a_masked_question_has_no_secret(project, alice):
    asked = "why is ghp_aB3dE5gH7jK9mN1pQ3sT5vW7yZ9aB3dE5gHx refused?"
    task = make_gap_task(note_gap(project.pk, asked, kind=LOW), by=alice)
    assert "ghp_aB3dE5" not in task.title + task.description
